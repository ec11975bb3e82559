//! Bytes that nobody can foresee.
#![allow(unsafe_code, reason = "a system call that fills a buffer")]

use super::OsError;
use nix::{errno::Errno, libc};

/// As many as there are in the array, from the kernel.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], OsError> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        let rest = &mut bytes[filled..];
        // SAFETY: the kernel writes at most as many bytes as the slice has.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match Errno::result(got) {
            Ok(got) => filled += got.unsigned_abs(),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(OsError::new("getrandom", errno)),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_differ() {
        assert_ne!(bytes::<32>().expect("the kernel has some"), bytes::<32>().expect("and more"));
    }
}
