//! The machine that a model runs on: threads, each of them a process, and what becomes of one that is killed.

pub(crate) use crate::rules::{Death, Rules, Sabotage};
use crate::{
    barriers, defects, memory, points,
    primitive::Ordering,
    shm::world::{Identity, Me, WORLD},
    sys::{
        clock::{CLOCK, Deadline},
        futex::Wake,
        thread,
    },
    trace, writers,
};
use core::{
    cell::{Cell, RefCell},
    fmt::{Debug, Display},
};
use std::{panic, sync::Arc};

/// How many seconds long a waiter in doubt waits for news after a death: how often it looks by itself.
const PATIENCE: u32 = 1;

struct Machine {
    rules: Rules,
    threads: Vec<Thread>,
    /// Who sleeps on which address, in the order in which they came.
    queue: Vec<(usize, usize)>,
    /// Who wants to know when somebody falls asleep.
    watchers: Vec<loom::thread::Thread>,
    has_slept: bool,
    /// How many deaths somebody may have to find out about by itself.
    doubts: u32,
    /// Words that were there before the model began.
    statics: usize,
    counts: Counts,
}

/// What has been explored so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) executions: u64,
    pub(crate) deaths: u64,
}

#[derive(Default)]
struct Thread {
    is_mortal: bool,
    is_stranger: bool,
    has_ended: bool,
    is_dead: bool,
    steps: u32,
    /// The robust list, the first member first, as the addresses of `next` fields.
    robust: Vec<usize>,
    pending: Option<usize>,
    until: Option<Deadline>,
    woken: Option<Wake>,
    parked: Option<loom::thread::Thread>,
    looks: u32,
    /// The addresses of the locks it reads under.
    reads: Vec<usize>,
}

thread_local! {
    static MACHINE: RefCell<Machine> = const {
        RefCell::new(Machine {
            rules: Rules { fatal: None, death: Death::Marked, is_strong: false, sabotage: None },
            threads: Vec::new(),
            queue: Vec::new(),
            watchers: Vec::new(),
            has_slept: false,
            doubts: 0,
            statics: 0,
            counts: Counts { executions: 0, deaths: 0 },
        })
    };
}

loom::thread_local! {
    static WHO: Cell<usize> = Cell::new(0);
}

fn with<R>(f: impl FnOnce(&mut Machine) -> R) -> R {
    MACHINE.with_borrow_mut(f)
}

/// The number of this thread. The first one, which sets the model up, is 0.
pub(crate) fn who() -> usize {
    WHO.with(Cell::get)
}

/// How many threads there are.
pub(crate) fn count() -> usize {
    with(|machine| machine.threads.len())
}

fn with_me<R>(f: impl FnOnce(&mut Thread) -> R) -> R {
    let me = who();
    with(|machine| f(&mut machine.threads[me]))
}

/// Begins an execution of a model.
pub(crate) fn boot(rules: Rules) {
    memory::clear();
    defects::clear();
    barriers::clear();
    points::clear();
    writers::clear();
    trace::clear();
    with(|machine| {
        machine.rules = rules;
        machine.threads = vec![Thread::default()];
        machine.queue.clear();
        machine.watchers.clear();
        machine.has_slept = false;
        machine.doubts = 0;
        machine.counts.executions += 1;
    });
    drop(format!("{WORLD:?} {CLOCK:?}"));
    with(|machine| machine.statics = memory::count());
}

/// Ends an execution.
pub(crate) fn shut_down() {
    with(|machine| {
        let left = machine.threads.iter().skip(1).filter(|thread| !thread.has_ended).count();
        assert_eq!(left, 0, "threads of a model are joined");
        assert_eq!(memory::count(), machine.statics, "a word was moved after its first use");
    });
}

/// What this thread has explored.
pub(crate) fn counts() -> Counts {
    with(|machine| machine.counts)
}

pub(crate) fn has(sabotage: Sabotage) -> bool {
    with(|machine| machine.rules.sabotage == Some(sabotage))
}

pub(crate) fn is_strong() -> bool {
    with(|machine| machine.rules.is_strong)
}

/// How others learn of deaths.
pub(crate) fn death() -> Death {
    with(|machine| machine.rules.death)
}

/// An order as strong as the machine has it.
pub(crate) fn weaken(order: Ordering) -> Ordering {
    match (with(|machine| machine.rules.sabotage), order) {
        (Some(Sabotage::NoAcquire), Ordering::Acquire)
        | (Some(Sabotage::NoRelease), Ordering::Release) => Ordering::Relaxed,
        (Some(Sabotage::NoAcquire), Ordering::AcqRel) => Ordering::Release,
        (Some(Sabotage::NoRelease), Ordering::AcqRel) => Ordering::Acquire,
        (_, order) => order,
    }
}

/// A value in shared memory, all of whose words are there before anybody uses them.
pub(crate) fn shared<T: Debug>(value: T) -> Arc<T> {
    let shared = Arc::new(value);
    drop(format!("{shared:?}"));
    shared
}

/// A process that runs.
pub(crate) struct Process<T>(loom::thread::JoinHandle<Option<T>>);

