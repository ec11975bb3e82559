//! The macros of psync: `#[shared]` puts data in shared memory, `#[process]` makes a function startable, `parallel!` runs
//! several processes and waits for all of them, `#[managed]` has a type's methods called in a manager's server.
//!
//! Use them through the facade crate `psync`, whose documentation has runnable examples. Each macro is a pipeline: `ast` parses
//! into a model, `check` files what is wrong with it, `expand` prints it. Only this file knows the compiler's own token types.
//!
//! `PSYNC_EXPAND=monkey cargo check` shows what the item `monkey` becomes, on standard error, when its crate is compiled; `parallel` and `all` are
//! names as well. The recorded expansions of the tests are in `tests/golden`; `PSYNC_GOLDEN=write` takes new ones.

mod diag;
#[cfg(test)]
mod golden;
mod hygiene;
mod managed;
mod messages;
mod options;
mod parallel;
mod printing;
mod process;
#[cfg(test)]
mod property_tests;
mod shared;
#[cfg(test)]
mod unfinished_tests;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;

/// Makes a struct or a fieldless enum fit for shared memory, or a static one value for all processes of the program.
///
/// ```text
/// #[shared]
/// struct Farm {
///     bell: Event,
///     #[init(Semaphore::new(2))] swings: Semaphore,
///     pen: Lock,
///     #[guarded_by(pen)] acorns: u32,
///     #[guarded_by(pen)] walnuts: u32,
/// }
/// ```
///
/// The struct gets a fixed layout (`repr(C)`) and implements `ShmSafe`. Each field has to be `ShmSafe` as well: numbers, `bool`,
/// arrays of those, atomics, `Text`, `List`, the primitives of psync, and other `#[shared]` types. Pointers, references, handles
/// and types that own heap memory are refused, with the field's name and what to write instead.
///
/// It implements `Zeroable` if every field does, and `Default` if every field does or has an `#[init(..)]`.
///
/// # Examples
/// ```
/// use psync::prelude::*;
///
/// #[shared]
/// struct Store {
///     open: Event,
///     #[init(Semaphore::new(3))]
///     counters: Semaphore,
///     till: Lock,
///     #[guarded_by(till)]
///     cents: u64,
///     #[guarded_by(till)]
///     last: Text<32>,
///     mood: Mood,
/// }
///
/// #[shared]
/// #[derive(Default, Debug, PartialEq)]
/// enum Mood {
///     #[default]
///     Fine,
///     Busy,
/// }
///
/// let store = Shared::new(Store::default())?;
/// let mut till = store.lock_till()?;
/// *till.cents += 250;
/// *till.last = "acorns".parse()?;
/// drop(till);
/// assert_eq!(*store.lock_till()?.cents, 250);
/// assert_eq!(store.mood, Mood::Fine);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// A guarded field without its lock does not compile:
///
/// ```compile_fail,E0368
/// # use psync::prelude::*;
/// #[shared]
/// struct Store {
///     till: Lock,
///     #[guarded_by(till)]
///     cents: u64,
/// }
///
/// let mut store = Store::default();
/// store.cents += 250;
/// ```
///
/// # On fields
///
#[doc = "```text"]
#[doc = include_str!("shared/fields.txt")]
/// ```
///
/// For each lock that guards fields there is a guard struct, here `FarmPen` with the fields `acorns` and `walnuts`, and the methods
/// `lock_pen`, `try_lock_pen`, `lock_pen_timeout(Duration)` and `lock_pen_or_repair(|pen| ..)`. They fail as those of `Lock` do: after a
/// holder died or panicked, every plain take is `LockError::Poisoned` until `lock_pen_or_repair` has made the fields whole. The guard can wait
/// for a `Condvar`, as that of a `Mutex` can.
///
/// # On enums
///
/// An enum without data gets `repr(u8)` and becomes `Copy`: one byte cannot be half-written, so it is always one of the
/// variants. Enums with data are refused, since a writer that is killed between two stores would leave a variant with the
/// data of another.
///
/// # On statics
///
/// ```
/// use psync::prelude::*;
///
/// #[shared]
/// static HITS: Value<u64> = Value::new(0);
///
/// #[process]
/// fn ask() {
///     HITS.update(|hits| hits + 1);
/// }
///
/// ask::run()?;
/// parallel! { for _ in 0..3 => ask() }?;
/// assert_eq!(HITS.get(), 4);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// There is one `HITS` in the program, whichever process uses it and however that was started. Its type has to be `ShmSafe`, and the static derefs to it. A
/// reference to it, or to a part of it, can be lent like that to any shared data.
///
/// The initializer may be any expression of the type; it need not be `const`. It is evaluated when the static is used for the first time, by whoever does that;
/// others who need the value wait for it. If that process is killed meanwhile, or the initializer panics, the next one to use it evaluates it afresh. Nobody
/// sees a value that is half made. It may use other shared statics.
///
/// The value stays for as long as any process of the program runs, and is never dropped. All statics of a program together have room for 16 MiB, and a large
/// value goes over the stack of whoever makes it: for tables there is `Shared::zeroed`. After the first use in a process, a use costs a load and a branch.
///
/// Under `cargo test` each test binary is a program: all of its tests share the static.
///
/// A child of a bare `fork` has the statics of its parent if that had used psync before.
///
/// *Panics*, at the first use in a process: if the initializer does; if it needs its own value, or there is another circle of statics that wait for each other; if
/// there is no memory; if the static is part of a library that was loaded at run time, where other processes would not find it.
///
/// # Options
///
#[doc = "```text"]
#[doc = include_str!("shared/options.txt")]
/// ```
///
/// A static takes `crate` only.
#[proc_macro_attribute]
pub fn shared(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = TokenStream2::from(item);
    printing::shown("#[shared]", Some(&item), shared::run(args.into(), item.clone())).into()
}

