//! The supervisor: keeps children ready, makes fresh ones on request, and records how each of them ends.
//!
//! It runs on a user thread, as user code does. Its main thread only waits for that one, and holds nothing: so a fork copies a
//! process in which nobody was in the middle of anything, and the copy's one thread is fit for user code.

use super::{child, current, legacy, link, message, panics, preload, surroundings};
use crate::{
    channel::legacy::Legacy,
    shm::world::{Identity, Status, World, existing},
    sys::{
        OsError,
        clock::Deadline,
        futex, lifeline,
        lifeline::Lifeline,
        signal, socket, spawn,
        waiting::{self, Ended},
    },
};
use core::time::Duration;
use memmap2::MmapMut;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
        wait::Id,
    },
    unistd::{ForkResult, Pid, fork},
};
use std::{
    collections::{HashMap, HashSet},
    os::fd::{AsFd, OwnedFd},
};

/// The first byte of the first message to whoever launched it, if all is well.
pub(crate) const READY: u8 = 1;
/// The same, if not: the reason follows.
const FAILED: u8 = 2;

/// A message of the control socket, with what came along.
type Request = (Vec<u8>, Vec<OwnedFd>);

/// What ready children need of the supervisor.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) line_receiver: OwnedFd,
    pub(crate) line: OwnedFd,
    pub(crate) control: OwnedFd,
    pub(crate) notify: OwnedFd,
}

#[derive(Debug)]
struct Supervisor {
    world: &'static World,
    ends: Ends,
    control_receiver: OwnedFd,
    notify_receiver: OwnedFd,
    /// The lifeline of whoever launched it. It does not kill the supervisor, which stays to reap those whom it does kill.
    starter: OwnedFd,
    /// What children hang on until they are given away.
    lifeline: Lifeline,
    signals: SignalFd,
    /// Children that have not said yet which start they took on.
    idle: HashSet<i32>,
    /// Fresh children, and the start that each was made for.
    fresh: HashMap<i32, Identity>,
    running: HashMap<i32, Identity>,
    /// Whether a child has ended since the last look.
    reaped: bool,
    /// Why the last fork failed.
    starved: Option<Errno>,
    /// Which signals of a group the program was started with ignored.
    ignored: u32,
    /// How many children to keep ready.
    wanted: usize,
    /// Where messages arrive.
    room: MmapMut,
    /// What ended processes have sent handles of that nobody has received yet.
    legacies: Vec<Legacy>,
}

/// The supervisor's whole life. Returns only if it could not begin.
///
/// The descriptors: line (receiving, sending), control (receiving, sending), the starter's lifeline.
pub(crate) fn main(descriptors: [OwnedFd; 5], preloads: &str) {
    let [line_receiver, line, control_receiver, control, starter] = descriptors;
    // As long as others' code may run here, this process hangs on its starter like any other.
    let Ok(Some(hold)) = lifeline::hang_on(&starter) else { return };
    current::show_name("psync-super");
    panics::record_panics();
    if let Err(reason) =
        preload::run(preloads).and_then(|()| quiet().map_err(|error| error.to_string()))
    {
        return tell_failure(&control_receiver, &reason);
    }
    let ignored = signal::ignore_group();
    surroundings::allow_descriptors();
    surroundings::remember(ignored);
    let Ok((notify_receiver, notify)) = socket::message_pair() else { return };
    let ends = Ends { line_receiver, line, control, notify };
    if let Ok(mut supervisor) =
        Supervisor::new(starter, ends, control_receiver, notify_receiver, ignored)
    {
        drop(hold);
        supervisor.fork_one();
        if socket::send(&supervisor.control_receiver, &[&[READY]], &[]).is_ok() {
            supervisor.serve();
        }
    }
}

/// Instead of [`main`], when there is no thread for it.
pub(crate) fn fail(descriptors: &[OwnedFd; 5], reason: &str) {
    tell_failure(&descriptors[2], reason);
}

fn tell_failure(control_receiver: &OwnedFd, reason: &str) {
    // If this fails, whoever launched it is gone.
    let _ = socket::send(control_receiver, &[&[FAILED], reason.as_bytes()], &[]);
}

/// Lets go of the program's standard streams: the supervisor must not keep a pipe open that the program has closed.
fn quiet() -> Result<(), OsError> {
    use std::io::Write;
    // What preload functions have printed must come out once, and not from every child.
    let _ = std::io::stdout().flush();
    let flags = nix::fcntl::OFlag::O_RDWR;
    let null = OsError::wrap(
        "open(/dev/null)",
        nix::fcntl::open("/dev/null", flags, nix::sys::stat::Mode::empty()),
    )?;
    OsError::wrap("dup2", nix::unistd::dup2_stdin(&null))?;
    OsError::wrap("dup2", nix::unistd::dup2_stdout(&null))?;
    OsError::wrap("dup2", nix::unistd::dup2_stderr(&null))
}

