//! Random pools, jobs and disturbances: every handle comes to an end that it may come to, results are in order, and nothing is left.
//!
//! Each round prints the seed that repeats it as the first one: `PSYNC_SEED=n`.
#![allow(missing_docs, reason = "tests")]

mod killing;
#[path = "pooling/plan.rs"]
mod plan;
mod pooling;

use killing::{Random, Traces, Watchdog, kill, poll_for, rounds};
use plan::{Answer, Argument, JOBS, Job, LEDGER, Ledger, work};
use pooling::{LONG, check_recovery, pids};
use psync::{
    active_children,
    pool::{MapOptions, Task, TaskError},
    prelude::*,
};
use std::{
    sync::atomic::{
        AtomicBool,
        Ordering::{Relaxed, SeqCst},
    },
    thread,
    time::Duration,
};

/// Longer than any job that ends takes, also on a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(1);

/// How the pool comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Joined,
    Dropped,
    Terminated,
    /// In the middle of the work.
    Early,
}

/// How the jobs come to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Submit,
    Map,
    Imap,
    Unordered,
}

#[derive(Debug)]
struct Plan {
    workers: usize,
    retries: u32,
    tasks_per_worker: Option<usize>,
    limit: Option<Duration>,
    way: Way,
    end: End,
    options: MapOptions,
    /// Whether each job takes a handle along, and so goes alone.
    with_handles: bool,
    jobs: Vec<Job>,
    /// How many workers are killed meanwhile.
    deaths: u64,
    cancelled: Vec<usize>,
    killed: Vec<usize>,
}

fn some(random: &mut Random, below: u64) -> Option<usize> {
    (random.below(2) == 0).then(|| 1 + usize::try_from(random.below(below)).unwrap_or(0))
}

fn plan(random: &mut Random) -> Plan {
    let way = *random.pick(&[Way::Submit, Way::Submit, Way::Map, Way::Imap, Way::Unordered]);
    let mut jobs: Vec<Job> =
        (0..=random.below(JOBS as u64 - 1)).map(|_| Job::random(random)).collect();
    if way == Way::Map && random.below(2) == 0 {
        jobs.iter_mut().filter(|job| !job.is_well()).for_each(|job| *job = Job::Return);
    }
    let mut chosen = |share: u64| -> Vec<usize> {
        let share = share * u64::from(way == Way::Submit);
        (0..jobs.len()).filter(|_| random.below(10) < share).collect()
    };
    let (cancelled, killed) = (chosen(2), chosen(1));
    let limit = (random.below(4) == 0).then_some(LIMIT);
    for _ in 0..random.below(3) * u64::from(limit.is_some()) {
        let numbers: Vec<usize> = (0..jobs.len()).collect();
        jobs[*random.pick(&numbers)] = Job::Endless;
    }
    // Who is killed by its handle may go on for ever without a limit as well.
    if limit.is_none() {
        for &number in &killed {
            jobs[number] = Job::Endless;
        }
    }
    let (chunk, buffer) = (some(random, 20), some(random, 50));
    Plan {
        workers: 1 + usize::try_from(random.below(4)).unwrap_or(0),
        retries: u32::try_from(random.below(4)).unwrap_or(0),
        tasks_per_worker: some(random, 5),
        limit,
        way,
        end: *random.pick(&[End::Joined, End::Joined, End::Dropped, End::Terminated, End::Early]),
        options: MapOptions { chunk, buffer, ..MapOptions::default() },
        with_handles: random.below(3) == 0,
        jobs,
        deaths: random.below(8).saturating_sub(4),
        cancelled,
        killed,
    }
}

type Outcome = Result<Answer, TaskError>;

/// The handle of a ledger, or the one that needs none.
type Book = Option<Shared<Ledger>>;

impl Plan {
    fn pool(&self) -> Result<Pool, String> {
        let mut builder = Pool::builder().workers(self.workers).retries(self.retries);
        if let Some(tasks) = self.tasks_per_worker {
            builder = builder.max_tasks_per_worker(tasks);
        }
        if let Some(limit) = self.limit {
            builder = builder.task_timeout(limit);
        }
        builder.build().map_err(|error| error.to_string())
    }

    fn arguments<'a>(&'a self, ledger: &'a Book) -> impl Iterator<Item = Argument> + 'a {
        self.jobs.iter().enumerate().map(|(number, job)| (ledger.clone(), number, *job))
    }

