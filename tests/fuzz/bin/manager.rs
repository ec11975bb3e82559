//! The fuzz target `manager`, with a fuzzer around it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| psync_fuzz::manager::run(data));
