//! Real expansions against a stand-in for the runtime: do they compile, borrow as promised and keep the order of the wiring?

mod stub;

use psync_macros::{parallel, process, shared};
use stub::__private::{Barrier, Event, Lock, Mutex, Semaphore, Shared, scope, take_log};

#[shared(crate = crate::stub)]
struct Farm {
    bell: Event,
    #[init(Semaphore::new(2))]
    swings: Semaphore,
    #[init(Barrier::new(3))]
    gate: Barrier,
    total: Mutex<u64>,
    pen: Lock,
    /// How many there are.
    #[guarded_by(pen)]
    acorns: u32,
    #[guarded_by(pen)]
    #[init(7)]
    walnuts: u32,
}

#[process(crate = crate::stub, wait(farm.bell), acquire(farm.swings), lock(farm.total as total), set(farm.bell))]
fn monkey(farm: &Farm, name: String) -> u32 {
    *total += name.len() as u64;
    if name.is_empty() {
        return 0;
    }
    u32::try_from(*total).unwrap_or(u32::MAX)
}

#[process(crate = crate::stub)]
fn ring(farm: &Farm) {
    farm.bell.is_set();
}

#[process(crate = crate::stub)]
fn sum<T: Copy + Send + 'static + std::ops::Add<Output = T> + Default>(values: &[T]) -> T {
    values.iter().fold(T::default(), |sum, value| sum + *value)
}

#[process(crate = crate::stub)]
fn double(part: &mut [u32], by: u32) {
    for value in part {
        *value *= by;
    }
}

#[process(crate = crate::stub)]
fn greet(name: &str, mut times: usize, _: bool) -> String {
    times += 1;
    name.repeat(times)
}

#[test]
fn the_function_stays_a_function_and_gets_its_starters() {
    let farm = Shared::new(Farm::default());
    assert_eq!(monkey(&farm, "Al".to_owned()), 2);
    assert_eq!(monkey::run(&farm, "Bo".to_owned()).unwrap(), 4);
    assert_eq!(monkey::spawn(&farm, String::new()).unwrap().join().unwrap(), 0);
    assert_eq!(
        monkey::spawn_with(stub::__private::Options::new(), &farm, "Cy".to_owned())
            .unwrap()
            .join()
            .unwrap(),
        6
    );
    assert_eq!(greet::run("ha", 1, true).unwrap(), "haha");
    assert_eq!(sum::run(&Shared::from_slice(&[1_u32, 2])).unwrap(), 3);
    let local = Farm::default();
    let turns = scope(|s| monkey::spawn_in(s, &local, "Di".to_owned()).unwrap().join().unwrap());
    assert_eq!(turns, 2);
}

#[test]
fn wiring_is_undone_in_reverse_however_the_body_ends() {
    #[process(crate = crate::stub, acquire(farm.swings), barrier(farm.gate), set(farm.bell), lock(farm.total as _))]
    fn fails(farm: &Farm) {
        panic!("on purpose {}", farm.bell.is_set());
    }
    let farm = Farm::default();
    take_log();
    monkey(&farm, String::new());
    assert_eq!(take_log(), ["wait", "acquire", "lock", "undo set", "undo lock", "undo acquire"]);
    assert!(farm.bell.is_set());

    let farm = Farm::default();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fails(&farm))).is_err());
    assert_eq!(take_log(), ["acquire", "barrier", "lock", "undo lock", "undo set", "undo acquire"]);
    assert!(farm.bell.is_set());
}

#[test]
fn branches_borrow_and_give_their_results_in_order() {
    let farm = Shared::new(Farm::default());
    let (turns, ()) = parallel! {
        with crate = crate::stub;
        for name in ["George", "Fred"] => monkey(&farm, name.to_string()),
        ring(&farm),
    }
    .unwrap();
    assert_eq!(turns, [6, 10]);
}

#[test]
fn parts_of_a_slice_are_lent_to_different_processes() {
    let mut data = [1, 2, 3, 4, 5];
    let factor = 10;
    let (done, ()) = parallel! {
        with crate = crate::stub;
        for part in data.chunks_mut(2) => double(part, factor);
        ring(&Farm::default());
    }
    .unwrap();
    assert_eq!(done, [(), (), ()]);
    assert_eq!(data, [10, 20, 30, 40, 50]);

    let (left, right) = data.split_at_mut(2);
    let ((), ()) =
        parallel! { with crate = crate::stub; double(left, 2), double(&mut right[1..], 3) }
            .unwrap();
    assert_eq!(data, [20, 40, 30, 120, 150]);
    scope(|s| double::spawn_in(s, &mut data, 1).unwrap().join().unwrap());
}

#[test]
fn named_branches_become_fields() {
    let farm = Farm::default();
    let results = parallel! {
        with crate = crate::stub, deadline = std::time::Duration::from_secs(1), on_failure = finish;
        turns: for (i, name) in ["a", "b"].into_iter().enumerate() => monkey(&farm, name.repeat(i + 1)),
        total: sum::<u32>(&[1, 2, 3]),
    }
    .unwrap();
    assert_eq!((results.turns, results.total), (vec![1, 3], 6));
    let alone = parallel! { with crate = crate::stub; only: greet("x", 1, false) }.unwrap();
    assert_eq!(alone.only, "xx");
}

#[test]
fn inline_bodies_clone_and_lend_what_they_list() {
    let farm = Shared::new(Farm::default());
    let borrowed: &Farm = &farm;
    let (name, values) = (String::from("Al"), vec![1_u32, 2]);
    let (len, looks, doubled) = parallel! {
        with crate = crate::stub;
        process(name) { name.len() },
        process(&farm, &borrowed) {
            let looks = [farm.bell.is_set(), borrowed.bell.is_set()];
            if looks[0] { return 0; }
            looks.len()
        },
        for i in 0..3_u32 => process(i, &values) { values.iter().sum::<u32>() * i },
    }
    .unwrap();
    assert_eq!((len, looks, doubled), (name.len(), 2, vec![0, 3, 6]));
}

