//! Deaths of those who sleep at a queue, and of those who wake others: two processes, each of which waits until the other is asleep.

use crate::{DEATHS, MET, PATIENCE, Progress, message, points, process};
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use psync_runtime::{
    channel::{Queue, RecvError},
    sync::testing::faults,
};

/// What only these scenes pass. The rest of what they do is played elsewhere, and depends on who is faster.
const POINTS: [&str; 4] =
    ["queue: marked as a sleeper", "queue: falls asleep", "queue: awake", "queue: bell moved"];

/// Whether the process sleeps, or is dead.
fn is_at_rest(pid: &AtomicU64) -> bool {
    let pid = pid.load(SeqCst);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    pid != 0 && stat.rsplit(')').next().is_none_or(|rest| !rest.trim_start().starts_with('R'))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Sends(u64),
    Receives(u64),
}

impl Act {
    fn play(self, queue: &Queue<Vec<u64>>) {
        match self {
            Self::Sends(number) => queue.send_timeout(message(number), PATIENCE).expect("room"),
            Self::Receives(number) => {
                assert_eq!(queue.recv_timeout(PATIENCE), Ok(message(number)));
            }
        }
    }
}

struct Scene {
    name: &'static str,
    /// Whether the queue, which has room for one message, begins full.
    full: bool,
    victim: Act,
    partner: Act,
    /// Whether the one who dies sleeps; otherwise it wakes the other.
    sleeps: bool,
}

const SCENES: [Scene; 4] = [
    Scene {
        name: "asleep for a message",
        full: false,
        victim: Act::Receives(1),
        partner: Act::Sends(1),
        sleeps: true,
    },
    Scene {
        name: "asleep for room",
        full: true,
        victim: Act::Sends(1),
        partner: Act::Receives(0),
        sleeps: true,
    },
    Scene {
        name: "waking a receiver",
        full: false,
        victim: Act::Sends(1),
        partner: Act::Receives(1),
        sleeps: false,
    },
    Scene {
        name: "waking a sender",
        full: true,
        victim: Act::Receives(0),
        partner: Act::Sends(1),
        sleeps: false,
    },
];

/// Both pids, as far as they are known.
struct Pids {
    victim: AtomicU64,
    partner: AtomicU64,
}

fn pids() -> &'static Pids {
    process::share(Pids { victim: AtomicU64::new(0), partner: AtomicU64::new(0) })
}

impl Scene {
    fn queue(&self) -> Queue<Vec<u64>> {
        let queue = Queue::bounded(1).expect("memory");
        if self.full {
            queue.try_send(message(0)).expect("room");
        }
        queue
    }

    fn victim(&self, queue: &Queue<Vec<u64>>, pids: &Pids) {
        pids.victim.store(std::process::id().into(), SeqCst);
        process::until(|| self.sleeps || is_at_rest(&pids.partner));
        self.victim.play(queue);
    }

    fn partner(&self, queue: &Queue<Vec<u64>>, pids: &Pids) {
        pids.partner.store(std::process::id().into(), SeqCst);
        process::until(|| !self.sleeps || is_at_rest(&pids.victim));
        self.partner.play(queue);
    }

    /// What is left in the queue if the victim had done its part, or not.
    fn left(&self, done: bool) -> Vec<u64> {
        let mut left: Vec<u64> = self.full.then_some(0).into_iter().collect();
        for act in [(done, self.victim), (true, self.partner)] {
            match act {
                (true, Act::Sends(number)) => left.push(number),
                (true, Act::Receives(number)) => left.retain(|one| *one != number),
                (false, _) => {}
            }
        }
        left
    }

    /// The partner gets done, and nothing is lost or doubled.
    fn die_at(&self, point: &'static str) {
        process::alarm(120);
        let (queue, pids) = (self.queue(), pids());
        let mut partner = process::start(|| self.partner(&queue, pids));
        let mut victim = process::start(|| {
            faults::die_at(point, 1);
            self.victim(&queue, pids);
        });
        assert!(!victim.join(), "{}: it did not die at {point}", self.name);
        assert!(partner.join(), "{}: {point}: the other is held up", self.name);
        let left: Vec<_> = std::iter::from_fn(|| queue.try_recv().ok()).collect();
        let is_right = |done| self.left(done).into_iter().map(message).eq(left.iter().cloned());
        // Who sleeps has not done it, and who wakes has.
        assert!(is_right(!self.sleeps), "{}: {point}: {} are left", self.name, left.len());
        queue.send_timeout(message(9), PATIENCE).expect("room");
        assert_eq!(queue.recv_timeout(PATIENCE), Ok(message(9)));
        assert_eq!(queue.try_recv(), Err(RecvError::Empty));
        DEATHS.set(DEATHS.get() + 1);
        MET.with_borrow_mut(|met| met.insert(point));
    }
}

/// A process lets go of its last handle, which wakes all, and dies of it: who sleeps goes on sleeping until there is a message.
fn letting_go() {
    for point in ["queue: about to let go", "queue: bell unmarked"] {
        process::alarm(120);
        let (queue, pids) = (Queue::bounded(1).expect("memory"), pids());
        let mut partner = process::start(|| {
            pids.partner.store(std::process::id().into(), SeqCst);
            assert_eq!(queue.recv_timeout(PATIENCE), Ok(message(1)));
        });
        let mut victim = process::start(|| {
            process::until(|| is_at_rest(&pids.partner));
            faults::die_at(point, 1);
            drop(queue.clone());
        });
        assert!(!victim.join(), "it did not die at {point}");
        queue.send_timeout(message(1), PATIENCE).expect("room");
        assert!(partner.join(), "{point}: the other is held up");
        DEATHS.set(DEATHS.get() + 1);
        MET.with_borrow_mut(|met| met.insert(point));
    }
}

pub(crate) fn play() {
    letting_go();
    for scene in &SCENES {
        let (queue, pids) = (scene.queue(), pids());
        let partner = process::start(|| scene.partner(&queue, pids));
        let passed = points(|| (), |_: &Progress| scene.victim(&queue, pids));
        drop(partner);
        let mut count = 0;
        for point in POINTS {
            if passed.contains(&(point, 1)) {
                scene.die_at(point);
                count += 1;
            }
        }
        let expected = if scene.sleeps { 3 } else { 1 };
        assert!(count >= expected, "{}: {count} of the points in {passed:?}", scene.name);
    }
}