    /// Whether something else than the job itself may have ended it like this.
    fn may_be_disturbed(&self, number: usize, error: &TaskError) -> bool {
        match error {
            TaskError::WorkerLost { cause, .. } => {
                self.deaths > 0 && cause.signal() == Some(libc::SIGKILL)
            }
            TaskError::Cancelled => self.cancelled.contains(&number),
            TaskError::Killed => self.killed.contains(&number),
            TaskError::Closed => self.end == End::Early,
            _ => false,
        }
    }

    fn check(&self, number: usize, result: &Outcome, ledger: &Book) -> Result<(), String> {
        let job = self.jobs[number];
        let ledger: &Ledger = ledger.as_deref().unwrap_or(&LEDGER);
        let begun = ledger.begun[number].load(SeqCst);
        let fits = job.may_end(number, result)
            || result.as_ref().is_err_and(|error| self.may_be_disturbed(number, error));
        if !fits {
            return Err(format!("job {number}, {job:?}, ends with {result:?}"));
        }
        let allowed = match result {
            Ok(_) => 1..=1 + self.retries,
            // One that waits to be tried again can be cancelled.
            Err(TaskError::Cancelled) if self.deaths > 0 || !job.is_well() => 0..=self.retries,
            Err(TaskError::Cancelled) => 0..=0,
            Err(_) => 0..=1 + self.retries,
        };
        if !allowed.contains(&begun) {
            return Err(format!("job {number}, {job:?}, has begun {begun} times: {result:?}"));
        }
        Ok(())
    }

    /// Each on its own, some of them cancelled, and some killed.
    fn submit(&self, pool: &Pool, ledger: &Book) -> Result<(), String> {
        let mut tasks = Vec::new();
        for (number, argument) in self.arguments(ledger).enumerate() {
            match pool.submit(work, argument) {
                Ok(task) => tasks.push((number, task)),
                Err(_) if self.end == End::Early => break,
                Err(error) => return Err(format!("job {number}: {error}")),
            }
        }
        for (number, task) in &tasks {
            if self.cancelled.contains(number) && task.cancel() != task.is_cancelled() {
                return Err(format!("job {number} was cancelled and is {task:?}"));
            }
            if self.killed.contains(number) {
                task.kill();
            }
        }
        for (number, task) in tasks {
            let is_cancelled = task.is_cancelled();
            let result = Task::wait(task);
            self.check(number, &result, ledger)?;
            if is_cancelled != matches!(result, Err(TaskError::Cancelled)) {
                return Err(format!("job {number} was cancelled, and ends with {result:?}"));
            }
        }
        Ok(())
    }

    fn map(&self, pool: &Pool, ledger: &Book) -> Result<(), String> {
        match pool.map_with(work, self.arguments(ledger), self.options.clone()) {
            Ok(answers) if answers.len() == self.jobs.len() => answers
                .into_iter()
                .enumerate()
                .try_for_each(|(number, answer)| self.check(number, &Ok(answer), ledger)),
            Ok(answers) => Err(format!("{} results", answers.len())),
            Err(error) => {
                let explains = |number: usize| {
                    self.jobs[number].may_fail(number, &error)
                        || self.may_be_disturbed(number, &error)
                };
                if (0..self.jobs.len()).any(explains) {
                    return Ok(());
                }
                Err(format!("no job explains {error:?}"))
            }
        }
    }

    fn imap(&self, pool: &Pool, ledger: &Book) -> Result<(), String> {
        let results = pool.imap_with(work, self.arguments(ledger), self.options.clone());
        let results: Vec<Outcome> = results.collect();
        // Nothing more is taken in when a pool has come to its end.
        if results.len() != self.jobs.len() && self.end != End::Early {
            return Err(format!("{} results of {}", results.len(), self.jobs.len()));
        }
        results
            .iter()
            .enumerate()
            .try_for_each(|(number, result)| self.check(number, result, ledger))
    }

