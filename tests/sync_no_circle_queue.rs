//! Nobody is told of a deadlock over a queue that there is not: as long as anybody could act who holds it, or will, or has a copy of somebody who does.
#![allow(missing_docs, reason = "a test")]
#![allow(unsafe_code, reason = "forks without psync")]

mod killing;

use killing::{HANG, Random, Watchdog, kill, look_at, poll_for, rounds, signal};
use psync::{RecvError, WorkQueue, dump_waits, prelude::*};
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// Long enough for whoever would be told of something to be told of it, many times over.
const LONG: Duration = Duration::from_millis(2500);

fn sleep(time: Duration) {
    Event::new().wait_timeout(time);
}

#[process(name = "consumer", daemon)]
fn consumes(queue: Queue<String>) -> Result<String, RecvError> {
    queue.recv()
}

const LATE: &str = "late";

#[process]
fn has_another_thread() {
    let queue = Queue::bounded(1).expect("memory");
    let sender = queue.clone();
    let thread = std::thread::spawn(move || {
        // Not a wait of psync.
        std::thread::park_timeout(LONG);
        sender.send(LATE.to_owned()).expect("there is room");
    });
    assert_eq!(consumes::run(queue.clone()).expect("ends"), Ok(LATE.to_owned()));
    thread.join().expect("no panic");
}

#[test]
fn a_thread_that_does_not_wait_may_send() {
    let _watchdog = Watchdog::new("a_thread_that_does_not_wait");
    has_another_thread::run().expect("ends well");
}

#[process]
fn has_a_timeout() {
    let queue = Queue::bounded(1).expect("memory");
    let mut consumer = consumes::spawn(queue.clone()).expect("started");
    assert!(consumer.join_timeout(LONG).is_none());
    queue.send(LATE.to_owned()).expect("there is room");
    assert_eq!(consumer.join().expect("ends"), Ok(LATE.to_owned()));
}

#[test]
fn a_wait_with_an_end_is_no_part_of_it() {
    let _watchdog = Watchdog::new("a_wait_with_an_end");
    has_a_timeout::run().expect("ends well");
}

#[process(daemon)]
fn gets_a_handle_late(post: Queue<Queue<String>>, ready: Shared<Event>) {
    ready.set();
    sleep(LONG);
    let queue = post.recv().expect("a handle");
    queue.send(LATE.to_owned()).expect("there is room");
}

#[process]
fn sends_a_handle(gone: bool) {
    let post = Queue::bounded(1).expect("memory");
    let ready = Shared::new(Event::new()).expect("memory");
    let late = gets_a_handle_late::spawn(post.clone(), ready.clone()).expect("started");
    ready.wait();
    let queue = Queue::bounded(1).expect("memory");
    if gone {
        // Its sender has ended long before it is received.
        posts::run(post, queue.clone()).expect("ends well");
    } else {
        post.send(queue.clone()).expect("there is room");
    }
    assert_eq!(consumes::run(queue.clone()).expect("ends"), Ok(LATE.to_owned()));
    late.join().expect("ends well");
}

#[process]
fn posts(post: Queue<Queue<String>>, queue: Queue<String>) {
    post.send(queue).expect("there is room");
}

#[test]
fn a_handle_in_a_message_may_come_to_somebody_who_sends() {
    let watchdog = Watchdog::new("a_handle_in_a_message");
    for gone in [false, true] {
        watchdog.step(format!("its sender has ended: {gone}"));
        sends_a_handle::run(gone).expect("ends well");
    }
}

/// In a copy of a process, of which psync knows nothing before it does anything.
fn fork(child: impl FnOnce()) -> i32 {
    // SAFETY: the process has one thread.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        child();
        // SAFETY: ends the copy.
        unsafe { libc::_exit(0) };
    }
    pid
}

fn reap(pid: i32) {
    // SAFETY: asks for no status.
    assert_eq!(unsafe { libc::waitpid(pid, core::ptr::null_mut(), 0) }, pid);
}

