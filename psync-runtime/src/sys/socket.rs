//! Nameless sockets that carry bytes and descriptors.

use super::{OsError, retry, standard};
use nix::{
    cmsg_space,
    errno::Errno,
    sys::socket::{
        AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
        sendmsg, setsockopt, socketpair, sockopt,
    },
    sys::time::{TimeVal, TimeValLike},
};
use std::{
    io::{IoSlice, IoSliceMut},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

/// How many descriptors fit into one message.
pub(crate) const MAX_DESCRIPTORS: usize = 250;

/// Two ends that keep messages apart.
pub(crate) fn message_pair() -> Result<(OwnedFd, OwnedFd), OsError> {
    pair(SockType::SeqPacket)
}

/// Two ends of a stream, whose buffer holds more messages than that of [`message_pair`].
pub(crate) fn stream_pair() -> Result<(OwnedFd, OwnedFd), OsError> {
    pair(SockType::Stream)
}

fn pair(kind: SockType) -> Result<(OwnedFd, OwnedFd), OsError> {
    let pair = socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC);
    standard::both_beyond(OsError::wrap("socketpair", pair)?)
}

/// Has a send that cannot proceed fail with `EAGAIN` after a second, so that the sender can look around.
pub(crate) fn limit_patience(socket: impl AsFd) -> Result<(), OsError> {
    OsError::wrap("setsockopt", setsockopt(&socket, sockopt::SendTimeout, &TimeVal::seconds(1)))
}

/// Sends one message. The receiver gets copies of the descriptors.
pub(crate) fn send(
    socket: impl AsFd,
    parts: &[&[u8]],
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), OsError> {
    send_with(socket, parts, descriptors, MsgFlags::empty())
}

/// The same if there is room for it; otherwise the error is `EAGAIN`.
pub(crate) fn try_send(
    socket: impl AsFd,
    parts: &[&[u8]],
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), OsError> {
    send_with(socket, parts, descriptors, MsgFlags::MSG_DONTWAIT)
}

fn send_with(
    socket: impl AsFd,
    parts: &[&[u8]],
    descriptors: &[BorrowedFd<'_>],
    flags: MsgFlags,
) -> Result<(), OsError> {
    let parts: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let rights = if raw.is_empty() { &[][..] } else { &rights[..] };
    let raw_socket = socket.as_fd().as_raw_fd();
    OsError::wrap(
        "sendmsg",
        retry(|| sendmsg::<()>(raw_socket, &parts, rights, flags | MsgFlags::MSG_NOSIGNAL, None)),
    )?;
    Ok(())
}

/// What one [`receive`] got.
#[derive(Debug)]
pub(crate) struct Received {
    /// How many bytes of the buffer were filled.
    pub(crate) len: usize,
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Descriptors were lost: this process has no room for them.
    pub(crate) truncated: bool,
}

/// Waits for one message; `None` when nobody is left who could send.
pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<Option<Received>, OsError> {
    receive_with(socket, buffer, MsgFlags::empty())
}

/// Takes a message that is there already: `EAGAIN` if there is none, and `None` when nobody is left who could send.
pub(crate) fn receive_at_once(
    socket: impl AsFd,
    buffer: &mut [u8],
) -> Result<Option<Received>, OsError> {
    receive_with(socket, buffer, MsgFlags::MSG_DONTWAIT)
}

/// Takes a message that is there already; `None` if there is none.
pub(crate) fn try_receive(
    socket: impl AsFd,
    buffer: &mut [u8],
) -> Result<Option<Received>, OsError> {
    match receive_with(socket, buffer, MsgFlags::MSG_DONTWAIT) {
        Err(error) if error.raw_os_error() == Errno::EAGAIN as i32 => Ok(None),
        result => result,
    }
}

fn receive_with(
    socket: impl AsFd,
    buffer: &mut [u8],
    flags: MsgFlags,
) -> Result<Option<Received>, OsError> {
    let mut space = cmsg_space!([RawFd; MAX_DESCRIPTORS]);
    let raw = socket.as_fd().as_raw_fd();
    let flags = flags | MsgFlags::MSG_CMSG_CLOEXEC;
    loop {
        let mut parts = [IoSliceMut::new(buffer)];
        let message = match recvmsg::<()>(raw, &mut parts, Some(&mut space), flags) {
            Err(Errno::EINTR) => continue,
            message => OsError::wrap("recvmsg", message)?,
        };
        let truncated = message.flags.intersects(MsgFlags::MSG_CTRUNC | MsgFlags::MSG_TRUNC);
        let mut descriptors = Vec::new();
        if let Ok(controls) = message.cmsgs() {
            for control in controls {
                if let ControlMessageOwned::ScmRights(received) = control {
                    for descriptor in received {
                        descriptors.push(standard::beyond(adopt(descriptor))?);
                    }
                }
            }
        }
        let len = message.bytes;
        return Ok((len > 0 || !descriptors.is_empty()).then_some(Received {
            len,
            descriptors,
            truncated,
        }));
    }
}

#[allow(unsafe_code, reason = "nix hands received descriptors out as numbers")]
fn adopt(descriptor: RawFd) -> OwnedFd {
    // SAFETY: the kernel has just installed it for us and nobody else knows of it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_descriptors_arrive_together() {
        let (a, b) = message_pair().expect("a pair");
        let (c, _d) = message_pair().expect("a pair");
        send(&a, &[b"he", b"llo"], &[c.as_fd()]).expect("sends");
        let mut buffer = [0; 16];
        let received = receive(&b, &mut buffer).expect("receives").expect("a message");
        assert_eq!(&buffer[..received.len], b"hello");
        assert_eq!(received.descriptors.len(), 1);
        assert!(!received.truncated);
    }

    #[test]
    fn an_empty_line_says_so() {
        let (a, b) = message_pair().expect("a pair");
        assert!(try_receive(&b, &mut [0; 8]).expect("asks").is_none());
        drop(a);
        assert!(receive(&b, &mut [0; 8]).expect("ends").is_none());
    }
}
