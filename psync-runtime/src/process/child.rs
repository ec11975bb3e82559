//! The other end of a start: a child that waits for one, claims it, and runs it.

use super::{
    current, exit, link,
    log::{self, Level},
    message::{self, Start},
    outcome::{self, Fault, Writer},
    start::{Entry, function_at},
    supervisor::Ends,
    surroundings,
};
use crate::{
    primitive::{AtomicI32, AtomicPtr, Ordering},
    shm::world::{self, Identity, Me, World, existing},
    sys::{OsError, futex, lifeline, lifeline::Lifeline, signal, socket},
};
use nix::libc;
use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
    cell::RefCell,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
};

/// A child of the supervisor, just forked: lets go of what is the supervisor's, and waits for a start.
///
/// The supervisor forks on its user thread, so this is one: the only thread of the new process, and user code may have it.
pub(crate) fn ready(ends: &Ends, lifeline: &Lifeline, not_ours: &[BorrowedFd<'_>]) -> ! {
    // The supervisor does so as well, unless it is killed before.
    if let Some(world) = existing() {
        world.note_idle(nix::unistd::getpid().as_raw());
    }
    close(lifeline.writer());
    for descriptor in not_ours {
        close(descriptor.as_raw_fd());
    }
    // The supervisor's mask is not ours; what arrives before the start is ignored by disposition.
    signal::set_mask(0);
    note_supervisor();
    signal::await_farewell(supervisor_is_gone);
    if let Ok(Some(hold)) = lifeline::watch(lifeline.reader(), signal::FAREWELL) {
        close(lifeline.reader().as_raw_fd());
        serve(ends, hold, false);
    }
    exit::at_once(0)
}

/// The supervisor that this process comes from.
static SUPERVISOR: AtomicI32 = AtomicI32::new(0);

fn note_supervisor() {
    SUPERVISOR.store(nix::unistd::getppid().as_raw(), Ordering::Relaxed);
}

/// A ready child ends with its supervisor, and makes it known: nobody else is told of a supervisor's death, and whoever waits for what the dead
/// one would have reported has to see to it now.
extern "C" fn supervisor_is_gone(_: i32) {
    // The pipe is closed on the way out; whoever we wake wants to see the supervisor dead. Then its children have another parent.
    let glance = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };
    for _ in 0..2000 {
        if nix::unistd::getppid().as_raw() != SUPERVISOR.load(Ordering::Relaxed) {
            break;
        }
        #[allow(unsafe_code, reason = "a pause that a signal handler may make")]
        // SAFETY: reads a live variable.
        unsafe {
            libc::nanosleep(&raw const glance, core::ptr::null_mut());
        }
    }
    if let Some(world) = existing() {
        world.announce_death();
    }
    exit::at_once(0)
}

/// A child that the supervisor executed afresh, for the one start that waits in its line.
///
/// The descriptors: its line, the program's line and control, the supervisor's notifications, the supervisor's lifeline.
pub(crate) fn fresh(descriptors: [OwnedFd; 5]) {
    let [line_receiver, line, control, notify, lifeline] = descriptors;
    record_panics();
    surroundings::remember(signal::ignore_group());
    signal::set_mask(0);
    note_supervisor();
    let ends = Ends { line_receiver, line, control, notify };
    if let Ok(Some(hold)) = lifeline::hang_on(&lifeline) {
        drop(lifeline);
        serve(&ends, hold, true);
    }
}

#[allow(unsafe_code, reason = "closes what a forked copy of a process holds")]
pub(super) fn close(descriptor: i32) {
    // SAFETY: the owner is in memory that this process, which never returns, does not use again.
    unsafe { libc::close(descriptor) };
}

/// User code runs on a thread like any other, not in the middle of the C library's start-up. The name cannot be changed
/// later, so it is what the main thread's would be.
///
/// The thread that waits for it here takes no signals: a signal for the process that user code has blocked, to wait for it
/// perhaps, must not find this thread instead. The user thread begins with all blocked, too, and sets its own mask.
pub(crate) fn on_user_thread(body: impl FnOnce() + Send) -> Result<(), OsError> {
    signal::block_all();
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("main".to_owned()).stack_size(stack_size());
        thread.spawn_scoped(scope, body).map(drop).map_err(|error| {
            let errno = nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(0));
            OsError::new("pthread_create", errno)
        })
    })
}

