//! Who waits for a message, or for room for one, and what wakes him.

use crate::{
    channel::{
        core::{Core, Lack, Limit, Needs, Refusal},
        raw::Role,
        setting::{self, Message, NOBODY, OTHERS, drain, is_in_order, queue, receive},
    },
    explore::Explorer,
    harness::Model,
    machine::{Death, Process, Sabotage, me, nth, process, victim},
    points::count_passes,
};

pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "sleep::a_message_wakes",
        run: a_message_wakes,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoBarrier, "deadlock"),
            (Sabotage::NoSecondLook, "deadlock"),
        ],
    },
    Model {
        name: "sleep::room_wakes",
        run: room_wakes,
        notices: &[
            (Sabotage::NoWake, "deadlock"),
            (Sabotage::NoBarrier, "deadlock"),
            (Sabotage::NoSecondLook, "deadlock"),
        ],
    },
    Model {
        name: "sleep::each_message_wakes_one",
        run: each_message_wakes_one,
        notices: &[(Sabotage::NoWake, "deadlock"), (Sabotage::NoBarrier, "deadlock")],
    },
    Model {
        name: "sleep::a_close_wakes_all",
        run: a_close_wakes_all,
        notices: &[(Sabotage::NoWake, "deadlock"), (Sabotage::NoSecondLook, "deadlock")],
    },
    Model {
        name: "sleep::whoever_closes_is_killed",
        run: whoever_closes_is_killed,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "sleep::the_last_sender_is_killed",
        run: the_last_sender_is_killed,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
    Model {
        name: "sleep::the_last_sender_is_killed_unreported",
        run: the_last_sender_is_killed_unreported,
        notices: &[(Sabotage::NoLook, "deadlock")],
    },
    Model {
        name: "sleep::the_last_sender_goes",
        run: the_last_sender_goes,
        notices: &[(Sabotage::NoWake, "deadlock"), (Sabotage::NoSecondLook, "left == right")],
    },
    Model {
        name: "sleep::whoever_was_woken_is_killed",
        run: whoever_was_woken_is_killed,
        notices: &[(Sabotage::NoReport, "deadlock")],
    },
];

fn send(core: &Core, message: Message, needs: Needs) -> Result<(), Refusal> {
    setting::send(core, message, 8, needs)
}

fn next(core: &Core, needs: Needs) -> Result<Message, Lack> {
    receive(core, needs, Limit::FOREVER, |_| ())
}

/// One waits for a message, which may come at any moment.
fn a_message_wakes(explorer: Explorer) {
    explorer.fine().explore(|| {
        let (mine, [other]) = queue(0);
        let sender = process(move || send(&other, (1, 1), NOBODY).expect("it is open"));
        assert_eq!(next(&mine, NOBODY).expect("it is open"), (1, 1));
        sender.join();
    });
}

/// One waits for room, which may come at any moment.
fn room_wakes(explorer: Explorer) {
    explorer.fine().explore(|| {
        let (mine, [other]) = queue(1);
        send(&mine, (1, 1), NOBODY).expect("there is room");
        let receiver = process(move || next(&other, NOBODY).expect("it is there"));
        send(&mine, (1, 2), NOBODY).expect("it is open");
        assert_eq!(receiver.join(), (1, 1));
        assert_eq!(drain(&mine), [(1, 2)]);
    });
}

/// Two wait, and two messages come.
fn each_message_wakes_one(explorer: Explorer) {
    explorer.explore(|| {
        let (mine, others) = queue::<2>(0);
        let receivers =
            others.map(|core| process(move || next(&core, NOBODY).expect("it is open")));
        send(&mine, (1, 1), NOBODY).expect("it is open");
        send(&mine, (1, 2), NOBODY).expect("it is open");
        let mut received = receivers.map(Process::join);
        received.sort_unstable();
        assert_eq!(is_in_order(&received, 1, 1), 2);
    });
}

