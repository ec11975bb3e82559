//! Lines about what happens, from every process of a program to its standard error. Each line is whole, whoever else writes.
//!
//! `PSYNC_LOG` in the environment says how much is told: `off` (as without it), `error`, `warn`, `info`, `debug` or `trace`. Every process inherits it,
//! however it was started, since a process that psync starts does not run `main`, where other loggers are set up.
//!
//! psync itself tells of panics (`error`), of processes that did not end well (`warn`), and of each that it starts and that ends (`debug`). What a program has to tell it
//! gives to the functions here; they add the time (UTC), the name and the pid of the process, and the place in the program.
//!
//! # Examples
//! ```
//! use psync::log::{self, Level};
//!
//! log::set_level(Level::Info); // as `PSYNC_LOG=info`, for this process and those that it starts
//! log::info("the shop opens");
//! log::debug(format_args!("{} chairs", 4)); // is not even formatted
//! assert_eq!(log::level(), Some(Level::Info));
//! ```
//! prints `09:00:00.000 info  main (process 4711): the shop opens [src/main.rs:4]`.

use super::current;
use crate::primitive::{AtomicBool, AtomicU32, Ordering};
use core::{
    fmt::{self, Display},
    panic::Location,
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use std::{
    ffi::OsString,
    io,
    os::fd::AsFd,
    time::{SystemTime, UNIX_EPOCH},
};

/// The environment variable that says how much is told.
const VARIABLE: &str = "PSYNC_LOG";

/// What the kernel writes into a pipe at once or not at all, never mixed with what others write.
const WHOLE: usize = nix::libc::PIPE_BUF;

/// How much a line matters.
///
/// # Examples
/// ```
/// use psync::log::Level;
///
/// assert!(Level::Error < Level::Trace, "later ones tell more");
/// assert_eq!(Level::Warn.to_string(), "warn");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What a program does.
    Info,
    /// How it does it.
    Debug,
    /// Every step.
    Trace,
}

const LEVELS: [(Level, &str); 5] = [
    (Level::Error, "error"),
    (Level::Warn, "warn"),
    (Level::Info, "info"),
    (Level::Debug, "debug"),
    (Level::Trace, "trace"),
];

impl Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(LEVELS[*self as usize].1)
    }
}

/// How many of [`LEVELS`] are told, once the environment has been looked at.
static TOLD: AtomicU32 = AtomicU32::new(UNKNOWN);
const UNKNOWN: u32 = u32::MAX;
/// Whether the program has chosen, rather than the environment.
static CHOSEN: AtomicBool = AtomicBool::new(false);

/// Up to which level lines are told in this process; `None` if none are.
///
/// # Examples
/// ```
/// assert_eq!(psync::log::level(), None, "PSYNC_LOG is not set");
/// ```
pub fn level() -> Option<Level> {
    let told = match TOLD.load(Ordering::Relaxed) {
        UNKNOWN => read(),
        told => told,
    };
    (told as usize).checked_sub(1).map(|last| LEVELS[last].0)
}

/// Sets how much is told by this process, and by those that it starts from now on; `None` for nothing.
///
/// # Examples
/// ```
/// use psync::log::{self, Level};
///
/// log::set_level(Level::Warn);
/// let inherited = psync::spawn(|()| log::level() == Some(Level::Warn), ())?;
/// assert!(inherited.join()?);
/// # Ok::<(), psync::Error>(())
/// ```
pub fn set_level(level: impl Into<Option<Level>>) {
    TOLD.store(level.into().map_or(0, |level| level as u32 + 1), Ordering::Relaxed);
    CHOSEN.store(true, Ordering::Relaxed);
}

/// Tells that something failed.
///
/// # Examples
/// ```
/// psync::log::error("no room left");
/// ```
#[track_caller]
pub fn error(text: impl Display) {
    tell(Level::Error, &text, Some(Location::caller()));
}

/// Tells that something is not as it should be.
///
/// # Examples
/// ```
/// psync::log::warn("the second try");
/// ```
#[track_caller]
pub fn warn(text: impl Display) {
    tell(Level::Warn, &text, Some(Location::caller()));
}

/// Tells what the program does.
///
/// # Examples
/// ```
/// psync::log::info(format_args!("{} files to go", 12));
/// ```
#[track_caller]
pub fn info(text: impl Display) {
    tell(Level::Info, &text, Some(Location::caller()));
}

/// Tells how the program does it.
///
/// # Examples
/// ```
/// psync::log::debug("takes the short way");
/// ```
#[track_caller]
pub fn debug(text: impl Display) {
    tell(Level::Debug, &text, Some(Location::caller()));
}

