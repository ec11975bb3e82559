//! Lack of everything that a process can run out of: an error that says what is lacking, and all is well once it is there again.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{
    descriptors, eventually,
    limits::{Cgroup, address_space, lower, raise, room_for, with_limit},
    one_at_a_time,
    programs::{program, run, told},
    watchdog,
};
use psync::{active_children, prelude::*};
use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio as StdStdio},
};

/// Runs a part of a test in a process of its own, whose limits are nobody else's.
fn inside(part: fn(())) {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let process = psync::spawn_with(Options::new().name("limited"), part, ());
    process.expect("a start").join().expect("the part succeeds");
    assert_eq!(active_children(), []);
}

#[process]
fn count(runs: &Value<u32>, n: usize) -> usize {
    runs.update(|runs| runs + 1);
    n + 1
}

fn with(method: StartMethod) -> Options {
    Options::new().start_method(method)
}

/// All methods work, and this process has the descriptors that it had before.
fn all_is_well(before: &[i32]) {
    for method in StartMethod::ALL {
        let runs = Shared::new(Value::new(0)).expect("shared memory");
        let process = count::spawn_with(with(method), &runs, 1).expect("a start");
        assert_eq!(process.join().expect("a result"), 2);
        assert_eq!(runs.get(), 1);
        let memory = Shared::<[u8]>::zeroed(1 << 20).expect("shared memory");
        assert_eq!(memory[(1 << 20) - 1], 0);
    }
    assert_eq!(descriptors(), before);
    assert_eq!(active_children(), []);
}

#[test]
fn without_descriptors_for_a_start() {
    inside(|()| {
        let runs = Shared::new(Value::new(0)).expect("shared memory");
        for method in StartMethod::ALL {
            // What all starts need is made while there is room for it.
            assert!(
                count::spawn_with(with(method), &runs, 0).is_ok_and(|run| run.wait().success())
            );
        }
        let before = descriptors();
        for method in StartMethod::ALL {
            runs.set(0);
            let mut ran = 0;
            for spare in 0..=12 {
                let limit = room_for(spare);
                let started = with_limit(libc::RLIMIT_NOFILE, limit, || {
                    count::spawn_with(with(method), &runs, spare).map(|process| {
                        process.wait();
                        process.join()
                    })
                });
                match started {
                    Ok(result) => {
                        assert_eq!(result.expect("a result"), spare + 1, "{method:?}");
                        ran += 1;
                    }
                    Err(error) => {
                        let text = error.to_string();
                        assert!(
                            matches!(&error, SpawnError::Os(error) if error.raw_os_error() == libc::EMFILE),
                            "{method:?} with {spare} to spare: {error:?}"
                        );
                        assert!(
                            text.contains("RLIMIT_NOFILE") && text.contains("failed"),
                            "{text}"
                        );
                    }
                }
                assert_eq!(descriptors(), before, "{method:?} with {spare} to spare");
                assert_eq!(active_children(), [], "{method:?} with {spare} to spare");
                // What is reported as not started has not run.
                assert_eq!(runs.get(), ran, "{method:?} with {spare} to spare");
            }
            assert!((1..13).contains(&ran), "{method:?}: {ran} of 13 have run");
        }
        all_is_well(&before);
    });
}

#[test]
fn without_descriptors_for_shared_memory() {
    inside(|()| {
        assert!(Shared::new(Value::new(0)).is_ok());
        assert!(Shared::<[u8]>::zeroed(1 << 20).is_ok());
        let before = descriptors();
        let mut made = 0;
        for spare in 0..=8 {
            let limit = room_for(spare);
            let (large, small) = with_limit(libc::RLIMIT_NOFILE, limit, || {
                (Shared::<[u8]>::zeroed(1 << 20), Shared::new(Value::new(spare)))
            });
            match large {
                Ok(memory) => {
                    assert_eq!(memory.len(), 1 << 20);
                    made += 1;
                }
                Err(error) => refers_to(&error, &["memfd_create failed", "RLIMIT_NOFILE"]),
            }
            match small {
                Ok(value) => assert_eq!(value.get(), spare),
                Err(error) => refers_to(&error, &["memfd_create failed", "RLIMIT_NOFILE"]),
            }
            assert_eq!(descriptors(), before, "{spare} to spare");
        }
        assert!((1..9).contains(&made), "{made} of 9 were made");
        let start = psync::spawn(|n: u32| n, 5).expect("a start");
        assert_eq!(start.join().expect("a result"), 5);
    });
}

