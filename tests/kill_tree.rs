//! A process that started others is killed: everything below it goes with it, at once, and nothing is left; what is beside it stays.
//!
//! This program executes itself as *program trees*, each in a session of its own, so that whatever belongs to one can be found.
#![allow(unsafe_code, reason = "makes sessions and collects orphans")]

mod killing;

use killing::{Random, Seen, Watchdog, largest, median, micros, poll_for, processes, rounds};
use psync::prelude::*;
use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command},
    sync::{Mutex as StdMutex, PoisonError},
    time::{Duration, Instant},
};

/// What the tree is to do; unset in the test program itself.
const ROLE: &str = "PSYNC_TEST_TREE";
/// Three below the root, two below each of them.
const MEMBERS: u32 = 3 + 6;

#[shared]
struct Census {
    born: Value<u32>,
    everybody: Event,
    /// Never set.
    end: Event,
    middles: Mutex<List<i32, 8>>,
}

#[process]
fn leaf(census: &Census) {
    arrive(census);
    census.end.wait();
}

fn arrive(census: &Census) {
    if census.born.update(|n| n + 1) == MEMBERS {
        census.everybody.set();
    }
}

#[process]
fn middle(census: Shared<Census>) {
    let pid = psync::current().pid();
    census.middles.lock().expect("nobody dies with it").push(pid).expect("room");
    let _one = leaf::spawn(&census).expect("a leaf");
    let fresh = Options::new().start_method(StartMethod::Spawn);
    let _two = leaf::spawn_with(fresh, &census).expect("a leaf");
    arrive(&census);
    census.end.wait();
}

/// Not a test in the test program: it is the trees' `main`.
#[test]
fn tree() {
    match std::env::var(ROLE).as_deref() {
        Ok("grow") => grow(),
        Ok("thread") => outlive_thread(),
        Ok("supervisor") => lose_supervisor(),
        _ => {}
    }
}

/// Starts everybody, says who they are, and stays until standard input ends.
fn grow() {
    let census = Shared::new(Census::default()).expect("memory");
    let daemon = Options::new().daemon(false);
    let fresh = Options::new().start_method(StartMethod::Spawn);
    let mut all = vec![
        middle::spawn(census.clone()).expect("a process"),
        middle::spawn_with(daemon, census.clone()).expect("a process"),
        middle::spawn_with(fresh, census.clone()).expect("a process"),
    ];
    census.everybody.wait();
    let first = all.remove(0);
    say(&format!("ready {} {}", psync::current().pid(), first.pid()));
    std::thread::scope(|scope| {
        scope.spawn(|| say(&format!("first {:?}", first.wait())));
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        if first.is_alive() {
            let _ = first.kill();
        }
    });
    let alive = all.iter().filter(|process| process.is_alive()).count();
    say(&format!("beside it {alive}"));
    for process in &all {
        process.kill().expect("may be signalled");
        process.wait();
    }
    say("end");
}

fn say(line: &str) {
    println!("\n{line}");
    let _ = std::io::stdout().flush();
}

#[process]
fn answer(census: &Census) -> u32 {
    census.everybody.wait();
    42
}

/// A child belongs to its process, not to the thread that started it.
fn outlive_thread() {
    let census = Shared::new(Census::default()).expect("memory");
    for _ in 0..20 {
        let start = || answer::spawn(&census).expect("a process");
        let children: Vec<_> = (0..2).map(|_| on_a_thread(start)).collect();
        // Whatever the end of a thread sets off has happened when a process started later has ended.
        psync::spawn(|()| (), ()).expect("a process").join().expect("ends");
        assert!(children.iter().all(Process::is_alive));
        census.everybody.set();
        assert!(children.into_iter().all(|child| child.join().is_ok_and(|answer| answer == 42)));
        census.everybody.clear();
    }
    say("end");
}

fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().expect("the thread does not panic"))
}

/// The supervisor dies while children run, also where orphans become ours.
fn lose_supervisor() {
    let census = Shared::new(Census::default()).expect("memory");
    for _ in 0..3 {
        let children: Vec<_> = (0..3).map(|_| answer::spawn(&census).expect("a process")).collect();
        let supervisor = psync::__private::supervisor_pid().expect("it was launched");
        killing::kill(supervisor);
        assert_eq!(psync::spawn(|()| 7, ()).expect("a process").join().expect("ends"), 7);
        census.everybody.set();
        for child in children {
            assert_eq!(child.join().expect("it goes on"), 42);
        }
        census.everybody.clear();
    }
    let zombies = || {
        psync::active_children();
        processes().into_iter().filter(|seen| seen.zombie).collect::<Vec<_>>()
    };
    let is_elsewhere = std::process::id() != 1;
    let clean = is_elsewhere || poll_for(Duration::from_secs(10), || zombies().is_empty());
    assert!(clean, "zombies: {:?}", zombies());
    say("end");
}

/// One at a time: each reaps whatever orphan comes along.
static ALONE: StdMutex<()> = StdMutex::new(());

