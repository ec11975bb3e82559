//! The log of a queue.

use crate::{
    channel::{
        core::{Core, Limit},
        raw::EXTENTS,
        setting::{self, Message, NOBODY, drain, file, is_in_order, queue, receive},
    },
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, process, victim},
    points::count_passes,
};
use std::{cell::RefCell, rc::Rc};

pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "ring::one_to_one",
        run: one_to_one,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
            (Sabotage::LateData, "Damaged"),
        ],
    },
    Model {
        name: "ring::two_senders",
        run: two_senders,
        notices: &[(Sabotage::NoBarrier, "deadlock"), (Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "ring::two_receivers",
        run: two_receivers,
        notices: &[(Sabotage::NoWake, "deadlock")],
    },
    Model {
        name: "ring::chunks_go_round",
        run: chunks_go_round,
        notices: &[
            (Sabotage::NoAcquire, "Causality violation"),
            (Sabotage::NoRelease, "Causality violation"),
        ],
    },
    Model {
        name: "ring::the_sender_is_killed",
        run: the_sender_is_killed,
        notices: &[(Sabotage::OneCopy, "left == right"), (Sabotage::NoMark, "deadlock")],
    },
    Model {
        name: "ring::the_receiver_is_killed",
        run: the_receiver_is_killed,
        notices: &[(Sabotage::OneCopy, "Causality violation"), (Sabotage::NoMark, "deadlock")],
    },
    Model {
        name: "ring::what_a_dead_receiver_was_to_give_back",
        run: what_a_dead_receiver_was_to_give_back,
        notices: &[(Sabotage::NoRetiring, "chunks are kept")],
    },
    Model {
        name: "ring::the_extent_of_a_dead_receiver",
        run: the_extent_of_a_dead_receiver,
        notices: &[(Sabotage::NoRetiring, "given back")],
    },
];

/// Three of these fill a chunk.
const SHORT: usize = 8;
/// One of these does.
const LARGE: usize = 24;
/// Too long for the log.
const LONG: usize = 32;

fn send(core: &Core, message: Message, len: usize) {
    setting::send(core, message, len, NOBODY).expect("nobody closes it");
}

fn send_all(core: &Core, who: u8, numbers: core::ops::RangeInclusive<u8>, len: usize) {
    numbers.for_each(|number| send(core, (who, number), len));
}

fn receive_some(core: &Core, count: usize) -> Vec<Message> {
    let next = || receive(core, NOBODY, Limit::FOREVER, |_| ()).expect("nobody closes it");
    (0..count).map(|_| next()).collect()
}

/// One sends, waiting for room for one message at a time, and another receives.
fn one_to_one(explorer: Explorer) {
    explorer.explore(|| {
        let (mine, [others]) = queue(1);
        let sender = process(move || send_all(&others, 1, 1..=3, SHORT));
        let received = receive_some(&mine, 3);
        sender.join();
        assert_eq!(is_in_order(&received, 1, 1), 3);
    });
}

/// Two send and one receives: what comes from one of them comes in the order in which he sent it. Two messages and one, and with a preemption more
/// one of each, for which there is room after each other.
fn two_senders(explorer: Explorer) {
    for (explorer, capacity, most) in [(explorer.coarse(), 2, 2), (explorer, 1, 1)] {
        explorer.explore(move || {
            let (mine, others) = queue::<2>(capacity);
            let senders: Vec<_> = [(1, 1..=most), (2, 1..=1)]
                .into_iter()
                .zip(others)
                .map(|((who, numbers), core)| process(move || send_all(&core, who, numbers, SHORT)))
                .collect();
            let most = usize::from(most);
            let received = receive_some(&mine, most + 1);
            senders.into_iter().for_each(Process::join);
            assert_eq!((is_in_order(&received, 1, 1), is_in_order(&received, 2, 1)), (most, 1));
        });
    }
}

/// One sends and two receive: each message goes to one of them, and to each of them in order.
fn two_receivers(explorer: Explorer) {
    explorer.explore(|| {
        let (mine, others) = queue::<2>(0);
        let receivers = others.map(|core| process(move || receive_some(&core, 1)));
        send_all(&mine, 1, 1..=3, SHORT);
        let mut received: Vec<Message> = receivers.into_iter().flat_map(Process::join).collect();
        received.sort_unstable();
        let left = drain(&mine);
        received.extend(left);
        assert_eq!(is_in_order(&received, 1, 1), 3);
    });
}

/// Each message fills a chunk: the sender writes again where the receiver has read, and nowhere else.
fn chunks_go_round(explorer: Explorer) {
    explorer.explore(|| {
        let (mine, [others]) = queue(1);
        send(&mine, (1, 1), LARGE);
        assert_eq!(drain(&mine), [(1, 1)]);
        let sender = process(move || send_all(&others, 1, 2..=5, LARGE));
        let received = receive_some(&mine, 4);
        sender.join();
        assert_eq!(is_in_order(&received, 1, 2), 4);
        assert!(file(&mine).steps() <= 4, "a chunk that was read is used again");
    });
}

/// A sender is killed at any step, beside another one. What he has committed is there, and nothing else.
fn the_sender_is_killed(explorer: Explorer) {
    for len in [SHORT, LARGE] {
        explorer.coarse().kill(Death::Marked, move || {
            let (mine, [first, second]) = queue(0);
            let killed = victim(move || send_all(&first, 1, 1..=2, len));
            let other = process(move || send_all(&second, 2, 1..=1, len));
            let mut received = receive_some(&mine, 1);
            killed.end();
            other.join();
            received.extend(drain(&mine));
            let sent = count_passes(1, "queue: message sent");
            assert_eq!((is_in_order(&received, 1, 1), is_in_order(&received, 2, 1)), (sent, 1));
        });
    }
}

/// Keeps what a process has seen beyond its death.
type Seen = Rc<RefCell<Vec<Message>>>;

fn receive_seen(core: &Core, count: usize, seen: &Seen) {
    for _ in 0..count {
        let note = |message| seen.borrow_mut().push(message);
        let _ = receive(core, NOBODY, Limit::Try, note);
    }
}

/// A receiver is killed at any step, beside another one and a sender: what he has not committed goes to the other one.
fn the_receiver_is_killed(explorer: Explorer) {
    for len in [SHORT, LARGE] {
        explorer.coarse().kill(Death::Marked, move || {
            let (mine, [first, second]) = queue(0);
            send(&mine, (1, 1), len);
            let seen = Seen::default();
            let killed = {
                let seen = Rc::clone(&seen);
                victim(move || receive_seen(&first, 2, &seen))
            };
            let sender = process(move || send_all(&second, 1, 2..=3, len));
            let mut received = drain(&mine);
            killed.end();
            sender.join();
            received.extend(drain(&mine));
            let mut all = seen.borrow().clone();
            all.truncate(count_passes(1, "queue: message received"));
            all.extend(received);
            all.sort_unstable();
            assert_eq!(is_in_order(&all, 1, 1), 3);
        });
    }
}

/// The chunks that a killed receiver was to give back are given back once, whoever comes next: two go on the list, the third one back to the system.
fn what_a_dead_receiver_was_to_give_back(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let (mine, [first]) = queue(0);
        send_all(&mine, 1, 1..=5, LARGE);
        let killed = victim(move || receive_seen(&first, 4, &Seen::default()));
        killed.end();
        send_all(&mine, 1, 6..=7, LARGE);
        drain(&mine);
        for number in 8..=12 {
            send(&mine, (1, number), LARGE);
            assert_eq!(drain(&mine), [(1, number)]);
        }
        let steps = file(&mine).steps();
        assert!(steps <= 2, "{steps} chunks are kept, where one is used and one is listed");
    });
}

/// The same for what lies outside of the log.
fn the_extent_of_a_dead_receiver(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let (mine, [first]) = queue(0);
        send_all(&mine, 1, 1..=2, LONG);
        let killed = victim(move || receive_seen(&first, 2, &Seen::default()));
        killed.end();
        drain(&mine);
        assert_eq!(file(&mine).pages(EXTENTS), 0, "what was received is given back");
    });
}
