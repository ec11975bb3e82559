//! Starting a process: from a function and its arguments to a child that has claimed them.

use super::{
    Options, Process, SpawnError, StartMethod, Stdio,
    child::{self, Running},
    exit,
    family::family,
    handle::{Child, Streams},
    link::{self, Link},
    message::{self, Descriptors, Header},
    options::StdioKind,
    outcome::{self, Fault, Handles, Writer},
    reaping, surroundings,
};
use crate::{
    channel::codec,
    shm::{
        self, Segment,
        world::{self, Identity, Me, Method, Phase, Slot, State, Wake, Watch, World, me, world},
    },
    sys::{
        OsError, clock::Deadline, image, lifeline, pidfd::PidFd, procfs, signal, socket, standard,
    },
};
use core::time::Duration;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    unistd::{ForkResult, fork},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
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
pub fn spawn<A, R>(f: fn(A) -> R, args: A) -> Result<Process<R>, SpawnError>
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
pub fn spawn_with<A, R>(options: Options, f: fn(A) -> R, args: A) -> Result<Process<R>, SpawnError>
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
    let function = offset(f as *const ())?;
    let (arguments, handles) = shm::collect(|| codec::encode(&(function, args)));
    let arguments = arguments.map_err(|error| SpawnError::Encode { reason: error.into() })?;
    let entry: Entry = enter::<A, R>;
    let (child, streams) = begin(spec, options, offset(entry as *const ())?, &arguments, &handles)?;
    Ok(Process::new(child, streams))
}

fn offset(function: *const ()) -> Result<u64, SpawnError> {
    image::main_program()
        .and_then(|image| image.offset_of(function.addr()))
        .ok_or(SpawnError::UnknownFunction)
}

/// The entry for functions from `A` to `R`.
#[allow(unsafe_code, reason = "turns an offset back into a function")]
fn enter<A: DeserializeOwned, R: Serialize>(
    arguments: &[u8],
    writer: &mut Writer<'_>,
) -> Result<Handles, Fault> {
    let (function, arguments): (u64, A) =
        codec::decode(arguments).map_err(|error| Fault::Decode(error.into()))?;
    let address = image::main_program().and_then(|image| image.address_of(function));
    let address =
        address.ok_or_else(|| Fault::Decode("its function is not in this program".to_owned()))?;
    // SAFETY: `spawn_spec::<_, A, R>` took the offset from a function of this type, in the same image (UNSAFE.md, P1).
    let function = unsafe {
        core::mem::transmute::<*const (), fn(A) -> R>(core::ptr::with_exposed_provenance(address))
    };
    let result = function(arguments);
    writer.returned(&result)
}

/// How long no child may take on a start before it is given up.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many children may die with one and the same start in their hands.
const ATTEMPTS: u32 = 20;

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
    arguments: &[u8],
    handles: &[Arc<Segment>],
) -> Result<(Arc<Child>, Streams), SpawnError> {
    let world = world()?;
    let own = me();
    if world.slot(own.id).is_daemon() {
        return Err(SpawnError::Daemon);
    }
    let method = options.start_method.or(spec.start_method).unwrap_or_default();
    if method == StartMethod::Fork {
        check_threads()?;
    }
    let family = family()?;
    link::check();
    reaping::settle_all();
    exit::arm();
    let id = world.take_slot(own.id, own.pid).ok_or(SpawnError::TableFull)?;
    let reservation = Reservation { world, id };
    world.reserve_page(id)?;
    let index = world.slot(own.id).next_child();
    let name = options.name.take().unwrap_or_else(|| default_name(spec, index));
    let daemon = options.daemon.or(spec.daemon).unwrap_or(false);
    world.slot(id).describe(&name, index, daemon, method.into());
    let (streams, ours) = open_streams(core::mem::take(&mut options.stdio))?;
    let directory = surroundings::directory(options.current_dir.as_deref())?;
    let mut header = Header {
        identity: id.bits(),
        starter: own.pid,
        entry,
        umask: surroundings::current_umask(family.status()),
        mask: signal::mask(),
        limits: surroundings::limits(),
        streams: streams.each_ref().map(Option::is_some),
        environment: 0,
        arguments: 0,
        in_store: false,
        until_end: options.until_end,
        overflow: false,
    };
    let mut fixed = family.descriptors().to_vec();
    fixed.push(directory.as_fd());
    fixed.extend(streams.iter().flatten().map(Stream::as_fd));
    let descriptors = Descriptors { fixed, handles: outcome::descriptors(handles) };
    header.overflow = descriptors.overflow();
    let environment = surroundings::environment(&options.env);
    let bytes = message::compose(&mut header, &environment, arguments, family)?;
    let pidfd = match method {
        StartMethod::ForkServer => {
            hand_over(world, &header, &bytes, &descriptors, |link| &link.line)?
        }
        StartMethod::Spawn => {
            hand_over(world, &header, &bytes, &descriptors, |link| &link.control)?
        }
        StartMethod::Fork => fork_here(world, id, &bytes, &descriptors, &ours)?,
    };
    let pid = world.slot(id).pid();
    core::mem::forget(reservation);
    Ok((Arc::new(Child::new(id, pid, name, method, pidfd)), ours))
}

