//! Stands in for the runtime's `channel::windows`: nothing needs to be mapped.

use super::raw::Memory;
use crate::{shm::Segment, sys::OsError};
use core::ptr::NonNull;
use std::sync::Arc;

/// See the runtime's.
#[derive(Debug)]
pub(super) struct Windows(Arc<Segment>);

impl Windows {
    pub(super) const fn new(segment: Arc<Segment>) -> Self {
        Self(segment)
    }
}

impl Memory for Windows {
    fn at(&mut self, place: u64) -> Result<NonNull<u8>, OsError> {
        Ok(self.0.at(place))
    }

    fn at_to_write(&mut self, place: u64) -> Result<NonNull<u8>, OsError> {
        Ok(self.0.at_to_write(place))
    }

    fn reserve(&self, place: u64, len: u64) -> Result<(), OsError> {
        self.0.reserve(place, len);
        Ok(())
    }

    fn punch(&self, place: u64, len: u64) {
        self.0.punch(place, len);
    }

    fn write(&self, place: u64, parts: &[&[u8]]) -> Result<(), OsError> {
        self.0.write(place, &parts.concat());
        Ok(())
    }
}
