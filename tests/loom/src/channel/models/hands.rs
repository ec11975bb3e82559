//! The jobs of a work queue, until somebody has done them.

use crate::{
    channel::{
        core::{Core, Lack, Limit},
        jobs::Jobs,
        raw::Role,
        setting::{self, Message, NOBODY, OTHERS, queue, read},
    },
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, me, nth, process, victim},
    points::count_passes,
};
use std::{cell::RefCell, rc::Rc, sync::Arc};

pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "hands::each_job_is_done_once",
        run: each_job_is_done_once,
        notices: &[(Sabotage::NoAcquire, "Causality violation")],
    },
    Model {
        name: "hands::a_join_ends_when_all_is_done",
        run: a_join_ends_when_all_is_done,
        notices: &[(Sabotage::NoWake, "deadlock"), (Sabotage::NoBarrier, "deadlock")],
    },
    Model {
        name: "hands::the_holder_is_killed",
        run: the_holder_is_killed,
        notices: &[
            (Sabotage::LateHand, "left == right"),
            (Sabotage::NoTable, "left == right"),
            (Sabotage::NoMark, "deadlock"),
        ],
    },
    Model {
        name: "hands::the_holder_of_a_long_job_is_killed",
        run: the_holder_of_a_long_job_is_killed,
        notices: &[(Sabotage::NoTable, "left == right")],
    },
    Model {
        name: "hands::who_gives_up_is_killed",
        run: who_gives_up_is_killed,
        notices: &[(Sabotage::NoTable, "left == right")],
    },
    Model {
        name: "hands::somebody_waits_for_what_a_dead_one_has",
        run: somebody_waits_for_what_a_dead_one_has,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "hands::somebody_waits_for_it_unreported",
        run: somebody_waits_for_it_unreported,
        notices: &[(Sabotage::NoLook, "deadlock")],
    },
];

/// Jobs whose numbers outlive whoever has done them.
type Done = Rc<RefCell<Vec<Message>>>;

fn send(core: &Core, numbers: core::ops::RangeInclusive<u8>, len: usize) {
    for number in numbers {
        setting::send(core, (1, number), len, NOBODY).expect("it is open");
    }
}