fn refers_to(error: &dyn std::fmt::Display, words: &[&str]) {
    let text = error.to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[test]
fn without_address_space() {
    inside(|()| {
        let runs = Shared::new(Value::new(0)).expect("shared memory");
        assert_eq!(count::run(&runs, 0).expect("a result"), 1);
        let before = descriptors();
        let limit = address_space(64 << 20);
        let (memory, started) = with_limit(libc::RLIMIT_AS, limit, || {
            let started = StartMethod::ALL
                .map(|method| count::spawn_with(with(method), &runs, 1).map(psync::Process::join));
            (Shared::<[u8]>::zeroed(256 << 20), started)
        });
        let error = memory.expect_err("there is no room for it");
        refers_to(&error, &["mmap failed", "RLIMIT_AS"]);
        for (method, started) in StartMethod::ALL.into_iter().zip(started) {
            match started {
                Ok(result) => assert_eq!(result.expect("a result"), 2, "{method:?}"),
                Err(error) => refers_to(&error, &["failed", "RLIMIT_AS"]),
            }
        }
        assert_eq!(
            Shared::<[u8]>::zeroed(256 << 20).expect("there is room again").len(),
            256 << 20
        );
        all_is_well(&before);
    });
}

/// A result for which there is no room is an error of its process.
#[test]
fn without_address_space_for_a_result() {
    inside(|()| {
        assert!(psync::spawn(|()| (), ()).is_ok_and(|process| process.join().is_ok()));
        let before = descriptors();
        for method in StartMethod::ALL {
            let large = |()| {
                let text = "x".repeat(100 << 20);
                lower(libc::RLIMIT_AS, address_space(16 << 20));
                text
            };
            let process = psync::spawn_with(with(method), large, ()).expect("a start");
            let error = process.join().expect_err("there is no room for it");
            assert!(matches!(error, ProcessError::Encode { .. }), "{error:?}");
            refers_to(&error, &["mmap failed", "RLIMIT_AS"]);
        }
        all_is_well(&before);
    });
}

/// Takes the address space away where it arrives; what comes after it finds little.
#[derive(serde::Serialize)]
struct Squeeze;

impl<'de> serde::Deserialize<'de> for Squeeze {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer)?;
        lower(libc::RLIMIT_AS, address_space(64 << 20));
        Ok(Self)
    }
}

#[test]
fn without_address_space_for_an_argument() {
    inside(|()| {
        assert!(psync::spawn(|()| (), ()).is_ok_and(|process| process.join().is_ok()));
        let before = descriptors();
        let length = |(Squeeze, text): (Squeeze, String)| text.len();
        for method in StartMethod::ALL {
            let text = "x".repeat(300 << 20);
            let process = psync::spawn_with(with(method), length, (Squeeze, text));
            match process.expect("a start").join() {
                Err(ProcessError::Signaled { signal: libc::SIGABRT, .. }) => {}
                Err(ProcessError::Decode { reason, .. }) => assert!(!reason.is_empty()),
                other => panic!("{method:?}: {other:?}"),
            }
        }
        all_is_well(&before);
    });
}

#[test]
fn without_large_files() {
    inside(|()| {
        let runs = Shared::new(Value::new(0)).expect("shared memory");
        assert_eq!(count::run(&runs, 0).expect("a result"), 1);
        let before = descriptors();
        lower(libc::RLIMIT_FSIZE, 1 << 20);
        let error = Shared::<[u8]>::zeroed(8 << 20).expect_err("it is too large");
        refers_to(&error, &["ftruncate failed", "RLIMIT_FSIZE"]);
        assert_eq!(Shared::<[u8]>::zeroed(1 << 19).expect("it is small").len(), 1 << 19);
        // Neither arguments nor results are files to anybody but psync.
        for method in StartMethod::ALL {
            let echo = |text: String| text;
            let text = "x".repeat(3 << 20);
            let process = psync::spawn_with(with(method), echo, text.clone()).expect("a start");
            assert!(process.join().expect("a result") == text);
        }
        raise(libc::RLIMIT_FSIZE);
        assert_eq!(Shared::<[u8]>::zeroed(8 << 20).expect("shared memory").len(), 8 << 20);
        all_is_well(&before);
    });
}

