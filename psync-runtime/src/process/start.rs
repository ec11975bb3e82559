//! Starting a process: from a function and its arguments to a child that has claimed them.

use super::{
    Options, Process, SpawnError, StartMethod, exit,
    family::family,
    forking,
    handle::{Child, Streams},
    handover,
    link::{self, Link},
    log,
    message::{self, Descriptors, Header},
    outcome::{self, Fault, Handles, Writer},
    reaping, streams, surroundings,
};
use crate::{
    channel::codec,
    shm::{
        self,
        world::{Identity, Method, World, me, world},
    },
    sys::{image, pidfd::PidFd, signal},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

/// What `#[process]` says about a function.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The name of its processes; empty for "number them".
    pub name: &'static str,
    /// Whether they are daemons.
    pub daemon: Option<bool>,
    /// How they are started.
    pub start_method: Option<StartMethod>,
}

const NAMELESS: Spec = Spec { name: "", daemon: None, start_method: None };

/// What a new process runs: decodes the function and its arguments, calls it, and writes what it returns.
pub(crate) type Entry = fn(&[u8], &mut Writer<'_>) -> Result<Handles, Fault>;

/// Starts a process that runs `f(args)`.
///
/// `f` is a function or a closure that captures nothing. Arguments and result cross by serde; handles among them (such as
/// [`Shared`](crate::shm::Shared)) are shared, not copied.
///
/// # Errors
/// See [`SpawnError`]; nothing was started then.
///
/// # Examples
/// ```
/// let process = psync::spawn(|(a, b): (u32, u32)| a * b, (6, 7))?;
/// assert_eq!(process.join()?, 42);
/// # Ok::<(), psync::Error>(())
/// ```
// The compiler shows the line with the name to whoever passes a closure that captures.
#[rustfmt::skip]
pub fn spawn<A, R>( // a closure cannot capture: pass what it uses in `args`
    f: fn(A) -> R,
    args: A,
) -> Result<Process<R>, SpawnError>
where
    A: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + Send + 'static,
{
    spawn_spec(&NAMELESS, Options::new(), f, args)
}

/// [`spawn`] with options.
///
/// # Errors
/// See [`SpawnError`]; nothing was started then.
///
/// # Examples
/// ```
/// use psync::{Options, spawn_with};
///
/// let process = spawn_with(Options::new().name("acorn"), |()| psync::current().name().to_owned(), ())?;
/// assert_eq!(process.join()?, "acorn");
/// # Ok::<(), psync::Error>(())
/// ```
// The compiler shows the line with the name to whoever passes a closure that captures.
#[rustfmt::skip]
pub fn spawn_with<A, R>( // a closure cannot capture: pass what it uses in `args`
    options: Options,
    f: fn(A) -> R,
    args: A,
) -> Result<Process<R>, SpawnError>
where
    A: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + Send + 'static,
{
    spawn_spec(&NAMELESS, options, f, args)
}

/// What all starts come down to. `E` is how the arguments look on this side, `A` on the other.
pub(crate) fn spawn_spec<E, A, R>(
    spec: &Spec,
    options: Options,
    f: fn(A) -> R,
    args: E,
) -> Result<Process<R>, SpawnError>
where
    E: Serialize,
    A: DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + Send + 'static,
{
    spawn_entry(spec, options, f as *const (), enter::<A, R>, args)
}

/// The same for a function that never returns, so that there is nothing to encode.
pub(crate) fn spawn_diverging<E, A, R>(
    spec: &Spec,
    options: Options,
    f: fn(A) -> !,
    args: E,
) -> Result<Process<R>, SpawnError>
where
    E: Serialize,
    A: DeserializeOwned + 'static,
{
    spawn_entry(spec, options, f as *const (), enter_diverging::<A>, args)
}

/// Starts a process that runs `entry`, which knows the type of `function`.
fn spawn_entry<E: Serialize, R>(
    spec: &Spec,
    options: Options,
    function: *const (),
    entry: Entry,
    args: E,
) -> Result<Process<R>, SpawnError> {
    let function = offset(function)?;
    // The handles among the arguments are the child's from the moment on at which it has a place in the table.
    let encode = |child| {
        let (bytes, handles) = shm::collect_for(child, || codec::encode(&(function, &args)));
        bytes
            .map(|bytes| (bytes, handles))
            .map_err(|error| SpawnError::Encode { reason: error.into() })
    };
    let (child, streams) = begin(spec, options, offset(entry as *const ())?, &encode)?;
    Ok(Process::new(child, streams))
}

fn offset(function: *const ()) -> Result<u64, SpawnError> {
    offset_of_function(function).ok_or(SpawnError::UnknownFunction)
}

/// What names a function in every process of the program; `None` if it is not part of the main program.
pub(crate) fn offset_of_function(function: *const ()) -> Option<u64> {
    image::main_program()?.offset_of(function.addr())
}

/// The function with that offset, in this process.
pub(crate) fn function_at(offset: u64) -> Option<*const ()> {
    let address = image::main_program()?.address_of(offset)?;
    Some(core::ptr::with_exposed_provenance(address))
}

/// Finds the function that was sent, and decodes what it is called with.
fn called<A: DeserializeOwned>(arguments: &[u8]) -> Result<(*const (), A), Fault> {
    let (function, arguments): (u64, A) =
        codec::decode(arguments).map_err(|error| Fault::Decode(error.into()))?;
    let function = function_at(function)
        .ok_or_else(|| Fault::Decode("its function is not in this program".to_owned()))?;
    Ok((function, arguments))
}

/// The entry for functions from `A` to `R`.
#[allow(unsafe_code, reason = "turns an offset back into a function")]
fn enter<A: DeserializeOwned, R: Serialize>(
    arguments: &[u8],
    writer: &mut Writer<'_>,
) -> Result<Handles, Fault> {
    let (function, arguments) = called::<A>(arguments)?;
    // SAFETY: `spawn_spec::<_, A, R>` took the offset from a function of this type, in the same image (UNSAFE.md, P1).
    let function = unsafe { core::mem::transmute::<*const (), fn(A) -> R>(function) };
    let result = function(arguments);
    writer.returned(&result)
}

/// The entry for functions that take `A` and never return.
#[allow(unsafe_code, reason = "turns an offset back into a function")]
fn enter_diverging<A: DeserializeOwned>(
    arguments: &[u8],
    _writer: &mut Writer<'_>,
) -> Result<Handles, Fault> {
    let (function, arguments) = called::<A>(arguments)?;
    // SAFETY: `spawn_diverging::<_, A, _>` took the offset from a function of this type, in the same image (UNSAFE.md, P1).
    let function = unsafe { core::mem::transmute::<*const (), fn(A) -> !>(function) };
    function(arguments)
}

/// A slot that is given back unless its process comes to life.
struct Reservation {
    world: &'static World,
    id: Identity,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let slot = self.world.slot(self.id);
        if !slot.withdraw(self.id) {
            // A child took it on at the last moment, and its starter has given up.
            if let Ok(pidfd) = PidFd::open(slot.pid())
                && slot.is_alive(self.id)
            {
                let _ = pidfd.signal(nix::libc::SIGKILL);
            }
            slot.detach(self.id);
        }
    }
}