/// Does up to `most` jobs of those that are to be had.
fn work(core: &Arc<Core>, most: usize, done: &Done) {
    let jobs = Jobs::new(Arc::clone(core));
    for _ in 0..most {
        match jobs.receive(OTHERS, Limit::Try, |_| unreachable!("attempts are not counted")) {
            Ok(taken) => {
                done.borrow_mut().push(read(&taken.bytes));
                jobs.finish(taken.index);
            }
            Err(Lack::Empty) => return,
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// After all: does what is left, and sees that all jobs were done, by somebody who did not die of it, once.
fn all_are_done(core: &Arc<Core>, count: u8, done: &Done) {
    work(core, usize::MAX, done);
    let mut done = done.borrow().clone();
    done.sort_unstable();
    let expected: Vec<Message> = (1..=count).map(|number| (1, number)).collect();
    assert_eq!(done, expected, "these jobs were done");
    assert_eq!(Jobs::new(Arc::clone(core)).unfinished(), 0);
}

fn worker(core: Arc<Core>, most: usize, done: &Done) -> Process<()> {
    let done = Rc::clone(done);
    process(move || work(&core, most, &done))
}

/// Keeps of what a victim has done what it could finish.
fn keep_finished(victim: usize, done: &Done) {
    let [long, all] = ["work: job done, but for its memory", "work: job done"]
        .map(|point| count_passes(victim, point));
    done.borrow_mut().truncate(long.max(all));
}

fn each_job_is_done_once(explorer: Explorer) {
    explorer.coarse().explore(|| {
        let (mine, others) = queue::<2>(0);
        send(&mine, 1..=1, 8);
        let done = Done::default();
        let workers = others.map(|core| worker(core, 2, &done));
        send(&mine, 2..=3, 8);
        workers.into_iter().for_each(Process::join);
        all_are_done(&mine, 3, &done);
    });
}

fn a_join_ends_when_all_is_done(explorer: Explorer) {
    explorer.fine().explore(|| {
        let (mine, [other]) = queue(0);
        send(&mine, 1..=1, 8);
        let done = Done::default();
        let worker = worker(other, 1, &done);
        if Jobs::new(Arc::clone(&mine)).join(OTHERS, Limit::FOREVER, |_| ()).expect("no circle") {
            assert_eq!(done.borrow().len(), 1, "the join is over before the work");
        }
        worker.join();
        all_are_done(&mine, 1, &done);
    });
}

/// A worker is killed at any step beside another one.
fn the_holder_is_killed(explorer: Explorer) {
    explorer.coarse().kill(Death::Marked, || {
        let (mine, [first, second]) = queue(0);
        send(&mine, 1..=3, 8);
        let (by_victim, done) = (Done::default(), Done::default());
        let killed = {
            let done = Rc::clone(&by_victim);
            victim(move || work(&first, 2, &done))
        };
        let other = worker(second, 1, &done);
        killed.end();
        other.join();
        keep_finished(1, &by_victim);
        done.borrow_mut().append(&mut by_victim.borrow_mut());
        all_are_done(&mine, 3, &done);
    });
}

/// A job that is longer than what always stays reserved is whole for whoever comes after a dead one.
fn the_holder_of_a_long_job_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let (mine, [first]) = queue(0);
        send(&mine, 1..=1, 4104);
        send(&mine, 2..=2, 8);
        let done = Done::default();
        let killed = {
            let done = Rc::clone(&done);
            victim(move || work(&first, 2, &done))
        };
        killed.end();
        keep_finished(1, &done);
        all_are_done(&mine, 2, &done);
        send(&mine, 3..=3, 8);
        all_are_done(&mine, 3, &done);
        assert_eq!(setting::file(&mine).pages(1 << 55..1 << 56), 1, "what stays of one hand");
    });
}

/// A worker is killed at any step of giving a job up.
fn who_gives_up_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let (mine, [first, second]) = queue(0);
        send(&mine, 1..=2, 8);
        let done = Done::default();
        let killed = victim(move || {
            let jobs = Jobs::new(first);
            if let Ok(taken) = jobs.receive(OTHERS, Limit::Try, |_| ()) {
                jobs.give_up(taken.index);
            }
        });
        let other = worker(second, 1, &done);
        killed.end();
        other.join();
        all_are_done(&mine, 2, &done);
    });
}

/// There is one job, and one waits for one.
fn somebody_waits_for_what_a_dead_one_has(explorer: Explorer) {
    somebody_waits(explorer, Death::Marked);
}

/// The same without anybody who would report the death.
fn somebody_waits_for_it_unreported(explorer: Explorer) {
    somebody_waits(explorer, Death::Unreported);
}

fn somebody_waits(explorer: Explorer, death: Death) {
    explorer.kill(death, || {
        let (mine, [first]) = queue(0);
        mine.presence().join(nth(1), Role::Sender);
        send(&mine, 1..=1, 8);
        let by_victim = Done::default();
        let killed = {
            let done = Rc::clone(&by_victim);
            victim(move || {
                work(&first, 1, &done);
                first.leave(me().id, [Role::Sender]);
                first.announce_leave();
            })
        };
        let jobs = Jobs::new(Arc::clone(&mine));
        let done = Done::default();
        match jobs.receive(OTHERS, Limit::FOREVER, |_| ()) {
            Ok(taken) => {
                done.borrow_mut().push(read(&taken.bytes));
                jobs.finish(taken.index);
            }
            Err(Lack::Disconnected) => {}
            Err(other) => panic!("{other:?}"),
        }
        killed.end();
        keep_finished(1, &by_victim);
        done.borrow_mut().append(&mut by_victim.borrow_mut());
        all_are_done(&mine, 1, &done);
    });
}