impl<T> Process<T> {
    /// Waits for its end; `None` if it was killed.
    pub(crate) fn end(self) -> Option<T> {
        self.0.join().expect("a panic ends the model")
    }

    /// Waits for the end of one that is not a victim.
    pub(crate) fn join(self) -> T {
        self.end().expect("only victims are killed")
    }
}

/// Starts a process.
pub(crate) fn process<T: 'static>(body: impl FnOnce() -> T + 'static) -> Process<T> {
    start(Thread::default(), body)
}

/// Starts a process that does not know yet who it is, as in a program that has just begun.
pub(crate) fn stranger<T: 'static>(body: impl FnOnce() -> T + 'static) -> Process<T> {
    start(Thread { is_stranger: true, ..Thread::default() }, body)
}

/// Starts a process that is killed at some step, in a model that is run with deaths.
pub(crate) fn victim<T: 'static>(body: impl FnOnce() -> T + 'static) -> Process<T> {
    start(Thread { is_mortal: true, ..Thread::default() }, body)
}

/// Starts a process that comes to the end of `body` and is killed there, with what it holds.
pub(crate) fn doomed(body: impl FnOnce() + 'static) -> Process<()> {
    process(|| {
        body();
        panic::resume_unwind(Box::new(Killed))
    })
}

fn start<T: 'static>(thread: Thread, body: impl FnOnce() -> T + 'static) -> Process<T> {
    let index = with(|machine| {
        machine.threads.push(thread);
        machine.threads.len() - 1
    });
    Process(loom::thread::spawn(move || {
        WHO.with(|who| who.set(index));
        let result = match panic::catch_unwind(panic::AssertUnwindSafe(body)) {
            Ok(result) => Some(result),
            Err(payload) if payload.is::<Killed>() => {
                die();
                None
            }
            Err(payload) => panic::resume_unwind(payload),
        };
        with_me(|me| {
            assert!(me.robust.is_empty(), "a process ends and holds a lock");
            me.has_ended = true;
        });
        result
    }))
}

/// What unwinds a thread that was killed. Whatever it does on the way is nothing (see [`primitive`](crate::primitive)).
struct Killed;

/// A step of this thread that others can see is about to be made. Before it is the last moment to be killed at: between two steps it makes
/// no difference when a process is killed.
pub(crate) fn step() {
    let me = who();
    let is_fatal = with(|machine| {
        let me = &mut machine.threads[me];
        me.steps += 1;
        me.is_mortal && machine.rules.fatal == Some(me.steps)
    });
    if is_fatal {
        panic::resume_unwind(Box::new(Killed));
    }
}

/// The process that is started as the n-th, counted from 1; the one that sets the model up is the 0th.
pub(crate) fn nth(process: usize) -> Identity {
    Identity::from_bits(u32::try_from(process).expect("there are few") + 1)
}

/// Writes down what this thread has just done.
pub(crate) fn trace<T: Display>(what: impl FnOnce() -> T) {
    trace::write(|| format!("thread {}: {}", who(), what()));
}

/// What happens at the death of this thread.
fn die() {
    trace(|| "dies");
    let me = me().id;
    let (death, robust, pending) = with(|machine| {
        let dead = &mut machine.threads[slot(me)];
        dead.is_dead = true;
        machine.counts.deaths += u64::from(core::mem::take(&mut dead.is_mortal));
        (machine.rules.death, core::mem::take(&mut dead.robust), dead.pending.take())
    });
    if death.is_marked() && !has(Sabotage::NoMark) {
        thread::exit(&robust, pending);
    }
    WORLD.end(me);
    if death.is_reported() {
        WORLD.mark_dead(me);
    }
    if !death.is_reported() && !has(Sabotage::NoLook) {
        // To the checker, a step of those who are about to sleep on the epoch and of this.
        WORLD.epoch().latest(Ordering::Relaxed);
        with(|machine| {
            machine.doubts += 1;
            machine.end_sleeps(Wake::TimedOut, |_| true);
        });
    }
}

/// This process.
pub(crate) fn me() -> Me {
    let who = if std::thread::panicking() { 0 } else { who() };
    let bits = u32::try_from(who).expect("there are few") + 1;
    Me { id: Identity::from_bits(bits), pid: bits.cast_signed() }
}

/// Whether the process with these bits was killed. For the models: no machine can know as early.
pub(crate) fn is_dead(bits: u32) -> bool {
    let slot = slot(Identity::from_bits(bits));
    with(|machine| machine.threads[slot].is_dead)
}

/// The number of a process by its identity.
pub(crate) fn slot(id: Identity) -> usize {
    id.bits() as usize - 1
}

/// Whether this process knows who it is. The question makes it know.
pub(crate) fn is_known() -> bool {
    !std::thread::panicking() && with_me(|me| !core::mem::take(&mut me.is_stranger))
}

/// Whether a thread, of which each process has one with the process's number, has not ended.
pub(crate) fn lives(tid: u32) -> bool {
    !WORLD.has_ended(Identity::from_bits(tid))
}

