//! The macros against the real runtime where nothing has its usual meaning: no prelude, another name for psync, and every obvious
//! name taken.
#![no_implicit_prelude]
#![allow(
    dead_code,
    unused_macros,
    non_camel_case_types,
    reason = "the names are there to be in the way"
)]
#![allow(
    clippy::ignored_unit_patterns,
    clippy::unused_self,
    reason = "parameters are there for how they are written"
)]

extern crate psync as renamed;

mod std {}
mod core {}
mod psync {}
mod serde {}
mod alloc {}
struct Option;
struct Result;
struct Some;
struct Ok;
struct Err;
struct Box;
struct Vec;
struct String;
struct Output;
struct Call;
struct Process;
struct Options;
struct Lent;
struct Owned;
struct Shared;
struct ShmSafe;
trait Default {}
trait Sized {}
trait Send {}
trait Sync {}
trait Clone {}
trait Copy {}
trait Drop {}
trait FnOnce {}
trait Serialize {}
fn drop() {}
fn one() {}
fn each() {}
fn call() {}
fn block() {}
fn parallel() {}
macro_rules! unreachable {
    () => {};
}
macro_rules! panic {
    () => {};
}

#[renamed::shared(crate = renamed)]
struct Field {
    owner: renamed::Lock,
    #[guarded_by(owner)]
    held: u32,
    #[guarded_by(owner)]
    timeout: u32,
    #[init(renamed::Semaphore::new(1))]
    done: renamed::Semaphore,
    set: renamed::Event,
}

#[renamed::shared(crate = renamed)]
struct Generic<T: ::core::marker::Copy> {
    value: T,
}

#[renamed::shared(crate = renamed)]
#[derive(PartialEq, Debug)]
enum Colour {
    Some,
    None,
}

#[renamed::shared(crate = renamed)]
static TURNS: renamed::Value<u32> = renamed::Value::new(4);

#[renamed::process(crate = renamed, set(args.set), acquire(args.done), lock(options as scope))]
fn work(args: &Field, options: &renamed::Mutex<u32>, arg0: u32, guard0: u32, __arg1: u32) -> u32 {
    *scope += arg0;
    let guard2 = guard0;
    __arg1 + guard2 + *scope
}

#[renamed::process(crate = renamed)]
fn fill(scope: &mut [u32], options: u32) {
    scope.fill(options);
}

#[renamed::process(crate = renamed)]
fn r#match(r#type: u32) -> u32 {
    r#type
}

struct Handle;
struct Manager;
struct Managed;
struct ManagerError;
trait From {}
trait AsRef {}
trait Debug {}
trait Serializer {}
trait Deserialize {}
fn create() {}
fn look() {}

struct Store<Serializer>(::std::vec::Vec<Serializer>);

#[renamed::managed(crate = renamed)]
impl<Serializer: renamed::manager::Item + ::core::marker::Sync + ::core::clone::Clone>
    Store<Serializer>
{
    pub(crate) fn new(manager: u32, object: Serializer) -> Self {
        Self(::std::vec![object; manager as usize])
    }

    pub(crate) fn change(
        &mut self,
        object: Serializer,
        serializer: &str,
        _: (),
        handle: u32,
    ) -> usize {
        self.0.push(object);
        self.0.len() + serializer.len() + handle as usize
    }

    pub(crate) fn r#look(&self) -> ::core::option::Option<Serializer> {
        self.0.last().cloned()
    }

    pub(crate) fn clone(&self) -> usize {
        self.0.len()
    }
}

struct r#loop;

#[renamed::managed(crate = renamed)]
impl r#loop {
    pub(crate) fn create(de: u8) -> Self {
        let _ = de;
        Self
    }

    pub(crate) fn r#match(&self, r#type: u8) -> u8 {
        r#type
    }
}

#[::core::prelude::v1::test]
fn nothing_gets_in_the_way_of_a_managed_object() -> renamed::Result<()> {
    let manager = renamed::Manager::start()?;
    let store = StoreProxy::new(&manager, 2, 5_u8)?;
    ::core::assert_eq!(store.change(6, "abc", (), 10)?, 16);
    ::core::assert_eq!(store.look()?, ::core::option::Option::Some(6));
    ::core::assert_eq!(store.clone()?, 3);
    let object = loopProxy::create(&manager, 1)?;
    ::core::assert_eq!(object.r#match(7)?, 7);
    ::core::mem::drop((object, store));
    ::core::assert_eq!(manager.objects()?, 0);
    renamed::Result::Ok(())
}

#[::core::prelude::v1::test]
fn nothing_gets_in_the_way_of_a_start() -> renamed::Result<()> {
    let field = renamed::Shared::new(<Field as ::core::default::Default>::default())?;
    let total = renamed::Shared::new(renamed::Mutex::new(0_u32))?;
    ::core::assert_eq!(work::run(&field, &total, 1, 2, 3)?, 6);
    ::core::assert_eq!(r#match::spawn(7)?.join()?, 7);
    ::core::assert!(field.set.is_set());
    let mut owner = field.lock_owner()?;
    *owner.held += 1;
    *owner.timeout += *owner.held;
    ::core::mem::drop(owner);
    ::core::assert!(field.lock_owner_timeout(::core::time::Duration::ZERO).is_ok());
    let generic = renamed::Shared::new(Generic { value: 3_u8 })?;
    ::core::assert_eq!(generic.value, 3);
    ::core::assert_eq!(TURNS.get(), 4);
    ::core::assert_ne!(Colour::Some, Colour::None);
    renamed::Result::Ok(())
}

#[renamed::process(crate = renamed)]
fn never() -> ! {
    loop {
        ::core::hint::spin_loop();
    }
}

#[::core::prelude::v1::test]
fn nothing_gets_in_the_way_of_branches() -> renamed::Result<()> {
    let field = renamed::Shared::new(<Field as ::core::default::Default>::default())?;
    let total = renamed::Shared::new(renamed::Mutex::new(0_u32))?;
    let group: u32 = 3;
    let results = renamed::parallel! {
        with crate = renamed, on_failure = finish, workers = 2, chunk = 1, progress = false,
             grace = ::core::time::Duration::ZERO, deadline = ::core::time::Duration::from_mins(1);
        value1: for value0 in [group, 4] => work(&field, &total, value0, 1, 1),
        value0: process(group, &total) { let _ = total; group },
        named: r#match(7),
    }?;
    ::core::assert_eq!(results.value1.len(), 2);
    ::core::assert_eq!((results.value0, results.named), (3, 7));
    ::core::assert_eq!(*total.lock()?, 7);

    let late = renamed::parallel! {
        with crate = renamed, deadline = ::core::time::Duration::from_millis(50), grace = ::core::time::Duration::ZERO;
        never(),
    };
    ::core::assert!(late.is_err());

    let array = renamed::Array::<u32>::zeroed(4)?;
    let mut guard = array.lock()?;
    let (left, right) = guard.split_at_mut(2);
    renamed::parallel! { with crate = renamed; fill(left, 1), fill(right, 2) }?;
    ::core::assert_eq!(guard[..], [1, 1, 2, 2]);
    renamed::Result::Ok(())
}
