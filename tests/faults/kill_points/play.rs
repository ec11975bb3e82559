//! How one cell is played: processes enter, one of them dies at a point, the others go on and tell what they saw.

use super::cast::{Actor, Ending, Passing, Plan, Saw, Scene};
use super::killing::{self, HANG};
use super::scenes::Scenario;
use super::stage::Arena;
use psync_runtime::sync::testing;

/// The act of the one that is killed.
pub(crate) const VICTIM: usize = 0;

/// One run of a scenario, as its script sees it.
pub(crate) struct Play {
    index: usize,
    scene: Scene,
    plan: Plan,
    actors: Vec<Actor>,
    victim: Option<usize>,
    /// What the victim passed, if it was to live.
    passed: Vec<Passing>,
    missed: bool,
}

/// Processes that stand still as long as this lives.
struct Stopped(Vec<i32>);

impl Stopped {
    fn new(pids: Vec<i32>) -> Result<Self, String> {
        for &pid in &pids {
            killing::signal(pid, libc::SIGSTOP);
        }
        let stopped = Self(pids);
        let stands = |pid| killing::look_at(pid).is_none_or(|seen| seen.state == 'T');
        if killing::poll_for(HANG / 2, || stopped.0.iter().all(|&pid| stands(pid))) {
            Ok(stopped)
        } else {
            Err("a process cannot be stopped".to_owned())
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for &pid in &self.0 {
            killing::signal(pid, libc::SIGCONT);
        }
    }
}

/// Why there is no verdict.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The victim did not come to where it was to die.
    Missed,
    Wrong(String),
}

/// What a run has shown.
pub(crate) struct Shown {
    pub(crate) verdict: &'static str,
    /// What the victim passed, if it was to live.
    pub(crate) passed: Vec<Passing>,
    /// The [path](super::cast::path) of the victim.
    pub(crate) path: u64,
}

/// Plays a scenario.
pub(crate) fn play(scenario: &Scenario, index: usize, plan: &Plan) -> Result<Shown, Problem> {
    let scene = Scene::new().map_err(|error| Problem::Wrong(error.to_string()))?;
    let mut play = Play {
        index,
        scene,
        plan: plan.clone(),
        actors: Vec::new(),
        victim: None,
        passed: Vec::new(),
        missed: false,
    };
    match (scenario.script)(&mut play) {
        Ok(verdict) => {
            let path = play.scene.path_of(play.victim.unwrap_or(0));
            Ok(Shown { verdict, passed: play.passed, path })
        }
        Err(_) if play.missed => Err(Problem::Missed),
        Err(problem) => Err(Problem::Wrong(problem)),
    }
}

impl Play {
    pub(crate) fn arena(&self) -> &Arena {
        &self.scene.stage.arena
    }

    /// Starts a process that plays `act`, and waits until it is ready to begin; its place.
    pub(crate) fn enter(&mut self, act: usize) -> Result<usize, String> {
        let plan = if act == VICTIM { self.plan.clone() } else { Plan::Live };
        self.enter_with(act, &plan)
    }

    /// The same for one that has a plan of its own.
    pub(crate) fn enter_with(&mut self, act: usize, plan: &Plan) -> Result<usize, String> {
        let place = self.actors.len();
        let actor = Actor::start(&self.scene, self.index, act, place, plan)?;
        self.actors.push(actor);
        if act == VICTIM {
            self.victim = Some(place);
        }
        self.actors[place].until_ready(&self.scene)?;
        Ok(place)
    }

    /// Starts a process and has it begin.
    pub(crate) fn begin(&mut self, act: usize) -> Result<usize, String> {
        let place = self.enter(act)?;
        self.go(place);
        Ok(place)
    }

    /// The same, and waits until it is asleep.
    pub(crate) fn begin_to_sleep(&mut self, act: usize) -> Result<usize, String> {
        let place = self.begin(act)?;
        self.asleep(place)?;
        Ok(place)
    }

    /// A process that plays `act` from beginning to end; what it saw.
    pub(crate) fn whole(&mut self, act: usize) -> Result<Saw, String> {
        let place = self.begin(act)?;
        self.end(place)
    }

