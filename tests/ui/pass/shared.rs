//! Every shape that `#[shared]` takes.
use psync::prelude::*;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

#[shared]
#[derive(Debug)]
struct Farm {
    bell: Event,
    #[init(Semaphore::new(2))]
    swings: Semaphore,
    #[init(Barrier::new(3))]
    gate: Barrier,
    fed: Value<u32>,
    total: Mutex<[f64; 4]>,
    pen: Lock,
    #[guarded_by(pen)]
    acorns: u32,
    #[guarded_by(pen)]
    names: List<Text<16>, 4>,
    hits: AtomicU64,
    place: Point,
    yard: Lock,
    #[guarded_by(yard)]
    places: [Point; 2],
    #[guarded_by(yard)]
    #[init(Pair(3, Value::new(4)))]
    pair: Pair,
}

#[shared]
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    x: i32,
    y: i32,
    colour: Colour,
}

#[shared]
#[derive(Debug, PartialEq, Default)]
enum Colour {
    #[default]
    Red,
    Green = 7,
}

#[shared]
#[derive(Debug)]
struct Pair(u8, Value<u64>);

#[shared]
struct Nothing;

#[shared]
struct Ring<T: ShmSafe + Copy + Default, const N: usize>
where
    [T; N]: ShmSafe + Default,
{
    next: u32,
    items: [T; N],
}

#[shared(default = false)]
struct ByHand {
    size: u32,
}

impl Default for ByHand {
    fn default() -> Self {
        Self { size: 7 }
    }
}

fn main() -> psync::Result<()> {
    let farm = Shared::new(Farm::default())?;
    {
        let mut pen = farm.lock_pen()?;
        *pen.acorns += 1;
        pen.names.push("George".parse()?).expect("there is room");
    }
    assert!(farm.try_lock_pen().is_ok());
    {
        let (pen, mut yard) = (farm.lock_pen()?, farm.lock_yard()?);
        yard.places[1].x += i32::try_from(*pen.acorns).expect("few acorns");
        yard.pair.0 += 1;
        assert_eq!((yard.places[1].x, yard.pair.0, yard.pair.1.get()), (1, 4, 4));
        assert!(farm.try_lock_yard().is_err());
    }
    drop(farm.lock_yard_or_repair(|yard| yard.places[0].y = 1)?);
    assert_eq!(*farm.lock_pen_timeout(Duration::ZERO)?.acorns, 1);
    assert_eq!(farm.place, Point { x: 0, y: 0, colour: Colour::Red });
    assert_ne!(Colour::Green, Colour::default());

    let pair = Shared::<Pair>::zeroed()?;
    pair.1.set(u64::from(pair.0) + 1);
    Shared::new(Nothing)?;
    let ring = Shared::new(Ring::<u16, 4>::default())?;
    assert_eq!((ring.next, ring.items.len()), (0, 4));
    assert_eq!(Shared::new(ByHand::default())?.size, 7);
    Ok(())
}