fn begin(
    spec: &Spec,
    mut options: Options,
    entry: u64,
    encode: &dyn Fn(Identity) -> Result<(Vec<u8>, Handles), SpawnError>,
) -> Result<(Arc<Child>, Streams), SpawnError> {
    let world = world()?;
    let own = me();
    if world.slot(own.id).is_daemon() {
        return Err(SpawnError::Daemon);
    }
    let method = options.start_method.or(spec.start_method).unwrap_or_default();
    if method == StartMethod::Fork {
        forking::check_threads()?;
    }
    let family = family()?;
    link::check();
    reaping::settle_all();
    exit::arm();
    let id = world.take_slot(own.id, own.pid).ok_or(SpawnError::TableFull)?;
    let reservation = Reservation { world, id };
    world.reserve_page(id)?;
    let (arguments, mut handles) = encode(id)?;
    let index = world.slot(own.id).next_child();
    let name = options.name.take().unwrap_or_else(|| default_name(spec, index));
    let daemon = options.daemon.or(spec.daemon).unwrap_or(false);
    world.slot(id).describe(&name, index, daemon, method.into());
    let (theirs, ours) = streams::open(core::mem::take(&mut options.stdio))?;
    if !options.has_sound_env() {
        let reason = "a variable for the environment has a name that is empty or contains `=`, or a NUL byte";
        return Err(SpawnError::Refused { reason });
    }
    let directory = surroundings::directory(options.current_dir.as_deref())?;
    let mut header = Header {
        identity: id.bits(),
        starter: own.pid,
        entry,
        umask: surroundings::current_umask(family.status()),
        mask: signal::mask(),
        limits: surroundings::limits(),
        streams: theirs.each_ref().map(Option::is_some),
        environment: 0,
        arguments: 0,
        in_store: false,
        until_end: options.until_end,
        overflow: false,
    };
    let mut fixed = family.descriptors().to_vec();
    fixed.push(directory.as_fd());
    fixed.extend(theirs.iter().flatten().map(streams::Stream::as_fd));
    let descriptors = Descriptors { fixed, handles: outcome::descriptors(&handles) };
    header.overflow = descriptors.overflow();
    let environment = surroundings::environment(&options.env);
    let bytes = message::compose(&mut header, &environment, &arguments, family)?;
    let (pidfd, link) = if method == StartMethod::Fork {
        (forking::fork_here(world, id, &bytes, &descriptors, &ours)?, None)
    } else {
        let end: fn(&Link) -> &OwnedFd = match method {
            StartMethod::Spawn => |link| &link.control,
            _ => |link| &link.line,
        };
        let (claimed, link) = handover::hand_over(world, &header, &bytes, &descriptors, end)?;
        // It runs, so its handle must not fail for want of a descriptor: these make room for it.
        drop(descriptors);
        drop((directory, theirs));
        (handover::open_claimed(world.slot(id), claimed)?, link)
    };
    handles.depart();
    let pid = world.slot(id).pid();
    core::mem::forget(reservation);
    log::own(log::Level::Debug, format_args!("started `{name}` (process {pid}) by {method:?}"));
    Ok((Arc::new(Child::new(id, pid, name, method, pidfd, link)), ours))
}

/// As in Python: numbered from 1, and below the number of a numbered starter.
fn default_name(spec: &Spec, index: u32) -> String {
    let number = u64::from(index) + 1;
    match super::current().name() {
        _ if !spec.name.is_empty() => spec.name.to_owned(),
        starter if starter.starts_with("Process-") => format!("{starter}:{number}"),
        _ => format!("Process-{number}"),
    }
}

impl From<StartMethod> for Method {
    fn from(method: StartMethod) -> Self {
        match method {
            StartMethod::ForkServer => Self::ForkServer,
            StartMethod::Spawn => Self::Spawn,
            StartMethod::Fork => Self::Fork,
        }
    }
}
