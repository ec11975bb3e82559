//! Where the same bodies run: on threads over a box on the heap, on threads over mapped memory, and on processes over mapped memory.

use super::{SCENES, killing::Watchdog};
use psync::prelude::*;
use std::sync::atomic::AtomicU32;

/// How many play each body.
pub(crate) const PLAYERS: usize = 4;
pub(crate) const ALL: u32 = 4;

/// One of each primitive, and what the bodies count with.
#[shared]
pub(crate) struct State {
    /// Both are the same, except while somebody changes them.
    #[init(Mutex::new([0; 2]))]
    pub(crate) mutex: Mutex<[u64; 2]>,
    pub(crate) lock: Lock,
    #[guarded_by(lock)]
    pub(crate) guarded: [u64; 2],
    #[init(ReentrantMutex::new(Value::new(0)))]
    pub(crate) again: ReentrantMutex<Value<u64>>,
    #[init(RwLock::new([0; 2]))]
    pub(crate) table: RwLock<[u64; 2]>,
    #[init(Value::new([0; 3]))]
    pub(crate) value: Value<[u64; 3]>,
    #[init(Semaphore::new(2))]
    pub(crate) permits: Semaphore,
    #[init(Semaphore::new(0))]
    pub(crate) none: Semaphore,
    pub(crate) ping: Event,
    pub(crate) pong: Event,
    #[init(Barrier::new(PLAYERS))]
    pub(crate) gate: Barrier,
    #[init(Mutex::new(0))]
    pub(crate) turn: Mutex<u64>,
    pub(crate) passed: Condvar,
    pub(crate) once: Once<u64>,
    pub(crate) made: AtomicU32,
    pub(crate) inside: AtomicU32,
    pub(crate) most: AtomicU32,
    pub(crate) sum: AtomicU32,
}

/// What each player does, who is told which one it is; and what must be true afterwards.
pub(crate) struct Scene {
    pub(crate) body: fn(&State, usize),
    pub(crate) audit: fn(&State),
}

/// Plays the scene with this number.
type Stage = fn(usize);

/// Where a scene is played.
const STAGES: [(&str, Stage); 3] = [
    ("threads over the heap", |scene| on_threads(scene, &Box::new(State::default()))),
    ("threads over mapped memory", |scene| on_threads(scene, &mapped())),
    ("processes", on_processes),
];

fn mapped() -> Shared<State> {
    Shared::new(State::default()).expect("shared memory")
}

fn on_threads(scene: usize, state: &State) {
    let Scene { body, audit } = SCENES[scene];
    std::thread::scope(|scope| {
        for player in 0..PLAYERS {
            scope.spawn(move || body(state, player));
        }
    });
    audit(state);
}

/// Functions do not cross, so a scene is told by its number.
#[process(daemon)]
fn plays(state: &State, scene: usize, player: usize) {
    (SCENES[scene].body)(state, player);
}

fn on_processes(scene: usize) {
    let state = mapped();
    parallel! { for player in 0..PLAYERS => plays(&state, scene, player) }.expect("nobody fails");
    (SCENES[scene].audit)(&state);
}

/// Plays a scene on all stages.
pub(crate) fn play(scene: usize, watchdog: &Watchdog) {
    for (stage, play) in STAGES {
        watchdog.step(stage);
        play(scene);
    }
}