fn check_threads() -> Result<(), SpawnError> {
    let count = procfs::thread_count().map_err(|error| {
        OsError::new("open(/proc/self/task)", Errno::from_raw(error.raw_os_error().unwrap_or(0)))
    })?;
    if count == 1 { Ok(()) } else { Err(SpawnError::Threads { count }) }
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

/// A standard stream of the new process.
enum Stream {
    Ours(BorrowedFd<'static>),
    New(OwnedFd),
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Ours(fd) => *fd,
            Self::New(fd) => fd.as_fd(),
        }
    }
}

/// The new process's streams (`None`: closed here as well), and our ends of those that are pipes.
fn open_streams(stdio: [Stdio; 3]) -> Result<([Option<Stream>; 3], Streams), OsError> {
    let (mut theirs, mut ours) = ([const { None }; 3], Streams::default());
    for (number, stdio) in stdio.into_iter().enumerate() {
        theirs[number] = match stdio.0 {
            StdioKind::Inherit => own_stream(number),
            StdioKind::Given(fd) => Some(Stream::New(fd)),
            StdioKind::Null => {
                let null = nix::fcntl::open(
                    "/dev/null",
                    OFlag::O_RDWR | OFlag::O_CLOEXEC,
                    nix::sys::stat::Mode::empty(),
                );
                Some(Stream::New(OsError::wrap("open(/dev/null)", null)?))
            }
            StdioKind::Piped => {
                let pipe = OsError::wrap("pipe2", nix::unistd::pipe2(OFlag::O_CLOEXEC))?;
                let (reader, writer) = standard::both_beyond(pipe)?;
                let (their, our) = if number == 0 { (reader, writer) } else { (writer, reader) };
                ours.0[number] = Some(our);
                Some(Stream::New(their))
            }
        };
    }
    Ok((theirs, ours))
}

#[allow(unsafe_code, reason = "names a standard descriptor")]
fn own_stream(number: usize) -> Option<Stream> {
    // SAFETY: the standard descriptors are not owned by any value that could close them behind our back; if the program
    // closes one all the same, the start fails with EBADF.
    let fd = unsafe { BorrowedFd::borrow_raw(i32::try_from(number).ok()?) };
    fcntl(fd, FcntlArg::F_GETFD).is_ok().then_some(Stream::Ours(fd))
}

