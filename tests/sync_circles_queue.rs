//! Circles that go through queues are reported: who waits for a message, or for room, that only those could make who wait for it.
#![allow(missing_docs, reason = "a test")]

mod killing;

use killing::{HANG, Watchdog, poll_for};
use psync::{DeadlockReport, DeadlockWait, RecvError, SendErrorKind, dump_waits, prelude::*};
use std::time::Instant;

/// Who was told of what, after how many milliseconds.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Told {
    report: DeadlockReport,
    text: String,
    after: u128,
}

impl Told {
    fn new(report: DeadlockReport, text: String, since: Instant) -> Self {
        let after = since.elapsed().as_millis();
        println!("after {after} ms: {text}");
        // A second on an idle machine.
        assert!(after < 10_000, "after {after} ms: {text}");
        assert_eq!(report.pid(), psync::current().pid());
        Self { report, text, after }
    }

    /// The circle leads through these processes, and the text says all that is wanted of it.
    fn is_about(&self, pids: &[i32], words: &[&str]) {
        let mut circle: Vec<i32> = self.report.waits().iter().map(DeadlockWait::pid).collect();
        let mut pids = pids.to_vec();
        circle.sort_unstable();
        pids.sort_unstable();
        assert_eq!(circle, pids, "{}", self.text);
        for word in words {
            assert!(self.text.contains(word), "`{word}` is missing in: {}", self.text);
        }
    }
}

fn here(line: u32) -> String {
    format!("sync_circles_queue.rs:{line}:")
}

/// Receives; what there was, or who told of what.
fn receive(queue: &Queue<String>) -> Result<String, Told> {
    let since = Instant::now();
    match queue.recv() {
        Ok(text) => Ok(text),
        Err(error) => {
            let text = error.to_string();
            let RecvError::Deadlock(report) = error else { panic!("{text}") };
            Err(Told::new(report, text, since))
        }
    }
}

const RECEIVES: u32 = 48;

#[process(name = "consumer", daemon)]
fn consumes(queue: Queue<String>) -> (i32, Result<String, Told>) {
    (psync::current().pid(), receive(&queue))
}

const METHODS: [StartMethod; 3] = [StartMethod::ForkServer, StartMethod::Spawn, StartMethod::Fork];

/// All waits of a circle are in the test's children: the test program itself has threads of which psync knows nothing.
#[process(name = "starter")]
fn joins_a_consumer(method: usize) {
    let queue = Queue::bounded(1).expect("memory");
    let options = Options::new().daemon(true).start_method(METHODS[method]);
    let consumer = consumes::spawn_with(options, queue.clone()).expect("started");
    let (joined, line) = (consumer.join(), line!());
    let (pid, told) = joined.expect("ends");
    let told = told.expect_err("nobody sends");
    let words = [
        "there will be no message: `consumer` (process ",
        &here(RECEIVES),
        " for a message of Queue<String>, held up by `starter` (process ",
        &here(line),
        " for the end of Process<",
    ];
    told.is_about(&[pid, psync::current().pid()], &words);
    assert!(told.report.others().is_empty());
}

#[test]
fn a_hungry_consumer_that_is_joined_is_told() {
    let watchdog = Watchdog::new("a_hungry_consumer");
    for (index, method) in METHODS.iter().enumerate() {
        watchdog.step(format!("{method:?}"));
        joins_a_consumer::run(index).expect("ends well");
    }
}

#[process(name = "producer", daemon)]
fn produces(queue: Queue<String>) -> (i32, Told) {
    let since = Instant::now();
    queue.send("walnut".to_owned()).expect("there is room");
    let error = queue.send("acorn".to_owned()).expect_err("nobody receives");
    assert_eq!(error.kind(), SendErrorKind::Deadlock);
    let text = error.to_string();
    let report = error.deadlock().expect("it has one").clone();
    assert_eq!(error.into_inner(), "acorn");
    (psync::current().pid(), Told::new(report, text, since))
}

#[process(name = "starter")]
fn joins_a_producer() {
    let queue = Queue::bounded(1).expect("memory");
    let (pid, told) = produces::run(queue.clone()).expect("ends");
    let words = [
        "there will be no room for another message: `producer` (process ",
        " for room in Queue<String>, held up by `starter` (process ",
        " for the end of Process<",
        "sync_circles_queue.rs:",
    ];
    told.is_about(&[pid, psync::current().pid()], &words);
    assert_eq!(queue.recv().expect("what was sent"), "walnut");
}

#[test]
fn a_producer_of_what_nobody_drains_is_told_and_has_its_value_back() {
    let _watchdog = Watchdog::new("a_producer_of_what_nobody_drains");
    joins_a_producer::run().expect("ends well");
}

