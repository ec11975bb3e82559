//! Kills processes with SIGKILL at random moments while they use the primitives, and looks at what is left.
//!
//! A program without the test harness, so that it has one thread and may fork.
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::disallowed_types, reason = "no model checker runs this")]

mod barrier;
mod event;
mod mutex;
mod process;
mod semaphore;
mod value;

use psync_runtime::sync::testing;

fn main() {
    testing::make_world();
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let tests: &[(&str, fn())] = &[
        ("mutex::poisoned_exactly_if_held", mutex::poisoned_exactly_if_held),
        ("mutex::survivors_go_on", mutex::survivors_go_on),
        ("mutex::a_sleeper_gets_the_lock_of_the_dead", mutex::a_sleeper_gets_the_lock_of_the_dead),
        ("value::deaths_roll_back", value::deaths_roll_back),
        ("semaphore::permits_come_back", semaphore::permits_come_back),
        ("semaphore::permits_of_a_crowd_come_back", semaphore::permits_of_a_crowd_come_back),
        ("semaphore::a_death_loses_no_release", semaphore::a_death_loses_no_release),
        ("semaphore::sleepers_get_the_permits_of_the_dead", semaphore::sleepers_get_permits),
        ("semaphore::many_holders_spill", semaphore::many_holders_spill),
        ("semaphore::forgotten_permits_do_not", semaphore::forgotten_permits_do_not),
        ("event::deaths_lose_no_wake_up", event::deaths_lose_no_wake_up),
        ("barrier::a_death_inside_breaks_it", barrier::a_death_inside_breaks_it),
        ("barrier::a_sleeping_party_is_missed", barrier::a_sleeping_party_is_missed),
        ("barrier::a_death_in_the_action_breaks_it", barrier::a_death_in_the_action_breaks_it),
        ("unreported deaths", unreported_deaths),
        // From here on without the kernel's help.
        ("(foreign C library)", without_marks),
        ("mutex::poisoned_exactly_if_held, unmarked", mutex::poisoned_exactly_if_held),
        ("mutex::a_sleeper_gets_it, unmarked", mutex::a_sleeper_gets_the_lock_of_the_dead),
        ("value::deaths_roll_back, unmarked", value::deaths_roll_back),
        ("semaphore::permits_come_back, unmarked", semaphore::permits_come_back),
        ("semaphore::a_death_loses_no_release, unmarked", semaphore::a_death_loses_no_release),
        ("barrier::a_death_inside_breaks_it, unmarked", barrier::a_death_inside_breaks_it),
        ("unreported deaths, unmarked", unreported_deaths),
    ];
    for (name, test) in tests {
        let is_wanted = filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
        if is_wanted || name.starts_with('(') {
            process::alarm(60);
            eprint!("test {name} ... ");
            let began = std::time::Instant::now();
            test();
            eprintln!("ok ({} ms)", began.elapsed().as_millis());
        }
    }
}

/// From here on the kernel does not mark the locks of the dead.
fn without_marks() {
    testing::pretend_foreign_c_library();
    process::shorten();
}

/// What happens within a second even if nobody tells the world of a death.
fn unreported_deaths() {
    process::without_reports(|| {
        mutex::a_sleeper_gets_the_lock_of_the_dead();
        semaphore::sleepers_get_permits();
        barrier::a_sleeping_party_is_missed();
    });
}
