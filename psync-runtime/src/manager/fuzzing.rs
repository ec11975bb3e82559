//! What the fuzz targets need of the inside: a server that a client of another program asks, and what comes over a connection.
#![allow(missing_docs, reason = "for the fuzz targets of this repository only")]

pub use super::{
    net::fuzzing::{Frames, arrive, greet, knock},
    serve::fuzzing::{OWN, Visit},
};
