//! Handles of a manager's objects: how they travel, what keeps an object alive, and what is left in the end.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::{eventually, sleep_for_ever, watchdog};
use psync::{
    manager::{CounterProxy, DequeProxy, DictProxy, ListProxy, ValueProxy},
    prelude::*,
    spawn,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

fn count(manager: &Manager) -> usize {
    manager.objects().expect("there")
}

#[test]
fn an_object_goes_with_its_last_handle() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let list = manager.list::<u8>().expect("a list");
    let again = list.clone();
    assert!(eventually(|| count(&manager) == 1));
    drop(list);
    assert!(eventually(|| count(&manager) == 1));
    again.push(1).expect("it is there");
    drop(again);
    assert!(eventually(|| count(&manager) == 0));
}

#[process]
fn hold(list: ListProxy<u8>, held: &Event, go: &Event) {
    held.set();
    go.wait();
    list.push(1).expect("it is there");
}

#[test]
fn another_process_keeps_an_object_alive() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let events = Shared::new([Event::new(), Event::new()]).expect("memory");
    let [held, go] = &*events;
    psync::scope(|scope| {
        let list = manager.list().expect("a list");
        // Under way only, until it has been decoded.
        hold::spawn_in(scope, list, held, go).expect("starts");
        held.wait();
        assert!(eventually(|| count(&manager) == 1));
        go.set();
    });
    assert!(eventually(|| count(&manager) == 0));
}

#[test]
fn a_handle_in_a_message_keeps_its_object() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let queue = Queue::unbounded().expect("memory");
    for n in 0..3_i64 {
        let counter = manager.counter().expect("one");
        counter.add(n).expect("there");
        queue.send(counter).expect("room");
    }
    assert!(eventually(|| count(&manager) == 3));
    let sum = |queue: Queue<CounterProxy>| -> i64 {
        (0..3).map(|_| queue.recv().expect("a handle").add(10).expect("there")).sum()
    };
    assert_eq!(spawn(sum, queue).expect("starts").join().expect("ends"), 33);
    assert!(eventually(|| count(&manager) == 0));
}

/// Whoever has sent it may end before it is received.
#[test]
fn a_handle_outlives_the_end_of_its_sender() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let queue = Queue::unbounded().expect("memory");
    let send = |(manager, queue): (Manager, Queue<ListProxy<String>>)| {
        let list = manager.list().expect("a list");
        list.push("from the dead".to_owned()).expect("there");
        queue.send(list).expect("room");
    };
    let sender = spawn(send, (manager.clone(), queue.clone())).expect("starts");
    sender.join().expect("it ends");
    let list = queue.recv().expect("its handle");
    assert_eq!(list.to_vec().expect("there"), ["from the dead"]);
    drop(list);
    assert!(eventually(|| count(&manager) == 0));
}

#[test]
fn a_message_that_was_not_sent_holds_nothing() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let queue = Queue::bounded(1).expect("memory");
    queue.send(manager.counter().expect("one")).expect("room");
    assert!(queue.try_send(manager.counter().expect("another")).is_err());
    drop(queue.recv().expect("the first"));
    assert!(eventually(|| count(&manager) == 0));
    queue.close();
    assert!(queue.send(manager.counter().expect("a third")).is_err());
    assert!(eventually(|| count(&manager) == 0));
}

#[test]
fn a_result_may_be_a_handle() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let make = |manager: Manager| manager.value(vec![1, 2, 3]).expect("a value");
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let options = Options::new().start_method(method);
        let process = psync::spawn_with(options, make, manager.clone()).expect("starts");
        let value: ValueProxy<Vec<u32>> = process.join().expect("ends");
        assert_eq!(value.get().expect("it is there"), [1, 2, 3]);
    }
    assert!(eventually(|| count(&manager) == 0));
}

#[test]
fn a_handle_of_another_type_is_an_error() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let list = manager.list::<u8>().expect("a list");
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(&list, config).expect("encodes");
    let other = bincode::serde::decode_from_slice::<ListProxy<u16>, _>(&bytes, config);
    assert!(other.expect_err("of other values").to_string().contains("another type"));
    assert!(bincode::serde::decode_from_slice::<CounterProxy, _>(&bytes, config).is_err());
    // Nobody was charged with these bytes, so they hold nothing, and may be decoded as long as the object is there.
    let decode = || bincode::serde::decode_from_slice::<ListProxy<u8>, _>(&bytes, config);
    let (same, _) = decode().expect("decodes");
    drop(list);
    same.push(1).expect("it is there");
    drop(same);
    assert!(eventually(|| count(&manager) == 0));
    let (gone, _) = decode().expect("a handle of nothing");
    assert!(matches!(gone.push(1), Err(ManagerError::Gone)));
}

