//! Primitives that two processes use at the same time.

use super::{
    duo::{Leader, Partner, Player, Stage},
    measure::{self, Contestant, Goal, Pace, Row, python::Python},
    posix::{self, Kind, Memory, Processors},
};
use psync::prelude::*;
use std::{
    hint::{black_box, spin_loop},
    sync::atomic::{AtomicU32, Ordering::AcqRel, Ordering::Acquire},
    thread,
    time::Duration,
};

const ROUND: Duration = Duration::from_millis(1);

/// What two do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Part {
    Mutex,
    Pthread,
    Robust,
    ParkingLot,
    Semaphore,
    SemT,
    Value,
    RwLockRead,
    PthreadRead,
    StdRead,
    Barrier,
    PthreadBarrier,
    StdBarrier,
    SpinBarrier,
    Event,
    EventOnOne,
    SemTPass,
    SemTPassOnOne,
    Condvar,
    PthreadCondition,
    StdCondvar,
}

const PARTS: usize = Part::StdCondvar as usize + 1;

/// What the partners need, one stage for each. What is measured lies apart from what the leader waits on.
#[shared]
struct Hall {
    mutex: Apart<Mutex<u64>>,
    #[init(Apart::new(Semaphore::new(1)))]
    semaphore: Apart<Semaphore>,
    value: Apart<Value<u64>>,
    lock: Apart<RwLock<u64>>,
    #[init(Barrier::new(2))]
    barrier: Barrier,
    meeting: Apart<AtomicU32>,
    balls: [Apart<Event>; 4],
    turn: Apart<Mutex<u64>>,
    changed: Apart<Condvar>,
    #[init([const { posix::memory() }; PARTS])]
    posix: [Memory; PARTS],
    #[init([const { posix::memory() }; 4])]
    more: [Memory; 4],
    stages: [Stage; PARTS],
}

/// Something with cache lines of its own.
#[shared]
struct Apart<T: ShmSafe> {
    _before: [u64; 16],
    it: T,
    _behind: [u64; 16],
}

impl<T: ShmSafe> Apart<T> {
    const fn new(it: T) -> Self {
        Self { _before: [0; 16], it, _behind: [0; 16] }
    }
}

/// What two threads of this program need.
#[derive(Default)]
struct Threads {
    parking: parking_lot::Mutex<u64>,
    lock: std::sync::RwLock<u64>,
    barrier: Option<std::sync::Barrier>,
    turn: std::sync::Mutex<u64>,
    changed: std::sync::Condvar,
}

/// Has `player`, who is number `me` of the two, play its part.
fn perform<'a, P: Player<'a>>(
    hall: &'a Hall,
    threads: &'a Threads,
    part: Part,
    me: usize,
    player: P,
) -> P::Outcome {
    let area = &hall.posix[part as usize];
    let (mine, others) = (me as u64, 1 - me as u64);
    match part {
        Part::Mutex => player.play(|| *hall.mutex.it.lock().expect("sound") += 1),
        Part::Pthread | Part::Robust => {
            let mutex = posix::Mutex::attach(area);
            player.play(move || mutex.add())
        }
        Part::ParkingLot => player.play(|| *threads.parking.lock() += 1),
        Part::Semaphore => player.play(|| drop(hall.semaphore.it.acquire().expect("room"))),
        Part::SemT => {
            let semaphore = posix::Semaphore::attach(area);
            player.play(move || {
                semaphore.take();
                semaphore.give();
            })
        }
        Part::Value => player.play(|| {
            black_box(hall.value.it.update(|n| n + 1));
        }),
        Part::RwLockRead => player.play(|| {
            black_box(*hall.lock.it.read().expect("sound"));
        }),
        Part::PthreadRead => {
            let lock = posix::RwLock::attach(area);
            player.play(move || {
                black_box(lock.read());
            })
        }
        Part::StdRead => player.play(|| {
            black_box(*threads.lock.read().expect("sound"));
        }),
        Part::Barrier => player.play(|| {
            black_box(hall.barrier.wait().expect("whole"));
        }),
        Part::PthreadBarrier => {
            let barrier = posix::Barrier::attach(area);
            player.play(move || barrier.wait())
        }
        Part::StdBarrier => player.play(|| {
            threads.barrier.as_ref().expect("one for two").wait();
        }),
        Part::SpinBarrier => player.play(|| spin_across(&hall.meeting.it)),
        Part::Event | Part::EventOnOne => {
            let first = if part == Part::Event { 0 } else { 2 };
            let balls = [&hall.balls[first].it, &hall.balls[first + 1].it];
            let (mine, other) = (balls[me], balls[1 - me]);
            player.play(move || pass(me, || take(mine), || other.set()))
        }
        Part::SemTPass | Part::SemTPassOnOne => {
            let first = if part == Part::SemTPass { 0 } else { 2 };
            let balls = [first, first + 1].map(|at| posix::Semaphore::attach(&hall.more[at]));
            let (mine, other) = (balls[me], balls[1 - me]);
            player.play(move || pass(me, || mine.take(), || other.give()))
        }
        Part::Condvar => player.play(move || {
            let turn = hall.turn.it.lock().expect("sound");
            let mut turn = hall.changed.it.wait_while(turn, |turn| *turn != mine).expect("sound");
            *turn = others;
            hall.changed.it.notify_one();
        }),
        Part::PthreadCondition => {
            let mutex = posix::Mutex::attach(area);
            let condition = posix::Condition::attach(&hall.posix[Part::Condvar as usize], mutex);
            player.play(move || condition.pass(mine, others))
        }
        Part::StdCondvar => player.play(move || {
            let turn = threads.turn.lock().expect("sound");
            let turn = threads.changed.wait_while(turn, |turn| *turn != mine);
            *turn.expect("sound") = others;
            threads.changed.notify_one();
        }),
    }
}

