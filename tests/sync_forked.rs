//! What a process that was forked while its starter held something holds: nothing.
#![allow(missing_docs, reason = "tests")]

mod killing;

use killing::{Watchdog, kill};
use psync::{
    ArrayGuard, LockGuard, MutexGuard, Permit, PoisonCause, ReadGuard, ReentrantGuard, ValueGuard,
    WriteGuard, prelude::*,
};
use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

#[shared]
struct Board {
    #[init(RwLock::new(0))]
    notes: RwLock<u64>,
    #[init(RwLock::new(0))]
    pinned: RwLock<u64>,
    #[init(Mutex::new(0))]
    mutex: Mutex<u64>,
    lock: Lock,
    #[init(ReentrantMutex::new(0))]
    again: ReentrantMutex<u64>,
    #[init(Value::new(0))]
    value: Value<u64>,
    #[init(Semaphore::new(1))]
    permits: Semaphore,
    fields: Lock,
    #[guarded_by(fields)]
    guarded: u64,
    here: Event,
    go: Event,
}

fn board() -> Shared<Board> {
    Shared::new(Board::default()).expect("shared memory")
}

/// Only a process with one thread forks itself; those that a supervisor forks have one.
fn fork() -> Options {
    Options::new().start_method(StartMethod::Fork)
}

const SOON: Duration = Duration::from_millis(50);

#[process]
fn tries(board: &Board) -> [Option<LockError>; 2] {
    board.go.wait();
    [board.notes.read_timeout(SOON).err(), board.notes.write_timeout(SOON).err()]
}

/// What two processes get that were both forked while this one read: one gets it while that is so, the other while this one writes.
#[process]
fn forks_while_it_reads(board: Shared<Board>) -> [[Option<LockError>; 2]; 2] {
    let reading = board.notes.read().expect("free");
    board.go.set();
    let first = tries::spawn_with(fork(), &board).expect("one thread").join().expect("ends");
    board.go.clear();
    let second = tries::spawn_with(fork(), &board).expect("one thread");
    drop(reading);
    let _writing = board.notes.write().expect("free");
    board.go.set();
    [first, second.join().expect("ends")]
}

#[test]
fn it_does_not_read_by_its_starters_guard() {
    let _watchdog = Watchdog::new("it_does_not_read_by_its_starters_guard");
    let [while_it_reads, while_it_writes] = forks_while_it_reads::run(board()).expect("ends");
    assert_eq!(while_it_reads, [None, Some(LockError::TimedOut)]);
    assert_eq!(while_it_writes, [Some(LockError::TimedOut), Some(LockError::TimedOut)]);
}

#[process]
fn reads(board: &Board) {
    let _notes = board.notes.read().expect("sound");
    board.here.set();
    board.go.wait();
}

/// Its starter, which alone would notice its end, waits for it as a writer.
#[process]
fn writes_past_a_forked_reader(board: Shared<Board>) -> (bool, Duration) {
    let reader = reads::spawn_with(fork(), &board).expect("one thread");
    board.here.wait();
    let refused = board.notes.try_write().is_err();
    kill(reader.pid());
    let begin = Instant::now();
    drop(board.notes.write().expect("no poison"));
    (refused, begin.elapsed())
}

#[test]
fn as_a_reader_it_is_accounted_for_and_struck_out_when_it_is_dead() {
    let _watchdog = Watchdog::new("as_a_reader_it_is_accounted_for");
    let (refused, waited) = writes_past_a_forked_reader::run(board()).expect("ends");
    assert!(refused && waited < Duration::from_secs(10), "{waited:?}");
}

