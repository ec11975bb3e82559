//! Kills producers and consumers of queues with SIGKILL at random moments, and looks at what is left.
//!
//! A program without the test harness, so that it has one thread and may fork. `PSYNC_KILLS` says how many kills; 1,000 if it is not set.
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::disallowed_types, reason = "no model checker runs this")]

#[path = "../robust/process.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod process;

mod jobs;
mod messages;

fn kills() -> usize {
    std::env::var("PSYNC_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(1_000)
}

/// A test, told how many kills to make.
type Test = fn(usize);

fn main() {
    psync_runtime::sync::testing::make_world();
    let tests: &[(&str, Test)] = &[
        ("messages::one_producer_is_killed", messages::one_producer_is_killed),
        ("messages::one_consumer_is_killed", messages::one_consumer_is_killed),
        ("messages::anybody_is_killed", messages::anybody_is_killed),
        ("messages::a_stopped_process_is_not_dead", messages::a_stopped_process_is_not_dead),
        ("jobs::workers_are_killed", jobs::workers_are_killed),
    ];
    for (name, test) in tests {
        process::alarm(300);
        eprint!("test {name} ... ");
        let began = std::time::Instant::now();
        test(kills() / 4);
        eprintln!("ok ({} ms)", began.elapsed().as_millis());
    }
}