/// Lets the deadline of those who have one pass.
pub(crate) fn strike() {
    CLOCK.store(1, Ordering::Relaxed);
    with(|machine| machine.end_sleeps(Wake::TimedOut, |until| until == Deadline::Noon));
}

/// Waits until another thread has fallen asleep.
pub(crate) fn await_sleeper() {
    while with(|machine| !machine.has_slept) {
        with(|machine| machine.watchers.push(loom::thread::current()));
        loom::thread::park();
    }
}

/// From here on this process is a victim.
pub(crate) fn endanger() {
    with_me(|me| (me.is_mortal, me.steps) = (true, 0));
}

impl Machine {
    fn end_sleeps(&mut self, wake: Wake, mut which: impl FnMut(Deadline) -> bool) {
        for thread in 0..self.threads.len() {
            if self.threads[thread].until.is_some_and(&mut which) {
                self.end_sleep(thread, wake);
            }
        }
    }

    fn end_sleep(&mut self, thread: usize, wake: Wake) {
        trace::write(|| format!("thread {thread} is woken: {wake:?}"));
        self.queue.retain(|(_, sleeper)| *sleeper != thread);
        let thread = &mut self.threads[thread];
        thread.until = None;
        thread.woken = Some(wake);
        if let Some(parked) = thread.parked.take() {
            parked.unpark();
        }
    }
}

/// The queues of futexes, for [`futex`].
pub(crate) mod sleep {
    use super::{Deadline, MACHINE, PATIENCE, Wake, who, with, with_me};

    /// From here on this thread can be woken.
    pub(crate) fn begin(deadline: Deadline) {
        with_me(|me| (me.until, me.woken) = (Some(deadline), None));
    }

    /// Adds it to the queue of an address, unless it has been woken already.
    pub(crate) fn enqueue(address: usize) {
        let me = who();
        with(|machine| {
            if machine.threads[me].woken.is_none() {
                machine.queue.push((address, me));
            }
        });
    }

    /// Ends the sleep for a reason of its own, unless it has been woken meanwhile.
    pub(crate) fn end(wake: Wake) -> Wake {
        let me = who();
        with(|machine| {
            if machine.threads[me].woken.is_none() {
                machine.end_sleep(me, wake);
            }
        });
        finish()
    }

    fn finish() -> Wake {
        super::trace(|| "is awake");
        with_me(|me| me.woken.take()).expect("it has ended")
    }

    /// Whether a second has passed without news, after a death that one has to find out about by oneself.
    pub(crate) fn is_out_of_patience() -> bool {
        let me = who();
        with(|machine| {
            let (doubts, me) = (machine.doubts, &mut machine.threads[me]);
            // Who was woken has not waited for a second.
            let is_in_doubt = me.woken.is_none() && me.looks < doubts * PATIENCE;
            me.looks += u32::from(is_in_doubt);
            is_in_doubt
        })
    }

    /// Sleeps until woken.
    pub(crate) fn sleep() -> Wake {
        while with_me(|me| me.woken.is_none()) {
            super::trace(|| "sleeps");
            with_me(|me| me.parked = Some(loom::thread::current()));
            with(|machine| {
                machine.has_slept = true;
                machine.watchers.drain(..).for_each(|watcher| watcher.unpark());
            });
            loom::thread::park();
        }
        finish()
    }

    /// Wakes up to `count` of those who sleep at an address; returns how many.
    pub(crate) fn wake(address: usize, count: u32) -> u32 {
        MACHINE.with_borrow_mut(|machine| {
            let mut woken = 0;
            while woken < count
                && let Some(first) = machine.queue.iter().find(|entry| entry.0 == address)
            {
                machine.end_sleep(first.1, Wake::Woken);
                woken += 1;
            }
            woken
        })
    }
}

/// Which locks this thread reads under, as in the runtime's `shm::world::read_locks`.
pub(crate) mod read_locks {
    use super::with_me;

    pub(crate) fn push(_pid: i32, address: usize) {
        if !std::thread::panicking() {
            with_me(|me| me.reads.push(address));
        }
    }

    pub(crate) fn pop(_pid: i32, address: usize) {
        if !std::thread::panicking() {
            with_me(|me| {
                let last = me.reads.iter().rposition(|lock| *lock == address);
                me.reads.remove(last.expect("it reads under the lock"));
            });
        }
    }

    pub(crate) fn contains(address: usize) -> bool {
        !std::thread::panicking() && with_me(|me| me.reads.contains(&address))
    }
}

/// The robust list of this thread, for [`thread`].
pub(crate) mod robust {
    use super::with_me;

    pub(crate) fn set_pending(member: Option<usize>) {
        with_me(|me| me.pending = member);
    }

    pub(crate) fn link(member: usize) {
        with_me(|me| {
            assert!(!me.robust.contains(&member), "a member is linked twice");
            me.robust.insert(0, member);
        });
    }

    pub(crate) fn unlink(member: usize) {
        with_me(|me| {
            assert!(me.robust.contains(&member), "no member is unlinked");
            me.robust.retain(|other| *other != member);
        });
    }

    pub(crate) fn is_alone(member: usize) -> bool {
        with_me(|me| me.robust == [member])
    }
}
