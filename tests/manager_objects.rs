//! The built-in objects of a manager, through their proxies and from other processes.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::watchdog;
use psync::{
    manager::{
        CounterProxy, DequeProxy, DictProxy, ListProxy, NamespaceProxy, SetProxy, ValueProxy,
    },
    prelude::*,
    spawn,
};
use std::collections::{BTreeMap, HashMap};

/// Runs in a process of its own, and says whether all was as it should be: a panic is a failure there.
fn elsewhere<A>(f: fn(A), args: A)
where
    A: serde::Serialize + serde::de::DeserializeOwned + 'static,
{
    spawn(f, args).expect("starts").join().expect("no panic");
}

/// `_TestContainers.test_list`, `_TestContainers.test_list_isinstance`
#[test]
fn a_list_does_what_a_vector_does() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let list = manager.list().expect("a list");
    list.extend(0..10_i64).expect("there");
    elsewhere(
        |list: ListProxy<i64>| {
            assert_eq!(list.to_vec().expect("there"), (0..10).collect::<Vec<_>>());
            assert_eq!(list.range(2, 3).expect("there"), [2, 3, 4]);
            assert_eq!(
                (list.get(9).expect("there"), list.get(10).expect("there")),
                (Some(9), None)
            );
            list.extend([20, 21]).expect("there");
            assert_eq!(list.len().expect("there"), 12);
            assert_eq!(list.pop().expect("there"), Some(21));
            list.insert(0, -1).expect("there");
            list.insert(12, 99).expect("the end is a place");
            list.set(1, 100).expect("there");
            assert_eq!(list.remove(11).expect("there"), 20);
            assert!(list.contains(&99).expect("there") && !list.contains(&21).expect("there"));
            list.reverse().expect("there");
            list.sort().expect("there");
        },
        list.clone(),
    );
    assert_eq!(list.to_vec().expect("there"), [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99, 100]);
    assert_eq!(list.update_with(0, |n| n * 5).expect("there"), -5);
    assert!(list.compare_and_swap(0, &-5, &0).expect("there"));
    assert!(!list.compare_and_swap(0, &-5, &7).expect("there"));
    assert_eq!(list.retain(|n| n % 2 == 0).expect("there"), 6);
    assert_eq!(list.to_vec().expect("there"), [0, 2, 4, 6, 8, 100]);
    list.truncate(2).expect("there");
    assert_eq!(list.to_vec().expect("there"), [0, 2]);
    list.clear().expect("there");
    assert!(list.is_empty().expect("there") && list.pop().expect("there").is_none());
}

#[test]
fn there_is_nothing_beyond_the_end() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let list = manager.list().expect("a list");
    list.push("acorn".to_owned()).expect("there");
    let is_out = |result: Result<(), ManagerError>, at: usize| matches!(result, Err(ManagerError::OutOfRange { index, .. }) if index == at);
    assert!(is_out(list.set(1, String::new()), 1));
    assert!(is_out(list.insert(2, String::new()), 2));
    assert!(is_out(list.remove(7).map(drop), 7));
    assert!(is_out(list.update_with(usize::MAX, |text| text).map(drop), usize::MAX));
    assert_eq!(list.to_vec().expect("there"), ["acorn"]);
}

/// `_TestContainers.test_list_iter`
#[test]
fn an_iteration_sees_what_is_there_when_it_gets_there() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let list = manager.list().expect("a list");
    list.extend(0..3000_u32).expect("there");
    let mut iter = list.iter();
    assert_eq!(iter.next().expect("one").expect("there"), 0);
    list.set(2999, 7).expect("there");
    let rest: Vec<u32> = iter.by_ref().map(|n| n.expect("there")).collect();
    assert_eq!((rest.len(), rest[2998]), (2999, 7), "its page had not been fetched yet");
    assert!(iter.next().is_none() && iter.next().is_none());
    let snapshot = list.to_vec().expect("there");
    list.clear().expect("there");
    assert_eq!(snapshot.len(), 3000);
}

/// `TestSyncManagerTypes.test_dict`, `_TestContainers.test_dict_isinstance`
#[test]
fn a_dict_does_what_a_map_does() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let dict = manager.dict().expect("a dict");
    dict.insert("foo".to_owned(), 5).expect("there");
    elsewhere(
        |dict: DictProxy<String, i32>| {
            assert_eq!((dict.len().expect("there"), dict.get("foo").expect("there")), (1, Some(5)));
            assert!(dict.contains_key("foo").expect("there"));
            assert_eq!(dict.get("bar").expect("there"), None);
            assert_eq!(dict.insert("foo".to_owned(), 6).expect("there"), Some(5));
            dict.extend([("bar".to_owned(), 7), ("foo".to_owned(), 5)]).expect("there");
            let items = [("foo".to_owned(), 5), ("bar".to_owned(), 7)];
            assert_eq!(dict.items().expect("there"), items);
            assert_eq!(dict.keys().expect("there"), ["foo", "bar"]);
            assert_eq!(dict.values().expect("there"), [5, 7]);
            assert_eq!(dict.pop_last().expect("there"), Some(("bar".to_owned(), 7)));
            assert_eq!(dict.get_or_insert("bar".to_owned(), 1).expect("there"), 1);
            assert_eq!(dict.get_or_insert("bar".to_owned(), 2).expect("there"), 1);
            assert_eq!(dict.remove("bar").expect("there"), Some(1));
            assert_eq!(dict.remove("bar").expect("there"), None);
            dict.clear().expect("there");
        },
        dict.clone(),
    );
    assert!(dict.is_empty().expect("there"));
}