/// Waits for what the other one sends only when it has something itself.
#[process(name = "crossing", daemon)]
fn crosses(mine: Queue<String>, theirs: Queue<String>) -> (i32, Option<Told>) {
    let received = receive(&mine);
    // Whoever is told gives way, and the other one gets on.
    theirs.send("your turn".to_owned()).expect("there is room");
    (psync::current().pid(), received.err())
}

fn only_one(told: impl IntoIterator<Item = Option<Told>>) -> Told {
    let mut told = told.into_iter().flatten();
    let (Some(one), None) = (told.next(), told.next()) else { panic!("one is told") };
    one
}

#[process(name = "starter")]
fn starts_a_ring(count: usize) {
    let queues: Vec<_> = (0..count).map(|_| Queue::bounded(1).expect("memory")).collect();
    let ends: Vec<_> = queues.iter().cloned().zip(queues.iter().cloned().cycle().skip(1)).collect();
    let all = parallel! { for (mine, theirs) in ends => crosses(mine, theirs) };
    let (pids, told): (Vec<_>, Vec<_>) = all.expect("all end").into_iter().unzip();
    let told = only_one(told);
    // The starter could send as well, so the shortest circle leads through it.
    assert!(told.report.waits().len() + told.report.others().len() == count + 1, "{}", told.text);
    for pid in pids {
        assert!(told.text.contains(&format!("`crossing` (process {pid}, ")), "{}", told.text);
    }
    assert!(told.text.contains("; nor can others go on: "), "{}", told.text);
    assert!(told.text.contains("for the end of parallel!"), "{}", told.text);
}

#[test]
fn queues_crosswise_are_reported_once() {
    let watchdog = Watchdog::new("queues_crosswise");
    for count in [2, 3, 5] {
        watchdog.step(format!("{count}"));
        starts_a_ring::run(count).expect("ends well");
    }
}

/// The same without anybody else who holds the queues: the circle is theirs alone.
#[process(name = "starter")]
fn starts_a_ring_and_lets_go() {
    let queues: Vec<_> = (0..3).map(|_| channel::<String>(1).expect("memory")).collect();
    let mut senders: Vec<_> = queues.iter().map(|(sender, _)| sender.clone()).collect();
    senders.rotate_left(1);
    let receivers = queues.into_iter().map(|(_, receiver)| receiver);
    let start = |(receiver, sender)| passes_on::spawn(receiver, sender).expect("started");
    let all: Vec<_> = receivers.zip(senders).map(start).collect();
    let all: Vec<_> = all.into_iter().map(|process| process.join().expect("ends")).collect();
    let (pids, told): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let told = only_one(told);
    told.is_about(&pids, &["for a message of Receiver<String>", "`ring` (process "]);
    assert!(told.report.others().is_empty());
}

#[process(name = "ring", daemon)]
fn passes_on(receiver: Receiver<String>, sender: Sender<String>) -> (i32, Option<Told>) {
    let since = Instant::now();
    let told = match receiver.recv() {
        Ok(_) => None,
        Err(RecvError::Deadlock(report)) => {
            let text = report.to_string();
            Some(Told::new(report, text, since))
        }
        Err(error) => panic!("{error}"),
    };
    // Whoever was told may have gone, and then nobody needs it.
    let _ = sender.send("round".to_owned());
    (psync::current().pid(), told)
}

#[test]
fn a_ring_of_channels_is_a_circle_of_three() {
    let _watchdog = Watchdog::new("a_ring_of_channels");
    starts_a_ring_and_lets_go::run().expect("ends well");
}

#[shared]
struct Desk {
    #[init(Mutex::new(0))]
    lock: Mutex<u64>,
    held: Event,
}

/// Waits for a message with the lock.
#[process(name = "reader", daemon)]
fn receives_with_the_lock(desk: &Desk, queue: Queue<String>) -> (i32, Option<Told>) {
    let _held = desk.lock.lock().expect("free");
    desk.held.set();
    (psync::current().pid(), receive(&queue).err())
}

/// Sends with the lock.
#[process(name = "writer", daemon)]
fn sends_with_the_lock(desk: &Desk, queue: Queue<String>) -> (i32, Option<Told>) {
    desk.held.wait();
    let since = Instant::now();
    let told = match desk.lock.lock() {
        Ok(_) => None,
        Err(LockError::Deadlock(report)) => {
            let text = report.to_string();
            Some(Told::new(report, text, since))
        }
        Err(error) => panic!("{error}"),
    };
    queue.send("late".to_owned()).expect("there is room");
    (psync::current().pid(), told)
}

#[process(name = "starter")]
fn starts_both() {
    let desk = Shared::new(Desk::default()).expect("memory");
    let queue = Queue::unbounded().expect("memory");
    let reader = receives_with_the_lock::spawn(&desk, queue.clone()).expect("started");
    let writer = sends_with_the_lock::spawn(&desk, queue.clone()).expect("started");
    // Or it could send as well.
    drop(queue);
    let (reader, writer) = (reader.join().expect("ends"), writer.join().expect("ends"));
    let told = only_one([reader.1, writer.1]);
    let words = ["`reader`", "`writer`", "for a message of Queue<String>", "for Mutex<u64>"];
    told.is_about(&[reader.0, writer.0], &words);
}

