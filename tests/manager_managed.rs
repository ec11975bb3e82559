//! `#[managed]`: objects of one's own types in a manager's server.
#![allow(missing_docs, reason = "tests")]
#![allow(unreachable_pub, reason = "`pub` is what makes a method callable")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "the arguments of a managed method cross by value"
)]

mod common;

use common::{eventually, watchdog, watchdog_for};
use psync::{
    manager::{CounterProxy, Item, ListProxy},
    prelude::*,
    spawn,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::{
        Mutex as StdMutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

/// It cannot be sent anywhere, and need not be.
struct Account {
    cents: i64,
    log: StdMutex<Vec<String>>,
    inside: AtomicU32,
    most: AtomicU32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Refused {
    TooLittle { missing: i64 },
}

#[managed]
impl Account {
    /// Opens an account.
    pub fn open(cents: i64) -> Self {
        Self { cents, log: StdMutex::default(), inside: AtomicU32::new(0), most: AtomicU32::new(0) }
    }

    pub fn deposit(&mut self, cents: i64) -> i64 {
        self.cents += cents;
        self.cents
    }

    pub fn withdraw(&mut self, cents: i64, why: &str) -> Result<i64, Refused> {
        if self.cents < cents {
            return Err(Refused::TooLittle { missing: cents - self.cents });
        }
        self.cents -= cents;
        self.log().push(format!("{why}: {cents}"));
        Ok(self.cents)
    }

    pub fn balance(&self) -> i64 {
        self.cents
    }

    pub fn lines(&self) -> Vec<String> {
        self.log().clone()
    }

    /// Ends once as many are in here at a time.
    pub(crate) fn meet(&self, wanted: u32) -> u32 {
        self.most.fetch_max(self.inside.fetch_add(1, SeqCst) + 1, SeqCst);
        while self.most.load(SeqCst) < wanted {
            std::thread::yield_now();
        }
        self.inside.fetch_sub(1, SeqCst);
        self.most.load(SeqCst)
    }

    pub fn spoil(&mut self) {
        self.cents = -1;
        panic!("half-way");
    }

    pub fn refuse(&self) -> i64 {
        panic!("not today, with {}", self.cents)
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.log.lock().expect("no panic with it")
    }
}

/// `_TestMyManager.test_mymanager`: what is exposed, and errors of the method's own.
#[test]
fn methods_are_called_from_any_process() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let account = AccountProxy::open(&manager, 10).expect("opens");
    let work = |account: AccountProxy| {
        assert_eq!(account.deposit(5).expect("there"), 15);
        assert_eq!(account.withdraw(3, "nuts").expect("there"), Ok(12));
        let refused = account.withdraw(100, "a tree").expect("there");
        assert_eq!(refused, Err(Refused::TooLittle { missing: 88 }));
    };
    spawn(work, account.clone()).expect("starts").join().expect("ends");
    assert_eq!(
        (account.balance().expect("there"), account.lines().expect("there")),
        (12, vec!["nuts: 3".to_owned()])
    );
    assert_eq!(manager.objects().expect("there"), 1);
    drop(account);
    // What the other process has let go of at its end is gone a moment later.
    assert!(eventually(|| manager.objects().expect("there") == 0));
}

#[test]
fn any_function_can_make_an_object() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let make = |(a, b): (i64, i64)| Account::open(a + b);
    let account: AccountProxy = manager.create(make, (3, 4)).expect("made");
    assert_eq!(account.balance().expect("there"), 7);
    let failed = manager.create(|n: i64| Account::open(10 / n), 0);
    assert!(matches!(failed, Err(ManagerError::Panicked { .. })), "{failed:?}");
    assert_eq!(manager.objects().expect("there"), 1);
}

#[test]
fn methods_that_look_run_beside_each_other() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let account = AccountProxy::open(&manager, 0).expect("opens");
    let meet = |account: AccountProxy| account.meet(3).expect("there");
    let clients = [(); 3].map(|()| spawn(meet, account.clone()).expect("starts"));
    assert_eq!(clients.map(|client| client.join().expect("ends")), [3; 3]);
}