/// Sends the message until a child has claimed the start.
fn hand_over(
    world: &World,
    header: &Header,
    bytes: &[u8],
    descriptors: &Descriptors<'_>,
    end: fn(&'static Link) -> &'static OwnedFd,
) -> Result<PidFd, SpawnError> {
    let deadline = Deadline::after(PATIENCE);
    let (mut lost, mut launches) = (0, 0);
    while lost < ATTEMPTS {
        let link = link::link()?;
        let before = world.lost_children();
        match descriptors.pack(|all| socket::send(end(link), &[bytes], all))? {
            Ok(()) => {}
            Err(error) if link::is_gone(&error) => {
                link::discard(link);
                launches += 1;
                if launches > ATTEMPTS {
                    return Err(SpawnError::Lost);
                }
                continue;
            }
            Err(error) if error.raw_os_error() == Errno::EAGAIN as i32 && !deadline.is_over() => {
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        match await_claim(world, header, before, deadline)? {
            Some(pidfd) => return Ok(pidfd),
            None => lost += 1,
        }
    }
    Err(SpawnError::Lost)
}

/// Waits until a child has claimed the start. `None` if the message may have been lost.
///
/// If the starter waits for the end anyway, so does this, and wakes once instead of twice.
fn await_claim(
    world: &World,
    header: &Header,
    lost_before: u32,
    deadline: Deadline,
) -> Result<Option<PidFd>, SpawnError> {
    let slot = world.slot(header.id());
    let mut until_end = header.until_end;
    loop {
        let watch = Watch::new();
        let state = slot.state();
        match state.phase() {
            Phase::Starting if world.lost_children() != lost_before => return Ok(None),
            Phase::Starting => {}
            Phase::Refused => {
                let errno = Errno::from_raw(slot.status().0.cast_signed());
                return Err(OsError::new("starting the process", errno).into());
            }
            Phase::Running if until_end => {}
            _ => return open_claimed(slot, state).map(Some),
        }
        let patience = if state.phase() == Phase::Running { Deadline::NEVER } else { deadline };
        match watch.wait(slot.word(), state.low(), patience) {
            Wake::TimedOut => return Err(SpawnError::TimedOut),
            // If the supervisor is gone, sending again finds out; and if the process runs, its handle knows how to ask.
            Wake::Verify if state.phase() == Phase::Starting => return Ok(None),
            Wake::Verify => until_end = false,
            Wake::Look => {}
        }
    }
}

/// The process that has claimed a start. Its pid is its own as long as the table says that it lives.
fn open_claimed(slot: &Slot, state: State) -> Result<PidFd, SpawnError> {
    if state.phase() == Phase::Running
        && let Ok(pidfd) = PidFd::open(state.pid())
        && slot.state().phase() == Phase::Running
    {
        return Ok(pidfd);
    }
    Ok(PidFd::ended()?)
}

/// Forks this process, which has one thread.
#[allow(unsafe_code, reason = "forks")]
fn fork_here(
    world: &'static World,
    id: Identity,
    bytes: &[u8],
    descriptors: &Descriptors<'_>,
    ours: &Streams,
) -> Result<PidFd, SpawnError> {
    use std::io::Write;
    // What is buffered must come out once, not in both.
    let _ = std::io::stdout().flush();
    // SAFETY: there is no other thread that could hold a lock (P2).
    match OsError::wrap("fork", unsafe { fork() })? {
        ForkResult::Parent { child } => Ok(adopt_fork(world, id, child.as_raw())?),
        ForkResult::Child => {
            // As long as it holds the other end of its own pipe, it never sees the end of its input.
            ours.0.iter().flatten().for_each(|end| child::close(end.as_raw_fd()));
            let copies = |all: &[BorrowedFd<'_>]| {
                all.iter().map(BorrowedFd::try_clone_to_owned).collect::<Result<Vec<_>, _>>().ok()
            };
            let descriptors = descriptors.pack(copies).ok().flatten();
            let start =
                descriptors.and_then(|descriptors| message::Start::parse(bytes, descriptors));
            let code = start.and_then(|start| forked(world, id, start));
            exit::of_fork(code.unwrap_or(1))
        }
    }
}

fn adopt_fork(world: &World, id: Identity, pid: i32) -> Result<PidFd, OsError> {
    reaping::forked();
    // Parent and child both know everything that a claim needs; whoever comes first makes it.
    world.slot(id).claim(id, me().pid, pid);
    PidFd::open(pid)
}

/// The child of a `Fork`: it has everything of its starter and needs only what sets it apart.
fn forked(world: &'static World, id: Identity, mut start: message::Start) -> Option<i32> {
    let hold = lifeline::hang_on(&start.lifeline).ok()??;
    start.fetch().ok()?;
    surroundings::put_on(&mut start).ok()?;
    let pid = nix::unistd::getpid().as_raw();
    world.slot(id).claim(id, start.header.starter, pid);
    world::become_process(Me { id, pid });
    child::record_panics();
    super::current::show_name(&world.slot(id).name());
    let arguments = start.arguments().to_vec();
    let message::Start { header, lifeline, inbox, store, directory, handles, .. } = start;
    drop((lifeline, directory));
    let code = child::run(Running { world, id, inbox, store }, header.entry, &arguments, handles);
    core::mem::forget(hold);
    Some(code)
}