/// Tells one step of many.
///
/// # Examples
/// ```
/// psync::log::trace("left, left, right");
/// ```
#[track_caller]
pub fn trace(text: impl Display) {
    tell(Level::Trace, &text, Some(Location::caller()));
}

/// What psync itself has to tell: where that is in its own sources helps nobody.
pub(crate) fn own(level: Level, text: fmt::Arguments<'_>) {
    tell(level, &text, None);
}

/// Looks at the environment once more when asked next: a new process has its starter's only now.
pub(crate) fn forget() {
    // What is as it should be is not written: the page is shared with all siblings until then.
    if TOLD.load(Ordering::Relaxed) != UNKNOWN {
        CHOSEN.store(false, Ordering::Relaxed);
        TOLD.store(UNKNOWN, Ordering::Relaxed);
    }
}

/// What a process that is started has to find in its environment, if this one has chosen.
pub(crate) fn assignment() -> Option<(OsString, OsString)> {
    let chosen = CHOSEN.load(Ordering::Relaxed);
    let value = || level().map_or_else(|| "off".to_owned(), |level| level.to_string());
    chosen.then(|| (VARIABLE.into(), value().into()))
}

fn read() -> u32 {
    let value = std::env::var_os(VARIABLE).unwrap_or_default();
    let named = LEVELS.iter().find(|(_, name)| value.eq_ignore_ascii_case(name));
    let told = named.map_or(0, |(level, _)| *level as u32 + 1);
    TOLD.store(told, Ordering::Relaxed);
    let is_off = value.is_empty() || value.eq_ignore_ascii_case("off");
    // Every process inherits it; one of them says what is wrong with it.
    if named.is_none() && !is_off && current().parent().is_none() {
        let wrong = format!("{VARIABLE}={} is not a level: {LIST}", value.to_string_lossy());
        write(&lines(Level::Warn, &wrong));
    }
    told
}

const LIST: &str = "off, error, warn, info, debug or trace";

fn tell(wanted: Level, text: &dyn Display, place: Option<&Location<'_>>) {
    if level().is_none_or(|most| wanted > most) {
        return;
    }
    let text = match place {
        Some(place) => format!("{text} [{}:{}]", place.file(), place.line()),
        None => text.to_string(),
    };
    write(&lines(wanted, &text));
}

/// One line for each of the text's, or several where one would be longer than what is written at once. All have the same head.
fn lines(level: Level, text: &str) -> Vec<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (now.as_secs() % 86_400, now.subsec_millis());
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let (name, pid) = (current().name(), current().pid());
    let head =
        format!("{hour:02}:{minute:02}:{second:02}.{millis:03} {level:5} {name} (process {pid}): ");
    let room = (WHOLE - 1).saturating_sub(head.len()).max(4);
    let line = |piece: &str| format!("{head}{piece}\n");
    text.trim_end_matches('\n').split('\n').flat_map(|text| pieces(text, room)).map(line).collect()
}

/// A text cut into parts of at most `room` bytes; an empty one is one part.
fn pieces(text: &str, room: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, left) = rest.split_at(rest.floor_char_boundary(room));
        parts.push(part);
        if left.is_empty() {
            return parts;
        }
        rest = left;
    }
}

/// As many lines at a time as are written at once.
fn write(lines: &[String]) {
    let mut block = String::new();
    for line in lines {
        if block.len() + line.len() > WHOLE {
            write_block(block.as_bytes());
            block.clear();
        }
        block.push_str(line);
    }
    write_block(block.as_bytes());
}

/// One call, so that neither another process nor a kill comes in between. A stream that takes nothing is no reason to fail.
fn write_block(mut bytes: &[u8]) {
    let stream = io::stderr();
    while !bytes.is_empty() {
        match nix::unistd::write(stream.as_fd(), bytes) {
            // Only a full disk, or a terminal that was interrupted, takes a part.
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                let mut room = [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)];
                let _ = poll(&mut room, PollTimeout::NONE);
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_becomes_several_with_the_same_head() {
        let long = "ä".repeat(WHOLE);
        let lines = lines(Level::Info, &format!("short\n{long}\n"));
        assert!(lines.iter().all(|line| line.len() <= WHOLE && line.ends_with('\n')));
        let bodies: Vec<&str> =
            lines.iter().filter_map(|line| line.split_once("): ")?.1.strip_suffix('\n')).collect();
        assert_eq!(bodies.len(), 4, "the short one, and twice as many bytes as fit");
        assert_eq!((bodies[0], bodies[1..].concat()), ("short", long));
    }

    #[test]
    fn an_empty_text_is_one_line() {
        assert_eq!(pieces("", 10), [""]);
        assert_eq!(pieces("abcdef", 4), ["abcd", "ef"]);
    }
}
