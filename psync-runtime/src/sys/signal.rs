//! Signal masks and dispositions.
#![allow(unsafe_code, reason = "sets dispositions")]

use nix::{
    libc,
    sys::signal::{
        SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask,
    },
};

/// Signals that end or stop a process by default and may be sent to a whole group or by other programs.
const GROUP: [Signal; 10] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGALRM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
];

fn set(signal: Signal, handler: SigHandler) -> Option<SigHandler> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler is one of the kernel's own two, so no code of ours runs in signal context.
    unsafe { sigaction(signal, &action) }.ok().map(|old| old.handler())
}

fn is_ignored(signal: Signal) -> bool {
    let mut action = core::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks only, and writes to a live variable.
    unsafe { libc::sigaction(signal as i32, core::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: zeros are a value, and the call has written one.
    unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}

/// Ignores SIGPIPE, as std does before `main`.
pub(crate) fn ignore_broken_pipes() {
    set(Signal::SIGPIPE, SigHandler::SigIgn);
}

/// Ignores SIGINT.
pub(crate) fn ignore_interrupts() {
    set(Signal::SIGINT, SigHandler::SigIgn);
}

/// The signal that tells a waiting child of the end of its supervisor.
pub(crate) const FAREWELL: i32 = libc::SIGIO;

/// Has `handler` run at [`FAREWELL`]; it may do only what is async-signal-safe.
pub(crate) fn await_farewell(handler: extern "C" fn(i32)) {
    let action = SigAction::new(SigHandler::Handler(handler), SaFlags::empty(), SigSet::all());
    // SAFETY: the handler is async-signal-safe, as the caller promises.
    let _ = unsafe { sigaction(Signal::SIGIO, &action) };
}

/// Gives [`FAREWELL`] its default meaning again.
pub(crate) fn forget_farewell() {
    set(Signal::SIGIO, SigHandler::SigDfl);
}

/// Ignores [`GROUP`]; tells which were ignored before, as a set of bits for [`restore`].
pub(crate) fn ignore_group() -> u32 {
    let mut before = 0;
    for (index, signal) in GROUP.into_iter().enumerate() {
        if matches!(set(signal, SigHandler::SigIgn), Some(SigHandler::SigIgn)) {
            before |= 1 << index;
        }
    }
    before
}

/// Gives [`GROUP`] its default meaning again, but for those that were ignored before.
pub(crate) fn restore_group(ignored_before: u32) {
    for (index, signal) in GROUP.into_iter().enumerate() {
        if ignored_before & 1 << index == 0 {
            set(signal, SigHandler::SigDfl);
        }
    }
}

/// Gives those of [`GROUP`] that have a handler their default meaning again; what is ignored stays ignored.
pub(crate) fn drop_handlers() {
    for signal in GROUP.into_iter().filter(|&signal| !is_ignored(signal)) {
        set(signal, SigHandler::SigDfl);
    }
}

/// [`GROUP`] without those that were ignored before, as a set.
pub(crate) fn group(ignored_before: u32) -> SigSet {
    let kept = GROUP.into_iter().enumerate().filter(|(index, _)| ignored_before & 1 << index == 0);
    kept.map(|(_, signal)| signal).collect()
}

/// Blocks all signals in this thread.
pub(crate) fn block_all() {
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None);
}

/// This thread's blocked signals, one bit each; bit 0 is signal 1.
pub(crate) fn mask() -> u64 {
    let mut set = SigSet::empty();
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, None, Some(&mut set));
    (1..=64)
        .filter(|&number| is_member(&set, number))
        .fold(0, |mask, number| mask | 1 << (number - 1))
}

fn is_member(set: &SigSet, number: i32) -> bool {
    // SAFETY: reads a set that nix made.
    unsafe { libc::sigismember(set.as_ref(), number) == 1 }
}

/// Sets this thread's blocked signals to what [`mask`] returned.
pub(crate) fn set_mask(mask: u64) {
    let mut raw = core::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: initialises the set.
    unsafe { libc::sigemptyset(raw.as_mut_ptr()) };
    for number in (1..=64).filter(|number| mask & 1 << (number - 1) != 0) {
        // SAFETY: the set was initialised above; a number that the C library reserves is refused without effect.
        unsafe { libc::sigaddset(raw.as_mut_ptr(), number) };
    }
    // SAFETY: the set was initialised above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, raw.as_ptr(), core::ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_go_there_and_back() {
        std::thread::spawn(|| {
            let wanted = 1 << (libc::SIGUSR2 - 1) | 1 << (libc::SIGRTMIN() + 3 - 1);
            set_mask(wanted);
            assert_eq!(mask(), wanted);
        })
        .join()
        .expect("no panic");
    }
}
