//! The executable image of this program: which one it is, where its code lies, and functions as offsets into it.
#![allow(unsafe_code, reason = "reads the program headers that the kernel mapped")]

use core::ffi::{CStr, c_char};
use nix::libc;
use std::{ffi::CString, sync::OnceLock};

#[cfg(target_pointer_width = "64")]
type Header = libc::Elf64_Phdr;

/// What the program headers say.
#[derive(Debug)]
pub(crate) struct Image {
    /// What the loader added to every address in the file.
    base: usize,
    headers: &'static [Header],
}

/// The main program's image; `None` if the kernel does not tell where its headers are.
pub(crate) fn main_program() -> Option<&'static Image> {
    static IMAGE: OnceLock<Option<Image>> = OnceLock::new();
    IMAGE.get_or_init(Image::find).as_ref()
}

impl Image {
    fn find() -> Option<Self> {
        // SAFETY: `getauxval` reads this process's auxiliary vector.
        let address = unsafe { libc::getauxval(libc::AT_PHDR) };
        // SAFETY: as above.
        let count = unsafe { libc::getauxval(libc::AT_PHNUM) };
        let (address, count) = (usize::try_from(address).ok()?, usize::try_from(count).ok()?);
        if address == 0 {
            return None;
        }
        let first = core::ptr::with_exposed_provenance::<Header>(address);
        // SAFETY: the kernel mapped `count` program headers of the main program there; they are never unmapped or written.
        let headers = unsafe { core::slice::from_raw_parts(first, count) };
        // The headers' own entry tells where they lie in the file; without one the program is not relocated.
        let own = headers.iter().find(|header| header.p_type == libc::PT_PHDR);
        let base = own.map_or(0, |own| address.wrapping_sub(to_usize(own.p_vaddr)));
        Some(Self { base, headers })
    }

    fn segments(&self) -> impl Iterator<Item = &Header> {
        self.headers.iter().filter(|header| header.p_type == libc::PT_LOAD)
    }

    fn holds(&self, address: usize, flags: u32) -> bool {
        let offset = address.wrapping_sub(self.base);
        self.segments().any(|segment| {
            let start = to_usize(segment.p_vaddr);
            segment.p_flags & flags == flags
                && (start..start + to_usize(segment.p_memsz)).contains(&offset)
        })
    }

    /// The offset of a function of the main program, `None` if the address is not in its code.
    pub(crate) fn offset_of(&self, address: usize) -> Option<u64> {
        self.holds(address, libc::PF_X).then(|| address.wrapping_sub(self.base) as u64)
    }

    /// The offset of a variable of the main program, `None` if the address is not in its data.
    pub(crate) fn offset_of_variable(&self, address: usize) -> Option<u64> {
        self.holds(address, libc::PF_W).then(|| address.wrapping_sub(self.base) as u64)
    }

    /// The address of the function at `offset`, `None` if there is no code there.
    pub(crate) fn address_of(&self, offset: u64) -> Option<usize> {
        let address = self.base.wrapping_add(usize::try_from(offset).ok()?);
        self.holds(address, libc::PF_X).then_some(address)
    }

    /// Where in the program a text lies that is part of it; `None` if it is not.
    pub(crate) fn offset_of_text(&self, text: &str) -> Option<u64> {
        let offset = text.as_ptr().addr().wrapping_sub(self.base) as u64;
        self.is_constant(offset, text.len() as u64).then_some(offset)
    }