/// As large as a main thread's stack would be. Only touched pages cost memory.
fn stack_size() -> usize {
    const RANGE: (u64, u64) = (2 << 20, 256 << 20);
    let soft = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_STACK)
        .map_or(8 << 20, |(soft, _)| soft);
    let bytes = if soft > RANGE.1 { 8 << 20 } else { soft.max(RANGE.0) };
    usize::try_from(bytes).unwrap_or(8 << 20)
}

/// Takes messages until one is a start that this process may have.
fn serve(ends: &Ends, hold: lifeline::Hold, only_one: bool) {
    let Some(world) = existing() else { return };
    let Ok(mut buffer) = message::room() else { return };
    loop {
        let Ok(Some(received)) = socket::receive(&ends.line_receiver, &mut buffer) else { return };
        let Some(start) = Start::parse(&buffer[..received.len], received.descriptors) else {
            continue;
        };
        let id = start.header.id();
        if received.truncated {
            refuse(world, id, nix::errno::Errno::EMFILE as i32);
        } else if world.slot(id).awaits_claim(id) {
            begin(world, start, ends, hold);
            // It wears somebody's surroundings now and is of no use to another start.
            return;
        }
        if only_one {
            return;
        }
    }
}

fn refuse(world: &World, id: Identity, errno: i32) {
    if world.slot(id).refuse(id, errno) {
        futex::wake_all(world.slot(id).word());
    }
}

/// Becomes the process that the message describes, unless another child was quicker.
fn begin(world: &'static World, mut start: Start, ends: &Ends, supervisor: lifeline::Hold) {
    let id = start.header.id();
    // The starter is gone, and everybody that it started goes with it.
    let Ok(Some(hold)) = lifeline::hang_on(&start.lifeline) else { return };
    // From here on it belongs to its starter. Once it has claimed the start, the supervisor's end must not be its own.
    drop(supervisor);
    signal::forget_farewell();
    let prepared = start.fetch().and_then(|()| surroundings::put_on(&mut start));
    if let Err(error) = prepared {
        return refuse(world, id, error.raw_os_error());
    }
    let pid = nix::unistd::getpid().as_raw();
    world.slot(id).set_reporter(SUPERVISOR.load(Ordering::Relaxed));
    if !world.slot(id).claim(id, start.header.starter, pid) {
        return;
    }
    if !start.header.until_end {
        futex::wake_all(world.slot(id).word());
    }
    let claim = [pid.to_ne_bytes(), id.bits().to_ne_bytes()].concat();
    // If this fails, the supervisor is gone, and with it the need to tell it.
    let _ = socket::send(&ends.notify, &[&claim], &[]);
    world::become_process(Me { id, pid });
    settle(ends);
    current::show_name(&world.slot(id).name());
    let arguments = start.arguments().to_vec();
    let Start { header, lifeline, inbox, store, directory, handles, .. } = start;
    drop((lifeline, directory));
    let code = run(Running { world, id, inbox, store }, header.entry, &arguments, handles);
    // Only the end of this process may end its hold.
    core::mem::forget(hold);
    exit::normally(code)
}

/// Keeps the way to the supervisor, and closes what only waiting children need.
#[allow(unsafe_code, reason = "takes descriptors over from an owner that is never dropped")]
fn settle(ends: &Ends) {
    close(ends.line_receiver.as_raw_fd());
    close(ends.notify.as_raw_fd());
    // SAFETY: `ends` lies in a stack frame that this process never returns to, so it is not dropped.
    let line = unsafe { OwnedFd::from_raw_fd(ends.line.as_raw_fd()) };
    // SAFETY: as above.
    let control = unsafe { OwnedFd::from_raw_fd(ends.control.as_raw_fd()) };
    link::inherit(SUPERVISOR.load(Ordering::Relaxed), line, control);
}

