//! `PoolBuilder`: what can be chosen about a pool.

use super::{
    Pool,
    crew::{Start, Terms},
    inner::Inner,
    keeper,
    signal::lock,
    worker::{Post, work},
};
use crate::{
    primitive::{AtomicUsize, Ordering},
    process::{Options, Process, SpawnError, Spec, StartMethod, offset_of_function, spawn_spec},
};
use core::{fmt, time::Duration};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io,
    sync::{Arc, Mutex},
};

/// The number of the next pool that has no name.
static COUNT: AtomicUsize = AtomicUsize::new(1);

const SPEC: Spec = Spec { name: "", daemon: Some(false), start_method: None };

/// What can be chosen about a pool before it starts; see [`Pool::builder`].
///
/// # Examples
/// ```
/// use psync::Pool;
/// use std::time::Duration;
///
/// let pool = Pool::builder()
///     .workers(2)
///     .name("squares")
///     .max_tasks_per_worker(100)
///     .task_timeout(Duration::from_secs(10))
///     .retries(1)
///     .build()?;
/// assert_eq!(pool.map(|n: u64| n * n, 1..=3)?, [1, 4, 9]);
/// assert!(pool.workers()[0].name.starts_with("squares-"));
/// # Ok::<(), psync::Error>(())
/// ```
#[must_use = "a pool is made by `build`"]
pub struct PoolBuilder {
    workers: usize,
    name: Option<String>,
    start: Start,
    has_initializer: bool,
    max_tasks: Option<usize>,
    max_memory: Option<u64>,
    timeout: Option<Duration>,
    retries: u32,
    method: Option<StartMethod>,
}

impl fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder").field("workers", &self.workers).finish_non_exhaustive()
    }
}

impl PoolBuilder {
    pub(super) fn new() -> Self {
        Self {
            workers: crate::process::cpu_count(),
            name: None,
            start: starting(|()| {}, ()),
            has_initializer: false,
            max_tasks: None,
            max_memory: None,
            timeout: None,
            retries: 0,
            method: None,
        }
    }

    /// How many workers; as many as there are processors, if it is not said.
    pub const fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Names the pool. Its workers are called after it, with a number.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Has each worker call `f(args)` before its first task. If that fails in one of them, by a panic or by the end of the process, the pool is broken, and every
    /// task gets [`TaskError::Initializer`](super::TaskError::Initializer).
    ///
    /// # Examples
    /// ```
    /// use psync::Pool;
    ///
    /// fn prepare(language: String) {
    ///     // This process has one thread, and nobody else reads it meanwhile.
    ///     unsafe { std::env::set_var("LANGUAGE", language) };
    /// }
    ///
    /// let pool = Pool::builder().workers(1).initializer(prepare, "fr".to_owned()).build()?;
    /// assert_eq!(pool.run(|()| std::env::var("LANGUAGE").ok(), ())?, Some("fr".to_owned()));
    /// # Ok::<(), psync::Error>(())
    /// ```
    // The compiler shows the line with the name to whoever passes a closure that captures.
    #[rustfmt::skip]
    pub fn initializer<A>( // a closure cannot capture: pass what it uses in `args`
        mut self,
        f: fn(A),
        args: A,
    ) -> Self
    where
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        self.start = starting(f, args);
        self.has_initializer = true;
        self
    }

    /// After so many tasks a worker ends, and another takes its place: for code that leaks.
    pub const fn max_tasks_per_worker(mut self, tasks: usize) -> Self {
        self.max_tasks = Some(tasks);
        self
    }

    /// A task that runs longer is ended with its worker: [`TaskError::TimedOut`](super::TaskError::TimedOut).
    pub const fn task_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How often a task is tried again after it has cost a worker; never, if it is not said. A panic is not tried again.
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How many bytes of memory of its own a worker may have, beyond what it starts with. If it asks for more, it is refused, which ends most programs:
    /// that costs the task ([`TaskError::WorkerLost`](super::TaskError::WorkerLost)), and the worker is replaced. Shared memory does not count.
    ///
    /// # Examples
    /// ```
    /// use psync::Pool;
    ///
    /// let pool = Pool::builder().workers(1).max_memory(1 << 30).build()?;
    /// assert_eq!(pool.run(|n: u32| n + 1, 1)?, 2);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub const fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = Some(bytes);
        self
    }

    /// How the workers are started. Not by [`StartMethod::Fork`]: the pool replaces workers whenever one ends, from a thread of its own.
    ///
    /// # Examples
    /// ```
    /// use psync::{Pool, StartMethod};
    ///
    /// let pool = Pool::builder().workers(1).start_method(StartMethod::Spawn).build()?;
    /// assert_eq!(pool.run(|n: u32| n + 1, 1)?, 2);
    /// # Ok::<(), psync::Error>(())
    /// ```
    pub const fn start_method(mut self, method: StartMethod) -> Self {
        self.method = Some(method);
        self
    }

    /// Starts the pool and all its workers.
    ///
    /// # Errors
    /// If there are to be no workers, or workers without tasks; if a worker cannot be started ([`SpawnError`]) or there is no memory.
    pub fn build(self) -> crate::Result<Pool> {
        let refuse = |reason| Err(io::Error::new(io::ErrorKind::InvalidInput, reason).into());
        match (self.workers, self.max_tasks, self.method) {
            (0, ..) => return refuse("a pool needs at least one worker"),
            (_, Some(0), _) => return refuse("a worker has to be allowed one task at least"),
            (_, _, Some(StartMethod::Fork)) => {
                return refuse(
                    "a pool cannot use `StartMethod::Fork`, since it replaces workers while it has threads",
                );
            }
            _ => {}
        }
        if self.workers > 1 << 16 {
            return refuse("a pool cannot have so many workers");
        }
        let number = || format!("Pool-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let terms = Terms {
            workers: self.workers,
            name: self.name.unwrap_or_else(number),
            start: self.start,
            has_initializer: self.has_initializer,
            method: self.method,
            timeout: self.timeout,
            retries: self.retries,
        };
        let inner = Inner::new(terms, (self.max_tasks.map(|tasks| tasks as u64), self.max_memory))?;
        let started = inner.fill_seats(&mut lock(&inner.crew));
        if let Err(error) = started {
            inner.end_workers();
            return Err(error.into());
        }
        let keeper = keeper::start(&inner).inspect_err(|_| inner.end_workers())?;
        Ok(Pool::holding(inner, keeper))
    }
}

/// What starts a worker that calls `f(args)` first.
pub(super) fn starting<A>(f: fn(A), args: A) -> Start
where
    A: Serialize + DeserializeOwned + Send + 'static,
{
    let args = Mutex::new(args);
    Box::new(move |post: Post, options: Options| -> Result<Process<()>, SpawnError> {
        let function = offset_of_function(f as *const ()).ok_or(SpawnError::UnknownFunction)?;
        spawn_spec(&SPEC, options, work::<A>, (post, function, &*lock(&args)))
    })
}

/// So that the pool may be shared by threads.
const _: fn() = || {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Inner>();
    is_shared::<Arc<Inner>>();
};
