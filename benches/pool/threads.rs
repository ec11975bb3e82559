//! Pools of threads: rayon's, and one made of what `std` has.

use super::{
    WORKERS,
    measure::Contestant,
    work::{LONG, MILLIS, busy, tiny},
};
use rayon::prelude::*;
use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Instant,
};

const RAYON: &str = "rayon (threads)";
const CHANNELS: &str = "std channels (threads)";

fn pool() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(WORKERS).build().expect("threads")
}

/// Measures what `job` does with so many numbers.
fn rayon<'a>(job: fn(u64) -> u64) -> Contestant<'a> {
    let pool = pool();
    Contestant::new(RAYON, move |count| {
        let begin = Instant::now();
        pool.install(|| assert_eq!(job(count), count));
        begin.elapsed()
    })
}

fn last(results: &[u64]) -> u64 {
    *results.last().expect("there are some")
}

/// Threads that take tasks from one channel, and send results to another.
struct Channels<A, R> {
    tasks: mpsc::Sender<(usize, A)>,
    results: mpsc::Receiver<(usize, R)>,
}

impl<A: Send + 'static, R: Default + Clone + Send + 'static> Channels<A, R> {
    fn new(task: fn(A) -> R) -> Self {
        let ((tasks, take), (give, results)) = (mpsc::channel(), mpsc::channel());
        let take = Arc::new(Mutex::new(take));
        for _ in 0..WORKERS {
            let (take, give) = (Arc::clone(&take), give.clone());
            thread::spawn(move || {
                let next = || take.lock().expect("no panic").recv();
                while let Ok((at, argument)) = next() {
                    if give.send((at, task(argument))).is_err() {
                        break;
                    }
                }
            });
        }
        Self { tasks, results }
    }

    /// All results, in order.
    fn map(&self, arguments: impl IntoIterator<Item = A>) -> Vec<R> {
        let sent = arguments.into_iter().enumerate().map(|task| self.tasks.send(task));
        let count = sent.flatten().count();
        let mut results = vec![R::default(); count];
        for (at, result) in self.results.iter().take(count) {
            results[at] = result;
        }
        results
    }
}

pub(crate) fn numbers(count: u64) -> Vec<u64> {
    (0..count).collect()
}

pub(crate) fn one_by_one<'a>() -> Vec<Contestant<'a>> {
    let channels = Channels::new(tiny);
    let std = Contestant::new(CHANNELS, move |count| {
        let begin = Instant::now();
        assert_eq!(last(&channels.map(0..count)), count);
        begin.elapsed()
    });
    let each = |count| {
        let results: Vec<_> = numbers(count).into_par_iter().with_max_len(1).map(tiny).collect();
        last(&results)
    };
    vec![rayon(each), std]
}

pub(crate) fn in_chunks<'a>() -> Vec<Contestant<'a>> {
    let channels = Channels::new(|chunk: Vec<u64>| chunk.into_iter().map(tiny).collect::<Vec<_>>());
    let std = Contestant::new(CHANNELS, move |count| {
        let begin = Instant::now();
        let numbers = numbers(count);
        let results = channels.map(numbers.chunks(CHUNK).map(<[u64]>::to_vec)).concat();
        assert_eq!(last(&results), count);
        begin.elapsed()
    });
    let all = |count| {
        let results: Vec<_> = numbers(count).into_par_iter().map(tiny).collect();
        last(&results)
    };
    vec![rayon(all), std]
}

/// Numbers in a chunk, where the caller has to cut them.
pub(crate) const CHUNK: usize = 1 << 16;

pub(crate) fn long<'a>() -> Vec<Contestant<'a>> {
    let channels = Channels::new(busy);
    let std = Contestant::calls(CHANNELS, move || {
        assert_eq!(channels.map([MILLIS; LONG]).len(), LONG);
    });
    let pool = pool();
    let rayon = Contestant::calls(RAYON, move || {
        pool.install(|| [MILLIS; LONG].into_par_iter().with_max_len(1).for_each(busy));
    });
    vec![rayon, std]
}

pub(crate) fn run<'a>() -> Vec<Contestant<'a>> {
    let (pool, channels) = (pool(), Channels::new(tiny));
    vec![
        Contestant::calls(RAYON, move || assert_eq!(pool.install(|| tiny(1)), 2)),
        Contestant::calls(CHANNELS, move || assert_eq!(channels.map([1]), [2])),
    ]
}

pub(crate) fn start<'a>() -> Vec<Contestant<'a>> {
    let of_rayon = || {
        let pool = pool();
        pool.install(|| {
            let results: Vec<_> = [1, 2].into_par_iter().with_max_len(1).map(tiny).collect();
            assert_eq!(results, [2, 3]);
        });
        pool
    };
    let of_channels = || {
        let channels = Channels::new(tiny);
        assert_eq!(channels.map([1, 2]), [2, 3]);
        channels
    };
    vec![
        Contestant::new(RAYON, move |count| super::starts(count, of_rayon)),
        Contestant::new(CHANNELS, move |count| super::starts(count, of_channels)),
    ]
}