fn take(event: &Event) {
    event.wait();
    event.clear();
}

/// A ball goes to the other one and comes back.
#[inline]
fn pass(me: usize, take: impl Fn(), give: impl Fn()) {
    if me == 0 {
        give();
        take();
    } else {
        take();
        give();
    }
}

/// What a barrier of two cannot do without.
fn spin_across(arrivals: &AtomicU32) {
    let mine = arrivals.fetch_add(1, AcqRel);
    let mut spins = 0;
    while mine.is_multiple_of(2) && arrivals.load(Acquire) <= mine {
        spins += 1;
        if spins < 10_000 { spin_loop() } else { thread::yield_now() }
    }
}

#[process]
fn partner(hall: &Hall, part: Part, processor: usize) {
    Processors::only(processor).use_them();
    perform(hall, &Threads::default(), part, 1, Partner(&hall.stages[part as usize]));
}

impl Part {
    /// Whose it is, in the table.
    const fn name(self) -> &'static str {
        match self {
            Self::Pthread | Self::PthreadRead | Self::PthreadBarrier | Self::PthreadCondition => {
                "pthread"
            }
            Self::Robust => "pthread robust",
            Self::ParkingLot => "parking_lot (threads)",
            Self::SemT | Self::SemTPass | Self::SemTPassOnOne => "sem_t",
            Self::StdRead | Self::StdBarrier | Self::StdCondvar => "std (threads)",
            Self::SpinBarrier => "spinning",
            _ => "psync",
        }
    }

    const fn is_of_threads(self) -> bool {
        matches!(self, Self::ParkingLot | Self::StdRead | Self::StdBarrier | Self::StdCondvar)
    }
}

/// A line of the table.
struct Plan {
    work: &'static str,
    goal: Goal,
    parts: &'static [Part],
    /// What Python calls it.
    python: Option<&'static str>,
    /// How many operations there are while each of the two does one.
    shares: u32,
    place: Place,
}

/// Where the two run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Each on a processor of its own, if there are several.
    Apart,
    Together,
}

impl Place {
    /// The processors of the leader and of the partner.
    fn processors(self) -> [usize; 2] {
        let all = Processors::of_this_thread();
        match self {
            Self::Apart => [all.first(), all.last()],
            Self::Together => [all.first(); 2],
        }
    }
}

