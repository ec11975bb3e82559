//! A socket of either kind, with a deadline for each operation.

use super::Address;
use crate::{manager::ManagerError, sys::clock::Deadline};
use core::time::Duration;
use nix::sys::socket::{Shutdown, shutdown};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        linux::net::SocketAddrExt,
        unix::{
            fs::PermissionsExt,
            net::{SocketAddr, UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

/// How long the first connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// One end of a connection.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What went wrong, in words.
pub(super) fn failed(what: &str, error: &io::Error) -> ManagerError {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => ManagerError::TimedOut,
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => ManagerError::Disconnected,
        _ => ManagerError::System { reason: format!("{what}: {error}") },
    }
}

fn abstract_name(name: &[u8]) -> Result<SocketAddr, ManagerError> {
    SocketAddr::from_abstract_name(name)
        .map_err(|error| ManagerError::Address { reason: error.to_string() })
}

impl Stream {
    pub(super) fn connect(address: &Address) -> Result<Self, ManagerError> {
        let stream = match address {
            Address::Tcp(address) => {
                TcpStream::connect_timeout(address, CONNECT).and_then(|stream| {
                    stream.set_nodelay(true)?;
                    Ok(Self::Tcp(stream))
                })
            }
            Address::Path(path) => UnixStream::connect(path).map(Self::Unix),
            Address::Abstract(name) => {
                UnixStream::connect_addr(&abstract_name(name)?).map(Self::Unix)
            }
        };
        stream.map_err(|error| failed(&format!("cannot connect to {address}"), &error))
    }

    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
        })
    }

    /// Ends it, also for whoever waits at it in another thread.
    pub(super) fn close(&self) {
        let _ = shutdown(self.as_fd().as_raw_fd(), Shutdown::Both);
    }

    fn set_timeouts(&self, deadline: Deadline) -> io::Result<()> {
        let left = deadline.remaining();
        if left.is_some_and(|left| left.is_zero()) {
            return Err(ErrorKind::TimedOut.into());
        }
        match self {
            Self::Tcp(stream) => {
                stream.set_read_timeout(left)?;
                stream.set_write_timeout(left)
            }
            Self::Unix(stream) => {
                stream.set_read_timeout(left)?;
                stream.set_write_timeout(left)
            }
        }
    }

    /// Reads at least one byte; how many. The end of the stream is an error.
    pub(super) fn read_some(&mut self, place: &mut [u8], deadline: Deadline) -> io::Result<usize> {
        loop {
            self.set_timeouts(deadline)?;
            let read = match self {
                Self::Tcp(stream) => stream.read(place),
                Self::Unix(stream) => stream.read(place),
            };
            match read {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    pub(super) fn read_all(&mut self, mut place: &mut [u8], deadline: Deadline) -> io::Result<()> {
        while !place.is_empty() {
            let read = self.read_some(place, deadline)?;
            place = &mut place[read..];
        }
        Ok(())
    }

    pub(super) fn write_all(&mut self, mut bytes: &[u8], deadline: Deadline) -> io::Result<()> {
        while !bytes.is_empty() {
            self.set_timeouts(deadline)?;
            let written = match self {
                Self::Tcp(stream) => stream.write(bytes),
                Self::Unix(stream) => stream.write(bytes),
            };
            match written {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

/// Where clients come in.
#[derive(Debug)]
pub(in crate::manager) enum Door {
    Tcp(TcpListener),
    /// With the file that is its name, if it has one.
    Unix(UnixListener, Option<PathBuf>),
}

impl Door {
    /// A door at this address, and where it can be reached.
    pub(in crate::manager) fn open(address: &Address) -> Result<(Self, Address), ManagerError> {
        let no_door = |error: io::Error| failed(&format!("cannot listen at {address}"), &error);
        match address {
            Address::Tcp(at) => {
                let door = TcpListener::bind(at).map_err(no_door)?;
                let address = Address::Tcp(door.local_addr().map_err(no_door)?);
                Ok((Self::Tcp(door), address))
            }
            Address::Path(path) => {
                let door = UnixListener::bind(path).map_err(no_door)?;
                only_for_us(path).map_err(no_door)?;
                Ok((Self::Unix(door, Some(path.clone())), address.clone()))
            }
            Address::Abstract(name) => {
                let door = UnixListener::bind_addr(&abstract_name(name)?).map_err(no_door)?;
                Ok((Self::Unix(door, None), address.clone()))
            }
        }
    }

    pub(super) fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(door) => {
                let (stream, _) = door.accept()?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(door, _) => door.accept().map(|(stream, _)| Stream::Unix(stream)),
        }
    }

    /// Ends it, also for whoever waits at it.
    pub(super) fn close(&self) {
        let descriptor = match self {
            Self::Tcp(door) => door.as_raw_fd(),
            Self::Unix(door, _) => door.as_raw_fd(),
        };
        let _ = shutdown(descriptor, Shutdown::Both);
    }
}

fn only_for_us(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

impl Door {
    /// Its socket, and whether it is one of TCP, for the process that will take clients in behind it. The file stays.
    pub(in crate::manager) fn into_socket(mut self) -> (bool, io::Result<OwnedFd>) {
        match &mut self {
            Self::Tcp(door) => (true, door.as_fd().try_clone_to_owned()),
            Self::Unix(door, path) => {
                *path = None;
                (false, door.as_fd().try_clone_to_owned())
            }
        }
    }

    pub(in crate::manager) fn from_socket(is_tcp: bool, socket: OwnedFd) -> Self {
        if is_tcp { Self::Tcp(socket.into()) } else { Self::Unix(socket.into(), None) }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Self::Unix(_, Some(path)) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}
