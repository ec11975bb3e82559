//! The processes of a scene: how they are told when to begin, and how the judge knows where they are.

use super::killing::{HANG, look_at, poll_for};
use super::scenes;
use super::stage::Stage;
use psync::{ProcessError, prelude::*};
use psync_runtime::sync::testing::{
    self,
    faults::{self, Event as Passed},
};
use std::{
    cell::RefCell,
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
    },
};

/// How many processes a scene may have.
pub(crate) const PLACES: usize = 32;

/// What the judge and one process tell each other.
#[shared]
pub(crate) struct Cue {
    /// The process has done what comes before its operation.
    ready: AtomicU32,
    /// It may begin.
    go: AtomicU32,
    /// The point that it passed last, and [`ASLEEP`] if it is about to sleep there, [`FATAL`] if it is to be killed there.
    at: AtomicU32,
    /// How many deaths it knew of when it went to sleep.
    deaths: AtomicU32,
    /// All points that it has passed, in order, as one number.
    path: AtomicU64,
}

/// Of `at`.
const ASLEEP: u32 = 1;
const FATAL: u32 = 2;

#[shared]
pub(crate) struct Cues {
    cast: [Cue; PLACES],
}

/// Everything on stage, for one process or for the judge.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    cues: Shared<Cues>,
}

impl Scene {
    pub(crate) fn new() -> psync::Result<Self> {
        Ok(Self { stage: Stage::new()?, cues: Shared::new(Cues::default())? })
    }

    /// See [`path`].
    pub(crate) fn path_of(&self, place: usize) -> u64 {
        self.cue(place).path.load(SeqCst)
    }

    fn cue(&self, place: usize) -> &Cue {
        &self.cues.cast[place]
    }
}

/// What becomes of a process.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Plan {
    /// It comes to its end.
    Live,
    /// It is killed at a point, the n-th time.
    Die(String, u32),
    /// It is killed asleep behind the point.
    DieAsleep(String, u32),
}

/// One point that a process has passed, and whether it slept there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Passing {
    pub(crate) name: String,
    pub(crate) slept: bool,
}

/// What a process saw of the death of another.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Saw {
    /// It got what it wanted, and was told nothing.
    Fine,
    /// It was told of a death.
    Died(i32),
    /// It was told of a panic.
    Panicked(i32),
    /// A number that its operation is about.
    Number(u64),
    /// A gate that is broken for another reason than a death.
    Broken,
    /// What must not be.
    Wrong(String),
}

pub(crate) type Act = fn(&Part) -> Saw;

/// What a process takes with it to its end.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Played {
    pub(crate) saw: Saw,
    pub(crate) passed: Vec<Passing>,
}

/// One process's part, in that process.
pub(crate) struct Part {
    pub(crate) scene: Scene,
    place: usize,
    plan: Plan,
    passed: RefCell<Vec<Passing>>,
}

/// The observer of points has no arguments.
static PLACE: OnceLock<(Scene, usize)> = OnceLock::new();

fn publish(event: Passed) {
    if let Some((scene, place)) = PLACE.get() {
        let cue = scene.cue(*place);
        let at = match event {
            Passed::At(name) => {
                cue.path.store(step(cue.path.load(SeqCst), name), SeqCst);
                number(name)
            }
            Passed::Wakes(name) => number(name),
            Passed::Sleeps(name, is_fatal) => {
                cue.deaths.store(testing::deaths(), SeqCst);
                number(name) | ASLEEP | if is_fatal { FATAL } else { 0 }
            }
        };
        cue.at.store(at, SeqCst);
    }
}

/// A number for a point that leaves those bits free, and is the same in every process.
fn number(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
        & !(ASLEEP | FATAL)
}

