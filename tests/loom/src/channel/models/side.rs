//! One side of a queue: who is alone there enters by a bias, and everybody else takes it away first.

use crate::{
    channel::{core::Core, raw::Role, setting::queue},
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, endanger, process, victim},
    models::Data,
    sys::clock::Deadline,
};
use std::sync::Arc;

pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "side::a_bias_comes_and_goes",
        run: a_bias_comes_and_goes,
        notices: &[
            (Sabotage::NoBarrier, "Causality violation"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
            (Sabotage::NoWake, "deadlock"),
        ],
    },
    Model {
        name: "side::two_take_the_bias_away",
        run: two_take_the_bias_away,
        notices: &[(Sabotage::NoBarrier, "Causality violation"), (Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "side::the_bias_goes_from_one_to_the_other",
        run: the_bias_goes_from_one_to_the_other,
        notices: &[(Sabotage::NoBarrier, "Causality violation")],
    },
    Model {
        name: "side::the_biased_one_is_killed",
        run: the_biased_one_is_killed,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "side::the_biased_one_is_killed_unreported",
        run: the_biased_one_is_killed_unreported,
        notices: &[(Sabotage::NoLook, "deadlock")],
    },
    Model {
        name: "side::who_takes_the_bias_away_is_killed",
        run: who_takes_the_bias_away_is_killed,
        notices: &[(Sabotage::NoMark, "deadlock"), (Sabotage::NoBarrier, "Causality violation")],
    },
    Model {
        name: "side::whoever_enters_is_killed",
        run: whoever_enters_is_killed,
        notices: &[(Sabotage::NoMark, "deadlock")],
    },
];

type Both = (Arc<Core>, Arc<Data>);

/// Goes in and out, `times` times.
fn enter((core, data): &Both, times: u32) {
    for _ in 0..times {
        let side = &core.head().producers;
        let inside = || data.visit(|| data.add_half());
        side.inside(core.presence(), Role::Sender, || Deadline::NEVER, inside).expect("in time");
    }
}

fn new<const OTHERS: usize>() -> (Both, [Both; OTHERS]) {
    let data = Data::new();
    let (mine, others) = queue::<OTHERS>(0);
    ((mine, Arc::clone(&data)), others.map(|core| (core, Arc::clone(&data))))
}

/// Who is alone for long enough: the third time it enters by its bias.
const ALONE: u32 = 2;

/// One has the bias and uses it, while another one comes, and stays for so long that it might get the bias.
fn a_bias_comes_and_goes(explorer: Explorer) {
    explorer.fine().explore(|| {
        let (mine, [other]) = new();
        enter(&mine, ALONE);
        let other = process(move || enter(&other, 2));
        enter(&mine, 2);
        other.join();
        enter(&mine, 1);
    });
}

/// The same with two others, each for a moment.
fn two_take_the_bias_away(explorer: Explorer) {
    explorer.explore(|| {
        let (mine, others) = new::<2>();
        enter(&mine, ALONE);
        let others = others.map(|both| process(move || enter(&both, 1)));
        enter(&mine, 2);
        others.into_iter().for_each(Process::join);
        enter(&mine, 1);
    });
}

/// Another one gets the bias after the first one, which comes back.
fn the_bias_goes_from_one_to_the_other(explorer: Explorer) {
    explorer.explore(|| {
        let (mine, [other]) = new();
        enter(&mine, ALONE);
        let other = process(move || enter(&other, 4));
        enter(&mine, 1);
        enter(&mine, 1);
        other.join();
    });
}

/// Who has the bias is killed at any step, inside or outside.
fn the_biased_one_is_killed(explorer: Explorer) {
    killed_with_the_bias(explorer, Death::Marked);
}

/// The same without anybody who would report it.
fn the_biased_one_is_killed_unreported(explorer: Explorer) {
    killed_with_the_bias(explorer, Death::Unreported);
}

fn killed_with_the_bias(explorer: Explorer, death: Death) {
    explorer.kill(death, || {
        let (mine, [first]) = new();
        let owner = victim(move || {
            enter(&first, ALONE);
            endanger();
            enter(&first, 2);
        });
        enter(&mine, 2);
        owner.end();
        enter(&mine, 1);
    });
}

/// Who takes the bias away is killed at any step of that: the owner and a third one go on.
fn who_takes_the_bias_away_is_killed(explorer: Explorer) {
    explorer.coarse().kill(Death::Marked, || {
        let (mine, [first, second]) = new();
        enter(&mine, ALONE);
        let killed = victim(move || enter(&first, 1));
        let other = process(move || enter(&second, 1));
        enter(&mine, 2);
        killed.end();
        other.join();
        enter(&mine, 1);
    });
}

/// Somebody is killed at any step of entering twice, in which he may get the bias.
fn whoever_enters_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let (mine, [first]) = new();
        let killed = victim(move || enter(&first, 3));
        enter(&mine, 1);
        killed.end();
        enter(&mine, 1);
    });
}
