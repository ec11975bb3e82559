//! What goes into a process and what comes out of it.

use super::life::with;
use psync::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::collections::BTreeMap;

const PAGE: usize = 4096;

/// How many bytes of text the encoding of a text adds to it is of no interest, so every length around a page is tried.
fn lengths() -> impl Iterator<Item = usize> {
    [0, 1].into_iter().chain(PAGE - 20..=PAGE + 2).chain([64 << 10, (64 << 10) + 1, 9 << 20])
}

fn text(len: usize) -> String {
    let mut text = "acorns! ".repeat(len / 8 + 1);
    text.truncate(len);
    text
}

#[process]
fn speak(len: usize) -> String {
    text(len)
}

#[process]
fn measure(said: String) -> (usize, bool) {
    (said.len(), said == text(said.len()))
}

pub fn of_every_size(method: StartMethod) {
    // All have ended before the first result is asked for.
    let processes: Vec<_> =
        lengths().map(|len| speak::spawn_with(with(method), len).unwrap()).collect();
    for process in &processes {
        assert!(process.wait().success());
    }
    for (process, len) in processes.into_iter().zip(lengths()) {
        assert!(process.join().unwrap() == text(len), "{len} bytes");
    }
    assert!(speak::spawn_with(with(method), 300 << 20).unwrap().join().unwrap() == text(300 << 20));
}

pub fn arguments_of_every_size(method: StartMethod) {
    for len in lengths().filter(|len| len % 4 < 2).chain([100 << 20]) {
        let process = measure::spawn_with(with(method), text(len)).unwrap();
        assert_eq!(process.join().unwrap(), (len, true));
    }
}

type Everything = (i64, String, Vec<i32>, (i32,), BTreeMap<String, Vec<u8>>, Option<f64>, char);

#[process]
fn hand_back(everything: Everything, list: Vec<Everything>) -> (Everything, Vec<Everything>) {
    (everything, list)
}

pub fn keep_their_values(method: StartMethod) {
    let map = BTreeMap::from([(String::new(), vec![]), ("ü".to_owned(), vec![0, 255])]);
    let one = |n| (n, "str".to_owned(), vec![1], (1,), map.clone(), Some(-0.0), '🐿');
    let list = vec![one(i64::MIN), one(i64::MAX)];
    let process = hand_back::spawn_with(with(method), one(1), list.clone()).unwrap();
    assert_eq!(process.join().unwrap(), (one(1), list));
}

#[shared]
struct Tree {
    acorns: Value<u32>,
    #[init([0; 50_000])]
    leaves: [u8; 50_000],
}

#[derive(Serialize, Deserialize)]
struct Wood {
    first: Shared<Tree>,
    others: Vec<Option<Shared<Tree>>>,
    weights: Array<f64>,
    named: BTreeMap<String, Shared<[u32]>>,
}

fn tree() -> Shared<Tree> {
    Shared::new(Tree::default()).unwrap()
}

/// Changes what it gets, and gives back handles: one that it got, and others that it made.
#[process]
fn tend(wood: Wood) -> Wood {
    wood.first.acorns.update(|n| n + 1);
    for other in wood.others.iter().flatten() {
        other.acorns.update(|n| n + 10);
    }
    wood.weights.lock().unwrap()[1] *= 2.0;
    let numbers = Shared::from_slice(&[7, 8, 9]).unwrap();
    let made = tree();
    made.acorns.set(99);
    Wood {
        first: made,
        others: vec![Some(wood.first.clone()), None],
        weights: Array::from_slice(&[2.5]).unwrap(),
        named: BTreeMap::from([("numbers".to_owned(), numbers)]),
    }
}

pub fn handles_inside(method: StartMethod) {
    let (first, other) = (tree(), tree());
    let weights = Array::from_slice(&[1.0, 2.0]).unwrap();
    let wood = Wood {
        first: first.clone(),
        others: vec![None, Some(other.clone()), Some(first.clone())],
        weights: weights.clone(),
        named: BTreeMap::new(),
    };
    let process = tend::spawn_with(with(method), wood).unwrap();
    assert!(process.wait().success());
    let back = process.join().unwrap();
    assert_eq!((first.acorns.get(), other.acorns.get()), (11, 10));
    assert_eq!(weights.to_vec().unwrap(), [1.0, 4.0]);
    assert_eq!(back.first.acorns.get(), 99, "made in a process that has ended");
    assert!(Shared::ptr_eq(back.others[0].as_ref().unwrap(), &first));
    assert_eq!(back.weights.to_vec().unwrap(), [2.5]);
    assert_eq!(back.named["numbers"][..], [7, 8, 9]);
}

#[process]
fn number(trees: Vec<Shared<Tree>>) -> Vec<Shared<Tree>> {
    for (tree, n) in trees.iter().zip(0..) {
        tree.acorns.set(n);
    }
    let more = trees.iter().map(|from| {
        let made = tree();
        made.acorns.set(from.acorns.get() + 1_000);
        made
    });
    more.collect()
}

/// More than one message of a socket can carry, each with memory of its own.
pub fn handles_by_the_hundred(method: StartMethod) {
    let trees: Vec<_> = (0..600).map(|_| tree()).collect();
    let process = number::spawn_with(with(method), trees.clone()).unwrap();
    assert!(process.wait().success());
    let made = process.join().unwrap();
    for (n, (tree, made)) in (0..).zip(trees.iter().zip(&made)) {
        assert_eq!((tree.acorns.get(), made.acorns.get()), (n, n + 1_000));
    }
    assert_eq!(made.len(), 600);
}

/// Cannot be written where `says_no` is set, cannot be read where it is not.
#[derive(Debug)]
struct Stubborn {
    says_no: bool,
}

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.says_no { Err(ser::Error::custom("I stay")) } else { serializer.serialize_u8(3) }
    }
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer)?;
        Err(de::Error::custom("I do not come"))
    }
}

#[process]
fn take_stubborn(_stubborn: Stubborn) {}

#[process]
fn make_stubborn(says_no: bool) -> Stubborn {
    Stubborn { says_no }
}

pub fn cannot_be_encoded(method: StartMethod) {
    let refused = take_stubborn::spawn_with(with(method), Stubborn { says_no: true });
    match refused {
        Err(SpawnError::Encode { reason }) => assert!(reason.contains("I stay"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let process = make_stubborn::spawn_with(with(method), true).unwrap();
    assert_eq!(process.wait().code(), Some(1));
    match process.join() {
        Err(ProcessError::Encode { reason, name, .. }) => {
            assert!(reason.contains("I stay") && name == "make_stubborn", "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

pub fn cannot_be_decoded(method: StartMethod) {
    let process = take_stubborn::spawn_with(with(method), Stubborn { says_no: false }).unwrap();
    assert_eq!(process.wait().code(), Some(1));
    let there = process.join();
    assert!(
        matches!(&there, Err(ProcessError::Decode { reason, .. }) if reason.contains("I do not come")),
        "{there:?}"
    );
    let process = make_stubborn::spawn_with(with(method), false).unwrap();
    assert!(process.wait().success());
    let here = process.join();
    assert!(
        matches!(&here, Err(ProcessError::Decode { reason, .. }) if reason.contains("I do not come")),
        "{here:?}"
    );
}