    fn unordered(&self, pool: &Pool, ledger: &Book) -> Result<(), String> {
        let results = pool.imap_unordered_with(work, self.arguments(ledger), self.options.clone());
        let results: Vec<Outcome> = results.collect();
        if results.len() != self.jobs.len() && self.end != End::Early {
            return Err(format!("{} results of {}", results.len(), self.jobs.len()));
        }
        // Whoever has returned is not among those who explain the failures.
        let mut left: Vec<usize> = (0..self.jobs.len()).collect();
        for result in &results {
            let Ok(answer) = result else { continue };
            let number = answer.number().ok_or_else(|| format!("{answer:?} is torn"))?;
            self.check(number, result, ledger)?;
            match left.iter().position(|one| *one == number) {
                Some(at) => drop(left.remove(at)),
                None => return Err(format!("{answer:?} comes twice")),
            }
        }
        let unexplained = results.iter().find(|result| {
            result.is_err() && !left.iter().any(|one| self.check(*one, result, ledger).is_ok())
        });
        match unexplained {
            Some(result) => Err(format!("nobody of {left:?} explains {result:?}")),
            None => Ok(()),
        }
    }

    fn jobs_by(&self, pool: &Pool, ledger: &Book) -> Result<(), String> {
        match self.way {
            Way::Submit => self.submit(pool, ledger),
            Way::Map => self.map(pool, ledger),
            Way::Imap => self.imap(pool, ledger),
            Way::Unordered => self.unordered(pool, ledger),
        }
    }

    /// Kills workers, and ends the pool early if that is the plan.
    fn disturb(&self, pool: &Pool, over: &AtomicBool, mut random: Random) {
        for _ in 0..self.deaths {
            thread::park_timeout(Duration::from_micros(random.below(4_000)));
            let workers: Vec<i32> = pids(pool).into_iter().filter(|pid| *pid > 1).collect();
            if over.load(Relaxed) || workers.is_empty() {
                break;
            }
            kill(*random.pick(&workers));
        }
        if self.end == End::Early {
            thread::park_timeout(Duration::from_micros(random.below(10_000)));
            pool.terminate();
        }
    }

    /// Each task is counted once, however often it was tried; right after it was told.
    fn check_counts(&self, pool: &Pool) -> Result<(), String> {
        let all = self.jobs.len() as u64 + 100;
        let fits = || {
            let stats = pool.stats();
            let told = stats.done + stats.failed;
            (stats.queued, stats.running) == (0, 0)
                && if self.way == Way::Map { told <= all } else { told == all }
        };
        if poll_for(LONG, fits) {
            return Ok(());
        }
        Err(format!("{all} tasks are counted as {:?}", pool.stats()))
    }

    fn play(&self, random: &Random, watchdog: &Watchdog) -> Result<(), String> {
        LEDGER.begun.iter().for_each(|count| count.store(0, SeqCst));
        let ledger = if self.with_handles {
            Some(Shared::<Ledger>::zeroed().map_err(|error| error.to_string())?)
        } else {
            None
        };
        let pool = self.pool()?;
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| self.disturb(&pool, &over, random.clone()));
            let result = self.jobs_by(&pool, &ledger);
            over.store(true, Relaxed);
            result
        })?;
        if self.end != End::Early {
            watchdog.step(format!("recovery after {self:?}"));
            check_recovery(&pool, self.workers)?;
            self.check_counts(&pool)?;
        }
        watchdog.step(format!("the end of {self:?}"));
        match self.end {
            End::Dropped => drop(pool),
            End::Joined | End::Early => pool.join().map_err(|error| error.to_string())?,
            End::Terminated => {
                pool.terminate();
                pool.join().map_err(|error| error.to_string())?;
            }
        }
        match active_children() {
            left if left.is_empty() => Ok(()),
            left => Err(format!("left: {left:?}")),
        }
    }
}

#[test]
fn every_handle_comes_to_an_end_that_it_may_come_to() {
    let watchdog = Watchdog::new("every_handle_comes_to_an_end_that_it_may_come_to");
    let first = Random::new().seed;
    drop(pooling::pool(1));
    let traces = Traces::now();
    for round in 0..rounds(80) as u64 {
        let mut random = Random::from_seed(first.wrapping_add(round));
        let seed = random.seed;
        let plan = plan(&mut random);
        watchdog.step(format!("PSYNC_SEED={seed}: {plan:?}"));
        if let Err(problem) = plan.play(&random, &watchdog) {
            panic!("PSYNC_SEED={seed}: {problem}\n{plan:#?}");
        }
        traces.check(0).unwrap_or_else(|left| panic!("PSYNC_SEED={seed}: {left}\n{plan:#?}"));
    }
}