const PLANS: &[Plan] = &[
    Plan {
        work: "Mutex: two processes, per hold",
        goal: Goal::Ahead(&["pthread", "pthread robust"]),
        parts: &[Part::Mutex, Part::Pthread, Part::Robust, Part::ParkingLot],
        python: Some("two-lock"),
        shares: 2,
        place: Place::Apart,
    },
    Plan {
        work: "Semaphore: two processes, one permit, per hold",
        goal: Goal::Ahead(&["sem_t"]),
        parts: &[Part::Semaphore, Part::SemT],
        python: Some("two-semaphore"),
        shares: 2,
        place: Place::Apart,
    },
    Plan {
        work: "Value: two processes, per update",
        goal: Goal::None,
        parts: &[Part::Value],
        python: Some("two-value-update"),
        shares: 2,
        place: Place::Apart,
    },
    Plan {
        work: "RwLock: two processes, per read",
        goal: Goal::Ahead(&["pthread"]),
        parts: &[Part::RwLockRead, Part::PthreadRead, Part::StdRead],
        python: None,
        shares: 2,
        place: Place::Apart,
    },
    Plan {
        work: "Barrier: two processes, per crossing",
        goal: Goal::Nanos(300.0),
        parts: &[Part::Barrier, Part::PthreadBarrier, Part::StdBarrier, Part::SpinBarrier],
        python: Some("two-barrier"),
        shares: 1,
        place: Place::Apart,
    },
    Plan {
        work: "Event: two processes, per hand-over",
        goal: Goal::Nanos(1000.0),
        parts: &[Part::Event, Part::SemTPass],
        python: Some("two-event"),
        shares: 2,
        place: Place::Apart,
    },
    Plan {
        work: "Event: the same on one processor",
        goal: Goal::Nanos(4000.0),
        parts: &[Part::EventOnOne, Part::SemTPassOnOne],
        python: None,
        shares: 2,
        place: Place::Together,
    },
    Plan {
        work: "Condvar: two processes, per hand-over",
        goal: Goal::Ahead(&["pthread"]),
        parts: &[Part::Condvar, Part::PthreadCondition, Part::StdCondvar],
        python: Some("two-condition"),
        shares: 2,
        place: Place::Apart,
    },
];

pub(crate) fn rows(pace: &Pace, python: &Python) -> Vec<Row> {
    let hall = Shared::new(Hall::default()).expect("shared memory");
    prepare(&hall);
    let threads = Threads { barrier: Some(std::sync::Barrier::new(2)), ..Threads::default() };
    let plans = PLANS.iter().filter(|plan| pace.wants(plan.work));
    plans.map(|plan| row(pace, python, &hall, &threads, plan)).collect()
}

/// Makes what the C library wants made.
fn prepare(hall: &Hall) {
    let area = |part: Part| &hall.posix[part as usize];
    posix::Mutex::new(area(Part::Pthread), Kind::Shared);
    posix::Mutex::new(area(Part::Robust), Kind::Robust);
    posix::Semaphore::new(area(Part::SemT), 1);
    posix::RwLock::new(area(Part::PthreadRead));
    posix::Barrier::new(area(Part::PthreadBarrier), 2);
    for area in &hall.more {
        posix::Semaphore::new(area, 0);
    }
    let mutex = posix::Mutex::new(area(Part::PthreadCondition), Kind::Shared);
    posix::Condition::new(area(Part::Condvar), mutex);
}

fn row(pace: &Pace, python: &Python, hall: &Shared<Hall>, threads: &Threads, plan: &Plan) -> Row {
    let before = Processors::of_this_thread();
    let [ours, theirs] = plan.place.processors();
    Processors::only(ours).use_them();
    let (locals, others): (Vec<Part>, Vec<Part>) =
        plan.parts.iter().partition(|part| part.is_of_threads());
    let partners: Vec<_> =
        others.into_iter().map(|part| partner::spawn(hall, part, theirs)).collect();
    let figures = thread::scope(|scope| {
        for part in locals {
            let stage = &hall.stages[part as usize];
            scope.spawn(move || {
                Processors::only(theirs).use_them();
                perform(hall, threads, part, 1, Partner(stage));
            });
        }
        let lead = |part: &Part| -> Contestant<'_> {
            let stage = &hall.stages[*part as usize];
            perform(
                hall,
                threads,
                *part,
                0,
                Leader { name: part.name(), stage, shares: plan.shares },
            )
        };
        let contestants = plan.parts.iter().map(lead).collect();
        let contestants = match plan.python {
            Some(work) => python.join_two(work, plan.shares, contestants),
            None => contestants,
        };
        let figures = measure::contest(pace.rounds(300), ROUND, contestants);
        plan.parts.iter().for_each(|part| hall.stages[*part as usize].end());
        figures
    });
    for partner in partners {
        partner.expect("a partner").join().expect("it ends well");
    }
    before.use_them();
    Row { work: plan.work, figures, goal: plan.goal }
}