    pub(crate) fn go(&self, place: usize) {
        self.actors[place].go(&self.scene);
    }

    /// Waits until the process sleeps. Whether it does: the victim may be dead.
    pub(crate) fn asleep(&self, place: usize) -> Result<bool, String> {
        self.sleeps(place, None)
    }

    /// Waits until the process sleeps behind this point.
    pub(crate) fn sleeps_at(&self, place: usize, point: &str) -> Result<bool, String> {
        self.sleeps(place, Some(point))
    }

    fn sleeps(&self, place: usize, point: Option<&str>) -> Result<bool, String> {
        let asleep = self.actors[place].until_asleep(&self.scene, point)?;
        if asleep || Some(place) == self.victim {
            Ok(asleep)
        } else {
            Err(format!("the process at place {place} has ended instead of sleeping"))
        }
    }

    /// Has the process at `place` go on, which dies of it, and sees to it that nobody but the victim notices before that has ended: the kernel
    /// wakes one sleeper of a lock, everybody else hears from the supervisor. Without the kernel's marks, the `others` are held up instead.
    /// Returns who died.
    pub(crate) fn dies_for_the_victim(
        &mut self,
        place: usize,
        others: &[usize],
    ) -> Result<i32, String> {
        let stopped = if testing::must_ask() {
            others.iter().map(|other| self.pid(*other)).collect()
        } else {
            psync::__private::supervisor_pid().into_iter().collect()
        };
        let stopped = Stopped::new(stopped)?;
        self.go(place);
        self.actors[place].until_over()?;
        if let Some(victim) = self.victim {
            self.actors[victim].until_over()?;
        }
        drop(stopped);
        self.die(place)
    }

    /// Waits until the process has ended or sleeps in full knowledge of all that has happened; whether it has ended.
    pub(crate) fn settle(&self, place: usize) -> Result<bool, String> {
        // Deaths are announced one after the other, a moment after their processes pass for dead: once the next process has ended, those
        // before it are announced.
        let next = psync::spawn(|()| (), ()).map(psync::Process::join);
        match next {
            Ok(Ok(())) => self.actors[place].until_settled(&self.scene, testing::deaths()),
            failed => Err(format!("a process that does nothing: {failed:?}")),
        }
    }

    /// Waits until the process has ended; what it saw.
    pub(crate) fn end(&mut self, place: usize) -> Result<Saw, String> {
        match self.actors[place].end()? {
            Ending::Played(played) => Ok(played.saw),
            Ending::Killed => Err(format!("the process at place {place} was killed")),
        }
    }

    /// Waits for a death that is no part of the matrix.
    pub(crate) fn die(&mut self, place: usize) -> Result<i32, String> {
        match self.actors[place].end()? {
            Ending::Killed => Ok(self.actors[place].pid()),
            Ending::Played(played) => {
                Err(format!("the process at place {place} lives: {:?}", played.saw))
            }
        }
    }

    /// Has the victim begin, and waits for its end.
    pub(crate) fn victim_goes(&mut self, place: usize) -> Result<(), String> {
        self.go(place);
        self.victim_ends()
    }

    /// Waits for the end of the victim: its death, unless it is to live.
    pub(crate) fn victim_ends(&mut self) -> Result<(), String> {
        let Some(victim) = self.victim else { return Err("no victim".to_owned()) };
        match self.actors[victim].end()? {
            Ending::Killed => Ok(()),
            Ending::Played(played) if self.plan == Plan::Live => {
                self.passed = played.passed;
                match played.saw {
                    Saw::Wrong(problem) => Err(format!("the victim: {problem}")),
                    _ => Ok(()),
                }
            }
            Ending::Played(_) => {
                self.missed = true;
                Err("the victim did not die".to_owned())
            }
        }
    }

    pub(crate) fn pid(&self, place: usize) -> i32 {
        self.actors[place].pid()
    }

    pub(crate) fn victim_pid(&self) -> i32 {
        self.victim.map_or(0, |victim| self.pid(victim))
    }
}