#[process]
fn forks_a_sender() {
    let queue = Queue::bounded(1).expect("memory");
    let pid = fork(|| {
        std::thread::park_timeout(LONG);
        let _ = queue.send(LATE.to_owned());
    });
    assert_eq!(consumes::run(queue.clone()).expect("ends"), Ok(LATE.to_owned()));
    reap(pid);
}

#[test]
fn a_copy_of_a_process_may_send() {
    let _watchdog = Watchdog::new("a_copy_of_a_process");
    forks_a_sender::run().expect("ends well");
}

static KEPT: std::sync::OnceLock<Sender<String>> = std::sync::OnceLock::new();

#[process(daemon)]
fn uses_what_it_has_inherited() {
    sleep(LONG);
    let _ = KEPT.get().map(|sender| sender.send(LATE.to_owned()));
}

#[process(daemon)]
fn receives(receiver: Receiver<String>) -> Result<String, RecvError> {
    receiver.recv()
}

/// A child of `Fork` has all that its starter has, and is booked for none of it.
#[process]
fn forks_by_psync() {
    let (sender, receiver) = channel(1).expect("memory");
    let _ = KEPT.set(sender);
    let fork = Options::new().daemon(true).start_method(StartMethod::Fork);
    let heir = uses_what_it_has_inherited::spawn_with(fork).expect("one thread");
    assert_eq!(receives::run(receiver).expect("ends"), Ok(LATE.to_owned()));
    heir.join().expect("ends");
}

#[test]
fn what_a_forked_process_has_inherited_counts() {
    let _watchdog = Watchdog::new("what_a_forked_process_has_inherited");
    forks_by_psync::run().expect("ends well");
}

#[process(daemon)]
fn sends_when_it_may(queue: Queue<String>, ready: Shared<Event>) {
    ready.set();
    while look_at(psync::current().pid()).is_some() {
        std::thread::yield_now();
        if !queue.is_empty() {
            continue;
        }
        if queue.send_timeout(LATE.to_owned(), Duration::ZERO).is_ok() {
            return;
        }
    }
}

#[process]
fn stops_the_sender() {
    let (queue, trash) = (Queue::bounded(1).expect("memory"), Queue::unbounded().expect("memory"));
    let ready = Shared::new(Event::new()).expect("memory");
    // Full, so that it goes on trying.
    queue.send("first".to_owned()).expect("there is room");
    let sender = sends_when_it_may::spawn(queue.clone(), ready.clone()).expect("started");
    ready.wait();
    signal(sender.pid(), libc::SIGSTOP);
    assert!(poll_for(HANG / 2, || look_at(sender.pid()).is_some_and(|seen| seen.state == 'T')));
    trash.send(queue.recv().expect("the first")).expect("there is room");
    let consumer = consumes::spawn(queue).expect("started");
    sleep(LONG);
    assert!(consumer.is_alive());
    signal(sender.pid(), libc::SIGCONT);
    assert_eq!(consumer.join().expect("ends"), Ok(LATE.to_owned()));
}

#[test]
fn a_stopped_sender_is_waited_for() {
    let _watchdog = Watchdog::new("a_stopped_sender");
    stops_the_sender::run().expect("ends well");
}

/// A circle, one of which is stopped in the moment in which it has what it waits for: it is not stuck, although it seems to wait.
#[process]
fn stops_who_has_a_message() {
    let (there, back) = (Queue::bounded(1).expect("memory"), Queue::bounded(1).expect("memory"));
    let echo = echoes::spawn(there.clone(), back.clone()).expect("started");
    let name = format!("(process {}, ", echo.pid());
    assert!(poll_for(HANG / 2, || dump_waits()
        .lines()
        .any(|line| line.contains(&name) && line.contains("to be ended by"))));
    signal(echo.pid(), libc::SIGSTOP);
    assert!(poll_for(HANG / 2, || look_at(echo.pid()).is_some_and(|seen| seen.state == 'T')));
    there.send("echo".to_owned()).expect("there is room");
    // Another program has it go on: nobody of this one can, who knows the queues.
    let script = format!("sleep {}; kill -CONT {}", LONG.as_secs_f32(), echo.pid());
    let mut shell = Command::new("sh").args(["-c", &script]).spawn().expect("a shell");
    assert_eq!(back.recv(), Ok("echo".to_owned()));
    echo.join().expect("ends well");
    shell.wait().expect("ours");
}