#[test]
fn a_panic_with_the_object_alone_marks_it() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let account = AccountProxy::open(&manager, 1).expect("opens");
    match account.refuse() {
        Err(ManagerError::Panicked { message, location }) => {
            assert_eq!(message, "not today, with 1");
            assert!(location.expect("a place").contains("manager_managed.rs"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(account.balance().expect("it was only looked at"), 1);
    assert!(matches!(account.spoil(), Err(ManagerError::Panicked { .. })));
    assert!(matches!(account.balance(), Err(ManagerError::Poisoned)));
    assert!(matches!(account.deposit(1), Err(ManagerError::Poisoned)));
    manager.clear_poison::<Account>(&account).expect("there");
    assert_eq!(account.deposit(2).expect("it is sound"), 1);
}

struct Stack<T> {
    values: Vec<T>,
}

#[managed]
impl<T: Item + Sync + Clone> Stack<T>
where
    T: PartialEq,
{
    pub fn new() -> Self {
        Self { values: Vec::new() }
    }

    pub fn push(&mut self, value: T) -> usize {
        self.values.push(value);
        self.values.len()
    }

    pub fn pop(&mut self) -> Option<T> {
        self.values.pop()
    }

    pub fn has<F>(&self, value: F) -> bool
    where
        F: Item + Into<T>,
    {
        self.values.contains(&value.into())
    }
}

#[test]
fn generic_types_and_methods() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let stack = StackProxy::<u64>::new(&manager).expect("made");
    let push = |stack: StackProxy<u64>| stack.push(7).expect("there");
    assert_eq!(spawn(push, stack.clone()).expect("starts").join().expect("ends"), 1);
    assert!(stack.has(7_u8).expect("there") && !stack.has(8_u32).expect("there"));
    assert_eq!(stack.pop().expect("there"), Some(7));
}

/// What is not `Send` may be used inside, as long as the object is.
struct Zoo {
    animals: ListProxy<String>,
    visits: CounterProxy,
}

#[managed]
impl Zoo {
    pub fn new(animals: ListProxy<String>, visits: CounterProxy) -> Self {
        Self { animals, visits }
    }

    /// Calls other objects of the same manager.
    pub fn visit(&self, by: &str) -> usize {
        let name = Rc::new(by.to_owned());
        self.animals.push(name.to_string()).expect("there");
        usize::try_from(self.visits.add(1).expect("there")).expect("few")
    }

    pub fn animals(&self) -> ListProxy<String> {
        self.animals.clone()
    }
}

#[test]
fn objects_hold_and_hand_out_proxies() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let zoo =
        ZooProxy::new(&manager, manager.list().expect("a list"), manager.counter().expect("one"))
            .expect("made");
    let visit = |zoo: ZooProxy| zoo.visit("ape").expect("there");
    assert_eq!(spawn(visit, zoo.clone()).expect("starts").join().expect("ends"), 1);
    assert_eq!(zoo.visit("lion").expect("there"), 2);
    let animals = zoo.animals().expect("there");
    drop(zoo);
    assert_eq!(animals.to_vec().expect("it is held"), ["ape", "lion"]);
    drop(animals);
    assert!(eventually(|| manager.objects().expect("there") == 0));
}

/// Written with both names of the type, and with more of what the type has than its functions.
#[derive(Serialize, Deserialize)]
struct Basket {
    eggs: u32,
}

impl Basket {
    const SIDES: usize = 2;
}

#[managed]
impl Basket {
    pub fn new(eggs: u32) -> Basket {
        Basket { eggs }
    }

    pub fn pour(&mut self, other: Self, more: [u32; Self::SIDES]) -> u32 {
        self.eggs += other.eggs + more.iter().sum::<u32>();
        self.eggs
    }

    pub fn halves(&self) -> [Self; Self::SIDES] {
        [self.eggs / 2, self.eggs - self.eggs / 2].map(|eggs| Self { eggs })
    }

    /// An error of a call that a method makes is a result like any other.
    pub fn tell(&self, manager: Manager) -> Result<i64, ManagerError> {
        manager.counter()?.add(i64::from(self.eggs))
    }
}

#[test]
fn the_type_goes_by_both_of_its_names() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let basket = BasketProxy::new(&manager, 3).expect("made");
    assert_eq!(basket.pour(Basket { eggs: 4 }, [1, 1]).expect("there"), 9);
    assert_eq!(basket.halves().expect("there").map(|half| half.eggs), [4, 5]);
    assert_eq!(basket.tell(manager.clone()).expect("there").expect("there"), 9);
    let other = Manager::start().expect("starts");
    let pid = other.pid();
    let gone = other.clone();
    other.shutdown().expect("ends");
    let told = basket.tell(gone).expect("there");
    assert!(matches!(told, Err(ManagerError::Lost { pid: lost }) if lost == pid), "{told:?}");
    let refused = |basket: BasketProxy| -> Result<u32, ManagerError> {
        basket.pour(Basket { eggs: 1 }, [0; 2])
    };
    assert_eq!(spawn(refused, basket).expect("starts").join().expect("ends").expect("there"), 10);
}