/// `_TestContainers.test_list_proxy_in_list`
#[test]
fn lists_in_a_list_are_the_lists_themselves() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let outer = manager.list().expect("a list");
    let inner = [0; 3].map(|_| {
        let list = manager.list().expect("a list");
        list.extend(0..3_u32).expect("there");
        list
    });
    outer.extend(inner.clone()).expect("there");
    let change = |outer: ListProxy<ListProxy<u32>>| {
        outer.get(0).expect("there").expect("one").set(2, 55).expect("there");
        outer.get(1).expect("there").expect("one").pop().expect("there");
    };
    spawn(change, outer.clone()).expect("starts").join().expect("ends");
    let values = inner.map(|list| list.to_vec().expect("there"));
    assert_eq!(values, [vec![0, 1, 55], vec![0, 1], vec![0, 1, 2]]);
    assert!(eventually(|| count(&manager) == 4));
    outer.truncate(1).expect("there");
    assert!(eventually(|| count(&manager) == 2));
    drop(outer);
    assert!(eventually(|| count(&manager) == 0));
}

#[derive(Serialize, Deserialize)]
enum Tree {
    Leaf,
    Node(ListProxy<Tree>),
}

/// It holds itself, as long as it lies in itself; whoever takes it out again sets it free.
#[test]
fn a_list_in_itself_does_no_harm() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let list = manager.list().expect("a list");
    list.push(Tree::Leaf).expect("there");
    list.push(Tree::Node(list.clone())).expect("there");
    let Some(Tree::Node(same)) = list.get(1).expect("there") else { panic!("it is there") };
    assert!(ListProxy::ptr_eq(&same, &list));
    assert_eq!(same.len().expect("there"), 2);
    same.clear().expect("there");
    drop((list, same));
    assert!(eventually(|| count(&manager) == 0));
    let forgotten = manager.list().expect("a list");
    forgotten.push(Tree::Node(forgotten.clone())).expect("there");
    drop(forgotten);
    assert_eq!(count(&manager), 1, "nobody can reach it, and it lives until the server ends");
}

type Pets = DictProxy<String, Vec<String>>;

/// `_TestContainers.test_dict_proxy_nested`
#[test]
fn maps_in_a_map_are_the_maps_themselves() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let pets: Pets = manager.dict().expect("a dict");
    pets.insert("ferrets".to_owned(), vec!["jill".to_owned()]).expect("there");
    let all = manager.dict::<String, Pets>().expect("a dict");
    all.insert("pets".to_owned(), pets.clone()).expect("there");
    let inner = all.get("pets").expect("there").expect("one");
    inner.insert("hamsters".to_owned(), vec!["lara".to_owned()]).expect("there");
    assert_eq!(pets.get("hamsters").expect("there").expect("one"), ["lara"]);
    // A plain vector in it is a copy.
    pets.get("ferrets").expect("there").expect("one").push("nobody sees this".to_owned());
    assert_eq!(pets.get("ferrets").expect("there").expect("one").len(), 1);
    drop((pets, inner));
    let list = manager.list().expect("a list");
    list.push(all.get("pets").expect("it lives on").expect("one")).expect("there");
    all.clear().expect("there");
    assert_eq!(
        list.get(0).expect("there").expect("one").keys().expect("there"),
        ["ferrets", "hamsters"]
    );
    drop((all, list));
    assert!(eventually(|| count(&manager) == 0));
}

/// `_TestContainers.test_nested_queue`
#[test]
fn queues_in_a_list_and_in_a_map_are_the_queues_themselves() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let list = manager.list().expect("a list");
    let dict = manager.dict().expect("a dict");
    list.push(Queue::<u32>::bounded(4).expect("memory")).expect("there");
    dict.insert("queue".to_owned(), Queue::<u32>::bounded(4).expect("memory")).expect("there");
    let send = |(list, dict): (ListProxy<Queue<u32>>, DictProxy<String, Queue<u32>>)| {
        list.get(0).expect("there").expect("one").send(123).expect("room");
        dict.get("queue").expect("there").expect("one").send(456).expect("room");
    };
    spawn(send, (list.clone(), dict.clone())).expect("starts").join().expect("ends");
    assert_eq!(list.get(0).expect("there").expect("one").try_recv(), Ok(123));
    assert_eq!(dict.get("queue").expect("there").expect("one").try_recv(), Ok(456));
    let taken = list.pop().expect("there").expect("one");
    taken.send(7).expect("room");
    assert_eq!(taken.try_recv(), Ok(7));
}