#[process(daemon)]
fn echoes(there: Queue<String>, back: Queue<String>) {
    back.send(there.recv().expect("no deadlock")).expect("there is room");
}

#[test]
fn who_has_a_message_and_has_not_noticed_is_not_stuck() {
    let _watchdog = Watchdog::new("who_has_a_message_and_has_not_noticed");
    stops_who_has_a_message::run().expect("ends well");
}

#[process]
fn loses_the_only_sender() {
    let (sender, receiver) = channel(1).expect("memory");
    let other = holds_a_sender::spawn(sender).expect("started");
    let receiver = receives::spawn(receiver).expect("started");
    sleep(Duration::from_millis(300));
    kill(other.pid());
    // Not a deadlock: there is nobody.
    assert_eq!(receiver.join().expect("ends"), Err(RecvError::Disconnected));
}

#[process(daemon)]
fn holds_a_sender(sender: Sender<String>) {
    Event::new().wait();
    drop(sender);
}

#[test]
fn nobody_at_all_is_a_disconnection() {
    let _watchdog = Watchdog::new("nobody_at_all");
    loses_the_only_sender::run().expect("ends well");
}

#[shared]
struct Stage {
    #[init([const { Mutex::new(0) }; 2])]
    locks: [Mutex<u64>; 2],
    never: Event,
}

type Post = Queue<(u64, Option<Queue<u64>>)>;

/// One of some processes that pass on what they get: each waits for messages, for room, for locks and for the ends of others, and somebody can always go on.
/// Requests carry a queue for the answer, which is known to nobody else.
#[process(name = "clerk")]
fn clerk(stage: &Stage, post: Post, seed: u64) -> u64 {
    let mut random = Random::from_seed(seed);
    let mut served = 0;
    while let (number, Some(answer)) = post.recv().expect("no deadlock") {
        let index = usize::from(number % 2 == 1);
        match random.below(40) {
            // For longer than it takes to become suspicious.
            0 => {
                stage.never.wait_timeout(Duration::from_millis(100 + random.below(400)));
                answer.send(number).expect("no deadlock");
            }
            1 => helps::run(answer.clone(), random.next()).expect("ends well"),
            2 => {
                parallel! { helps(answer.clone(), random.next()), helps(answer.clone(), 1) }
                    .expect("both end");
                answer.recv().expect("no deadlock");
            }
            _ => {
                let mut lock = stage.locks[index].lock().expect("no deadlock");
                *lock += 1;
                answer.send(number).expect("no deadlock");
            }
        }
        served += 1;
    }
    served
}

#[process]
fn helps(answer: Queue<u64>, number: u64) {
    if number.is_multiple_of(3) {
        std::thread::park_timeout(Duration::from_millis(number % 700));
    }
    answer.send(number).expect("no deadlock");
}

#[process(name = "customer")]
fn customer(stage: &Stage, post: Post, seed: u64, time: Duration) -> u64 {
    let mut random = Random::from_seed(seed);
    let (begin, mut turns) = (Instant::now(), 0);
    while begin.elapsed() < time {
        let answer = Queue::bounded(1).expect("memory");
        let number = random.next();
        post.send((number, Some(answer.clone()))).expect("no deadlock");
        if random.below(30) == 0 {
            let _lock = stage.locks[0].lock().expect("no deadlock");
            stage.never.wait_timeout(Duration::from_millis(random.below(500)));
        }
        answer.recv().expect("no deadlock");
        turns += 1;
    }
    turns
}