/// Makes a function startable in a process of its own.
///
/// ```text
/// #[process(wait(farm.bell), acquire(farm.swings))]
/// fn monkey(farm: &Farm, name: String) -> u32 { .. }
/// ```
///
/// The function stays what it is and can be called as before. Beside it, under the same name in the namespace of types, there are
///
/// ```text
/// monkey::spawn(&shared_farm, name)              -> Result<Process<u32>, SpawnError>
/// monkey::spawn_with(options, &shared_farm, name)
/// monkey::run(&shared_farm, name)                -> Result<u32, ProcessError>      start and join
/// monkey::spawn_in(scope, &farm, name)           -> Result<Process<u32>, SpawnError>   may borrow
/// ```
///
/// so that one `use` brings the function and all of them.
///
/// # Examples
/// ```
/// use psync::prelude::*;
///
/// #[process]
/// fn sum(values: &[u64], unit: &str) -> String {
///     format!("{} {unit}", values.iter().sum::<u64>())
/// }
///
/// let values = Shared::<[u64]>::new_with(1000, |i| i as u64)?;
/// assert_eq!(sum::run(&values, "acorns")?, "499500 acorns");
///
/// let started = sum::spawn_with(Options::new().name("in-the-background"), &values, "walnuts")?;
/// assert_eq!(started.name(), "in-the-background");
/// assert_eq!(started.join()?, "499500 walnuts");
///
/// // The function is still one.
/// assert_eq!(sum(&values[..3], "seeds"), "3 seeds");
/// # Ok::<(), psync::Error>(())
/// ```
///
/// # Parameters
///
/// * By value: anything that serde can write and read. `&str` crosses as a string.
/// * `&T`, `&[T]`: data in shared memory, lent without a copy. `spawn` and `run` take the owner (`&Shared<T>`) instead, since they
///   cannot wait for a borrow to end.
/// * `&mut T`, `&mut [T]`: as above, and only `spawn_in` and `parallel!` can start such a function.
///
/// The function may be generic over types and constants. Of each parameter's type, and of the result's, that depends on them the starters ask that it
/// can cross; a plain call does not. They take the same generic arguments, as in `sum::run::<u32>(..)`. A function may return `!`; its
/// starters then give `Never`. It may not be `async` or `unsafe`, have `self`, lifetime parameters or `impl Trait` parameters.
///
/// # Options
///
/// Wiring runs around the body in the order written and is undone in reverse, also when the body panics or returns early. It is
/// part of the function: a plain call runs it as well.
///
#[doc = "```text"]
#[doc = include_str!("process/grammar.txt")]
/// ```
///
/// # When it fails
///
/// Starting fails with `SpawnError`. If the process panics, is killed or exits early, joining it gives a `ProcessError` with its name
/// and pid; whatever the wiring held is given back. Wiring that cannot be had panics before the body: a lock that is poisoned or would be waited for
/// for ever, a barrier that is broken.
#[proc_macro_attribute]
pub fn process(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = TokenStream2::from(item);
    printing::shown("#[process]", Some(&item), process::run(args.into(), item.clone())).into()
}