/// `_TestContainers.test_dict_iter`
#[test]
fn what_was_read_of_a_dict_stays_as_it_was_read() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let dict = manager.dict().expect("a dict");
    dict.extend((0..100_u8).map(|n| (n, ()))).expect("there");
    let keys = dict.keys().expect("there");
    dict.clear().expect("there");
    assert_eq!(keys, (0..100).collect::<Vec<u8>>());
}

type Key = (Option<String>, Vec<u16>, BTreeMap<char, bool>);

#[test]
fn keys_are_what_they_are_encoded_as() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let dict = manager.dict::<Key, u64>().expect("a dict");
    let key = |n: u16| -> Key { (Some(n.to_string()), vec![n; 3], BTreeMap::from([('ä', true)])) };
    for n in 0..50 {
        dict.insert(key(n), n.into()).expect("there");
    }
    for n in 0..50 {
        assert_eq!(dict.get(&key(n)).expect("there"), Some(n.into()));
    }
    let floats = manager.dict::<(u64, u64), HashMap<String, f64>>().expect("a dict");
    floats.insert((1, 2), HashMap::from([("x".to_owned(), 0.5)])).expect("there");
    assert_eq!(floats.get(&(1, 2)).expect("there").expect("one")["x"].to_bits(), 0.5_f64.to_bits());
    let lists = manager.dict::<ListProxy<u8>, u8>().expect("a dict");
    let key = manager.list().expect("a list");
    assert!(
        matches!(lists.insert(key, 1), Err(ManagerError::Encode { .. })),
        "a key has no handles"
    );
    assert_eq!(manager.objects().expect("there"), 3, "and nothing of it stays");
}

#[test]
fn a_swap_needs_what_it_says() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let dict = manager.dict::<u8, String>().expect("a dict");
    let text = |text: &str| Some(text.to_owned());
    assert!(dict.compare_and_swap(1, None, text("a")).expect("there"));
    assert!(!dict.compare_and_swap(1, None, text("b")).expect("there"));
    assert!(!dict.compare_and_swap(1, text("b"), text("c")).expect("there"));
    assert!(dict.compare_and_swap(1, text("a"), text("c")).expect("there"));
    assert!(!dict.compare_and_swap(2, text("a"), None).expect("there"));
    assert!(dict.compare_and_swap(2, None, None).expect("there"));
    assert_eq!(dict.items().expect("there"), [(1, "c".to_owned())]);
    assert!(dict.compare_and_swap(1, text("c"), None).expect("there"));
    assert!(dict.is_empty().expect("there"));
}

/// `TestSyncManagerTypes.test_value`
#[test]
fn a_value_is_read_and_replaced() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let value = manager.value(1_u64).expect("a value");
    elsewhere(
        |value: ValueProxy<u64>| {
            assert_eq!(value.get().expect("there"), 1);
            value.set(2).expect("there");
        },
        value.clone(),
    );
    assert_eq!(value.get().expect("there"), 2);
    assert_eq!(value.replace(10).expect("there"), 2);
    assert_eq!(value.update(|n| n + 1).expect("there"), 11);
    assert!(value.compare_and_swap(&11, &12).expect("there"));
    assert!(!value.compare_and_swap(&11, &13).expect("there"));
    let text = manager.value(String::new()).expect("a value");
    assert_eq!(text.update(|text| text + "a").expect("there"), "a");
}

/// `TestSyncManagerTypes.test_namespace`
#[test]
fn a_namespace_has_values_of_any_type() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let space = manager.namespace().expect("a namespace");
    space.set("x", 0_i32).expect("there");
    space.set("y", "one".to_owned()).expect("there");
    elsewhere(
        |space: NamespaceProxy| {
            assert_eq!(space.get::<i32>("x").expect("there"), Some(0));
            assert_eq!(space.get::<String>("y").expect("there").as_deref(), Some("one"));
            assert!(matches!(space.get::<u32>("x"), Err(ManagerError::WrongType)));
            assert!(matches!(space.get::<Vec<u8>>("y"), Err(ManagerError::WrongType)));
            assert_eq!(space.get::<i32>("z").expect("there"), None);
            space.set("x", 1.5_f64).expect("there");
        },
        space.clone(),
    );
    assert_eq!(space.get::<f64>("x").expect("there"), Some(1.5));
    assert_eq!(
        (space.len().expect("there"), space.keys().expect("there")),
        (2, vec!["x".into(), "y".into()])
    );
    assert!(space.remove("x").expect("there") && !space.remove("x").expect("there"));
    assert!(space.contains("y").expect("there") && !space.is_empty().expect("there"));
}

