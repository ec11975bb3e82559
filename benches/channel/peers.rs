//! Two ends of every kind of channel, as closures that send and receive one message.

use std::{
    io::{Read, Write, pipe},
    os::unix::net::UnixStream,
};

/// What one end does with a message. The other end may be gone when there is nothing more to measure.
pub(crate) type Send<M> = Box<dyn FnMut(M) + core::marker::Send>;
pub(crate) type Receive<M> = Box<dyn FnMut() -> Option<M> + core::marker::Send>;

/// A name and a maker of two ends.
pub(crate) type Peer<M> = (&'static str, fn() -> (Send<M>, Receive<M>));

/// How many messages a bounded channel holds.
pub(crate) const ROOM: usize = 1024;

/// A message that can be bytes: for what knows nothing else.
pub(crate) trait Message:
    Clone + core::marker::Send + serde::Serialize + serde::de::DeserializeOwned + 'static
{
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: Vec<u8>) -> Self;
    fn len(&self) -> usize;
}

impl Message for u64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_ne_bytes().to_vec()
    }
    fn from_bytes(bytes: Vec<u8>) -> Self {
        Self::from_ne_bytes(bytes.try_into().expect("eight"))
    }
    fn len(&self) -> usize {
        8
    }
}

impl Message for [u64; 8] {
    fn to_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }
    fn from_bytes(bytes: Vec<u8>) -> Self {
        core::array::from_fn(|at| {
            u64::from_ne_bytes(*bytes[at * 8..].first_chunk().expect("eight"))
        })
    }
    fn len(&self) -> usize {
        64
    }
}

impl Message for Vec<u8> {
    fn to_bytes(&self) -> Vec<u8> {
        self.clone()
    }
    fn from_bytes(bytes: Vec<u8>) -> Self {
        bytes
    }
    fn len(&self) -> usize {
        self.len()
    }
}

/// Channels between threads: messages that own memory move by pointer there.
pub(crate) fn threads<M: Message>() -> Vec<Peer<M>> {
    vec![("crossbeam", crossbeam::<M>), ("std mpsc", mpsc::<M>), ("rtrb", ring::<M>)]
}

/// What processes could use.
pub(crate) fn processes<M: Message>() -> Vec<Peer<M>> {
    vec![("ipc-channel", ipc::<M>), ("Unix socket", socket::<M>), ("pipe", anonymous_pipe::<M>)]
}

fn crossbeam<M: Message>() -> (Send<M>, Receive<M>) {
    let (sender, receiver) = crossbeam_channel::bounded(ROOM);
    let send = move |message| drop(sender.send(message));
    (Box::new(send), Box::new(move || receiver.recv().ok()))
}

fn mpsc<M: Message>() -> (Send<M>, Receive<M>) {
    let (sender, receiver) = std::sync::mpsc::sync_channel(ROOM);
    let send = move |message| drop(sender.send(message));
    (Box::new(send), Box::new(move || receiver.recv().ok()))
}

fn ring<M: Message>() -> (Send<M>, Receive<M>) {
    let (mut producer, mut consumer) = rtrb::RingBuffer::new(ROOM);
    let send = move |mut message| {
        while let Err(rtrb::PushError::Full(back)) = producer.push(message) {
            message = back;
            std::thread::yield_now();
        }
    };
    let receive = move || loop {
        match consumer.pop() {
            Ok(message) => return Some(message),
            Err(_) if consumer.is_abandoned() => return None,
            Err(_) => {}
        }
        std::thread::yield_now();
    };
    (Box::new(send), Box::new(receive))
}

fn ipc<M: Message>() -> (Send<M>, Receive<M>) {
    let (sender, receiver) = ipc_channel::ipc::channel::<M>().expect("a channel");
    let send = move |message| drop(sender.send(message));
    (Box::new(send), Box::new(move || receiver.recv().ok()))
}

fn framed<M: Message>(
    mut writer: impl Write + core::marker::Send + 'static,
    mut reader: impl Read + core::marker::Send + 'static,
) -> (Send<M>, Receive<M>) {
    let send = move |message: M| {
        let bytes = message.to_bytes();
        let frame = [&(bytes.len() as u64).to_ne_bytes()[..], &bytes].concat();
        let _ = writer.write_all(&frame);
    };
    let receive = move || {
        let mut len = [0; 8];
        reader.read_exact(&mut len).ok()?;
        let mut bytes = vec![0; usize::try_from(u64::from_ne_bytes(len)).expect("short")];
        reader.read_exact(&mut bytes).ok()?;
        Some(M::from_bytes(bytes))
    };
    (Box::new(send), Box::new(receive))
}

fn socket<M: Message>() -> (Send<M>, Receive<M>) {
    let (writer, reader) = UnixStream::pair().expect("a pair");
    framed(writer, reader)
}

fn anonymous_pipe<M: Message>() -> (Send<M>, Receive<M>) {
    let (reader, writer) = pipe().expect("a pipe");
    framed(writer, reader)
}
