//! A process that gives up its privileges does not get them back in the processes that it starts.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::watchdog;
use psync::prelude::*;

const NOBODY: u32 = 65534;

#[process]
fn acts_for() -> (u32, u32) {
    // SAFETY: asks for a number.
    let user = unsafe { libc::geteuid() };
    // SAFETY: as above.
    let group = unsafe { libc::getegid() };
    (user, group)
}

/// As whom it acts after it has changed its user, and as whom a process that it starts then does.
#[process]
fn step_down(method: bool) -> Result<[(u32, u32); 2], String> {
    // SAFETY: changes a number of this process.
    let group = unsafe { libc::setgid(NOBODY) };
    assert_eq!(group, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: as above.
    let user = unsafe { libc::setuid(NOBODY) };
    assert_eq!(user, 0, "{}", std::io::Error::last_os_error());
    let method = if method { StartMethod::ForkServer } else { StartMethod::Spawn };
    let child = acts_for::spawn_with(Options::new().start_method(method))
        .map_err(|error| error.to_string())?;
    Ok([acts_for(), child.join().map_err(|error| error.to_string())?])
}

#[test]
fn processes_act_for_the_user_that_their_starter_acts_for() {
    let _watchdog = watchdog();
    let before = acts_for();
    if before.0 != 0 {
        println!("skipped: only root can become somebody else");
        return;
    }
    for method in [true, false] {
        match step_down::run(method).expect("a process") {
            Ok(users) => assert_eq!(users, [(NOBODY, NOBODY); 2]),
            // Where the program lies in a directory that is closed to others, they cannot execute it.
            Err(error) => assert!(error.contains("Permission denied"), "{error}"),
        }
        assert_eq!(acts_for::run().expect("a process"), before);
    }
}
