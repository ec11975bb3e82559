//! Arbitrary packets, with descriptors of any kind, where a connection expects messages.

use crate::{input::Input, memory, values::Mixed};
use core::time::Duration;
use nix::{
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::{
        memfd::{MFdFlags, memfd_create},
        socket::{
            AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
        },
        uio::pwrite,
    },
    unistd::{ftruncate, pipe},
};
use psync_runtime::channel::{Connection, pipe as connections};
use std::{
    io::IoSlice,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

/// What a receive may take besides what came: a receive has a buffer, and each collection begins with room for up to a mebibyte.
const BASE: usize = 8 << 20;
const EACH: usize = 64;
/// How many packets one input has.
const MOST: usize = 20;

/// Sends packets, and receives what they might be.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (from, to) = connections::<Mixed, Mixed>().expect("descriptors");
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        packet(from.as_fd(), &mut input);
        memory::at_most(BASE + EACH * data.len(), || receive(&to, input.byte()));
    }
    drop(from);
    memory::at_most(BASE + EACH * data.len(), || while receive(&to, 0) {});
}

/// Whether something came.
fn receive(to: &Connection<Mixed, Mixed>, how: u8) -> bool {
    if !to.poll(Duration::ZERO) {
        return false;
    }
    match how % 4 {
        0 => to.try_recv().is_ok(),
        1 => to.recv_bytes().is_ok(),
        2 => to.recv_bytes_into(&mut [0; 40]).is_ok(),
        _ => to.recv_timeout(Duration::from_millis(1)).is_ok(),
    }
}

fn packet(socket: BorrowedFd<'_>, input: &mut Input<'_>) {
    let count = usize::from(input.byte() % 4);
    let descriptors: Vec<OwnedFd> = (0..count).map(|_| descriptor(input)).collect();
    let numbers: Vec<i32> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let len = usize::from(input.byte());
    send(socket, input.bytes(len), &numbers);
}

/// What does not fit is not sent.
fn send(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[i32]) {
    let rights = [ControlMessage::ScmRights(descriptors)];
    let rights = if descriptors.is_empty() { &[] } else { &rights[..] };
    let parts = [IoSlice::new(bytes)];
    let _ = sendmsg::<()>(socket.as_raw_fd(), &parts, rights, MsgFlags::MSG_DONTWAIT, None);
}

fn descriptor(input: &mut Input<'_>) -> OwnedFd {
    match input.byte() % 6 {
        0 | 1 => file(input, false),
        2 => file(input, true),
        3 => pipe().expect("descriptors").0,
        4 => line(SockType::SeqPacket, input),
        _ => line(SockType::Stream, input),
    }
}

/// A file of any content and length; one that is `sealed` could be a segment.
fn file(input: &mut Input<'_>, sealed: bool) -> OwnedFd {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = memfd_create("fuzz", flags).expect("a descriptor");
    let len = match input.byte() {
        255 => 1 << 56,
        254 => 1 << 40,
        253 => input.word() >> 1,
        len => u64::from(len) * 256,
    };
    let _ = ftruncate(&file, i64::try_from(len).expect("halved"));
    let content = usize::from(input.byte());
    let _ = pwrite(&file, input.bytes(content), 0);
    if sealed {
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).expect("seals");
    }
    file
}

/// A socket from which something can be received.
fn line(kind: SockType, input: &mut Input<'_>) -> OwnedFd {
    let (from, to) =
        socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).expect("descriptors");
    for _ in 0..input.byte() % 3 {
        let own = if input.byte() & 1 == 0 { vec![to.as_raw_fd()] } else { Vec::new() };
        send(from.as_fd(), &[0; 3][..usize::from(input.byte() % 4)], &own);
    }
    to
}
