//! Primitives.
/// E
#[derive(Debug)]
pub struct Event;
impl Event {
    /// E
    pub fn is_set(&self) -> bool {
        true
    }
    pub(crate) fn word(&self) -> &crate::primitive::AtomicU32 {
        unimplemented!()
    }
    pub(crate) fn arm(&self) -> u32 {
        0
    }
}
