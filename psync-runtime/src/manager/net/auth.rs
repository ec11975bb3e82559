//! The handshake: both sides prove that they know the key, and neither shows it.

use super::{
    frame::{self, Tag},
    stream::{Stream, failed},
};
use crate::{
    manager::ManagerError,
    sys::{clock::Deadline, random},
};
use core::time::Duration;
use hmac::Mac as _;

/// How long a handshake may take altogether.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

const MAGIC: [u8; 8] = *b"psyncM01";
type Nonce = [u8; 32];

/// What the MACs of a connection are made with.
pub(super) struct Keys {
    pub(super) send: frame::Key,
    pub(super) receive: frame::Key,
}

/// A MAC over what it is for and both random numbers.
fn mac(key: &[u8], purpose: &[u8], server: &Nonce, client: &Nonce) -> frame::Key {
    let mut mac = frame::key(key);
    mac.update(purpose);
    mac.update(server);
    mac.update(client);
    mac
}

fn session_key(key: &[u8], purpose: &[u8], server: &Nonce, client: &Nonce) -> frame::Key {
    frame::key(&mac(key, purpose, server, client).finalize().into_bytes())
}

const OF_CLIENT: &[u8] = b"psync proof of the client";
const OF_SERVER: &[u8] = b"psync proof of the server";
const TO_CLIENT: &[u8] = b"psync key to the client";
const TO_SERVER: &[u8] = b"psync key to the server";

fn broken(error: &std::io::Error) -> ManagerError {
    failed("the handshake failed", error)
}

/// The server's side.
pub(super) fn greet(stream: &mut Stream, key: &[u8]) -> Result<Keys, ManagerError> {
    let deadline = Deadline::after(PATIENCE);
    let server: Nonce = random::bytes().map_err(|error| ManagerError::system(&error.into()))?;
    stream.write_all(&[&MAGIC[..], &server].concat(), deadline).map_err(|e| broken(&e))?;
    let (mut client, mut proof): (Nonce, Tag) = ([0; 32], [0; 32]);
    stream.read_all(&mut client, deadline).map_err(|e| broken(&e))?;
    stream.read_all(&mut proof, deadline).map_err(|e| broken(&e))?;
    // In constant time.
    mac(key, OF_CLIENT, &server, &client)
        .verify_slice(&proof)
        .map_err(|_| ManagerError::Refused)?;
    let proof = mac(key, OF_SERVER, &server, &client).finalize().into_bytes();
    stream.write_all(&proof, deadline).map_err(|e| broken(&e))?;
    Ok(Keys {
        send: session_key(key, TO_CLIENT, &server, &client),
        receive: session_key(key, TO_SERVER, &server, &client),
    })
}

/// The client's side.
pub(super) fn knock(stream: &mut Stream, key: &[u8]) -> Result<Keys, ManagerError> {
    let deadline = Deadline::after(PATIENCE);
    let mut opening = [0; MAGIC.len() + 32];
    stream.read_all(&mut opening, deadline).map_err(|e| broken(&e))?;
    let Some((magic, server)) = opening.split_first_chunk::<8>() else {
        return Err(ManagerError::Refused);
    };
    let (true, Some(&server)) = (*magic == MAGIC, server.first_chunk()) else {
        return Err(ManagerError::protocol("it is no server of psync"));
    };
    let client: Nonce = random::bytes().map_err(|error| ManagerError::system(&error.into()))?;
    let proof = mac(key, OF_CLIENT, &server, &client).finalize().into_bytes();
    stream.write_all(&[&client[..], &proof].concat(), deadline).map_err(|e| broken(&e))?;
    let mut proof: Tag = [0; 32];
    // A server that does not like the proof hangs up.
    stream.read_all(&mut proof, deadline).map_err(|error| match broken(&error) {
        ManagerError::Disconnected => ManagerError::Refused,
        error => error,
    })?;
    mac(key, OF_SERVER, &server, &client)
        .verify_slice(&proof)
        .map_err(|_| ManagerError::Refused)?;
    Ok(Keys {
        send: session_key(key, TO_SERVER, &server, &client),
        receive: session_key(key, TO_CLIENT, &server, &client),
    })
}