#[test]
fn functions_of_the_server_may_call_other_objects() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let inner = manager.counter().expect("one");
    let value = manager.value((inner.clone(), 0)).expect("a value");
    let step = |(inner, _): (CounterProxy, i64)| {
        let now = inner.add(1).expect("another object");
        (inner, now)
    };
    for n in 1..=3 {
        assert_eq!(value.update(step).expect("there").1, n);
    }
    assert_eq!(inner.get().expect("there"), 3);
    drop((inner, value));
    assert!(eventually(|| count(&manager) == 0));
}

#[derive(Serialize, Deserialize)]
struct Own(Option<ValueProxy<Own>>);

#[test]
fn a_function_cannot_call_the_object_it_runs_on() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let value = manager.value(Own(None)).expect("a value");
    value.set(Own(Some(value.clone()))).expect("there");
    let back = |Own(own): Own| {
        let error = own.as_ref().expect("itself").get().err();
        assert!(matches!(error, Some(ManagerError::Reentered)), "{error:?}");
        Own(None)
    };
    assert!(value.update(back).expect("there").0.is_none());
}

/// Two threads hold handles of each other's making.
#[test]
fn handles_go_through_objects_and_queues_in_crowds() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let line = manager.deque().expect("a deque");
    let pass = |(manager, line): (Manager, DequeProxy<CounterProxy>)| {
        for _ in 0..200 {
            let counter = manager.counter().expect("one");
            counter.add(1).expect("there");
            line.push_back(counter).expect("there");
            if let Some(other) = line.pop_front().expect("there") {
                assert!(other.add(1).expect("it is held") >= 2);
                line.push_back(other).expect("there");
            }
            drop(line.pop_front().expect("there"));
        }
    };
    let clients = [0; 4].map(|_| spawn(pass, (manager.clone(), line.clone())).expect("starts"));
    for client in clients {
        client.join().expect("ends");
    }
    line.clear().expect("there");
    assert!(eventually(|| count(&manager) == 1));
}

#[process]
fn make_many(manager: Manager, made: &Semaphore) {
    let lists: Vec<ListProxy<Vec<u8>>> = (0..2500).map(|_| manager.list().expect("one")).collect();
    for list in &lists {
        list.push(vec![7; 1000]).expect("there");
    }
    made.release(1).expect("no bound");
    sleep_for_ever()
}

/// How much memory of its own a process has, in KiB.
fn memory(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = text.lines().find(|line| line.starts_with("RssAnon")).expect("a line");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

#[test]
fn ten_thousand_objects_of_killed_clients_are_gone() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let made = Shared::new(Semaphore::new(0)).expect("memory");
    let mut after_first = 0;
    for round in 0..4 {
        let clients = [0; 4].map(|_| make_many::spawn(manager.clone(), &made).expect("starts"));
        for _ in &clients {
            made.acquire().expect("made").forget();
        }
        assert!(eventually(|| count(&manager) == 10_000));
        let full = memory(manager.pid());
        for client in &clients {
            client.kill().expect("signals");
            client.wait();
        }
        assert!(eventually(|| count(&manager) == 0), "{} are left", count(&manager));
        let now = memory(manager.pid());
        if round == 0 {
            after_first = now;
            assert!(full > 10_000, "it held them: {full} KiB");
        }
        assert!(now < after_first + 4000, "{after_first} KiB, and in the end {now}");
    }
    assert!(after_first < 8000, "{after_first} KiB are left");
}

#[test]
fn a_timeout_of_a_lease_is_not_needed_by_the_living() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let queue = Queue::unbounded().expect("memory");
    queue.send(manager.list::<u8>().expect("a list")).expect("room");
    std::thread::park_timeout(Duration::from_millis(1500));
    let list = queue.recv().expect("it waited for longer than a look at the dead");
    list.push(1).expect("it is there");
}