    /// The `len` bytes at `offset`, if they are constants of the program.
    pub(crate) fn constant(&self, offset: u64, len: u64) -> Option<&'static [u8]> {
        if !self.is_constant(offset, len) {
            return None;
        }
        let address = self.base.wrapping_add(to_usize(offset));
        let first = core::ptr::with_exposed_provenance::<u8>(address);
        // SAFETY: the range lies in one segment of the main program, which is mapped as long as it runs and which nobody writes to. Where another process
        // has written it down, it was checked just now, and any bytes are valid.
        Some(unsafe { core::slice::from_raw_parts(first, to_usize(len)) })
    }

    fn is_constant(&self, offset: u64, len: u64) -> bool {
        self.segments().any(|segment| {
            let rest = offset.checked_sub(segment.p_vaddr);
            segment.p_flags & (libc::PF_R | libc::PF_W) == libc::PF_R
                && rest
                    .and_then(|rest| rest.checked_add(len))
                    .is_some_and(|end| end <= segment.p_memsz)
        })
    }

    /// The functions in `.init_array`, in order.
    pub(crate) fn constructors(&self) -> &'static [usize] {
        const INIT_ARRAY: i64 = 25;
        const INIT_ARRAY_SIZE: i64 = 27;
        let Some(dynamic) = self.headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC)
        else {
            return &[];
        };
        let first = core::ptr::with_exposed_provenance::<[i64; 2]>(
            self.base.wrapping_add(to_usize(dynamic.p_vaddr)),
        );
        // SAFETY: PT_DYNAMIC names the main program's dynamic section, which is mapped and ends within `p_memsz`.
        let entries = unsafe {
            core::slice::from_raw_parts(first, to_usize(dynamic.p_memsz) / size_of::<[i64; 2]>())
        };
        let entry = |tag| {
            entries
                .iter()
                .take_while(|[t, _]| *t != 0)
                .find(|[t, _]| *t == tag)
                .map(|[_, value]| value.cast_unsigned())
        };
        let (Some(start), Some(size)) = (entry(INIT_ARRAY), entry(INIT_ARRAY_SIZE)) else {
            return &[];
        };
        let first =
            core::ptr::with_exposed_provenance::<usize>(self.base.wrapping_add(to_usize(start)));
        // SAFETY: the dynamic section says that this many function addresses lie there; the loader has relocated them.
        unsafe { core::slice::from_raw_parts(first, to_usize(size) / size_of::<usize>()) }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "64-bit targets only")]
const fn to_usize(value: u64) -> usize {
    value as usize
}

/// The path that the program was executed by, for when `/proc/self/exe` is closed to it: in a process that has changed its user.
pub(crate) fn executed_as() -> Option<CString> {
    // SAFETY: `getauxval` reads this process's auxiliary vector.
    let address = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let first = core::ptr::with_exposed_provenance::<c_char>(
        usize::try_from(address).ok().filter(|&address| address != 0)?,
    );
    // SAFETY: the kernel put a string there, which nobody changes.
    Some(unsafe { CStr::from_ptr(first) }.to_owned())
}

/// Tells one build of the program from another: a hash of its program headers and of the notes that they name, which
/// hold the build-id where the linker made one.
pub(crate) fn fingerprint() -> u64 {
    static FINGERPRINT: OnceLock<u64> = OnceLock::new();
    *FINGERPRINT.get_or_init(|| {
        let Some(image) = main_program() else { return 0 };
        let mut hash = 0xcbf2_9ce4_8422_2325;
        for header in image.headers {
            for word in [
                header.p_type.into(),
                header.p_flags.into(),
                header.p_offset,
                header.p_vaddr,
                header.p_filesz,
                header.p_memsz,
            ] {
                hash = mix(hash, word);
            }
            if header.p_type == libc::PT_NOTE {
                let start = core::ptr::with_exposed_provenance::<u8>(
                    image.base.wrapping_add(to_usize(header.p_vaddr)),
                );
                // SAFETY: a note segment of the main program is mapped, read-only, and this long.
                let note = unsafe { core::slice::from_raw_parts(start, to_usize(header.p_memsz)) };
                hash = note.iter().fold(hash, |hash, &byte| mix(hash, byte.into()));
            }
        }
        hash
    })
}

const fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_ours_goes_there_and_back() {
        let address = fingerprint as *const () as usize;
        let image = main_program().expect("the test harness has an image");
        let offset = image.offset_of(address).expect("our code");
        assert_eq!(image.address_of(offset), Some(address));
    }

    #[test]
    fn data_and_foreign_code_are_not_functions_of_ours() {
        let image = main_program().expect("the test harness has an image");
        let local = 0_u8;
        assert_eq!(image.offset_of((&raw const local).addr()), None);
        assert_eq!(image.offset_of(libc::getpid as *const () as usize), None);
    }

    #[test]
    fn variables_of_ours_are_told_from_others() {
        static OURS: crate::primitive::AtomicUsize = crate::primitive::AtomicUsize::new(1);
        let image = main_program().expect("the test harness has an image");
        assert!(image.offset_of_variable((&raw const OURS).addr()).is_some());
        let local = 0_u8;
        assert_eq!(image.offset_of_variable((&raw const local).addr()), None);
        assert_eq!(image.offset_of_variable(fingerprint as *const () as usize), None, "code");
    }

    #[test]
    fn the_program_knows_what_it_was_executed_by() {
        use std::os::unix::ffi::OsStrExt;
        let path = executed_as().expect("the kernel tells");
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()));
        assert_eq!(path.file_name(), std::env::current_exe().expect("/proc is there").file_name());
    }

    #[test]
    fn constructors_are_code_of_ours() {
        let image = main_program().expect("the test harness has an image");
        assert!(!image.constructors().is_empty());
    }
}