/// A running tree.
struct Tree {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Tree {
    fn plant(role: &str, wrapper: &[&str]) -> Self {
        // SAFETY: takes numbers.
        unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
        let own = std::env::current_exe().expect("a program has a path");
        let mut command = match wrapper {
            [] => Command::new(&own),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&own);
                command
            }
        };
        command.args(["--exact", "tree", "--nocapture", "--test-threads=1"]).env(ROLE, role);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let leave = || {
            // SAFETY: asks for nothing but a session.
            unsafe { libc::setsid() };
            Ok(())
        };
        // SAFETY: `setsid` may be called between fork and exec.
        unsafe { command.pre_exec(leave) };
        let mut child = command.spawn().expect("it can be executed");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, output }
    }

    fn members(&self) -> Vec<Seen> {
        let session = self.child.id().cast_signed();
        processes().into_iter().filter(|seen| seen.session == session).collect()
    }

    /// The rest of the line that begins with `word`.
    fn hear(&mut self, word: &str) -> String {
        let mut line = String::new();
        while self.output.read_line(&mut line).is_ok_and(|len| len > 0) {
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_owned();
            }
            line.clear();
        }
        panic!("the tree ended without saying `{word}`");
    }

    fn hear_numbers(&mut self, word: &str) -> Vec<i32> {
        self.hear(word).split_whitespace().filter_map(|number| number.parse().ok()).collect()
    }

    /// Waits until nobody is left, not even dead.
    fn await_nothing(mut self) -> Duration {
        let begin = Instant::now();
        let gone = poll_for(Duration::from_secs(20), || {
            // SAFETY: reaps our own children; `child` is collected below, from its last status if this got it.
            while unsafe { libc::waitpid(-1, core::ptr::null_mut(), libc::WNOHANG) } > 0 {}
            self.members().is_empty()
        });
        let time = begin.elapsed();
        assert!(gone, "left over: {:?}", self.members());
        let _ = self.child.wait();
        time
    }
}

/// Whether this machine lets us make PID namespaces.
const NAMESPACE: [&str; 4] = ["unshare", "--pid", "--fork", "--mount-proc"];

fn has_namespaces() -> bool {
    let [program, arguments @ ..] = NAMESPACE;
    let can = Command::new(program).args(arguments).arg("true").output();
    let can = can.is_ok_and(|output| output.status.success());
    if !can {
        println!("skipped: `unshare --pid` does not work here");
    }
    can
}

fn report(what: &str, mut times: Vec<Duration>) {
    let middle = median(&mut times);
    println!("{what}: gone after {} (worst {})", micros(middle), micros(largest(&times)));
    assert!(middle < Duration::from_secs(1), "{what} took {middle:?}");
}

#[test]
fn a_dead_root_takes_everybody_along() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("a_dead_root_takes_everybody_along");
    let times = (0..rounds(10)).map(|round| {
        watchdog.step(format!("round {round}"));
        let mut tree = Tree::plant("grow", &[]);
        let root = tree.hear_numbers("ready")[0];
        assert!(tree.members().len() > MEMBERS as usize);
        killing::kill(root);
        tree.await_nothing()
    });
    report("a whole tree", times.collect());
}

#[test]
fn a_root_that_dies_while_it_starts_takes_everybody_along() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("a_root_that_dies_while_it_starts_takes_everybody_along");
    let mut random = Random::new();
    println!("seed {}", random.seed);
    let begin = Instant::now();
    let mut tree = Tree::plant("grow", &[]);
    tree.hear("ready");
    let span = begin.elapsed();
    killing::kill(tree.child.id().cast_signed());
    tree.await_nothing();
    let count = rounds(100);
    let times = (0..count).map(|round| {
        watchdog.step(format!("round {round}, seed {}", random.seed));
        let tree = Tree::plant("grow", &[]);
        killing::spin(random.moment(round, count, span));
        killing::kill(tree.child.id().cast_signed());
        tree.await_nothing()
    });
    report("a growing tree", times.collect());
}

#[test]
fn a_dead_middle_takes_only_those_below_it_along() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("a_dead_middle_takes_only_those_below_it_along");
    for round in 0..rounds(10) {
        watchdog.step(format!("round {round}"));
        let mut tree = Tree::plant("grow", &[]);
        let middle = tree.hear_numbers("ready")[1];
        let names = |tree: &Tree, name: &str| {
            tree.members().iter().filter(|seen| seen.name == name && !seen.zombie).count()
        };
        assert_eq!((names(&tree, "middle"), names(&tree, "leaf")), (3, 6));
        killing::kill(middle);
        assert!(tree.hear("first").contains("Signaled"));
        let rest = || (names(&tree, "middle"), names(&tree, "leaf")) == (2, 4);
        assert!(poll_for(Duration::from_secs(20), rest), "left: {:?}", tree.members());
        drop(tree.child.stdin.take());
        assert_eq!(tree.hear("beside it"), "2");
        tree.hear("end");
        tree.await_nothing();
    }
}

#[test]
fn a_dead_first_process_of_a_container_takes_everybody_along() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("a_dead_first_process_of_a_container_takes_everybody_along");
    if !has_namespaces() {
        return;
    }
    for round in 0..rounds(5) {
        watchdog.step(format!("round {round}"));
        let mut tree = Tree::plant("grow", &NAMESPACE);
        assert_eq!(tree.hear_numbers("ready")[0], 1);
        let outer = tree.child.id().cast_signed();
        let root = tree.members().into_iter().find(|seen| seen.parent == outer);
        killing::kill(root.expect("it runs").pid);
        tree.await_nothing();
    }
}

#[test]
fn the_end_of_a_thread_ends_no_child() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("the_end_of_a_thread_ends_no_child");
    watchdog.step("one tree");
    let mut tree = Tree::plant("thread", &[]);
    tree.hear("end");
    tree.await_nothing();
}

#[test]
fn the_first_process_of_a_container_survives_its_supervisor() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new("the_first_process_of_a_container_survives_its_supervisor");
    watchdog.step("one tree");
    if !has_namespaces() {
        return;
    }
    let mut tree = Tree::plant("supervisor", &NAMESPACE);
    tree.hear("end");
    tree.await_nothing();
}
