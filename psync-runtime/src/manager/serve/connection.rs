//! One connection: a thread that does what comes through it, in order, and that ends with its client.

use super::{Table, perform};
use crate::{
    channel::{ByteReceiver, ByteSender, Limit, RecvError, SendErrorKind, codec},
    manager::{
        error::Fault,
        lane::Hello,
        wire::{DONE, FAILED, Header, Reach, Reply},
    },
    shm::{self, Carried, Luggage, transfer, world::Identity},
    sys::fault,
};
use std::sync::Arc;

/// A buffer that grew longer than this is not kept for the next message.
const KEEP: usize = 1 << 20;

/// Serves a client that has said hello.
pub(super) fn start(table: &Arc<Table>, hello: Hello) {
    let Hello { client, requests, replies } = hello;
    let client = Identity::from_bits(client);
    let table = Arc::clone(table);
    table.connect(client);
    let connection = Connection { table, client, requests, replies };
    let thread = std::thread::Builder::new().name("manager".to_owned());
    // Without a thread the connection is dropped, which its client sees.
    let _ = thread.spawn(move || connection.serve());
}

struct Connection {
    table: Arc<Table>,
    client: Identity,
    requests: ByteReceiver,
    replies: ByteSender,
}

impl Connection {
    fn serve(&self) {
        // The client waits for this one before it takes the connection for one.
        if self.replies.send(&[DONE], Luggage::default()).is_err() {
            return;
        }
        let (mut request, mut reply) = (Vec::new(), Vec::new());
        loop {
            let carried = match self.requests.receive(&mut request, Limit::FOREVER) {
                Ok(carried) => carried,
                Err(RecvError::Decode(reason)) => {
                    write_fault(&Fault::Decode(reason), &mut reply);
                    if self.replies.send(&reply, Luggage::default()).is_err() {
                        return;
                    }
                    continue;
                }
                Err(_) => return,
            };
            fault::point("manager: request taken");
            let (has_reply, luggage) =
                respond(&self.table, self.client, &request, carried, &mut reply, Reach::Near);
            fault::point("manager: call done");
            if has_reply && !self.send(&mut reply, luggage) {
                return;
            }
            fault::point("manager: reply sent");
            if request.capacity().max(reply.capacity()) > KEEP {
                (request, reply) = (Vec::new(), Vec::new());
            }
        }
    }

    /// Whether the client is there to get it.
    fn send(&self, reply: &mut Vec<u8>, luggage: Luggage) -> bool {
        match self.replies.send(reply, luggage) {
            Ok(()) => true,
            Err((SendErrorKind::Disconnected, _)) => false,
            Err((_, reason)) => {
                write_fault(&Fault::System(reason), reply);
                self.replies.send(reply, Luggage::default()).is_ok()
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.table.disconnect(self.client);
    }
}

/// Does what is asked for. Whether there is a reply, and what goes along with it.
pub(in super::super) fn respond(
    table: &Table,
    client: Identity,
    request: &[u8],
    carried: Vec<Carried>,
    reply: &mut Vec<u8>,
    reach: Reach,
) -> (bool, Luggage) {
    reply.clear();
    reply.push(DONE);
    let Some((header, arguments)) = Header::read(request) else {
        write_fault(&Fault::Decode("it is no request".to_owned()), reply);
        return (true, Luggage::default());
    };
    let mut work =
        || perform(table, client, &header, arguments, Reply { bytes: &mut *reply, reach });
    let (done, luggage) = shm::collect_for(client, || {
        if carried.is_empty() { work() } else { transfer::offer_carried(carried, work) }
    });
    let Err(fault) = done else { return (header.operation.has_reply(), luggage) };
    write_fault(&fault, reply);
    // What was to go along stays.
    drop(luggage);
    (header.operation.has_reply(), Luggage::default())
}

/// Makes a fault the reply.
pub(super) fn write_fault(fault: &Fault, reply: &mut Vec<u8>) {
    reply.clear();
    reply.push(FAILED);
    // A vector takes whatever comes.
    let _ = codec::encode_message(fault, reply);
}
