//! What generated code may name, and nothing else. Not a public interface.

pub use crate::process::{
    Group, OnFailure, Settings, Spec, parallel, run_spec as run, spawn_in, spawn_spec as spawn,
};
