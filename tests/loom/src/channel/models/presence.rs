//! Who holds a queue, while handles of it go from one process to another.

use crate::{
    channel::{
        core::Core,
        raw::{Account, Role},
        setting::queue,
    },
    explore::Explorer,
    harness::Model,
    machine::{Death, Sabotage, me, nth, process, shared, victim},
    primitive::{AtomicU32, Ordering},
    shm::world::Identity,
};
use std::sync::Arc;

pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "presence::a_handle_in_a_message_counts",
        run: a_handle_in_a_message_counts,
        notices: &[(Sabotage::NoMoves, "nobody"), (Sabotage::NoRelease, "nobody")],
    },
    Model {
        name: "presence::a_handle_goes_on_a_childs_account",
        run: a_handle_goes_on_a_childs_account,
        notices: &[(Sabotage::NoMoves, "nobody")],
    },
    Model {
        name: "presence::a_holder_is_killed",
        run: a_holder_is_killed,
        notices: &[(Sabotage::NoMoves, "nobody"), (Sabotage::NoTable, "somebody")],
    },
    Model {
        name: "presence::whoever_decodes_is_killed",
        run: whoever_decodes_is_killed,
        notices: &[(Sabotage::NoTable, "somebody")],
    },
];

const ROLE: Role = Role::Sender;

/// A message with a handle, and whether it was sent.
type Message = Arc<AtomicU32>;

/// What `channel::hold` does with a handle that goes into a message on the account of `charged`.
fn depart(core: &Core, charged: Identity, message: &Message) {
    core.presence().take_off(charged, ROLE);
    message.store(1, Ordering::Release);
}

/// What it does with one that comes out of a message; whether there was one.
fn arrive(core: &Core, charged: Identity, message: &Message) -> bool {
    let is_there = message.load(Ordering::Acquire) != 0;
    if is_there {
        core.presence().join(me().id, ROLE);
        core.land(charged, [ROLE]);
    }
    is_there
}

/// And when a handle is dropped.
fn leave(core: &Core) {
    if core.leave(me().id, [ROLE]) {
        core.announce_leave();
    }
}

fn has_senders(core: &Core) -> bool {
    core.who(ROLE, false) != Account::Nobody
}

/// The first process takes the handle of the second one out of a message, after which the second one has none: whoever looks meanwhile always
/// sees that somebody has one.
fn a_handle_in_a_message_counts(explorer: Explorer) {
    explorer.thoroughly(|| {
        let (mine, [first, second]) = queue(0);
        let message = shared(AtomicU32::new(0));
        mine.presence().join(nth(2), ROLE);
        let receiver = {
            let message = Arc::clone(&message);
            process(move || arrive(&first, nth(2), &message))
        };
        let sender = process(move || {
            depart(&second, me().id, &message);
            leave(&second);
        });
        assert!(has_senders(&mine), "nobody seems to be there");
        receiver.join();
        sender.join();
        assert!(has_senders(&mine), "nobody seems to be there");
    });
}

/// The same with a handle that the second process gives to the first one when it starts that.
fn a_handle_goes_on_a_childs_account(explorer: Explorer) {
    explorer.thoroughly(|| {
        let (mine, [first, second]) = queue(0);
        let message = shared(AtomicU32::new(0));
        mine.presence().join(nth(2), ROLE);
        let child = {
            let message = Arc::clone(&message);
            process(move || arrive(&first, me().id, &message))
        };
        let starter = process(move || {
            depart(&second, nth(1), &message);
            leave(&second);
        });
        assert!(has_senders(&mine), "nobody seems to be there");
        child.join();
        starter.join();
        assert!(has_senders(&mine), "nobody seems to be there");
    });
}

/// The sender is killed at any step: if the handle has arrived, it counts, and otherwise nobody has one.
fn a_holder_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let (mine, [first, second]) = queue(0);
        let message = shared(AtomicU32::new(0));
        mine.presence().join(nth(2), ROLE);
        let receiver = {
            let message = Arc::clone(&message);
            process(move || arrive(&first, nth(2), &message))
        };
        let killed = victim(move || {
            depart(&second, me().id, &message);
            leave(&second);
        });
        let seen = has_senders(&mine);
        let has_arrived = receiver.join();
        let is_dead = killed.end().is_none();
        assert!(seen || is_dead, "nobody seems to be there");
        let expected = has_arrived || !is_dead;
        let now = has_senders(&mine);
        assert!(now || !expected, "nobody seems to be there");
        assert!(!now || expected, "somebody seems to be there");
    });
}

/// The receiver is killed at any step, and the sender keeps its own handle; then that goes as well, with what is under way.
fn whoever_decodes_is_killed(explorer: Explorer) {
    explorer.kill(Death::Marked, || {
        let (mine, [first, second]) = queue(0);
        let message = shared(AtomicU32::new(0));
        mine.presence().join(nth(2), ROLE);
        let killed = {
            let message = Arc::clone(&message);
            victim(move || arrive(&first, nth(2), &message))
        };
        let sender = process(move || depart(&second, me().id, &message));
        assert!(has_senders(&mine), "nobody seems to be there");
        let has_arrived = killed.end().unwrap_or(false);
        sender.join();
        assert!(has_senders(&mine), "nobody seems to be there");
        crate::shm::world::WORLD.mark_dead(nth(2));
        assert!(has_arrived || !has_senders(&mine), "somebody seems to be there");
    });
}