#[test]
fn question_marks_work_where_nothing_runs_yet() {
    fn count(text: &str) -> Result<usize, Box<dyn std::error::Error>> {
        let farm = Farm::default();
        let (lines, ()) = parallel! {
            with crate = crate::stub;
            for n in 0..text.parse::<usize>()? => greet("x", n, true),
            ring(&farm),
        }?;
        let one = parallel! { with crate = crate::stub; greet("y", text.parse()?, true) }?;
        Ok(lines.len() + one.len())
    }
    assert_eq!(count("3").unwrap(), 7);
    assert!(count("x").is_err());
}

#[test]
fn blocks_nest() {
    #[process(crate = crate::stub)]
    fn outer(n: u32) -> u32 {
        let parts = parallel! { with crate = crate::stub; for i in 0..n => process(i) { i * 2 } };
        parts.map_or(0, |parts| parts.iter().sum())
    }
    let sums = parallel! {
        with crate = crate::stub;
        for n in [2, 3] => process(n) {
            parallel! { with crate = crate::stub; outer(n) }.unwrap()
        }
    };
    assert_eq!(sums.unwrap(), [2, 6]);
}

#[test]
fn guarded_fields_are_reached_through_their_lock() {
    let farm = Farm::default();
    {
        let mut pen = farm.lock_pen().unwrap();
        *pen.acorns += 1;
        *pen.walnuts += *pen.acorns;
        assert!(farm.try_lock_pen().is_err());
    }
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _pen = farm.lock_pen();
        panic!("while holding");
    }));
    assert!(panicked.is_err());
    assert!(farm.lock_pen_timeout(std::time::Duration::ZERO).is_err());
    let repaired = farm.lock_pen_or_repair(|pen| *pen.acorns = 5).unwrap();
    assert_eq!((*repaired.acorns, *repaired.walnuts), (5, 8));
    drop(repaired);
    assert!(farm.lock_pen().is_ok());
}

#[test]
fn a_field_taken_out_of_its_guard_keeps_the_lock() {
    let farm = Farm::default();
    let pen = farm.lock_pen().unwrap();
    let acorns = pen.acorns;
    drop(pen.walnuts);
    assert!(farm.try_lock_pen().is_err());
    drop(acorns);
}

#[shared(crate = crate::stub)]
#[derive(Debug)]
enum Colour {
    Red,
    Green,
}

#[shared(crate = crate::stub)]
struct Slot<T, const N: usize>
where
    T: Copy,
{
    lock: Lock,
    #[guarded_by(lock)]
    value: T,
    all: [T; N],
}

#[shared(crate = crate::stub)]
#[derive(Default)]
struct Pair(u32, pub f64);

#[shared(crate = crate::stub)]
struct Nothing;

#[test]
fn the_traits_hold_where_the_fields_allow_it() {
    use stub::__private::{ShmSafe, Zeroable};
    fn zeroable<T: Zeroable>() {}
    zeroable::<Pair>();
    zeroable::<Nothing>();
    zeroable::<Colour>();
    zeroable::<Slot<u32, 3>>();
    let _ = (
        Pair::default(),
        <Nothing as Default>::default(),
        Slot::<u32, 0> { lock: Lock::new(), value: 3.into(), all: [] },
    );
    assert_ne!(Pair::FINGERPRINT, Slot::<u32, 1>::FINGERPRINT);
    assert_ne!(Slot::<u32, 2>::FINGERPRINT, Slot::<u32, 1>::FINGERPRINT);
    let red = Colour::Red;
    let again = red;
    assert_eq!(format!("{red:?}{again:?}{:?}", Colour::Green), "RedRedGreen");
    assert_eq!(align_of::<Pair>(), 8);
}

mod apart {
    pub(crate) mod inner {
        #[psync_macros::process(crate = crate::stub, name = "other", daemon, start_method = crate::stub::__private::StartMethod::Spawn)]
        pub(in crate::apart) fn work(n: u64) -> u64 {
            n + 1
        }
    }
    pub(super) fn start() -> u64 {
        use self::inner::work;
        work::run(work(1)).unwrap_or_default()
    }
}

#[test]
fn one_use_brings_the_function_and_its_starters() {
    take_log();
    assert_eq!(apart::start(), 3);
    assert_eq!(take_log(), ["start other"]);
    assert_eq!(
        parallel! { with crate = crate::stub; ring(&Farm::default()) }.unwrap(),
        (),
        "a branch alone has no tuple"
    );
}

/// How often the farm was open.
#[shared(crate = crate::stub)]
pub(crate) static OPENED: std::sync::atomic::AtomicU32 = 4.into();

#[test]
fn a_static_is_made_at_its_first_use_and_lent_like_other_shared_data() {
    use std::sync::atomic::Ordering;
    #[shared(crate = crate::stub)]
    static YARD: Farm = Farm::default();

    take_log();
    assert_eq!(OPENED.fetch_add(1, Ordering::SeqCst), 4);
    assert_eq!(OPENED.load(Ordering::SeqCst), 5);
    ring(&YARD);
    parallel! { with crate = crate::stub; ring(&YARD), monkey(&YARD, String::new()) }.unwrap();
    *YARD.lock_pen().unwrap().acorns += 1;
    let log = take_log();
    let made = |name: &str| log.iter().filter(|entry| **entry == format!("make {name}")).count();
    assert_eq!((made("OPENED"), made("YARD"), OPENED.name), (1, 1, "OPENED"));
}
