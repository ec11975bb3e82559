//! What goes into the log comes out of it.

use super::*;
use crate::channel::core::{Core, Lack, Limit, Needs};
use std::sync::Arc;

const NEEDS: Needs = Needs::other_process::<u8>();

fn queue(capacity: u64) -> Arc<Core> {
    let core = Core::create(capacity, 0).expect("memory");
    core.make_entry(crate::sync::raw::me().id).expect("memory");
    core
}

fn send(core: &Core, bytes: &[u8]) {
    core.send(&[bytes], false, NEEDS, Limit::Try).expect("room");
}

fn receive(core: &Core) -> Result<Vec<u8>, Lack> {
    let mut message = Vec::new();
    let take = |bytes: Bytes<'_>, _: bool| {
        message = match bytes {
            Bytes::Log(bytes) => bytes.to_vec(),
            Bytes::Extent(place, len) => core.read(place, len)?,
        };
        Ok(())
    };
    core.receive(take, NEEDS, Limit::Try).map(|()| message)
}

#[allow(clippy::cast_possible_truncation, reason = "less than 251")]
fn message(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| ((number * 31 + at * 7) % 251) as u8).collect()
}

#[test]
fn messages_of_every_length_come_out_as_they_went_in() {
    let core = queue(0);
    let lengths = [0, 1, 7, 8, 9, 300, 4096, 40_000, INLINE, INLINE + 1, 1 << 20, 5_000_000];
    for round in 0..20 {
        for (number, len) in lengths.iter().enumerate() {
            send(&core, &message(number + round, *len));
        }
        for (number, len) in lengths.iter().enumerate() {
            assert_eq!(receive(&core).expect("a message"), message(number + round, *len));
        }
        assert!(matches!(receive(&core), Err(Lack::Empty)));
    }
}

#[test]
fn a_queue_that_keeps_up_goes_round_in_few_chunks() {
    let core = queue(0);
    for number in 0..100_000 {
        send(&core, &message(number, 100));
        assert_eq!(receive(&core).expect("a message"), message(number, 100));
    }
    assert!(core.head().producing.fresh.load(Ordering::Relaxed) <= FIRST_CHUNK + 3);
}

#[test]
fn a_long_queue_grows_and_shrinks() {
    let core = queue(0);
    let blocks = |core: &Core| {
        nix::sys::stat::fstat(core.segment().as_ref()).expect("a file").st_blocks * 512
    };
    for number in 0..40_000 {
        send(&core, &message(number, 1000));
    }
    assert!(blocks(&core) > 40_000_000);
    for number in 0..40_000 {
        assert_eq!(receive(&core).expect("a message"), message(number, 1000));
    }
    // What is kept to be used again, at most.
    let kept = 5_000_000;
    assert!(blocks(&core) < kept, "{} bytes", blocks(&core));
    send(&core, &message(1, 30_000_000));
    assert!(receive(&core).is_ok());
    assert!(blocks(&core) < kept, "{} bytes", blocks(&core));
}

#[test]
fn a_bounded_queue_counts_messages() {
    let core = queue(3);
    for number in 0..3 {
        send(&core, &message(number, 70_000));
    }
    assert!(core.head().is_full());
    assert!(core.send(&[b"x"], false, NEEDS, Limit::Try).is_err());
    receive(&core).expect("a message");
    send(&core, b"x");
    assert_eq!(core.head().len(), 3);
}

/// Whatever stands in the log, a receive ends with an error or a message.
#[test]
fn damage_is_an_error() {
    let words = [
        0,
        1,
        8,
        LENGTH,
        JUMP,
        JUMP | 1,
        EXTENT,
        EXTENT | NOTE | 7,
        JUMP | EXTENT,
        u64::MAX,
        CHUNK,
    ];
    for first in words {
        for second in words {
            for third in words {
                let core = queue(0);
                send(&core, &[0; 64]);
                let bytes: Vec<u8> =
                    [first, second, third].iter().flat_map(|word| word.to_ne_bytes()).collect();
                crate::sys::memory::write_at(core.segment(), LOG, &bytes).expect("writes");
                let take = |_: Bytes<'_>, _: bool| Ok(());
                let _ = core.receive(take, NEEDS, Limit::Try);
                for at in [LOG + 4, CHUNK, EXTENTS.start, u64::MAX - 7, LOG + CHUNK - 8] {
                    core.head().consuming.at[0].store(at, Ordering::Relaxed);
                    core.head().consuming.at[1].store(at, Ordering::Relaxed);
                    let _ = core.receive(take, NEEDS, Limit::Try);
                }
            }
        }
    }
}
