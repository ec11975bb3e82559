//! A pool and its workers: who has a batch, how far it is, and the gate.
#![allow(unsafe_code, reason = "seats are made of zeros")]

use super::desk::{Seat, Slot, State, Ticket};
use crate::{
    barriers,
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, process, victim},
    primitive::{AtomicU32, Ordering},
};
use std::{cell::RefCell, rc::Rc, sync::Arc};

/// All of them.
pub(crate) const ALL: &[&[Model]] = &[MODELS];

const MODELS: &[Model] = &[
    Model {
        name: "pool::nothing_begins_behind_the_gate",
        run: nothing_begins_behind_the_gate,
        notices: &[
            (Sabotage::NoBarrier, "it began behind the gate"),
            (Sabotage::NoWake, "deadlock"),
        ],
    },
    Model {
        name: "pool::what_is_stopped_does_not_begin",
        run: what_is_stopped_does_not_begin,
        notices: &[(Sabotage::NoBarrier, "it began unseen")],
    },
    Model {
        name: "pool::a_batch_is_taken_or_taken_back",
        run: a_batch_is_taken_or_taken_back,
        notices: &[],
    },
    Model { name: "pool::the_worker_is_killed", run: the_worker_is_killed, notices: &[] },
];

/// What the pool and its workers share, and where messages would be.
#[derive(Debug)]
struct Desk {
    slot: Slot,
    seats: [Seat; 2],
    /// Whether the message of the batch is in the queue, of its first and its second sending.
    messages: [AtomicU32; 2],
    began: AtomicU32,
}

impl Desk {
    /// With a batch that was sent.
    fn new() -> Arc<Self> {
        barriers::begin();
        let desk = Box::<Self>::new_zeroed();
        // SAFETY: all-zero words are a free slot, seats of workers that have not begun, and numbers.
        let desk: Arc<Self> = unsafe { desk.assume_init() }.into();
        drop(format!("{desk:?}"));
        desk.send(0);
        desk
    }

    fn send(&self, sending: usize) {
        self.slot.queue(ticket(sending).epoch());
        self.messages[sending].store(1, Ordering::Release);
    }

    /// What a worker does with the messages that it finds. A task that has run is written down before it is committed.
    fn work(&self, seat: usize, ran: &Ran) {
        let place = &self.seats[seat];
        for (sending, message) in self.messages.iter().enumerate() {
            if message.load(Ordering::Acquire) == 0 {
                continue;
            }
            let ticket = ticket(sending);
            place.claim(ticket);
            if message.swap(0, Ordering::AcqRel) == 1 && self.slot.take(ticket, seat) {
                let is_wanted = || self.slot.state(ticket) == State::Taken(seat);
                if place.begin(0, 0, is_wanted) {
                    ran.borrow_mut().push(seat);
                    place.record(0, 0, b"done", 0);
                }
            }
            place.leave(1);
        }
    }
}

fn ticket(sending: usize) -> Ticket {
    Ticket::new(0, u32::try_from(sending).expect("there are two") + 1)
}

/// Which workers have run the task.
type Ran = Rc<RefCell<Vec<usize>>>;

/// Once the pool has seen a task that it wants to end, the next one does not begin; once it has seen that there is none, the worker goes on.
fn nothing_begins_behind_the_gate(explorer: Explorer) {
    explorer.explore(|| {
        let mine = Desk::new();
        let desk = Arc::clone(&mine);
        let worker = process(move || {
            let place = &desk.seats[0];
            place.claim(ticket(0));
            assert!(desk.slot.take(ticket(0), 0), "nobody else takes it");
            for index in 0..2 {
                assert!(place.begin(index, 0, || true), "it is wanted");
                desk.began.store(index + 1, Ordering::Relaxed);
                place.commit(index + 1, 0);
            }
        });
        let place = &mine.seats[0];
        place.shut_gate();
        let running = place.progress().running();
        if running == Some(0) {
            // Here it would be killed. Whatever it has done meanwhile, the second task has not begun.
            assert!(mine.began.load(Ordering::Relaxed) < 2, "it began behind the gate");
            assert!(mine.began.load(Ordering::Relaxed) < 2, "it began behind the gate");
        }
        place.open_gate();
        worker.join();
        assert_eq!(place.progress().running(), None);
    });
}

/// A batch that is stopped: either its task is seen to run, or it never does.
fn what_is_stopped_does_not_begin(explorer: Explorer) {
    explorer.explore(|| {
        let mine = Desk::new();
        let (desk, ran) = (Arc::clone(&mine), Ran::default());
        let worker = {
            let ran = Rc::clone(&ran);
            process(move || desk.work(0, &ran))
        };
        let is_stopped = mine.slot.stop(ticket(0), 0);
        let place = &mine.seats[0];
        place.shut_gate();
        let progress = place.progress();
        place.open_gate();
        worker.join();
        if is_stopped && progress.begun == 0 {
            assert!(ran.borrow().is_empty(), "it began unseen");
        }
    });
}

/// A worker takes a batch, or the pool takes it back, and one of them only.
fn a_batch_is_taken_or_taken_back(explorer: Explorer) {
    explorer.fine().explore(|| {
        let mine = Desk::new();
        let (desk, ran) = (Arc::clone(&mine), Ran::default());
        let worker = {
            let ran = Rc::clone(&ran);
            process(move || desk.work(0, &ran))
        };
        let is_back = mine.slot.withdraw(ticket(0));
        worker.join();
        assert_eq!(ran.borrow().is_empty(), is_back, "both have it, or nobody");
    });
}

/// A worker is killed at any step, beside another one: the task runs once, and the pool knows what became of it.
fn the_worker_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let mine = Desk::new();
        let (by_victim, by_other) = (Ran::default(), Ran::default());
        let worker = |seat: usize, ran: &Ran| {
            let (desk, ran) = (Arc::clone(&mine), Rc::clone(ran));
            move || desk.work(seat, &ran)
        };
        let killed: Process<()> = victim(worker(0, &by_victim));
        let other = process(worker(1, &by_other));
        let died = killed.end().is_none();
        let (mut finished, mut lost) = (0, 0);
        if died {
            let place = &mine.seats[0];
            let ticket = place.ticket();
            match mine.slot.state(ticket) {
                State::Queued if mine.slot.withdraw(ticket) => mine.send(1),
                State::Taken(0) => {
                    let progress = place.progress();
                    finished += usize::from(progress.finished == 1);
                    lost += usize::from(progress.running().is_some());
                    assert_eq!(place.results().is_empty(), progress.finished == 0);
                    if progress.begun == 0 {
                        mine.send(1);
                    }
                }
                _ => {}
            }
        } else {
            finished += by_victim.borrow().len();
        }
        other.join();
        mine.work(1, &by_other);
        finished += by_other.borrow().len();
        // One that left had told of what it had done.
        let told = usize::from(died && finished + lost == 0) * by_victim.borrow().len();
        assert_eq!(finished + lost + told, 1, "{finished} finished, {lost} lost, {told} told");
        assert!(by_victim.borrow().len() + by_other.borrow().len() <= 1, "it ran twice");
    });
}
