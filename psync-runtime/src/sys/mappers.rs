//! Which processes have a file mapped, by asking the kernel about every process there is.

use super::procfs::Stat;
use nix::sys::stat::{major, minor};
use std::io::ErrorKind;

/// Device and number of a file.
pub(crate) type Inode = (u64, u64);

/// The pids of all processes that have one of the files mapped, and of those that might: they belong to this user, began at `since` (in ticks since
/// boot) or later, and do not let anybody look at them. `None` if the kernel does not tell which processes there are.
pub(crate) fn mappers(files: &[Inode], since: u64) -> Option<Vec<i32>> {
    let wanted: Vec<String> = files.iter().map(as_shown).collect();
    let all = std::fs::read_dir("/proc").ok()?;
    let pids = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    Some(pids.filter(|&pid| maps_any(pid, &wanted, since)).collect())
}

/// As it stands in a line of `/proc/PID/maps`, between the offset and the name.
fn as_shown(&(device, number): &Inode) -> String {
    format!(" {:02x}:{:02x} {number} ", major(device), minor(device))
}

fn maps_any(pid: i32, wanted: &[String], since: u64) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/maps")) {
        Ok(maps) => maps
            .lines()
            .any(|line| line.contains("/memfd:") && wanted.iter().any(|file| line.contains(file))),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            is_ours(pid)
                && Stat::of(pid).is_some_and(|stat| stat.started >= since && !stat.is_zombie())
        }
        // It has ended.
        Err(_) => false,
    }
}

/// Whether the process belongs to this one's user; not if it has ended.
fn is_ours(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let user = user.and_then(|users| users.split_ascii_whitespace().next()?.parse().ok());
    user == Some(nix::unistd::getuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::memory;
    use std::os::fd::AsFd;

    fn inode(file: impl AsFd) -> Inode {
        let stat = nix::sys::stat::fstat(file).expect("a file");
        (stat.st_dev, stat.st_ino)
    }

    #[test]
    fn whoever_maps_a_file_is_found() {
        let [mapped, other] = ["psync-mapped", "psync-other"].map(|name| {
            let file = memory::anonymous_file(name).expect("a file");
            memory::set_size(&file, 4096).expect("its size");
            file
        });
        let own = nix::unistd::getpid().as_raw();
        let who = |file| mappers(&[inode(file)], u64::MAX).expect("/proc");
        assert_eq!(who(&mapped), []);
        let mapping = memory::map(&mapped, 0, 4096).expect("mapped");
        assert_eq!((who(&mapped), who(&other)), (vec![own], vec![]));
        drop(mapping);
        assert_eq!(who(&mapped), []);
    }
}
