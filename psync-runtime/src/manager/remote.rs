//! A manager of another program, as its clients see it: connections, each of which serves one call at a time.

use super::{
    ManagerError,
    error::Fault,
    net::{Client, LIMIT},
    wire::{DONE, FAILED, Pieces, cut_short, take_last},
};
use crate::{
    primitive::{AtomicBool, Ordering},
    sys::random,
};
use std::sync::{Mutex, PoisonError};

/// What a client says first on each connection: which client it is. Its connections share what they hold.
pub(super) type ClientId = [u8; 16];

/// See the module.
pub(super) struct Remote {
    address: String,
    key: Vec<u8>,
    id: ClientId,
    pid: i32,
    /// Connections that no call uses.
    spare: Mutex<Vec<Client>>,
    lost: AtomicBool,
}

impl Remote {
    pub(super) fn connect(address: &str, key: &[u8]) -> Result<Self, ManagerError> {
        let id = random::bytes().map_err(|error| ManagerError::system(&error.into()))?;
        let (client, pid) = open(address, key, id)?;
        Ok(Self {
            address: address.to_owned(),
            key: key.to_vec(),
            id,
            pid,
            spare: Mutex::new(vec![client]),
            lost: AtomicBool::new(false),
        })
    }

    pub(super) const fn pid(&self) -> i32 {
        self.pid
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    fn take(&self) -> Result<Client, ManagerError> {
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // What a fork has copied is its parent's.
        let ours = core::iter::from_fn(spare).find(Client::is_ours);
        match ours {
            Some(client) => Ok(client),
            None => open(&self.address, &self.key, self.id).map(|(client, _)| client),
        }
    }

    fn keep(&self, client: Client) {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }

    /// Sends a request, and puts the reply in its place.
    pub(super) fn ask(&self, bytes: &mut Vec<u8>) -> Result<(), ManagerError> {
        // With the last connection would go what this client holds.
        if bytes.len() > LIMIT {
            return Err(ManagerError::protocol("the message is too long"));
        }
        let ask = || {
            let client = self.take()?;
            client.send_bytes(bytes)?;
            let reply = client.recv_bytes()?;
            self.keep(client);
            Ok(reply)
        };
        *bytes = ask().map_err(|error| self.judge(error))?;
        Ok(())
    }

    /// Sends a request that has no reply.
    pub(super) fn tell(&self, bytes: &[u8]) {
        // If the connection is gone, so is what it held.
        if let Ok(client) = self.take()
            && client.send_bytes(bytes).is_ok()
        {
            self.keep(client);
        }
    }

    /// A server that hangs up has ended, as far as its clients can know.
    fn judge(&self, error: ManagerError) -> ManagerError {
        match error {
            ManagerError::Disconnected | ManagerError::Refused | ManagerError::System { .. } => {
                self.lost.store(true, Ordering::Relaxed);
                ManagerError::Lost { pid: self.pid }
            }
            error => error,
        }
    }
}

fn open(address: &str, key: &[u8], id: ClientId) -> Result<(Client, i32), ManagerError> {
    let client = Client::connect(address, key)?;
    client.send_bytes(&id)?;
    let answer = client.recv_bytes()?;
    let pid = match answer.split_first() {
        Some((&DONE, pid)) => pid,
        Some((&FAILED, fault)) => return Err(take_last::<Fault>(fault)?.into()),
        _ => return Err(ManagerError::protocol("it is no manager")),
    };
    let pid = Pieces(pid).number().and_then(|pid| i32::try_from(pid).ok()).ok_or_else(cut_short)?;
    Ok((client, pid))
}
