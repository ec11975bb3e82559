//! What is unusual and right: raw and foreign names, macros that write macros, generics of all kinds, labels, nested blocks.
#![deny(warnings)]
use psync::prelude::*;
use std::fmt::Debug;

// generics
#[process]
fn pick<T, const N: usize, U: Debug>(items: [T; N], by: U) -> (Vec<T>, String)
where
    T: Clone,
    [T; N]: serde::Serialize + serde::de::DeserializeOwned,
{
    (items.to_vec(), format!("{by:?}"))
}
#[process]
fn optional<T: ?Sized + ShmSafe>(x: &T) -> usize {
    size_of_val(x)
}
#[process]
fn nothing_at_all() {}
#[process]
fn r#loop(r#fn: u32, r#self_: &str) -> String {
    format!("{}{}", r#fn, r#self_)
}
#[process]
fn größe(länge: f64, breite: f64) -> f64 {
    länge * breite
}
#[process]
fn tuple(_u: (), _: u8, mut x: Vec<u8>) -> Vec<u8> {
    x.push(1);
    x
}

#[process]
fn with_result(text: &str) -> Result<i32, String> {
    let n: i32 = text.parse().map_err(|e: std::num::ParseIntError| e.to_string())?;
    Ok(n)
}

macro_rules! worker {
    ($name:ident, $arg:ident : $ty:ty, $body:expr) => {
        #[process]
        fn $name($arg: $ty) -> $ty {
            $body
        }
    };
}
worker!(doubled, n: u32, n * 2);
macro_rules! guarded {
    ($name:ident { $lock:ident: $($f:ident: $t:ty),* }) => {
        #[shared]
        struct $name { $lock: Lock, $(#[guarded_by($lock)] $f: $t),* }
    };
}
guarded!(Made { door: a: u32, b: [u8; 3] });

macro_rules! par { ($($t:tt)*) => { parallel! { $($t)* } } }

#[shared]
struct Deep<T: Copy + Default, const N: usize = 2>
where
    T: ShmSafe,
{
    r#type: Lock,
    #[guarded_by(r#type)]
    #[init([T::default(); N])]
    r#match: [T; N],
    #[guarded_by(r#type)]
    ключ: u64,
    inner: Inner,
    after: Lock,
    #[guarded_by(after)]
    inner2: Inner,
}
#[shared]
#[derive(Debug)]
struct Inner {
    lock: Lock,
    #[guarded_by(lock)]
    n: u32,
    v: Value<u32>,
}

#[shared]
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Farbe {
    Grün = 3,
    Rot = b'r',
}

#[shared]
static ZÄHLER: Value<u32> = Value::new(0);

struct Obj {
    k: u32,
}
impl Obj {
    fn go(&self) -> psync::Result<u32> {
        let k = self.k;
        #[process]
        fn inner(n: u32) -> u32 {
            n + 1
        }
        let r = parallel! { inner(self.k), process(k) { k * 2 } }?;
        Ok(r.0 + r.1)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(pick::run([1u8, 2], "x".to_string())?, (vec![1, 2], "\"x\"".into()));
    assert_eq!(pick::run::<u8, 2, String>([1u8, 2], "x".to_string())?.0.len(), 2);
    let s = Shared::<[u16]>::zeroed(3)?;
    assert_eq!(optional::run::<[u16]>(&s)?, 6);
    assert_eq!(r#loop::run(3, "a")?, "3a");
    assert_eq!(größe::run(2.0, 3.0)?, 6.0);
    assert_eq!(doubled::run(4)?, 8);
    assert!(matches!(with_result::run("x")?, Err(_)));
    let made = Shared::new(Made::default())?;
    *made.lock_door()?.a += 1;
    made.lock_door()?.b[1] = 2;
    let deep = Shared::new(Deep::<u16>::default())?;
    *deep.lock_type()?.ключ += 5;
    deep.lock_type()?.r#match[1] = 3;
    *deep.lock_after()?.inner2.lock_lock()?.n += 1;
    *deep.inner.lock_lock()?.n += 1;
    let f = Farbe::Grün;
    // labels, ?, macros in bodies, nested
    let total = 'outer: {
        let xs = vec![1u32, 2, 3];
        let out = par! {
            with workers = 2;
            für: for (i, x) in xs.iter().copied().enumerate() => process(i, x, &made) {
                let v = vec![x; i + 1];
                'l: for y in &v { if *y > 100 { break 'l; } }
                let n = (|| -> Option<u32> { Some(v.first()? + 1) })();
                assert!(n.is_some(), "{x} {i:?} {}", v.len());
                let r: Result<u32, psync::Error> = (|| { let inner = parallel! { process(x) { x + 1 }, for z in 0..2u32 => process(z, x) { z + x } }?; Ok(inner.0 + inner.1.iter().sum::<u32>()) })();
                *made.lock_door().unwrap().a += 1;
                ZÄHLER.update(|n| n + 1);
                r.unwrap()
            };
            farbe: process(f) { if f == Farbe::Grün { return Farbe::Rot; } f };
            r#loop: r#loop(1, "b"),
            m: self::with_result("7");
        }?;
        if out.für.len() != 3 {
            break 'outer 0;
        }
        assert_eq!(out.farbe, Farbe::Rot);
        assert_eq!(out.m, Ok(7));
        assert_eq!(out.r#loop, "1b");
        out.für.iter().sum::<u32>()
    };
    assert_eq!(total, (2 + 3) + (3 + 5) + (4 + 7));
    assert_eq!(ZÄHLER.get(), 3);
    assert_eq!(Obj { k: 3 }.go()?, 10);
    // result of a block with ?
    let r: Result<i32, std::num::ParseIntError> = Ok(3);
    assert!(r.is_ok());
    let t = "12";
    let parsed = parallel! { process(t) { let f = || -> Result<i32, std::num::ParseIntError> { let n = t.parse::<i32>()?; Ok(n) }; f().map_err(|e| e.to_string()) } }?;
    assert_eq!(parsed, Ok(12));
    // trailing separators, only options order
    let ((), ()) = parallel! { nothing_at_all(); nothing_at_all(); }?;
    let v: Vec<()> = parallel! { for _ in 0..2 => nothing_at_all(), }?;
    assert_eq!(v.len(), 2);
    // closures of for-bound names with shadowing
    let w = parallel! { for n in [1u32, 2] => process(n) { let n = n + 1; { let n = n + 1; n } } }?;
    assert_eq!(w, [3, 4]);
    // patterns
    let w = parallel! { for (a, [b, ..]) in [(1u32, [2u32, 3])] => process(a, b) { a + b } }?;
    assert_eq!(w, [3]);
    let tt = parallel! { tuple((), 1, vec![2]) }?;
    assert_eq!(tt, [2, 1]);
    let nested = parallel! { process() { parallel! { process() { parallel! { process() { 1u8 } }.unwrap() } }.unwrap() } }?;
    assert_eq!(nested, 1);
    Ok(())
}