/// Jobs that make jobs, and somebody who waits until all are done.
#[process(name = "worker")]
fn worker(jobs: WorkQueue<u32>) -> u64 {
    let mut done = 0;
    while let Ok(job) = jobs.recv() {
        if *job > 0 {
            jobs.send(*job - 1).expect("there is room");
        }
        if *job % 50 == 49 {
            std::thread::park_timeout(Duration::from_millis(400));
        }
        job.done();
        done += 1;
    }
    done
}

#[process(name = "foreman")]
fn foreman(workers: usize, time: Duration) -> u64 {
    let (begin, mut all) = (Instant::now(), 0);
    while begin.elapsed() < time {
        let jobs = WorkQueue::unbounded().expect("memory");
        let start = |_| worker::spawn(jobs.clone()).expect("started");
        let workers: Vec<_> = (0..workers).map(start).collect();
        jobs.send(120).expect("there is room");
        jobs.join();
        jobs.close();
        let done: u64 = workers.into_iter().map(|worker| worker.join().expect("ends well")).sum();
        assert_eq!(done, 121);
        all += done;
    }
    all
}

#[process(name = "office")]
fn office(seed: u64, time: Duration) -> (Vec<u64>, Vec<u64>, u64) {
    let stage = Shared::new(Stage::default()).expect("memory");
    let mut random = Random::from_seed(seed);
    let post = Queue::bounded(2).expect("memory");
    let seeds: Vec<u64> = (0..3).map(|_| random.next()).collect();
    let clerks: Vec<_> = seeds
        .iter()
        .map(|seed| clerk::spawn(&stage, post.clone(), *seed).expect("started"))
        .collect();
    let seeds: Vec<u64> = (0..3).map(|_| random.next()).collect();
    let foreman = foreman::spawn(2, time).expect("started");
    let turns = parallel! { for seed in seeds => customer(&stage, post.clone(), seed, time) };
    let turns = turns.expect("nobody fails");
    for _ in &clerks {
        post.send((0, None)).expect("no deadlock");
    }
    let served = clerks.into_iter().map(|clerk| clerk.join().expect("nobody fails")).collect();
    (turns, served, foreman.join().expect("nobody fails"))
}

/// Some seconds of it, while one after the other is stopped for a while.
#[test]
fn an_office_that_works_has_no_deadlock() {
    let watchdog = Watchdog::new("an_office_that_works");
    let mut random = Random::new();
    let seed = random.seed;
    let long = rounds(1) > 1;
    for round in 0..if long { 100 } else { 1 } {
        watchdog.step(format!("round {round}, seed {seed}"));
        let time = Duration::from_secs(6);
        let mut running = office::spawn(random.next(), time).expect("started");
        let names = ["clerk", "customer", "worker", "foreman", "office"];
        let begin = Instant::now();
        while begin.elapsed() < time {
            let name =
                format!("`{}` (process ", names[usize::try_from(random.below(5)).expect("few")]);
            let waits = dump_waits();
            let pids = waits.lines().filter_map(|line| {
                line.strip_prefix(&name)?.split(',').next()?.parse::<i32>().ok()
            });
            let pids: Vec<i32> = pids.collect();
            if let Some(pid) = pids.get(usize::try_from(random.below(6)).expect("few")) {
                signal(*pid, libc::SIGSTOP);
                sleep(Duration::from_millis(random.below(400)));
                signal(*pid, libc::SIGCONT);
            }
            sleep(Duration::from_millis(random.below(60)));
        }
        let ended = running.join_timeout(HANG).unwrap_or_else(|| {
            let waits = dump_waits();
            panic!("seed {seed}: it hangs:\n{waits}")
        });
        let counts = ended.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        println!("turns, served, done: {counts:?}");
    }
}