/// It cannot even be let go of.
struct Glass {
    hertz: u32,
}

impl Drop for Glass {
    fn drop(&mut self) {
        panic!("it breaks");
    }
}

#[managed]
impl Glass {
    pub fn new(hertz: u32) -> Self {
        Self { hertz }
    }

    pub fn ring(&self) -> u32 {
        self.hertz
    }
}

#[test]
fn a_panic_at_an_objects_end_hurts_nobody() {
    let _watchdog = watchdog();
    let manager = Manager::start().expect("starts");
    let other = manager.counter().expect("one");
    for round in 1..=3 {
        let glass = GlassProxy::new(&manager, 440).expect("made");
        assert_eq!(glass.ring().expect("there"), 440);
        drop(glass);
        assert_eq!(other.add(1).expect("the same connection goes on"), round);
        assert_eq!(manager.objects().expect("there"), 1);
    }
}

/// Who has how much. Between the two steps of a transfer money is missing: nobody may see that.
struct Bank {
    accounts: BTreeMap<u32, i64>,
}

#[managed]
impl Bank {
    pub fn open(accounts: u32, each: i64) -> Self {
        Self { accounts: (0..accounts).map(|name| (name, each)).collect() }
    }

    pub fn transfer(&mut self, from: u32, to: u32, cents: i64) -> Result<(), String> {
        let has = self.accounts.get_mut(&from).ok_or("there is no such account")?;
        if *has < cents {
            return Err(format!("{from} has only {has}"));
        }
        *has -= cents;
        std::thread::yield_now();
        *self.accounts.get_mut(&to).ok_or("there is no such account")? += cents;
        Ok(())
    }

    pub fn sum(&self) -> i64 {
        self.accounts.values().sum()
    }
}

#[process]
fn trade(bank: BankProxy, calls: CounterProxy, seed: u32) {
    let mut n = seed;
    loop {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let _ = bank.transfer(n >> 8 & 7, n >> 16 & 7, i64::from(n >> 24)).expect("there");
        calls.add(1).expect("there");
    }
}

#[test]
fn the_bank_keeps_its_money_whoever_is_killed() {
    let _watchdog = watchdog_for(Duration::from_mins(5));
    let manager = Manager::start().expect("starts");
    let bank = BankProxy::open(&manager, 8, 1000).expect("opens");
    let calls = manager.counter().expect("one");
    let start = |seed| trade::spawn(bank.clone(), calls.clone(), seed).expect("starts");
    let mut clients: Vec<Process<()>> = (0..8).map(start).collect();
    for round in 0..40_u32 {
        let now = calls.get().expect("there");
        while calls.get().expect("there") < now + i64::from(round % 17) {
            std::thread::yield_now();
        }
        let client = clients.swap_remove(round as usize % clients.len());
        client.kill().expect("signals");
        client.wait();
        assert_eq!(bank.sum().expect("there"), 8000);
        clients.push(start(round + 8));
    }
    for client in clients {
        client.kill().expect("signals");
    }
    assert!(eventually(|| bank.sum().expect("there") == 8000));
    assert!(bank.transfer(0, 99, 0).expect("there").is_err());
}
