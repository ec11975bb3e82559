//! Tasks of a pool as futures: awaited without a runtime, told of by callbacks, and cancelled.
//!
//! ```console
//! $ cargo run --release --example dinner
//! ```
#![allow(clippy::disallowed_methods, reason = "cooking takes time")]

// ANCHOR: tasks
use psync::prelude::*;
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake},
    thread::{self, Thread},
    time::Duration,
};

fn cook((dish, ms): (String, u64)) -> String {
    thread::sleep(Duration::from_millis(ms));
    format!("hot {dish}")
}

async fn dinner(pool: &Pool) -> psync::Result<String> {
    let order = |dish: &str, ms| pool.submit(cook, (dish.to_owned(), ms));
    let (noodles, sauce) = (order("noodles", 90)?, order("sauce", 30)?);
    sauce.on_done(|_| println!("the sauce is on the table"));
    noodles.on_done(|_| println!("the noodles are on the table"));
    // Both are being cooked: nobody has to wait for a future to make it go on.
    Ok(format!("{} and {}", noodles.await?, sauce.await?))
}
// ANCHOR_END: tasks

// ANCHOR: block_on
/// All that a future wants of a runtime: to be asked again when it has something to say.
struct Caller(Thread);

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Arc::new(Caller(thread::current())).into();
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
// ANCHOR_END: block_on

// ANCHOR: main
fn main() -> psync::Result<()> {
    let pool = Pool::new(2)?;
    println!("{}", block_on(dinner(&pool))?);

    let kitchen = Pool::new(1)?;
    let stew = kitchen.submit(cook, ("stew".to_owned(), 3_600_000))?;
    let cake = kitchen.submit(cook, ("cake".to_owned(), 10))?;
    println!("the cake is cancelled: {}", cake.cancel());
    stew.kill();
    println!("stew: {:?}, cake: {:?}", stew.wait(), cake.wait());
    println!("{}", kitchen.run(cook, ("tea".to_owned(), 10))?);
    Ok(())
}
// ANCHOR_END: main