/// The number of a path that goes on to `name`.
fn step(path: u64, name: &str) -> u64 {
    (path.rotate_left(5) ^ u64::from(number(name))).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The number of the path that these points are.
pub(crate) fn path(points: &[Passing]) -> u64 {
    points.iter().fold(0, |path, passing| step(path, &passing.name))
}

impl Part {
    pub(crate) fn stage(&self) -> &Stage {
        &self.scene.stage
    }

    /// Says that it is ready, waits for its cue, and counts points from here on.
    pub(crate) fn begin(&self) {
        let cue = self.scene.cue(self.place);
        cue.ready.store(1, SeqCst);
        poll_for(HANG, || cue.go.load(SeqCst) != 0);
        // What a process does with its first lock alone is not what this is about.
        drop(Lock::new().lock());
        match &self.plan {
            Plan::Live => faults::record(),
            Plan::Die(name, turn) => faults::die_at(name, *turn),
            Plan::DieAsleep(name, turn) => faults::die_asleep_at(name, *turn),
        }
        faults::point("begins");
    }

    /// For where the part itself cannot go: it can [`begin`](Self::begin) what this one ends.
    pub(crate) fn twin(&self) -> Self {
        let (scene, plan) = (self.scene.clone(), self.plan.clone());
        Self { scene, place: self.place, plan, passed: RefCell::new(Vec::new()) }
    }

    /// Ends what [`begin`](Self::begin) began.
    pub(crate) fn end(&self) {
        faults::point("ends");
        let hits = faults::disarm().into_iter();
        let passing = |hit: faults::Hit| Passing { name: hit.name.to_owned(), slept: hit.slept };
        self.passed.borrow_mut().extend(hits.map(passing));
    }
}

/// What the judge starts: act `act` of scenario `scenario` at `place`.
type Call = (Scene, usize, usize, usize, Plan);

fn perform((scene, scenario, act, place, plan): Call) -> Played {
    let _ = PLACE.set((scene.clone(), place));
    faults::observe(publish);
    let act = scenes::all()[scenario].acts[act];
    let part = Part { scene, place, plan, passed: RefCell::new(Vec::new()) };
    let saw = act(&part);
    Played { saw, passed: part.passed.into_inner() }
}

/// One process, for the judge.
pub(crate) struct Actor {
    process: Option<Process<Played>>,
    pid: i32,
    place: usize,
}

impl Actor {
    /// Starts it. It is killed when this is dropped.
    pub(crate) fn start(
        scene: &Scene,
        scenario: usize,
        act: usize,
        place: usize,
        plan: &Plan,
    ) -> Result<Self, String> {
        let call = (scene.clone(), scenario, act, place, plan.clone());
        let options = Options::new().name(format!("act {act}"));
        let process =
            psync::spawn_with(options, perform, call).map_err(|error| error.to_string())?;
        Ok(Self { pid: process.pid(), process: Some(process), place })
    }

    pub(crate) const fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits until it is ready to begin.
    pub(crate) fn until_ready(&self, scene: &Scene) -> Result<(), String> {
        let ready = || scene.cue(self.place).ready.load(SeqCst) != 0;
        if poll_for(HANG / 2, || ready() || !self.is_alive()) && ready() {
            return Ok(());
        }
        Err(format!("the process at place {} does not begin", self.place))
    }

    pub(crate) fn go(&self, scene: &Scene) {
        scene.cue(self.place).go.store(1, SeqCst);
    }

    fn is_alive(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_alive)
    }

    fn state(&self) -> Option<char> {
        look_at(self.pid).map(|seen| seen.state)
    }

    /// Waits until it is dead for the kernel, whoever else knows of it.
    pub(crate) fn until_over(&self) -> Result<(), String> {
        if poll_for(HANG / 2, || matches!(self.state(), None | Some('Z' | 'X'))) {
            Ok(())
        } else {
            Err(format!("place {} does not come to its end", self.place))
        }
    }

    /// Waits until it sleeps, behind `point` if that is given; false if it has ended. Who is to be killed in this sleep has ended then.
    pub(crate) fn until_asleep(&self, scene: &Scene, point: Option<&str>) -> Result<bool, String> {
        let at = &scene.cue(self.place).at;
        let sleeps = || {
            let seen = at.load(SeqCst);
            let there = point.is_none_or(|point| seen == number(point) | ASLEEP);
            seen & (ASLEEP | FATAL) == ASLEEP
                && there
                && self.state() == Some('S')
                && at.load(SeqCst) == seen
        };
        let mut asleep = false;
        let done = poll_for(HANG / 2, || {
            asleep = sleeps();
            asleep || !self.is_alive()
        });
        if done { Ok(asleep) } else { Err(format!("place {} does not fall asleep", self.place)) }
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> Result<Ending, String> {
        let Some(mut process) = self.process.take() else {
            return Err(format!("place {} has left already", self.place));
        };
        match process.join_timeout(HANG / 2) {
            Some(Ok(played)) => Ok(Ending::Played(played)),
            Some(Err(ProcessError::Signaled { signal: libc::SIGKILL, .. })) => Ok(Ending::Killed),
            Some(Err(error)) => Err(format!("the process at place {}: {error}", self.place)),
            None => {
                let stuck = format!("the process at place {} does not end", self.place);
                self.process = Some(process);
                Err(stuck)
            }
        }
    }

    /// Waits until it has ended, or sleeps and knows of `deaths`; whether it has ended.
    pub(crate) fn until_settled(&self, scene: &Scene, deaths: u32) -> Result<bool, String> {
        let cue = scene.cue(self.place);
        let sleeps = || {
            let seen = cue.at.load(SeqCst);
            seen & ASLEEP != 0
                && cue.deaths.load(SeqCst) >= deaths
                && self.state() == Some('S')
                && cue.at.load(SeqCst) == seen
        };
        if poll_for(HANG / 2, || !self.is_alive() || sleeps()) {
            Ok(!self.is_alive())
        } else {
            Err(format!("place {} neither ends nor sleeps", self.place))
        }
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            super::killing::kill(self.pid);
            process.wait();
        }
    }
}

/// How a process ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Killed,
    Played(Played),
}
