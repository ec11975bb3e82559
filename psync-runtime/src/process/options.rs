//! What can be chosen about a process before it starts.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// How a process comes into being. All three take the same arguments and return the same results.
///
/// # Examples
/// ```
/// use psync::{Options, StartMethod, spawn_with};
///
/// let fresh = Options::new().start_method(StartMethod::Spawn);
/// assert_eq!(spawn_with(fresh, |n: u32| n + 1, 41)?.join()?, 42);
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StartMethod {
    /// A small server forks it. The default: fast, independent of the size and the threads of the program.
    #[default]
    ForkServer,
    /// The program is executed afresh: slower, shares nothing, has fresh address randomisation.
    Spawn,
    /// The caller itself is forked, with all its memory. Refused unless the caller has exactly one thread.
    Fork,
}

impl StartMethod {
    /// All methods, the default first.
    pub const ALL: [Self; 3] = [Self::ForkServer, Self::Spawn, Self::Fork];
}

/// Where a standard stream of a process comes from or goes to.
#[derive(Debug, Default)]
pub struct Stdio(pub(crate) StdioKind);

#[derive(Debug, Default)]
pub(crate) enum StdioKind {
    #[default]
    Inherit,
    Null,
    Piped,
    Given(OwnedFd),
}

impl Stdio {
    /// The caller's own stream, as it is at the start.
    pub const fn inherit() -> Self {
        Self(StdioKind::Inherit)
    }

    /// `/dev/null`.
    pub const fn null() -> Self {
        Self(StdioKind::Null)
    }

    /// A pipe, whose other end is taken from the [`Process`](super::Process) with `take_stdin`, `take_stdout` or `take_stderr`.
    pub const fn piped() -> Self {
        Self(StdioKind::Piped)
    }
}

impl From<OwnedFd> for Stdio {
    fn from(descriptor: OwnedFd) -> Self {
        Self(StdioKind::Given(descriptor))
    }
}

impl From<File> for Stdio {
    fn from(file: File) -> Self {
        OwnedFd::from(file).into()
    }
}

/// What can be chosen about a process before it starts; everything else is as in the caller at that moment.
///
/// # Examples
/// ```
/// use psync::{Options, Stdio};
///
/// let options = Options::new().name("counter").stdout(Stdio::null()).env("LANG", "C");
/// ```
///
/// ```
/// use psync::{Options, Stdio, spawn_with};
/// use std::io::{Read, Write};
///
/// let options = Options::new()
///     .daemon(true)
///     .current_dir("/")
///     .stdin(Stdio::piped())
///     .stdout(Stdio::piped())
///     .stderr(Stdio::inherit());
/// let echo = |()| {
///     let mut line = String::new();
///     std::io::stdin().read_line(&mut line).expect("a line");
///     print!("{}: {line}", std::env::current_dir().expect("a directory").display());
/// };
/// let mut process = spawn_with(options, echo, ())?;
/// process.take_stdin().expect("a pipe").write_all(b"hello\n")?;
/// let mut said = String::new();
/// process.take_stdout().expect("a pipe").read_to_string(&mut said)?;
/// assert_eq!(said, "/: hello\n");
/// assert!(process.take_stderr().is_none(), "it is ours");
/// process.join()?;
/// # Ok::<(), psync::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct Options {
    pub(crate) name: Option<String>,
    pub(crate) daemon: Option<bool>,
    pub(crate) start_method: Option<StartMethod>,
    pub(crate) stdio: [Stdio; 3],
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) current_dir: Option<PathBuf>,
    /// The starter has nothing to do before the process ends, so it need not be woken when it begins.
    pub(crate) until_end: bool,
}

impl Options {
    /// Everything as in the caller.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the process: in errors, in [`active_children`](super::active_children) and for the system's process list, which shows the first 15 bytes.
    /// At most 128 bytes are kept.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A daemon is ended, not waited for, when its starter exits. It may not start processes itself.
    pub const fn daemon(mut self, daemon: bool) -> Self {
        self.daemon = Some(daemon);
        self
    }

    /// Chooses how it is started.
    pub const fn start_method(mut self, method: StartMethod) -> Self {
        self.start_method = Some(method);
        self
    }

    /// Its standard input.
    pub fn stdin(mut self, stdio: Stdio) -> Self {
        self.stdio[0] = stdio;
        self
    }

    /// Its standard output.
    pub fn stdout(mut self, stdio: Stdio) -> Self {
        self.stdio[1] = stdio;
        self
    }

    /// Its standard error.
    pub fn stderr(mut self, stdio: Stdio) -> Self {
        self.stdio[2] = stdio;
        self
    }

    /// Sets an environment variable, over the caller's. The last value counts. The start is refused if the name is empty or contains `=`,
    /// or one of the two a NUL byte.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.retain(|(known, _)| known != name.as_ref());
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Whether an environment can hold what was set.
    pub(crate) fn has_sound_env(&self) -> bool {
        self.env.iter().all(|(name, value)| {
            let (name, value) = (name.as_encoded_bytes(), value.as_encoded_bytes());
            !name.is_empty() && !name.contains(&b'=') && !name.contains(&0) && !value.contains(&0)
        })
    }

    /// Its working directory.
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.current_dir = Some(directory.as_ref().to_owned());
        self
    }
}