/// What a process needs for its first start cannot be made.
#[test]
fn without_large_files_for_the_first_start() {
    inside(|()| {
        let before = descriptors();
        let first = with_limit(libc::RLIMIT_FSIZE, 1 << 20, || psync::spawn(|()| (), ()));
        refers_to(&first.expect_err("there is no store"), &["ftruncate failed", "RLIMIT_FSIZE"]);
        assert_eq!(descriptors(), before);
        psync::spawn(|()| (), ()).expect("a start").join().expect("a result");
        all_is_well(&descriptors());
    });
}

/// The first start of a program, which needs the most.
#[test]
fn without_descriptors_for_the_first_start() {
    let _watchdog = watchdog();
    assert_eq!(run(["limits", "nofile"]), "all went well\n");
}

/// Root may have any number of processes, so these programs run as somebody else.
#[test]
fn without_processes() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    // SAFETY: asks for a number.
    if unsafe { libc::geteuid() } != 0 {
        eprintln!("skipped: only root can be somebody for whom RLIMIT_NPROC counts");
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    let copy = place.path().join("program");
    fs::copy(program(), &copy).expect("a copy");
    for path in [place.path(), &copy] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("for everybody");
    }
    for most in 6..10 {
        let said = limited_to(most, &copy, "nproc");
        assert!(said.contains("RLIMIT_NPROC"), "{said}");
    }
    for most in 1..6 {
        let said = limited_to(most, &copy, "nproc-first");
        assert!(said.starts_with("started") || said.contains("RLIMIT_NPROC"), "{most}: {said}");
    }
}

/// For whom the limit counts. What others have as this user counts with it.
const NOBODY: u32 = 65_534;

/// Whether this user has no processes: a program's supervisor may outlive it for a moment.
fn nobody_is_here() -> bool {
    let all = fs::read_dir("/proc").expect("/proc");
    let mut owners = all.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.uid()));
    owners.all(|owner| owner != NOBODY)
}

/// Runs a command of a program as a user who may have `most` processes and threads.
fn limited_to(most: usize, program: &Path, what: &str) -> String {
    assert!(eventually(nobody_is_here), "user {NOBODY} has other processes");
    let mut command = Command::new(program);
    command.args(["limits", what]).uid(NOBODY).gid(NOBODY).current_dir("/");
    command.stdin(StdStdio::null());
    // SAFETY: two system calls, and no memory is taken unless they fail.
    unsafe {
        command.pre_exec(move || {
            lower(libc::RLIMIT_NPROC, most);
            Ok(())
        });
    }
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{most}: {}", told(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// Moves itself into a cgroup, and asks for more than that may have.
#[process]
fn ask_for_too_much(group: PathBuf, len: usize) -> Result<usize, String> {
    let own = psync::current().pid().to_string();
    fs::write(group.join("cgroup.procs"), own).expect("it can be entered");
    match Shared::<[u8]>::zeroed(len) {
        Ok(memory) => Ok(memory.len()),
        Err(error) => Err(error.to_string()),
    }
}

/// The kernel may refuse, or end the process that asks; its starter is not touched.
#[test]
fn without_memory_in_the_cgroup() {
    let (_watchdog, _alone) = (watchdog(), one_at_a_time());
    let group = match Cgroup::new(64 << 20) {
        Ok(group) => group,
        Err(error) => return eprintln!("skipped: there is no memory cgroup to be had: {error}"),
    };
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let ask = |len| {
            let process = ask_for_too_much::spawn_with(with(method), group.path(), len);
            process.expect("a start").join()
        };
        assert_eq!(ask(8 << 20).expect("a result"), Ok(8 << 20));
        match ask(256 << 20) {
            Ok(Err(text)) => refers_to(&text, &["failed", "cgroup"]),
            Err(ProcessError::Signaled { signal: libc::SIGKILL, .. }) => {}
            other => panic!("{method:?}: {other:?}"),
        }
        assert_eq!(ask(8 << 20).expect("a result"), Ok(8 << 20));
    }
    assert_eq!(psync::spawn(|n: u32| n, 5).expect("a start").join().expect("a result"), 5);
}
