//! More handles in results than the kernel holds for one process at a time.

mod killing;

use killing::Watchdog;
use psync::prelude::*;

/// More than fit into a socket's buffer, one descriptor each.
const MANY: usize = 600;
/// Too large to share a segment.
const LARGE: usize = 100_000;

#[process]
fn make(n: usize) -> Shared<[u8]> {
    Shared::<[u8]>::new_with(LARGE, |_| u8::try_from(n % 251).expect("small")).expect("memory")
}

fn check(all: &[Shared<[u8]>]) {
    assert_eq!(all.len(), MANY);
    assert!(all.iter().enumerate().all(|(n, made)| usize::from(made[LARGE - 1]) == n % 251));
}

#[test]
fn a_parallel_of_many_that_return_handles_ends() {
    let watchdog = Watchdog::new("a_parallel_of_many_that_return_handles_ends");
    watchdog.step("all at once");
    check(&parallel! { for n in 0..MANY => make(n) }.expect("all return"));
}

#[test]
fn many_that_return_handles_can_be_joined_in_any_order() {
    let watchdog = Watchdog::new("many_that_return_handles_can_be_joined_in_any_order");
    watchdog.step("starting them");
    let all: Vec<_> = (0..MANY).map(|n| make::spawn(n).expect("starts")).collect();
    watchdog.step("joining them, the last first");
    let mut all: Vec<_> =
        all.into_iter().rev().map(|process| process.join().expect("a result")).collect();
    all.reverse();
    check(&all);
}
