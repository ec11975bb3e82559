//! How batches and results are written down: a head of fixed length, and what follows it.

use super::desk::{FAULT, RECORD, Ticket};

/// A head: what a message is, decoded apart from what follows.
pub(super) const HEAD: usize = 48;

/// A batch on its way to a worker. What follows are its arguments: a single one as it is, several each behind its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) ticket: Ticket,
    /// Offsets of the function that knows the types, and of the user's.
    pub(super) runner: u64,
    pub(super) function: u64,
    pub(super) count: u32,
}

/// What a worker tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) kind: Kind,
    pub(super) ticket: Ticket,
    /// Of the first result that follows.
    pub(super) index: u32,
    /// How many follow.
    pub(super) count: u32,
    /// Whether no more will come of this batch.
    pub(super) is_last: bool,
    /// How long the batch has taken so far, in nanoseconds, and for how many tasks.
    pub(super) nanos: u64,
    pub(super) ran: u32,
    /// Of the worker.
    pub(super) pid: i32,
}

/// See [`Note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Results, one behind the other as they lay in the buffer.
    Results,
    /// One result, which is all that follows.
    Returned,
    /// One fault, which is all that follows.
    Fault,
    /// The batch had been withdrawn.
    Skipped,
    /// The worker has run its initialiser.
    Ready,
    /// The initialiser failed; why, in words.
    NotReady,
    /// The queue of tasks is damaged.
    Unreadable,
}

const KINDS: [Kind; 7] = [
    Kind::Results,
    Kind::Returned,
    Kind::Fault,
    Kind::Skipped,
    Kind::Ready,
    Kind::NotReady,
    Kind::Unreadable,
];

fn words(head: &[u8; HEAD]) -> [u64; 6] {
    let (words, _) = head.as_chunks::<8>();
    core::array::from_fn(|index| u64::from_ne_bytes(words[index]))
}

fn bytes(words: [u64; 6]) -> [u8; HEAD] {
    let mut bytes = [0; HEAD];
    for (place, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *place = word.to_ne_bytes();
    }
    bytes
}

#[allow(clippy::cast_possible_truncation, reason = "takes words apart")]
impl Order {
    pub(super) fn to_bytes(self) -> [u8; HEAD] {
        bytes([self.ticket.bits(), self.runner, self.function, u64::from(self.count), 0, 0])
    }

    pub(super) fn from_bytes(head: &[u8; HEAD]) -> Self {
        let [ticket, runner, function, count, ..] = words(head);
        Self { ticket: Ticket::from_bits(ticket), runner, function, count: count as u32 }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "takes words apart")]
impl Note {
    pub(super) const fn about(kind: Kind, ticket: Ticket) -> Self {
        Self { kind, ticket, index: 0, count: 0, is_last: false, nanos: 0, ran: 0, pid: 0 }
    }

    pub(super) fn to_bytes(self) -> [u8; HEAD] {
        let kind = self.kind as u64 | u64::from(self.is_last) << 8;
        let span = u64::from(self.index) << 32 | u64::from(self.count);
        bytes([
            kind,
            self.ticket.bits(),
            span,
            self.nanos,
            u64::from(self.ran),
            u64::from(self.pid.cast_unsigned()),
        ])
    }

    pub(super) fn from_bytes(head: &[u8; HEAD]) -> Option<Self> {
        let [kind, ticket, span, nanos, ran, pid] = words(head);
        Some(Self {
            kind: *KINDS.get(usize::from(kind as u8))?,
            ticket: Ticket::from_bits(ticket),
            index: (span >> 32) as u32,
            count: span as u32,
            is_last: kind >> 8 & 1 != 0,
            nanos,
            ran: ran as u32,
            pid: (pid as u32).cast_signed(),
        })
    }
}

/// Puts an argument behind those that are there.
pub(super) fn put_argument(
    arguments: &mut Vec<u8>,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    let start = arguments.len();
    arguments.extend_from_slice(&[0; 8]);
    if let Err(reason) = encode(arguments) {
        arguments.truncate(start);
        return Err(reason);
    }
    let len = (arguments.len() - start - 8) as u64;
    arguments[start..start + 8].copy_from_slice(&len.to_ne_bytes());
    Ok(())
}

/// The first argument and those behind it.
#[inline]
pub(super) fn next_argument(arguments: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = arguments.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_ne_bytes(*len)).ok()?)
}

/// The results in a buffer: each one's index, whether it is a fault, and its bytes.
pub(super) fn results(mut buffer: &[u8]) -> impl Iterator<Item = (u32, bool, &[u8])> {
    core::iter::from_fn(move || {
        let (head, rest) = buffer.split_first_chunk::<RECORD>()?;
        let [index, len] = [&head[..4], &head[4..]]
            .map(|half| half.first_chunk().map_or(0, |half| u32::from_ne_bytes(*half)));
        let (bytes, rest) = rest.split_at_checked((len & !FAULT) as usize)?;
        buffer = rest;
        Some((index, len & FAULT != 0, bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_go_there_and_back() {
        let ticket = Ticket::new(7, 9);
        let order = Order { ticket, runner: 1 << 40, function: 3, count: 12 };
        assert_eq!(Order::from_bytes(&order.to_bytes()), order);
        for kind in KINDS {
            let note = Note {
                index: 4,
                count: 5,
                is_last: true,
                nanos: 6,
                ran: 8,
                pid: 9,
                ..Note::about(kind, ticket)
            };
            assert_eq!(Note::from_bytes(&note.to_bytes()), Some(note));
        }
        assert_eq!(Note::from_bytes(&[0xff; HEAD]), None);
    }

    #[test]
    fn arguments_come_out_as_they_went_in() {
        let mut arguments = Vec::new();
        for text in ["", "acorn", "nut"] {
            let encode = |bytes: &mut Vec<u8>| {
                bytes.extend_from_slice(text.as_bytes());
                Ok(())
            };
            put_argument(&mut arguments, encode).expect("encodes");
        }
        let failed = |bytes: &mut Vec<u8>| {
            bytes.push(1);
            Err("no".to_owned())
        };
        let len = arguments.len();
        assert!(put_argument(&mut arguments, failed).is_err());
        assert_eq!(arguments.len(), len, "nothing is left of what failed");
        let mut rest = &arguments[..];
        for text in ["", "acorn", "nut"] {
            let (argument, behind) = next_argument(rest).expect("one more");
            assert_eq!(argument, text.as_bytes());
            rest = behind;
        }
        assert_eq!(next_argument(rest), None);
    }
}
