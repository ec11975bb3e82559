//! Memory that processes share: the world segment of the program, and the segments that users make.
pub(crate) mod world;
