//! The start methods, chosen and mixed.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{
    programs::{run, scratch},
    watchdog,
};
use psync::prelude::*;

/// `TestStartMethod.test_get_all_start_methods`
#[test]
fn there_are_three_and_the_first_is_the_default() {
    let expected = [StartMethod::ForkServer, StartMethod::Spawn, StartMethod::Fork];
    assert_eq!((StartMethod::ALL, StartMethod::default()), (expected, StartMethod::ForkServer));
}

#[process(start_method = StartMethod::Spawn, name = "afresh")]
fn afresh() -> (String, Option<String>) {
    let method = psync::current().start_method().map(|method| format!("{method:?}"));
    (psync::current().name().to_owned(), method)
}

/// `TestStartMethod.test_set_get`
#[test]
fn a_function_may_choose_and_its_caller_may_choose_otherwise() {
    let _watchdog = watchdog();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(afresh::run().expect("ends"), ("afresh".to_owned(), text("Spawn")));
    let options = Options::new().start_method(StartMethod::ForkServer).name("forked");
    let process = afresh::spawn_with(options).expect("a start");
    assert_eq!(process.join().expect("ends"), ("forked".to_owned(), text("ForkServer")));
    let chosen_nowhere = psync::spawn(|()| psync::current().start_method().is_some(), ());
    assert!(chosen_nowhere.expect("a start").join().expect("ends"));
}

#[shared]
struct Box {
    numbers: Mutex<List<u32, 8>>,
}

#[process]
fn put(numbers: &Box, number: u32) {
    numbers.numbers.lock().expect("sound").push(number).expect("room");
}

#[process]
fn put_and_pass_on(numbers: Shared<Box>, method: bool) {
    put::run(&numbers, 1).expect("ends");
    let method = if method { StartMethod::Spawn } else { StartMethod::ForkServer };
    let options = Options::new().start_method(method);
    put::spawn_with(options, &numbers, 2).expect("a start").join().expect("ends");
}

/// `TestStartMethod.test_nested_startmethod`
#[test]
fn a_process_passes_handles_on_to_processes_of_any_method() {
    let _watchdog = watchdog();
    for (outer, inner) in [(StartMethod::ForkServer, true), (StartMethod::Spawn, false)] {
        let numbers = Shared::new(Box::default()).expect("shared memory");
        let options = Options::new().start_method(outer);
        let process = put_and_pass_on::spawn_with(options, numbers.clone(), inner);
        process.expect("a start").join().expect("ends");
        assert_eq!(numbers.numbers.lock().expect("sound").as_slice(), [1, 2]);
    }
}

#[process]
fn look(event: &Event, seen: &Event) {
    assert!(!event.is_set());
    seen.set();
}

#[process]
fn have_a_daemon_look() {
    let (event, seen) = (Shared::new(Event::new()), Shared::new(Event::new()));
    let (event, seen) = (event.expect("shared memory"), seen.expect("shared memory"));
    let daemon = look::spawn_with(Options::new().daemon(true), &event, &seen).expect("a start");
    seen.wait();
    daemon.join().expect("ends");
}

/// `TestStdinBadfiledescriptor.test_queue_in_process`
#[test]
fn a_process_makes_shared_memory_and_a_daemon_of_its_own() {
    let _watchdog = watchdog();
    have_a_daemon_look::run().expect("ends");
}

#[process]
fn square(n: u64) -> u64 {
    n * n
}

#[process]
fn squares(until: u64) -> Vec<u64> {
    parallel! { for n in 0..until => square(n) }.expect("nothing fails")
}

/// `TestStdinBadfiledescriptor.test_pool_in_process`
#[test]
fn a_process_maps_items_over_processes_of_its_own() {
    let _watchdog = watchdog();
    assert_eq!(squares::run(7).expect("ends"), [0, 1, 4, 9, 16, 25, 36]);
}

/// `TestStartMethod.test_preload_resources`
#[test]
fn a_lock_that_was_made_while_preloading_serves_all_processes() {
    let _watchdog = watchdog();
    assert_eq!(run(["start", "preload-resources"]), "ok\n");
}

/// `MiscTestCase.test_spawn_sys_executable_none_allows_import`
#[test]
fn without_proc_a_start_is_an_error_and_nothing_else_is() {
    let _watchdog = watchdog();
    let place = scratch("without-proc");
    let said = run(["start", "without-proc", place.to_str().expect("text")]);
    if said.starts_with("no right") {
        eprintln!("skipped: {said}");
        return;
    }
    assert!(said.starts_with("shared 5, cpus, main; no process: "), "{said}");
    assert!(said.contains("No such file or directory"), "{said}");
}