/// A process that has its start: where it leaves what comes of it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) world: &'static World,
    pub(crate) id: Identity,
    pub(crate) inbox: OwnedFd,
    pub(crate) store: OwnedFd,
}

/// For the panic hook of a program that aborts on panic: what it leaves must be left before it does.
///
/// A child of `Fork` finds its starter's here, and puts its own in its place.
static RUNNING: AtomicPtr<Running> = AtomicPtr::new(core::ptr::null_mut());

#[allow(unsafe_code, reason = "the pointer is to a value that is never freed")]
fn running() -> Option<&'static Running> {
    // SAFETY: `RUNNING` is null or came from `Box::leak`.
    unsafe { RUNNING.load(Ordering::Acquire).as_ref() }
}

/// Runs the user's function and commits what comes of it. The exit code.
pub(crate) fn run(running: Running, entry: u64, arguments: &[u8], handles: Vec<OwnedFd>) -> i32 {
    world::become_main_thread();
    let running: &'static Running = Box::leak(Box::new(running));
    RUNNING.store(core::ptr::from_ref(running).cast_mut(), Ordering::Release);
    let mut writer = Writer::new(running.world, running.id, &running.store);
    let result = catch_unwind(AssertUnwindSafe(|| {
        outcome::offer(handles, || {
            let entry = find(entry)?;
            entry(arguments, &mut writer)
        })
    }));
    let fault = match result {
        Ok(Ok(mut handles)) => match writer.commit(&mut handles, &running.inbox) {
            Ok(()) => return 0,
            Err(error) => Fault::Encode(error.to_string()),
        },
        Ok(Err(fault)) => fault,
        Err(payload) => panicked(payload.as_ref()),
    };
    writer.fault(&fault);
    if matches!(fault, Fault::Panicked { .. }) { PANICKED } else { 1 }
}

/// The exit code of a process whose function panicked, as std has it.
const PANICKED: i32 = 101;

#[allow(unsafe_code, reason = "turns an offset back into a function")]
fn find(entry: u64) -> Result<Entry, Fault> {
    let entry = function_at(entry)
        .ok_or_else(|| Fault::Decode("its function is not in this program".to_owned()))?;
    // SAFETY: the starter took the offset from an `Entry` of the same image (UNSAFE.md, P1).
    Ok(unsafe { core::mem::transmute::<*const (), Entry>(entry) })
}

thread_local! {
    /// Where and how this thread panicked last.
    static LAST_PANIC: RefCell<Option<(String, Option<String>)>> = const { RefCell::new(None) };
}

/// Has every panic of this process note where it was, before it is reported as usual.
pub(crate) fn record_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        note(info);
        report(info);
    }));
}

fn note(info: &PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = Backtrace::capture();
    let backtrace =
        (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    LAST_PANIC.set(Some((location, backtrace)));
    // Without unwinding nothing else of this process's code runs after the hook.
    if cfg!(panic = "abort")
        && let Some(running) = running()
    {
        Writer::new(running.world, running.id, &running.store).fault(&panicked(info.payload()));
    }
}

fn panicked(payload: &(dyn Any + Send)) -> Fault {
    let (message, location, backtrace) = describe_panic(payload);
    let place = location.as_deref().unwrap_or("an unknown place");
    log::own(Level::Error, format_args!("panicked at {place}: {message}"));
    Fault::Panicked { message, location, backtrace }
}

/// Message, place and backtrace of the panic that this thread has just caught.
pub(crate) fn describe_panic(
    payload: &(dyn Any + Send),
) -> (String, Option<String>, Option<String>) {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let message = text.or_else(|| payload.downcast_ref::<String>().cloned());
    let message = message.unwrap_or_else(|| "a payload that is not text".to_owned());
    let (location, backtrace) =
        LAST_PANIC.take().map_or((None, None), |(location, backtrace)| (Some(location), backtrace));
    (message, location, backtrace)
}
