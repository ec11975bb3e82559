//! The versions of a value: readers that never wait for the writer.

use crate::{
    explore::Explorer,
    harness::Model,
    machine::{Death, Sabotage, process, shared, victim},
    primitive::{AtomicU32, Ordering},
    sync::raw::Versions,
};
use std::sync::Arc;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "versions::a_copy_is_whole",
        run: a_copy_is_whole,
        notices: &[
            (Sabotage::NoFence, "torn"),
            (Sabotage::NoAcquire, "torn"),
            (Sabotage::NoRelease, "torn"),
        ],
    },
    Model { name: "versions::the_writer_is_killed", run: the_writer_is_killed, notices: &[] },
];

/// A number in two words, and its other copy.
#[derive(Debug)]
struct Number {
    versions: Versions,
    copies: [[AtomicU32; 2]; 2],
}

impl Number {
    fn new() -> Arc<Self> {
        let copies = [const { [const { AtomicU32::new(0) }; 2] }; 2];
        shared(Self { versions: Versions::new(), copies })
    }

    fn write(&self, number: u32) {
        for word in &self.copies[self.versions.begin()] {
            word.store(number, Ordering::Relaxed);
        }
        self.versions.commit();
    }

    fn read(&self) -> u32 {
        let load = |word: &AtomicU32| word.load(Ordering::Relaxed);
        let [first, second] = self.versions.read(|index| self.copies[index].each_ref().map(load));
        assert_eq!(first, second, "a torn copy");
        first
    }
}

/// While one writes three versions, another one reads: each copy is whole, and none is older than the one before.
fn a_copy_is_whole(explorer: Explorer) {
    explorer.explore(|| {
        let number = Number::new();
        let reader = {
            let number = number.clone();
            process(move || {
                let copies = [number.read(), number.read()];
                assert!(copies.is_sorted(), "{copies:?}");
            })
        };
        (1..=3).for_each(|version| number.write(version));
        reader.join();
        assert_eq!(number.read(), 3);
    });
}

/// The writer is killed at any step of its second version, and another one writes a third.
fn the_writer_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let number = Number::new();
        number.write(1);
        let writer = {
            let number = number.clone();
            victim(move || number.write(2))
        };
        let reader = {
            let number = number.clone();
            process(move || {
                let copies = [number.read(), number.read()];
                assert!(copies.is_sorted(), "{copies:?}");
            })
        };
        let is_killed = writer.end().is_none();
        assert!(number.read() == 2 || is_killed);
        number.write(3);
        assert_eq!(number.read(), 3);
        reader.join();
    });
}