/// Makes the public methods of an `impl` block callable in a manager's server, through a proxy of the same methods.
///
/// ```text
/// #[managed]
/// impl Account {
///     pub fn open(cents: i64) -> Self { .. }               // AccountProxy::open(&manager, 10)?
///     pub fn deposit(&mut self, cents: i64) -> i64 { .. }  // account.deposit(5)?
///     pub fn balance(&self) -> i64 { .. }
/// }
/// ```
///
/// The `impl` block stays as it is. Beside it there is the type `AccountProxy`: a handle that can be cloned, sent to any process, and stored in other objects of the
/// manager. The object itself is made in the server and stays there, so it may hold whatever it likes.
///
/// # Examples
/// ```
/// use psync::prelude::*;
/// use std::collections::BTreeMap;
///
/// /// Who has how much.
/// struct Bank {
///     accounts: BTreeMap<String, i64>,
/// }
///
/// #[managed]
/// impl Bank {
///     /// A bank with these accounts.
///     pub fn open(accounts: BTreeMap<String, i64>) -> Self {
///         Bank { accounts }
///     }
///
///     /// Moves money, or says why not.
///     pub fn transfer(&mut self, from: &str, to: &str, cents: i64) -> Result<(), String> {
///         match self.accounts.get_mut(from) {
///             Some(has) if *has >= cents => *has -= cents,
///             _ => return Err(format!("{from} has not so much")),
///         }
///         *self.accounts.entry(to.to_owned()).or_default() += cents;
///         Ok(())
///     }
///
///     /// All money.
///     pub fn sum(&self) -> i64 {
///         self.accounts.values().sum()
///     }
/// }
///
/// #[process]
/// fn pay(bank: BankProxy) -> Result<(), String> {
///     bank.transfer("ape", "lion", 30).map_err(|error| error.to_string())?
/// }
///
/// let manager = Manager::start()?;
/// let bank = BankProxy::open(&manager, BTreeMap::from([("ape".to_owned(), 50)]))?;
/// assert_eq!(pay::run(bank.clone())?, Ok(()));
/// assert_eq!(pay::run(bank.clone())?, Err("ape has not so much".to_owned()));
/// assert_eq!(bank.sum()?, 50);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// # What becomes of a function
///
/// * A `pub` method with `&self` or `&mut self` has a counterpart that returns `Result<_, ManagerError>`. Those with `&self` run beside each other, one with `&mut self` runs alone.
///   An error of the method's own is part of what it returns.
/// * A `pub` function that returns `Self` has one that takes the `&Manager` first and gives a proxy. `Manager::create` does the same with any function.
/// * Other functions, and methods that are not `pub`, have none. `pub(crate)` counts as `pub`, and its counterpart is `pub(crate)`.
///
/// Parameters are by value, and fit for serde, or `&str`. What is returned is fit for serde. The type is `Send + Sync + 'static`. The block and its methods may have type parameters, as long as
/// what crosses can; they may have no lifetime parameters.
///
/// # When it fails
///
/// A panic fails the call: `ManagerError::Panicked`. If the method had the object to itself it may have left it half-way changed, so from then on every call is
/// `ManagerError::Poisoned`, until `Manager::clear_poison` says that the object is sound. A process that dies in the middle of a call changes nothing about that call: it runs in the server to its end.
///
/// # Options
/// ```text
/// crate = PATH           where psync is, if not at `::psync`
/// ```
#[proc_macro_attribute]
pub fn managed(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = TokenStream2::from(item);
    printing::shown("#[managed]", Some(&item), managed::run(args.into(), item.clone())).into()
}

