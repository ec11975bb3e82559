//! Primitives that nobody else uses at the time.

use super::{
    measure::{self, Contestant, Goal, Pace, Row, python::Python},
    posix::{self, Kind},
};
use psync::prelude::*;
use std::{
    hint::black_box,
    sync::{LazyLock, OnceLock, atomic::AtomicU64, atomic::Ordering::SeqCst},
    time::Duration,
};

const ROUND: Duration = Duration::from_micros(200);

fn shared<T: ShmSafe>(value: T) -> Shared<T> {
    Shared::new(value).expect("shared memory")
}

/// Memory of the C library's primitives, which other processes could have too.
fn memory() -> Shared<posix::Memory> {
    shared(posix::memory())
}

pub(crate) fn rows(pace: &Pace, python: &Python) -> Vec<Row> {
    let row = Rows { pace, python };
    let rows = [row.mutexes(), row.read_write_locks(), row.values(), row.signals()];
    rows.into_iter().flatten().flatten().collect()
}

struct Rows<'p> {
    pace: &'p Pace,
    python: &'p Python,
}

impl Rows<'_> {
    fn row(&self, work: &'static str, goal: Goal, contestants: Vec<Contestant<'_>>) -> Option<Row> {
        let measure = || measure::contest(self.pace.rounds(500), ROUND, contestants);
        self.pace.wants(work).then(|| Row { work, figures: measure(), goal })
    }

    fn mutexes(&self) -> Vec<Option<Row>> {
        let word = AtomicU64::new(0);
        let ours = shared(Mutex::new(0_u64));
        let theirs = std::sync::Mutex::new(0_u64);
        let parking = parking_lot::Mutex::new(0_u64);
        let memories = [const { posix::memory() }; 1];
        let areas = [memory(), memory(), memory()];
        let private = posix::Mutex::new(&memories[0], Kind::Private);
        let pthread = posix::Mutex::new(&areas[0], Kind::Shared);
        let robust = posix::Mutex::new(&areas[1], Kind::Robust);
        let mutex = self.row(
            "Mutex: lock, unlock",
            Goal::Times(1.15, "std"),
            self.python.join(
                "lock",
                vec![
                    Contestant::calls("psync", || *black_box(&*ours).lock().expect("sound") += 1),
                    Contestant::calls("std", || *black_box(&theirs).lock().expect("sound") += 1),
                    Contestant::calls("parking_lot", || *black_box(&parking).lock() += 1),
                    Contestant::calls("pthread private", || black_box(&private).add()),
                    Contestant::calls("pthread", || black_box(&pthread).add()),
                    Contestant::calls("pthread robust", || black_box(&robust).add()),
                    two_swaps(&word),
                ],
            ),
        );

        let ours = shared(ReentrantMutex::new(0_u64));
        let parking = parking_lot::ReentrantMutex::new(0_u64);
        let recursive = posix::Mutex::new(&areas[2], Kind::Recursive);
        let peers = || {
            vec![
                Contestant::calls("psync", || {
                    black_box(*black_box(&*ours).lock().expect("sound"));
                }),
                Contestant::calls("parking_lot", || {
                    black_box(*black_box(&parking).lock());
                }),
                Contestant::calls("pthread", || black_box(&recursive).add()),
            ]
        };
        let outer = self.row(
            "ReentrantMutex: outer",
            Goal::Nanos(11.0),
            self.python.join("rlock", peers()),
        );
        let held = (ours.lock().expect("sound"), parking.lock());
        recursive.lock();
        let nested = self.row(
            "ReentrantMutex: nested",
            Goal::Nanos(1.5),
            self.python.join("rlock-nested", peers()),
        );
        recursive.unlock();
        drop(held);

        let array = Array::from_slice(&[0_u64; 64]).expect("shared memory");
        let vector = std::sync::Mutex::new(vec![0_u64; 64]);
        let array = self.row(
            "Array: lock, unlock",
            Goal::Times(1.15, "std"),
            vec![
                Contestant::calls("psync", || black_box(&array).lock().expect("sound")[5] += 1),
                Contestant::calls("std", || black_box(&vector).lock().expect("sound")[5] += 1),
            ],
        );
        vec![mutex, outer, nested, array]
    }

    fn read_write_locks(&self) -> Vec<Option<Row>> {
        let ours = shared(RwLock::new(0_u64));
        let theirs = std::sync::RwLock::new(0_u64);
        let parking = parking_lot::RwLock::new(0_u64);
        let area = memory();
        let pthread = posix::RwLock::new(&area);
        let read = vec![
            Contestant::calls("psync", || {
                black_box(*black_box(&*ours).read().expect("sound"));
            }),
            Contestant::calls("std", || {
                black_box(*black_box(&theirs).read().expect("sound"));
            }),
            Contestant::calls("parking_lot", || {
                black_box(*black_box(&parking).read());
            }),
            Contestant::calls("pthread", || {
                black_box(black_box(&pthread).read());
            }),
        ];
        let read = self.row("RwLock: read", Goal::None, read);
        let write = vec![
            Contestant::calls("psync", || *black_box(&*ours).write().expect("sound") += 1),
            Contestant::calls("std", || *black_box(&theirs).write().expect("sound") += 1),
            Contestant::calls("parking_lot", || *black_box(&parking).write() += 1),
            Contestant::calls("pthread", || black_box(&pthread).add()),
        ];
        vec![read, self.row("RwLock: write", Goal::None, write)]
    }

    fn values(&self) -> Vec<Option<Row>> {
        let value = shared(Value::new(0_u64));
        let cell = std::sync::RwLock::new(0_u64);
        let get = vec![
            Contestant::calls("psync", || {
                black_box(black_box(&*value).get());
            }),
            Contestant::calls("std RwLock", || {
                black_box(*black_box(&cell).read().expect("sound"));
            }),
        ];
        let get = self.row("Value: get", Goal::None, self.python.join("value-get", get));
        let set = vec![
            Contestant::calls("psync", || black_box(&*value).set(1)),
            Contestant::calls("std RwLock", || *black_box(&cell).write().expect("sound") = 1),
        ];
        let set = self.row("Value: set", Goal::None, set);
        let update = vec![
            Contestant::calls("psync", || {
                black_box(black_box(&*value).update(|n| n + 1));
            }),
            Contestant::calls("std RwLock", || *black_box(&cell).write().expect("sound") += 1),
        ];
        let update =
            self.row("Value: update", Goal::None, self.python.join("value-update", update));

        let once = shared(Once::new());
        once.get_or_init(|| 1_u64);
        let cell = OnceLock::from(1_u64);
        let once = vec![
            Contestant::calls("psync", || {
                black_box(black_box(&*once).get());
            }),
            Contestant::calls("std OnceLock", || {
                black_box(black_box(&cell).get());
            }),
        ];
        let once = self.row("Once: get", Goal::None, once);

        #[shared]
        static SHARED: AtomicU64 = AtomicU64::new(0);
        static LAZY: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(0));
        static PLAIN: AtomicU64 = AtomicU64::new(0);
        let use_static = vec![
            Contestant::calls("psync", || {
                black_box(SHARED.load(SeqCst));
            }),
            Contestant::calls("std LazyLock", || {
                black_box(LAZY.load(SeqCst));
            }),
            Contestant::calls("plain", || {
                black_box(PLAIN.load(SeqCst));
            }),
        ];
        let use_static = self.row("static: load of an atomic", Goal::None, use_static);
        vec![get, set, update, once, use_static]
    }

    fn signals(&self) -> Vec<Option<Row>> {
        let word = AtomicU64::new(0);
        let permits = shared(Semaphore::new(1));
        let area = memory();
        let sem = posix::Semaphore::new(&area, 1);
        let semaphore = vec![
            Contestant::calls("psync", || drop(black_box(&*permits).acquire().expect("room"))),
            Contestant::calls("sem_t", || {
                black_box(&sem).take();
                black_box(&sem).give();
            }),
        ];
        let semaphore = self.row(
            "Semaphore: acquire, release",
            Goal::Times(1.0, "sem_t"),
            self.python.join("semaphore", semaphore),
        );

        let event = shared(Event::new());
        let flag = posix::Flag::default();
        let set_clear = vec![
            Contestant::calls("psync", || {
                black_box(&*event).set();
                black_box(&*event).clear();
            }),
            Contestant::calls("std Condvar", || {
                black_box(&flag).set();
                black_box(&flag).clear();
            }),
            two_swaps(&word),
        ];
        let set_clear =
            self.row("Event: set, clear", Goal::Nanos(10.0), self.python.join("event", set_clear));
        let is_set = vec![
            Contestant::calls("psync", || {
                black_box(black_box(&*event).is_set());
            }),
            Contestant::calls("std Condvar", || {
                black_box(black_box(&flag).is_set());
            }),
        ];
        let is_set = self.python.join("event-is-set", is_set);
        let is_set = self.row("Event: is_set", Goal::Nanos(1.0), is_set);

        let condvar = shared(Condvar::new());
        let theirs = std::sync::Condvar::new();
        let notify = vec![
            Contestant::calls("psync", || black_box(&*condvar).notify_one()),
            Contestant::calls("std", || black_box(&theirs).notify_one()),
        ];
        let notify = self.row("Condvar: notify, nobody waits", Goal::None, notify);
        vec![semaphore, set_clear, is_set, notify]
    }
}

/// What a lock cannot do without.
fn two_swaps(word: &AtomicU64) -> Contestant<'_> {
    Contestant::calls("two swaps", move || {
        black_box(word).swap(1, SeqCst);
        black_box(word).swap(0, SeqCst);
    })
}