/// `TestSyncManagerTypes.test_set`, `TestSyncManagerTypes.test_set_init`
#[test]
fn a_set_does_what_a_set_does() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let set = manager.set().expect("a set");
    set.extend(["a".to_owned(), "b".to_owned(), "a".to_owned()]).expect("there");
    elsewhere(
        |set: SetProxy<String>| {
            assert_eq!(set.to_vec().expect("there"), ["a", "b"]);
            assert!(set.contains("a").expect("there") && !set.contains("c").expect("there"));
            assert!(set.insert("c".to_owned()).expect("there"));
            assert!(!set.insert("c".to_owned()).expect("there"));
            assert!(set.remove("a").expect("there") && !set.remove("a").expect("there"));
            set.extend(["d".to_owned(), "e".to_owned()]).expect("there");
            set.remove_all(["b".to_owned(), "x".to_owned()]).expect("there");
            set.retain_all(["e".to_owned(), "c".to_owned()]).expect("there");
        },
        set.clone(),
    );
    assert_eq!(set.to_vec().expect("there"), ["c", "e"]);
    assert_eq!((set.pop().expect("there").as_deref(), set.len().expect("there")), (Some("e"), 1));
    set.clear().expect("there");
    assert!(set.is_empty().expect("there") && set.pop().expect("there").is_none());
}

#[test]
fn a_deque_has_two_ends() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let deque = manager.deque().expect("a deque");
    deque.extend([2, 3]).expect("there");
    elsewhere(
        |deque: DequeProxy<i32>| {
            deque.push_front(1).expect("there");
            deque.push_back(4).expect("there");
            assert_eq!(deque.to_vec().expect("there"), [1, 2, 3, 4]);
            deque.rotate_left(5).expect("there");
            deque.set(0, 20).expect("there");
            assert!(matches!(deque.set(4, 0), Err(ManagerError::OutOfRange { index: 4, len: 4 })));
        },
        deque.clone(),
    );
    assert_eq!(deque.to_vec().expect("there"), [20, 3, 4, 1]);
    assert_eq!(deque.front().expect("there"), Some(20));
    assert_eq!(deque.back().expect("there"), Some(1));
    assert_eq!(deque.pop_front().expect("there"), Some(20));
    assert_eq!(deque.pop_back().expect("there"), Some(1));
    assert_eq!((deque.len().expect("there"), deque.get(1).expect("there")), (2, Some(4)));
    deque.clear().expect("there");
    deque.rotate_left(3).expect("there");
    assert!(deque.is_empty().expect("there") && deque.pop_front().expect("there").is_none());
}

#[process]
fn add(counter: CounterProxy, dict: DictProxy<String, u64>, times: u32) {
    for _ in 0..times {
        counter.add(1).expect("there");
        dict.fetch_update("all".to_owned(), |n| Some(n.unwrap_or(0) + 1)).expect("there");
    }
}

#[test]
fn ten_thousand_concurrent_updates_lose_none() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let (counter, dict) = (manager.counter().expect("one"), manager.dict().expect("a dict"));
    parallel! {
        for _ in 0..10 => add(counter.clone(), dict.clone(), 1000),
    }
    .expect("all end");
    assert_eq!(counter.get().expect("there"), 10_000);
    assert_eq!(dict.get("all").expect("there"), Some(10_000));
    assert_eq!(counter.set(5).expect("there"), 10_000);
    assert_eq!(counter.sub(7).expect("there"), -2);
    assert!(counter.compare_and_swap(-2, 3).expect("there"));
    assert!(!counter.compare_and_swap(-2, 4).expect("there"));
}

#[test]
fn a_function_that_panics_fails_its_call_and_changes_nothing() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let dict = manager.dict::<u8, u8>().expect("a dict");
    dict.insert(1, 1).expect("there");
    for _ in 0..3 {
        match dict.fetch_update(1, |n| panic!("cannot do that with {n:?}")) {
            Err(ManagerError::Panicked { message, location: Some(location) }) => {
                assert_eq!(message, "cannot do that with Some(1)");
                assert!(location.contains("manager_objects.rs"), "{location}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(dict.update_with(1, |n| n.map(|n| n + 1)).expect("it goes on"), Some(2));
    let list = manager.list().expect("a list");
    list.extend([3, 1, 2]).expect("there");
    assert!(matches!(list.retain(|n| 1 / (n - 1) >= 0), Err(ManagerError::Panicked { .. })));
    assert_eq!(list.to_vec().expect("there"), [3, 1, 2]);
}

#[test]
fn large_values_go_there_and_back() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let list = manager.list::<Vec<u8>>().expect("a list");
    for size in [0, 100, 100_000, 5_000_000] {
        list.push(vec![7; size]).expect("there");
        assert_eq!(list.pop().expect("there").expect("one").len(), size);
    }
}

#[test]
fn threads_of_one_process_call_at_the_same_time() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let counter = manager.counter().expect("one");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..500).map(|_| counter.add(1).expect("there")).max());
        }
    });
    assert_eq!(counter.get().expect("there"), 4000);
}
