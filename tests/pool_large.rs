//! Tasks of a pool whose arguments or results are larger than what fits, and what becomes of those behind them.

mod killing;

use killing::Watchdog;
use psync::{
    Pool, Queue, Shared,
    pool::{TaskError, as_completed},
};

const MIB: usize = 1 << 20;

#[allow(clippy::needless_pass_by_value, reason = "a task owns its argument")]
fn len(bytes: Vec<u8>) -> usize {
    bytes.len()
}

/// An argument for which the worker has no memory costs that task: it is not in the way of others, and nobody tries it again and again.
#[test]
fn an_argument_that_is_too_long_for_the_worker_costs_its_task() {
    let _watchdog = Watchdog::new("an_argument_that_is_too_long_for_the_worker_costs_its_task");
    let pool =
        Pool::builder().workers(2).max_memory(64 * MIB as u64).retries(2).build().expect("a pool");
    for _ in 0..3 {
        let error = pool.run(len, vec![1; 200 * MIB]).expect_err("there is no memory for it");
        let is_told = matches!(error, TaskError::Decode | TaskError::WorkerLost { .. });
        assert!(is_told, "{error}");
        assert_eq!(pool.run(len, vec![1; 20 * MIB]), Ok(20 * MIB));
    }
}

/// Long arguments that are cancelled while they wait are not read by anybody.
#[test]
fn long_arguments_that_were_cancelled_are_passed_over() {
    let _watchdog = Watchdog::new("long_arguments_that_were_cancelled_are_passed_over");
    let pool = Pool::builder().workers(1).max_memory(64 * MIB as u64).build().expect("a pool");
    let (go, ready) = (Queue::unbounded().expect("memory"), Queue::unbounded().expect("memory"));
    let hold = |(go, ready): (Queue<u8>, Queue<u8>)| {
        ready.send(1).expect("it is open");
        go.recv().expect("it is sent")
    };
    let first = pool.submit(hold, (go.clone(), ready.clone())).expect("it is open");
    ready.recv().expect("it runs");
    let long = [0; 3].map(|_| pool.submit(len, vec![1; 100 * MIB]).expect("it is open"));
    let last = pool.submit(len, vec![1; 3]).expect("it is open");
    assert!(long.iter().all(psync::pool::Task::cancel));
    go.send(7).expect("it is open");
    assert_eq!(first.wait(), Ok(7));
    assert_eq!(last.wait(), Ok(3));
    assert!(as_completed(long.into()).all(|task| task.wait() == Err(TaskError::Cancelled)));
    assert_eq!(pool.stats().lost_workers, 0);
}

/// Long arguments and results with handles among them come whole.
#[test]
fn long_arguments_and_results_take_handles_along() {
    let _watchdog = Watchdog::new("long_arguments_and_results_take_handles_along");
    let pool = Pool::new(2).expect("a pool");
    let numbers = Shared::<[u64]>::new_with(100_000, |n| n as u64).expect("memory");
    let sum = |(numbers, padding): (Shared<[u64]>, Vec<u8>)| {
        let sum: u64 = numbers.iter().sum();
        (numbers, padding, sum)
    };
    for len in [1, MIB, 3 * MIB] {
        let (back, padding, total) =
            pool.run(sum, (numbers.clone(), vec![7; len])).expect("it is whole");
        assert!(Shared::ptr_eq(&back, &numbers));
        assert_eq!((padding.len(), total), (len, 99_999 * 50_000));
    }
}
