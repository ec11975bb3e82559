//! What `#[managed]` takes: every kind of method, blocks in functions, generic types, other names for the crate.
#![deny(warnings)]

use psync::{Manager, manager::Item};

mod inner {
    use psync as renamed;

    /// A thing.
    #[derive(Debug, Default)]
    pub struct Thing {
        count: u32,
    }

    #[renamed::managed(crate = renamed)]
    impl Thing {
        /// A constant.
        pub const LIMIT: u32 = 7;

        /// A new one.
        pub const fn new(count: u32) -> Self {
            Self { count }
        }

        /// Counts.
        pub fn count(self: &mut Self, _: u8, r#in: String, object: &str) -> (u32, usize) {
            self.count += 1;
            (self.count, r#in.len() + object.len())
        }

        /// Nothing to do with an object.
        pub fn limit() -> u32 {
            Self::LIMIT
        }
    }
}

struct Pair<A, const N: usize>([A; N]);

#[psync::managed]
impl<A: Item + Sync + Clone, const N: usize> Pair<A, N> {
    pub(crate) fn first(&self) -> Option<A> {
        self.0.first().cloned()
    }
}

fn main() -> psync::Result<()> {
    struct Local;

    #[psync::managed]
    impl Local {
        pub fn nothing(&self) {}

        pub fn never(&self) -> ! {
            panic!("as it says")
        }
    }

    let manager = Manager::start()?;
    let thing = inner::ThingProxy::new(&manager, inner::Thing::limit())?;
    assert_eq!(thing.count(0, "ab".to_owned(), "c")?, (8, 3));
    let pair: PairProxy<u16, 2> = manager.create(Pair, [1, 2])?;
    assert_eq!(pair.first()?, Some(1));
    let local: LocalProxy = manager.create(|()| Local, ())?;
    local.nothing()?;
    assert!(local.never().is_err());
    assert!(format!("{local:?}").contains("Local"));
    Ok(())
}