/// Everything that can be held, held.
#[allow(dead_code, reason = "kept to be dropped")]
struct All {
    notes: ReadGuard<'static, u64>,
    pinned: WriteGuard<'static, u64>,
    mutex: MutexGuard<'static, u64>,
    lock: LockGuard<'static>,
    again: [ReentrantGuard<'static, u64>; 2],
    value: ValueGuard<'static, u64>,
    permit: Permit<'static>,
    fields: BoardFields<'static>,
    array: ArrayGuard<'static, u64>,
}

thread_local! {
    static ALL: RefCell<Option<All>> = const { RefCell::new(None) };
}

fn hold_all(board: &'static Board, array: &'static Array<u64>) -> All {
    let mut all = All {
        notes: board.notes.read().expect("free"),
        pinned: board.pinned.write().expect("free"),
        mutex: board.mutex.lock().expect("free"),
        lock: board.lock.lock().expect("free"),
        again: [board.again.lock().expect("free"), board.again.lock().expect("ours")],
        value: board.value.lock().expect("free"),
        permit: board.permits.acquire().expect("one"),
        fields: board.lock_fields().expect("free"),
        array: array.lock().expect("free"),
    };
    *all.value = 7;
    *all.pinned = 7;
    all
}

/// What of all that nobody else can have.
fn missing(board: &Board, array: &Array<u64>) -> [bool; 9] {
    [
        board.notes.try_write().is_err(),
        board.pinned.try_read().is_err(),
        board.mutex.try_lock().is_err(),
        board.lock.try_lock().is_err(),
        board.again.try_lock().is_err(),
        board.value.try_lock().is_err(),
        board.permits.try_acquire().is_err(),
        board.try_lock_fields().is_err(),
        array.try_lock().is_err(),
    ]
}

/// In the memory of its starter it finds the guards; it drops them, also in a panic, or ends with them.
fn drops_inherited(how: u32) {
    let all = ALL.with(RefCell::take).expect("inherited");
    match how {
        0 => drop(all),
        1 => {
            let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _all = all;
                std::panic::resume_unwind(Box::new("with all in hand"));
            }));
            assert!(unwound.is_err());
        }
        _ => core::mem::forget(all),
    }
}

/// What the forked process saw of it, and the starter afterwards, and whether all is well when the starter lets go.
#[process]
fn forks_while_it_holds_all(board: Shared<Board>, array: Array<u64>, how: u32) -> [[bool; 9]; 3] {
    let board: &'static Shared<Board> = Box::leak(Box::new(board));
    let array: &'static Array<u64> = Box::leak(Box::new(array));
    ALL.set(Some(hold_all(board, array)));
    let look = |(board, array, how): (Shared<Board>, Array<u64>, u32)| {
        drops_inherited(how);
        missing(&board, &array)
    };
    let child = psync::spawn_with(fork(), look, (board.clone(), array.clone(), how));
    let in_child = child.expect("one thread").join().expect("ends");
    // Another process than the holder, which might have some of it again.
    let look = |(board, array): (Shared<Board>, Array<u64>)| missing(&board, &array);
    let elsewhere = |method| {
        let options = Options::new().start_method(method);
        let child = psync::spawn_with(options, look, (board.clone(), array.clone()));
        child.expect("started").join().expect("ends")
    };
    let afterwards = elsewhere(StartMethod::ForkServer);
    ALL.with(RefCell::take);
    [in_child, afterwards, elsewhere(StartMethod::Fork)]
}

#[test]
fn what_it_inherits_it_does_not_release() {
    let watchdog = Watchdog::new("what_it_inherits_it_does_not_release");
    for (how, name) in (0..).zip(["drops it", "drops it in a panic", "leaks it"]) {
        watchdog.step(name);
        let board = board();
        let array = Array::zeroed(3).expect("shared memory");
        let seen = forks_while_it_holds_all::run(board.clone(), array.clone(), how);
        assert_eq!(seen.expect("ends"), [[true; 9], [true; 9], [false; 9]], "{name}");
        let poisoned =
            [board.mutex.is_poisoned(), board.lock.is_poisoned(), board.again.is_poisoned()];
        assert_eq!((poisoned, board.notes.is_poisoned()), ([false; 3], false), "{name}");
        // The value that the starter made of it, which the other one did not replace by its own copy.
        assert_eq!((board.value.get(), *board.pinned.read().expect("sound")), (7, 7), "{name}");
    }
}

/// Dies with what it holds itself, of which its starter learns.
#[process]
fn starter_of_one_that_dies(board: Shared<Board>) -> (i32, Option<LockError>) {
    let hold = |board: Shared<Board>| {
        let _mutex = board.mutex.lock().expect("free");
        board.here.set();
        board.go.wait();
    };
    let child = psync::spawn_with(fork(), hold, board.clone()).expect("one thread");
    board.here.wait();
    kill(child.pid());
    (child.pid(), board.mutex.lock().err())
}

#[test]
fn its_own_locks_are_poisoned_by_its_death() {
    let _watchdog = Watchdog::new("its_own_locks_are_poisoned_by_its_death");
    let (pid, told) = starter_of_one_that_dies::run(board()).expect("ends");
    assert_eq!(told, Some(LockError::Poisoned { pid, cause: PoisonCause::Died }));
}
