//! One-time initialisation.

use super::data::Data;
use crate::{
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, process, shared, victim},
    sync::raw::RawOnce,
    sys::clock::Deadline,
};
use std::sync::Arc;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "once::one_of_three_makes_it",
        run: one_of_three_makes_it,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
        ],
    },
    Model {
        name: "once::the_maker_is_killed",
        run: the_maker_is_killed,
        notices: &[(Sabotage::NoMark, "deadlock")],
    },
    Model {
        name: "once::the_maker_is_killed_unmarked",
        run: the_maker_is_killed_unmarked,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
];

type Both = (Arc<RawOnce>, Arc<Data>);

fn new() -> Both {
    (shared(RawOnce::new()), Data::new())
}

/// Makes it if it is not made, and looks at it. Whether it was made here.
fn get((once, data): &Both) -> bool {
    let mut is_maker = false;
    if !once.is_done()
        && let Ok(Some(making)) = once.begin(&Deadline::NEVER.into())
    {
        data.make();
        making.finish();
        is_maker = true;
    }
    assert_eq!(data.read_whole(), 1);
    is_maker
}

/// Three want it: one makes it, and the others see what it has made.
fn one_of_three_makes_it(explorer: Explorer) {
    explorer.explore(|| {
        let both = new();
        let others = [0, 1].map(|_| {
            let both = both.clone();
            process(move || get(&both))
        });
        let makers = u32::from(get(&both));
        let makers = others.map(|other| u32::from(other.join())).iter().sum::<u32>() + makers;
        assert_eq!(makers, 1);
        assert!(!get(&both));
    });
}

/// A process is killed at any step of making it, while another one wants it too: that one makes it afresh, if need be.
fn the_maker_is_killed(explorer: Explorer) {
    maker(explorer, Death::Marked);
}

/// The same without the kernel's marks.
fn the_maker_is_killed_unmarked(explorer: Explorer) {
    maker(explorer, Death::Unmarked);
}

fn maker(explorer: Explorer, death: Death) {
    let model = |others: usize| {
        move || {
            let both = new();
            let maker = {
                let both = both.clone();
                victim(move || get(&both))
            };
            let others: Vec<_> = (1..others)
                .map(|_| {
                    let both = both.clone();
                    process(move || get(&both))
                })
                .collect();
            get(&both);
            others.into_iter().map(Process::join).for_each(drop);
            maker.end();
            assert!(!get(&both));
        }
    };
    explorer.kill(death, model(1));
    explorer.coarse().kill(death, model(2));
}