#[test]
fn a_queue_against_a_lock_is_reported() {
    let _watchdog = Watchdog::new("a_queue_against_a_lock");
    starts_both::run().expect("ends well");
}

/// Takes a job, and cannot do it before it has an answer.
#[process(name = "worker", daemon)]
fn works(jobs: WorkQueue<u32>, answers: Queue<String>) -> (i32, Option<Told>) {
    let job = jobs.recv().expect("a job");
    let told = receive(&answers).err();
    job.done();
    (psync::current().pid(), told)
}

#[process(name = "starter")]
fn joins_the_jobs() {
    let (jobs, answers) =
        (WorkQueue::unbounded().expect("memory"), Queue::unbounded().expect("memory"));
    let worker = works::spawn(jobs.clone(), answers.clone()).expect("started");
    jobs.send(1).expect("there is room");
    let line = line!() + 1;
    jobs.join();
    let (pid, told) = worker.join().expect("ends");
    let told = told.expect("it is told");
    let words = ["for the jobs of WorkQueue<u32>", "for a message of Queue<String>", &here(line)];
    told.is_about(&[pid, psync::current().pid()], &words);
}

#[process]
fn joins_its_own_jobs() {
    let jobs = WorkQueue::unbounded().expect("memory");
    jobs.send(1).expect("there is room");
    jobs.join();
}

#[test]
fn jobs_that_nobody_will_do_are_reported() {
    let watchdog = Watchdog::new("jobs_that_nobody_will_do");
    watchdog.step("to who has the job");
    joins_the_jobs::run().expect("ends well");
    watchdog.step("to who waits for them, if there is nobody else");
    let Err(ProcessError::Panicked { message, .. }) = joins_its_own_jobs::run() else {
        panic!("it panics")
    };
    assert!(message.starts_with("the jobs will never be done: "), "{message}");
    assert!(message.ends_with(", held up by itself"), "{message}");
}

/// A worker that waits for a job is told, too.
#[process(name = "worker", daemon)]
fn waits_for_jobs(jobs: WorkQueue<u32>) -> DeadlockReport {
    match jobs.recv() {
        Err(RecvError::Deadlock(report)) => report,
        other => panic!("{:?}", other.map(|job| *job)),
    }
}

#[process(name = "starter")]
fn joins_a_worker() {
    let jobs = WorkQueue::unbounded().expect("memory");
    let report = waits_for_jobs::run(jobs.clone()).expect("ends");
    assert_eq!(report.waits().len(), 2, "{report}");
}

#[test]
fn a_worker_without_jobs_that_is_joined_is_told() {
    let _watchdog = Watchdog::new("a_worker_without_jobs");
    joins_a_worker::run().expect("ends well");
}

/// An iteration ends, and says why afterwards.
#[process(name = "consumer", daemon)]
fn iterates(queue: Queue<String>) -> (usize, bool) {
    let count = queue.iter().count();
    (count, matches!(queue.try_recv(), Err(RecvError::Deadlock(_))))
}

#[process(name = "starter")]
fn joins_an_iteration() {
    let queue = Queue::unbounded().expect("memory");
    queue.send_all(["one", "two"].map(str::to_owned)).expect("there is room");
    assert_eq!(iterates::run(queue.clone()).expect("ends"), (2, true));
}

#[test]
fn an_iteration_ends_and_tells_why() {
    let _watchdog = Watchdog::new("an_iteration_ends");
    joins_an_iteration::run().expect("ends well");
}

/// Whoever looks from outside sees it before it is over: this program holds the queue as well, and could send.
#[test]
fn a_dump_shows_who_could_end_a_wait() {
    let watchdog = Watchdog::new("a_dump_shows_who");
    let queue = Queue::bounded(1).expect("memory");
    let consumer = consumes::spawn(queue.clone()).expect("started");
    let line = || {
        let name = format!("`consumer` (process {}, ", consumer.pid());
        dump_waits().lines().find(|line| line.starts_with(&name)).map(str::to_owned)
    };
    watchdog.step("it waits");
    let shows = || line().is_some_and(|line| line.contains(", to be ended by "));
    assert!(poll_for(HANG / 2, shows), "{:?}", line());
    let line = line().expect("it waits still");
    println!("{line}");
    assert!(line.contains(&here(RECEIVES)), "{line}");
    assert!(line.contains(" for a message of Queue<String>, to be ended by `"), "{line}");
    assert!(line.contains(&format!("(process {})", std::process::id())), "{line}");
    queue.send("at last".to_owned()).expect("there is room");
    assert_eq!(consumer.join().expect("ends").1.expect("a message"), "at last");
}