/// One waits for a message, another one for room, and a third one closes the queue.
fn a_close_wakes_all(explorer: Explorer) {
    explorer.explore(|| {
        let (mine, [first, second]) = queue(1);
        send(&mine, (1, 1), NOBODY).expect("there is room");
        let sender = process(move || send(&first, (1, 2), NOBODY).is_ok());
        let receiver = process(move || {
            let mut received = Vec::new();
            loop {
                match next(&second, NOBODY) {
                    Ok(message) => received.push(message),
                    Err(Lack::Closed) => return received,
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
        mine.close();
        let sent = 1 + usize::from(sender.join());
        assert_eq!(is_in_order(&receiver.join(), 1, 1), sent);
    });
}

const BOTH: [Role; 2] = [Role::Sender, Role::Receiver];

/// Handles of the queue for a process.
fn book(core: &Core, process: usize, roles: &[Role]) {
    for role in roles {
        core.presence().join(nth(process), *role);
    }
}

/// The only other one is killed at any step of closing the queue.
fn whoever_closes_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let (mine, [other]) = queue(0);
        book(&mine, 0, &BOTH);
        book(&mine, 1, &BOTH);
        let killed = victim(move || other.close());
        assert!(matches!(next(&mine, OTHERS), Err(Lack::Closed | Lack::Disconnected)));
        killed.end();
    });
}

/// The only other one is killed at any step of sending twice: what he has sent arrives, and then word that nobody is left.
fn the_last_sender_is_killed(explorer: Explorer) {
    the_last_sender_dies(explorer, Death::Marked);
}

/// The same without anybody who would report it.
fn the_last_sender_is_killed_unreported(explorer: Explorer) {
    the_last_sender_dies(explorer, Death::Unreported);
}

fn the_last_sender_dies(explorer: Explorer, death: Death) {
    explorer.kill(death, || {
        let (mine, [other]) = queue(0);
        book(&mine, 0, &BOTH);
        book(&mine, 1, &BOTH);
        let killed = victim(move || {
            send(&other, (1, 1), NOBODY).expect("it is open");
            send(&other, (1, 2), NOBODY).expect("it is open");
            leave(&other, &BOTH);
        });
        let received = receive_all(&mine);
        killed.end();
        let sent = count_passes(1, "queue: message sent");
        assert_eq!(is_in_order(&received, 1, 1), sent);
    });
}

fn receive_all(core: &Core) -> Vec<Message> {
    let mut received = Vec::new();
    loop {
        match next(core, OTHERS) {
            Ok(message) => received.push(message),
            Err(Lack::Disconnected) => return received,
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Lets go of the handle of this process, as `channel::hold` does.
fn leave(core: &Core, roles: &[Role]) {
    for role in roles {
        core.presence().leave(me().id, *role);
    }
    core.announce_leave();
}

/// The only other one lets go of the queue after a message.
fn the_last_sender_goes(explorer: Explorer) {
    explorer.explore(|| {
        let (mine, [other]) = queue(0);
        book(&mine, 0, &BOTH);
        book(&mine, 1, &BOTH);
        let sender = process(move || {
            send(&other, (1, 1), NOBODY).expect("it is open");
            leave(&other, &BOTH);
        });
        assert_eq!(receive_all(&mine), [(1, 1)]);
        sender.join();
    });
}

/// Two wait, one message comes, and one of the two is killed at any step: if it has not received the message, the other one does.
fn whoever_was_woken_is_killed(explorer: Explorer) {
    explorer.coarse().kill(Death::Marked, || {
        let (mine, [first, second]) = queue(0);
        book(&mine, 0, &[Role::Receiver]);
        book(&mine, 1, &[Role::Receiver]);
        book(&mine, 2, &[Role::Sender]);
        let killed = victim(move || {
            let _ = next(&first, OTHERS);
            leave(&first, &[Role::Receiver]);
        });
        let sender = process(move || {
            send(&second, (1, 1), NOBODY).expect("it is open");
            leave(&second, &[Role::Sender]);
        });
        let received = receive_all(&mine).len();
        killed.end();
        sender.join();
        let all = received + count_passes(1, "queue: message received");
        assert_eq!(all, 1, "so often was the message received");
    });
}
