//! A queue for a model's processes, and what they do with it.

use super::{
    core::{Core, Lack, Limit, Needs, Refusal},
    raw::{self, Bytes},
};
use crate::{
    barriers,
    defects::{Defect, spoil},
    machine::{self, Sabotage, has},
    shm::Segment,
};
use core::fmt::Write;
use std::{collections::HashMap, sync::Arc};

/// What an operation of a model needs: another process, or nobody in particular.
pub(super) const OTHERS: Needs = Needs::other_process::<View>();
pub(super) const NOBODY: Needs = OTHERS.nobody();

/// A process's view of a queue.
pub(super) type View = Arc<Core>;

/// A new queue, as it is seen by the process that sets the model up and by `others` more.
pub(super) fn queue<const OTHERS: usize>(capacity: u64) -> (View, [View; OTHERS]) {
    barriers::begin();
    let core = Core::create(capacity, 0).expect("memory");
    drop(format!("{:?}", core.head()));
    raw::show(core.presence(), core.hands());
    spoil_words(&core);
    for process in 0..=OTHERS {
        core.make_entry(machine::nth(process)).expect("memory");
    }
    let others = [(); OTHERS].map(|()| Core::attach(core.segment(), 0).expect("a queue"));
    (core, others)
}

/// Has the defects that are asked for.
fn spoil_words(core: &Core) {
    if has(Sabotage::OneCopy) {
        let words = words(core.head());
        for name in ["producing.at", "consuming.at", "consuming.retiring"] {
            let [first, second] = [0, 1].map(|copy| words[&format!("{name}.{copy}")]);
            spoil(second, Defect::Same(first));
        }
    }
    if has(Sabotage::NoRetiring) {
        let words = words(core.head());
        for copy in 0..2 {
            spoil(words[&format!("consuming.retiring.{copy}")], Defect::Forgotten);
        }
    }
    if has(Sabotage::NoSecondLook) {
        let words = words(core.head());
        for name in ["sent.0", "received.0", "closed"] {
            spoil(words[name], Defect::Unseen);
        }
    }
    if has(Sabotage::LateHand) {
        for hand in &core.hands()[..3] {
            let words = words(hand);
            spoil(words["state"], Defect::Late("work: hand described", "queue: message received"));
        }
    }
    if has(Sabotage::NoMoves) {
        spoil(words(core.head())["changes.moves"], Defect::Forgotten);
    }
}

/// The addresses of a machine's words by the names of their fields, which may be private: from how it is printed.
fn words(machine: &impl core::fmt::Debug) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    // For each level: the name, and how many nameless fields it has had.
    let mut path: Vec<(String, usize)> = Vec::new();
    for line in format!("{machine:#?}").lines() {
        let line = line.trim().trim_end_matches(',');
        if matches!(line, "}" | ")" | "]") {
            path.pop();
            continue;
        }
        let (name, value) = match line.split_once(": ") {
            Some((name, value)) => (name.to_owned(), value),
            None => {
                let number = path.last_mut().map_or(0, |(_, count)| {
                    *count += 1;
                    *count - 1
                });
                (number.to_string(), line)
            }
        };
        if value.ends_with(['{', '(', '[']) {
            path.push((name, 0));
        } else if let Some(address) = value.strip_prefix('@') {
            let mut full = String::new();
            path.iter().skip(1).for_each(|(name, _)| write!(full, "{name}.").expect("memory"));
            let address = usize::from_str_radix(address, 16).expect("it is printed so");
            words.insert(full + &name, address);
        }
    }
    words
}

/// Whose message it is, and the how manieth of his, from 1.
pub(super) type Message = (u8, u8);

/// Sends a message of `len` bytes, waiting while there is no room for it.
pub(super) fn send(core: &Core, message: Message, len: usize, needs: Needs) -> Result<(), Refusal> {
    let bytes = bytes(message, len);
    let (head, tail) = bytes.split_at(len / 2);
    core.send(&[head, tail], false, needs, Limit::FOREVER)
}

fn bytes((who, number): Message, len: usize) -> Vec<u8> {
    [who, number].repeat(len / 2)
}

/// What bytes say, if they are whole.
pub(super) fn read(found: &[u8]) -> Message {
    let message = (found[0], found[1]);
    assert!(found == bytes(message, found.len()), "a message is torn: {:?}", &found[..8]);
    message
}

/// Receives a message, which `seen` hears of before it is gone for others.
pub(super) fn receive(
    core: &Core,
    needs: Needs,
    limit: Limit,
    mut seen: impl FnMut(Message),
) -> Result<Message, Lack> {
    let mut message = None;
    let take = |bytes: Bytes<'_>, _| {
        let one = match bytes {
            Bytes::Log(bytes) => read(bytes),
            Bytes::Extent(place, len) => read(&core.read(place, len)?),
        };
        seen(one);
        message = Some(one);
        Ok(())
    };
    core.receive(take, needs, limit).map(|()| message.expect("it was taken"))
}

/// Receives what is there.
pub(super) fn drain(core: &Core) -> Vec<Message> {
    let next = || receive(core, NOBODY, Limit::Try, |_| ()).ok();
    core::iter::from_fn(next).collect()
}

/// What came from one sender is in the order in which he sent it, and nothing twice: the numbers from `first` on.
pub(super) fn is_in_order(messages: &[Message], sender: u8, first: u8) -> usize {
    let of_sender: Vec<u8> =
        messages.iter().filter(|one| one.0 == sender).map(|one| one.1).collect();
    let expected: Vec<u8> = (first..).take(of_sender.len()).collect();
    assert_eq!(of_sender, expected, "out of order, lost, or twice");
    of_sender.len()
}

/// The file behind a queue.
pub(super) fn file(core: &Core) -> &Segment {
    core.segment()
}
