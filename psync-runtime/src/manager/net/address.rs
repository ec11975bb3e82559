//! Where a listener can be reached.

use crate::manager::ManagerError;
use core::{fmt, str::FromStr};
use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

/// Where a server listens.
///
/// | text | address |
/// |---|---|
/// | `127.0.0.1:7000`, `[::1]:7000`, `localhost:0` | TCP; with port 0 the system chooses one |
/// | `/run/farm.sock`, `./farm.sock`, `unix:farm.sock` | a Unix socket at this path |
/// | `@farm`, or the same with a zero byte instead of `@` | a Unix socket of this name, in no directory |
///
/// # Examples
/// ```
/// use psync::manager::Address;
///
/// assert!(matches!("127.0.0.1:80".parse(), Ok(Address::Tcp(_))));
/// assert!(matches!("@farm".parse(), Ok(Address::Abstract(_))));
/// assert!(r"\\.\pipe\farm".parse::<Address>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// A host and a port.
    Tcp(SocketAddr),
    /// A Unix socket in the file system.
    Path(PathBuf),
    /// A Unix socket of this name, without the zero byte in front.
    Abstract(Vec<u8>),
}

impl FromStr for Address {
    type Err = ManagerError;

    fn from_str(text: &str) -> Result<Self, ManagerError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Path(path.into()));
        }
        if text.starts_with(['/', '.']) {
            return Ok(Self::Path(text.into()));
        }
        if let Some(name) = text.strip_prefix(['@', '\0']) {
            return Ok(Self::Abstract(name.into()));
        }
        let no_address = |why: &str| ManagerError::Address { reason: format!("{why}: {text:?}") };
        if !text.contains(':') {
            return Err(no_address("no host and port, no path, and no name with `@` in front"));
        }
        let mut found = text.to_socket_addrs().map_err(|error| no_address(&error.to_string()))?;
        found.next().map(Self::Tcp).ok_or_else(|| no_address("the host has no address"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Path(path) if path.is_absolute() => path.display().fmt(f),
            Self::Path(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "@{}", String::from_utf8_lossy(name)),
        }
    }
}