/// Runs several processes at once, waits for all of them and gives their results.
///
/// ```text
/// let (turns, ()) = parallel! {
///     for name in ["George", "Fred", "Percy"] => monkey(&farm, name.to_string()),
///     ring(&farm),
/// }?;
/// ```
///
/// # Examples
///
/// Each process works in place on a part of its own, which the borrow checker proves to be disjoint from the others:
///
/// ```
/// use psync::prelude::*;
///
/// #[process]
/// fn double(part: &mut [u32]) {
///     part.iter_mut().for_each(|value| *value *= 2);
/// }
///
/// let array = Array::from_slice(&[1, 2, 3, 4, 5])?;
/// let mut values = array.lock()?;
/// parallel! { for part in values.chunks_mut(2) => double(part) }?;
/// assert_eq!(values[..], [2, 4, 6, 8, 10]);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// Many items, and as many processes as there are processors:
///
/// ```
/// use psync::prelude::*;
///
/// #[process]
/// fn digits(number: u64) -> usize {
///     number.to_string().len()
/// }
///
/// let lengths = parallel! {
///     with workers = psync::cpu_count(), chunk = 100;
///     for n in 0..10_000 => digits(n)
/// }?;
/// assert_eq!(lengths.iter().sum::<usize>(), 38_890);
/// # Ok::<(), psync::Error>(())
/// ```
///
/// Branches with names, and with their bodies in place:
///
/// ```
/// use psync::prelude::*;
/// use std::time::Duration;
///
/// let text = "to be or not to be".to_string();
/// let found = parallel! {
///     with deadline = Duration::from_secs(60);
///     words: process(text) { text.split(' ').count() },
///     letters: process(text) { text.chars().filter(|c| c.is_alphabetic()).count() },
/// }?;
/// assert_eq!((found.words, found.letters), (6, 13));
/// # Ok::<(), psync::Error>(())
/// ```
///
/// # Grammar
///
#[doc = "```text"]
#[doc = include_str!("parallel/grammar.txt")]
/// ```
///
/// What is captured by name is cloned, and a reference is looked through: a `&str` arrives as a `String`, a slice as a `Vec`.
///
/// # Workers
///
/// With `workers`, the items of all `for` branches together are run by so many processes, one item after the other in each of them; an item is not even
/// asked for before a worker is free, so there may be any number of them. `chunk` is how many items a worker takes at a time (1, if it is not said): with
/// more, short items cost less, and the last worker may end later. An item that lends shared memory, or takes a handle along, goes alone even so. Other
/// branches have processes of their own and do not wait.
///
/// A panic costs its item, and what ends a worker, such as a signal or `exit`, costs the item that it ran; another worker takes its place. What an item
/// leaves behind in its process, such as the value of a `static` or a thread, is there for the next one. In a worker `current().name()` is the first
/// item's function and a number. Workers are started as the first item's process would be; an item that has to be started in another way has a process of
/// its own, and so have all with `StartMethod::Fork`.
///
/// # Value
///
/// `Result<_, ParallelError>` of the tuple of what the branches return; a `for` gives a `Vec` in the order of its items, one branch
/// alone gives its own output. If every branch has a name, the value has these names as fields. A block that never returns, since it ends with `exit`
/// or the like, has the output `!`.
///
/// # When a branch fails
///
/// A branch fails if its process panics, is killed, exits early or is late. The others then get SIGTERM, and SIGKILL after the grace period
/// (`on_failure = finish` lets them end), and the error lists every branch that failed, the first one first. Nothing that was started is still running
/// when the macro's value is there. Items that no worker has begun with never are; those of one branch count as one failure.
/// If an iterator of a `for` branch panics, the others are ended in the same way before the panic goes on.
/// An `Err` that a function returns is a result like any other.
#[proc_macro]
pub fn parallel(input: TokenStream) -> TokenStream {
    printing::shown("parallel", None, parallel::run(input.into())).into()
}
