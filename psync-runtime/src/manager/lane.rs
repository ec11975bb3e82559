//! A lane: one thread's way to the server and back, as the client has it.

use super::{error::ManagerError, server::Server};
use crate::{
    channel::{ByteReceiver, ByteSender, Limit, RecvError, SendErrorKind, bytes},
    shm::{
        Carried, Luggage,
        world::{Identity, me},
    },
    sys::fault,
};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// How long a client waits for the server to answer for the first time before it looks whether that lives. A hello that nobody has heard is no
/// connection whose end could be seen.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a client says first: who it is, and the server's ends of a lane.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) client: u32,
    pub(super) requests: ByteReceiver,
    pub(super) replies: ByteSender,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lane {
    /// The process whose it is; a forked copy of that must not use it.
    holder: Identity,
    requests: ByteSender,
    replies: ByteReceiver,
}

impl Lane {
    /// Opens a lane to the server.
    pub(super) fn open(server: &Server) -> Result<Self, ManagerError> {
        let system = |error: crate::Error| ManagerError::system(&error);
        let (requests, their_requests) = bytes().map_err(system)?;
        let (their_replies, replies) = bytes().map_err(system)?;
        let holder = me().id;
        let hello =
            Hello { client: holder.bits(), requests: their_requests, replies: their_replies };
        server.say_hello(hello)?;
        fault::point("manager: hello said");
        let lane = Self { holder, requests, replies };
        let mut answer = Vec::new();
        loop {
            match lane.replies.receive(&mut answer, Limit::after(PATIENCE)) {
                Ok(_) => return Ok(lane),
                Err(RecvError::TimedOut) if server.is_alive() => {}
                Err(RecvError::TimedOut | RecvError::Disconnected) => return Err(server.lost()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether this process may use it.
    pub(super) fn is_ours(&self) -> bool {
        self.holder == me().id
    }

    /// Sends a request that has no reply. Never waits.
    pub(super) fn tell(&self, request: &[u8]) {
        // If the server is gone, so is what it was to be told about.
        let _ = self.requests.send(request, Luggage::default());
        fault::point("manager: told");
    }

    /// Sends a request, and puts the reply in its place.
    #[inline]
    pub(super) fn ask(
        &self,
        server: &Server,
        bytes: &mut Vec<u8>,
        luggage: Luggage,
    ) -> Result<Vec<Carried>, ManagerError> {
        self.requests.send(bytes, luggage).map_err(|(kind, reason)| match kind {
            SendErrorKind::Disconnected => server.lost(),
            _ => ManagerError::System { reason },
        })?;
        fault::point("manager: request sent");
        let carried = self.replies.receive(bytes, Limit::FOREVER).map_err(|error| match error {
            RecvError::Disconnected => server.lost(),
            RecvError::Decode(reason) => ManagerError::Decode { reason },
            error => error.into(),
        })?;
        fault::point("manager: reply received");
        Ok(carried)
    }
}