impl Supervisor {
    fn new(
        starter: OwnedFd,
        ends: Ends,
        control_receiver: OwnedFd,
        notify_receiver: OwnedFd,
        ignored: u32,
    ) -> Result<Self, OsError> {
        let mut deaths = SigSet::empty();
        deaths.add(Signal::SIGCHLD);
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self {
            world: existing().ok_or(OsError::new("mmap", Errno::ENXIO))?,
            ends,
            control_receiver,
            notify_receiver,
            starter,
            lifeline: Lifeline::new()?,
            signals: OsError::wrap("signalfd", SignalFd::with_flags(&deaths, flags))?,
            idle: HashSet::new(),
            fresh: HashMap::new(),
            running: HashMap::new(),
            reaped: false,
            starved: None,
            ignored,
            wanted: super::cpu_count().clamp(2, 4),
            room: message::room()?,
            legacies: Vec::new(),
        })
    }

    fn serve(&mut self) {
        while !self.is_alone() {
            let slept = self.sleep();
            self.note_claims();
            self.reap();
            self.serve_requests();
            self.legacies.retain(|legacy| !legacy.is_over());
            self.restock(slept);
            if self.idle.is_empty() {
                self.refuse_waiting();
            }
        }
        self.bury();
    }

    /// Whether the process that launched it is gone, and with it everybody whom it has started.
    fn is_alone(&self) -> bool {
        let mut starter = [PollFd::new(self.starter.as_fd(), PollFlags::empty())];
        poll(&mut starter, PollTimeout::ZERO) == Ok(1)
    }

    /// Sees that all children end, and reaps them: a container's first process might not. Then nothing is left but itself.
    fn bury(&mut self) {
        let deadline = Deadline::after(Duration::from_secs(1));
        let all = self.idle.iter().chain(self.fresh.keys()).chain(self.running.keys());
        for &pid in all {
            // Their lifelines are doing the same. Nobody but us reaps them, so the pids are still theirs.
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
        }
        loop {
            self.note_claims();
            self.reap();
            let left = self.idle.len() + self.fresh.len() + self.running.len();
            if left == 0 || deadline.is_over() {
                return;
            }
            let mut deaths = [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut deaths, PollTimeout::from(100_u8));
            while let Ok(Some(_)) = self.signals.read_signal() {}
        }
    }

    /// Until there is something to do; false if nothing happened for a while. Without children to give away it also looks at
    /// the line, and tries again by itself.
    fn sleep(&self) -> bool {
        let starving = self.starved.is_some();
        let mut sources = vec![
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.control_receiver.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.notify_receiver.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.starter.as_fd(), PollFlags::empty()),
        ];
        if starving && self.idle.is_empty() {
            sources.push(PollFd::new(self.ends.line_receiver.as_fd(), PollFlags::POLLIN));
        }
        let patience = match self.idle.len() < self.wanted {
            true if starving => PollTimeout::from(100_u8),
            true => PollTimeout::from(2_u8),
            // Nobody tells when a legacy is received.
            false if !self.legacies.is_empty() => PollTimeout::from(250_u8),
            false => PollTimeout::NONE,
        };
        let woken = poll(&mut sources, patience) != Ok(0);
        while let Ok(Some(_)) = self.signals.read_signal() {}
        woken
    }

    /// Reads which children have taken on which starts.
    fn note_claims(&mut self) {
        let mut bytes = [0; 8];
        while let Ok(Some(received)) = socket::try_receive(&self.notify_receiver, &mut bytes) {
            let (Some(pid), Some(id)) = (bytes.first_chunk(), bytes.last_chunk()) else { continue };
            if received.len == bytes.len() {
                self.claimed(
                    i32::from_ne_bytes(*pid),
                    Identity::from_bits(u32::from_ne_bytes(*id)),
                );
            }
        }
    }

    fn claimed(&mut self, pid: i32, id: Identity) {
        if self.idle.remove(&pid) || self.fresh.remove(&pid).is_some() {
            self.running.insert(pid, id);
            self.world.forget_idle(pid);
        }
    }

    /// Waits for every child that has ended, and records how.
    fn reap(&mut self) {
        while let Some(Ended { pid, how }) = waiting::look(&Id::All) {
            // It may have claimed a start and said so after we last looked, or left something.
            self.note_claims();
            self.serve_requests();
            let claimed = self.claim_of(pid);
            let word = super::status::to_word(how);
            if let Some(id) = claimed {
                self.world.slot(id).foretell(word);
            }
            let _ = waiting::reap(&Id::Pid(Pid::from_raw(pid)));
            self.ended(pid, claimed, word);
        }
    }

    /// The start that the child `pid`, which has ended, had claimed.
    fn claim_of(&mut self, pid: i32) -> Option<Identity> {
        // It may also have claimed one and been killed before it could say so.
        self.running.remove(&pid).or_else(|| {
            self.world
                .used()
                .find(|(id, slot)| slot.pid() == pid && slot.is_alive(*id))
                .map(|(id, _)| id)
        })
    }

    fn ended(&mut self, pid: i32, claimed: Option<Identity>, status: Status) {
        self.reaped = true;
        match claimed {
            Some(id) => self.world.mark_dead(id, status),
            // Whatever message it held is lost: whoever waits for a claim looks again and sends again.
            None => self.world.announce_lost_child(),
        }
        self.idle.remove(&pid);
        self.fresh.remove(&pid);
        self.world.forget_idle(pid);
    }

    /// A fork takes as long as a short process lives, and whoever waits for that process waits for us. So one fork is made
    /// at a time, when nothing else is at hand: right after a death was told, or when it has been quiet. Unless none is left.
    fn restock(&mut self, woken: bool) {
        let due = self.idle.is_empty() || !woken || core::mem::take(&mut self.reaped);
        if due && self.idle.len() < self.wanted {
            self.fork_one();
        }
    }

    fn fork_one(&mut self) {
        #[allow(unsafe_code, reason = "forks")]
        // SAFETY: the only other thread waits for this one and holds no lock (P2).
        let forked = unsafe { fork() };
        self.starved = match forked {
            Ok(ForkResult::Child) => {
                let mut own = vec![
                    self.signals.as_fd(),
                    self.control_receiver.as_fd(),
                    self.notify_receiver.as_fd(),
                    self.starter.as_fd(),
                ];
                own.extend(self.legacies.iter().flat_map(Legacy::descriptors));
                child::ready(&self.ends, &self.lifeline, &own)
            }
            Ok(ForkResult::Parent { child }) => {
                self.idle.insert(child.as_raw());
                self.world.note_idle(child.as_raw());
                None
            }
            Err(errno) => Some(errno),
        };
    }

    /// Nobody is ready and nobody can be made: starts that wait in the line are refused, with the reason.
    fn refuse_waiting(&mut self) {
        let Some(errno) = self.starved else { return };
        while let Ok(Some(received)) = socket::try_receive(&self.ends.line_receiver, &mut self.room)
        {
            if let Some((header, _)) = message::peek(&self.room[..received.len]) {
                self.refuse(header.id(), errno as i32);
            }
        }
    }

    fn refuse(&self, id: Identity, errno: i32) {
        let slot = self.world.slot(id);
        if slot.refuse(id, errno) {
            futex::wake_all(slot.word());
        }
    }

    fn next_request(&mut self) -> Result<Option<Request>, OsError> {
        let received = socket::try_receive(&self.control_receiver, &mut self.room)?;
        Ok(received.map(|received| (self.room[..received.len].to_vec(), received.descriptors)))
    }

    fn serve_requests(&mut self) {
        while let Ok(Some((bytes, descriptors))) = self.next_request() {
            match bytes.strip_prefix(&legacy::MARK).map(<[u8]>::first_chunk) {
                Some(Some(until)) => {
                    self.legacies.extend(Legacy::new(u64::from_ne_bytes(*until), descriptors));
                }
                Some(None) => {}
                None => self.start_fresh(&bytes, descriptors),
            }
        }
    }

    /// Executes the program once more for one start; the message waits for it in a line of its own.
    fn start_fresh(&mut self, bytes: &[u8], descriptors: Vec<OwnedFd>) {
        let Some(start) = message::peek(bytes).map(|(header, _)| header.id()) else { return };
        match self.execute(bytes, descriptors) {
            Ok(pid) => drop(self.fresh.insert(pid, start)),
            Err(error) => self.refuse(start, error.raw_os_error()),
        }
    }

    fn execute(&self, bytes: &[u8], descriptors: Vec<OwnedFd>) -> Result<i32, OsError> {
        let passed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let (sender, receiver) = socket::message_pair()?;
        socket::send(&sender, &[bytes], &passed)?;
        let start = message::Start::parse(bytes, descriptors)
            .ok_or(OsError::new("recvmsg", Errno::EBADMSG))?;
        let environment = start.environment_block()?;
        let environment = preload::child_environment(&environment, link::VARIABLE);
        let ends = &self.ends;
        let world = crate::shm::world::descriptor().ok_or(OsError::new("mmap", Errno::ENXIO))?;
        let lifeline = self.lifeline.reader();
        spawn::spawn(
            &preload::executable(),
            &environment,
            &[
                world,
                receiver.as_fd(),
                ends.line.as_fd(),
                ends.control.as_fd(),
                ends.notify.as_fd(),
                lifeline,
            ],
            &signal::group(self.ignored),
        )
    }
}
