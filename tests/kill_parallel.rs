//! A branch of a `parallel!` is killed: the others are ended, the error names who it was, and nothing is left.
#![allow(unsafe_code, reason = "changes what signals mean")]

mod killing;

use killing::{HANG, Random, Traces, Watchdog, largest, median, micros, poll_for, rounds, spin};
use psync::{ParallelError, ProcessError, prelude::*};
use std::{
    sync::{
        Mutex as StdMutex, PoisonError,
        atomic::{AtomicI32, AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

/// There is one supervisor in this program.
static ALONE: StdMutex<()> = StdMutex::new(());

const MEMBERS: usize = 4;

#[shared]
struct Team {
    /// Who has begun.
    pids: [AtomicI32; MEMBERS],
    finished: AtomicU32,
    go_home: Event,
}

impl Team {
    fn pid(&self, number: usize) -> i32 {
        self.pids[number].load(SeqCst)
    }

    /// Kills a member at a moment after it has begun; when that was.
    fn lose(&self, number: usize, moment: Duration) -> Instant {
        assert!(poll_for(HANG / 2, || self.pid(number) != 0), "it never began");
        spin(moment);
        killing::kill(self.pid(number));
        Instant::now()
    }
}

fn work(team: &Team, number: usize) -> usize {
    team.pids[number].store(psync::current().pid(), SeqCst);
    team.go_home.wait();
    team.finished.fetch_add(1, SeqCst);
    number
}

#[process]
fn member(team: &Team, number: usize) -> usize {
    work(team, number)
}

/// Needs to be killed.
#[process]
fn stubborn(team: &Team, number: usize) -> usize {
    // SAFETY: a signal's disposition is changed, by the only user code in this process.
    unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
    work(team, number)
}

type Outputs = (Vec<usize>, usize);

fn cancelled(team: &Team) -> Result<Outputs, ParallelError> {
    parallel! {
        for number in 0..MEMBERS - 1 => member(team, number),
        member(team, MEMBERS - 1),
    }
}

fn cancelled_in_the_end(team: &Team) -> Result<Outputs, ParallelError> {
    parallel! {
        with grace = Duration::from_millis(5);
        for number in 0..MEMBERS - 1 => stubborn(team, number),
        member(team, MEMBERS - 1),
    }
}

fn finished(team: &Team) -> Result<Outputs, ParallelError> {
    parallel! {
        with on_failure = finish;
        for number in 0..MEMBERS - 1 => member(team, number),
        member(team, MEMBERS - 1),
    }
}

/// Whether the failures begin with the member that was killed, and say of all others that they were cancelled.
fn check(error: &ParallelError, team: &Team, killed: usize, others: usize, lost: bool) {
    let first = &error.failures()[0];
    let place = if killed < MEMBERS - 1 { (0, Some(killed)) } else { (1, None) };
    assert_eq!((first.branch, first.index), place, "{error}");
    assert_eq!(first.error.pid(), team.pid(killed), "{error}");
    match first.error {
        ProcessError::Signaled { signal: libc::SIGKILL, .. } => {}
        ProcessError::Lost { .. } if lost => {}
        _ => panic!("{error}"),
    }
    let rest = &error.failures()[1..];
    assert_eq!(rest.len(), others, "{error}");
    for failure in rest {
        assert!(matches!(failure.error, ProcessError::Cancelled { .. }), "{error}");
    }
}

/// Plays rounds of one kind of `parallel!`; `meanwhile` runs once somebody is dead.
fn play(
    name: &'static str,
    times: usize,
    run: fn(&Team) -> Result<Outputs, ParallelError>,
    others: usize,
    meanwhile: impl Fn(&Team, usize) + Sync,
    lost: bool,
) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watchdog = Watchdog::new(name);
    psync::spawn(|()| (), ()).expect("starts").join().expect("ends");
    let traces = Traces::now();
    let mut random = Random::new();
    let mut times_taken = Vec::new();
    for round in 0..times {
        watchdog.step(format!("round {round}, seed {}", random.seed));
        let team = Shared::new(Team::default()).expect("memory");
        let killed = usize::try_from(random.below(MEMBERS as u64)).expect("small");
        let moment = random.moment(round, times, Duration::from_micros(800));
        let (error, took) = std::thread::scope(|scope| {
            let killer = scope.spawn(|| {
                let when = team.lose(killed, moment);
                meanwhile(&team, killed);
                when
            });
            let error = run(&team).expect_err("somebody was killed");
            let end = Instant::now();
            let begin = killer.join().expect("it kills");
            (error, end.saturating_duration_since(begin))
        });
        times_taken.push(took);
        check(&error, &team, killed, others, lost);
        assert_eq!(team.finished.load(SeqCst) as usize, MEMBERS - 1 - others);
        assert!(psync::active_children().is_empty());
    }
    println!(
        "{name}: over {} after the death (worst {})",
        micros(median(&mut times_taken)),
        micros(largest(&times_taken))
    );
    traces.check(0).expect("nothing is left");
}

#[test]
fn a_dead_branch_cancels_the_others() {
    let nothing = |_: &Team, _: usize| ();
    let name = "a_dead_branch_cancels_the_others";
    play(name, rounds(100), cancelled, MEMBERS - 1, nothing, false);
}

#[test]
fn a_dead_branch_has_the_stubborn_killed() {
    let nothing = |_: &Team, _: usize| ();
    let name = "a_dead_branch_has_the_stubborn_killed";
    play(name, rounds(20), cancelled_in_the_end, MEMBERS - 1, nothing, false);
}

#[test]
fn a_dead_branch_lets_the_others_finish() {
    let name = "a_dead_branch_lets_the_others_finish";
    let send_home = |team: &Team, _: usize| team.go_home.set();
    play(name, rounds(50), finished, 0, send_home, false);
}

/// The supervisor dies with it, or before it: who ended how is then unknown, but not that they ended.
#[test]
fn a_dead_branch_is_noticed_without_a_supervisor() {
    let name = "a_dead_branch_is_noticed_without_a_supervisor";
    let supervisor_too = |_: &Team, _: usize| {
        if let Some(pid) = psync::__private::supervisor_pid() {
            killing::kill(pid);
        }
    };
    play(name, rounds(20), cancelled, MEMBERS - 1, supervisor_too, true);
}
