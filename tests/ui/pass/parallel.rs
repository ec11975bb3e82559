//! Every shape that `parallel!` takes.
use psync::prelude::*;
use std::time::Duration;

#[process]
fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[process]
fn fill(part: &mut [u32], with: u32) -> usize {
    part.fill(with);
    part.len()
}

mod inner {
    use psync::prelude::*;

    #[process]
    pub fn count(bell: &Event, hits: &Value<u32>) {
        bell.wait();
        hits.update(|n| n + 1);
    }
}

fn main() -> psync::Result<()> {
    let sum: u32 = parallel! { add(1, 2) }?;
    let (a, all, ()) = parallel! {
        with deadline = Duration::from_secs(60), grace = Duration::from_secs(1), on_failure = finish;
        add(sum, 1),
        for n in 0..3 => add(n, n);
        process() {},
    }?;
    assert_eq!((a, all), (4, vec![0, 2, 4]));

    let (bell, hits) = (Shared::new(Event::new())?, Shared::new(Value::new(0))?);
    let text = String::from("three");
    let named = parallel! {
        counted: for _ in 0..3 => inner::count(&bell, &hits),
        rung: process(&bell, text) { bell.set(); text.len() },
        more: for (i, name) in ["a", "bc"].into_iter().enumerate() => process(i, name) { i + name.len() },
    }?;
    assert_eq!((named.rung, named.more, named.counted.len()), (5, vec![1, 3], 3));
    assert_eq!(hits.get(), 3);

    let (slice, number) = (&[1, 2, 3][..], 4);
    let sum = parallel! { process(slice, number) { slice.iter().sum::<i32>() + number } }?;
    assert_eq!(sum, 10);

    let array = Array::<u32>::zeroed(10)?;
    let mut guard = array.lock()?;
    let lengths = parallel! {
        for (n, part) in (0..).zip(guard.chunks_mut(4)) => fill(part, n),
    }?;
    assert_eq!(lengths, [4, 4, 2]);
    assert_eq!(guard[..], [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]);
    Ok(())
}
