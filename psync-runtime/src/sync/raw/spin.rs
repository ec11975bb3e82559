//! Spinning that knows when it does not pay.

use crate::{
    primitive::{Hint, Ordering, spin_loop},
    sys::{clock, processors},
};

/// What spinning has achieved lately on one primitive.
///
/// It is worth its time if those that we wait for run meanwhile, on processors of their own. Nobody can ask for that, but it shows: then it succeeds, or else it does not.
/// And where it does not, it takes the time of those whom we wait for.
///
/// | bits | |
/// |---|---|
/// | 0 to 7 | the *doubt*: 0 if it has always succeeded, up to 255 |
/// | 8 to 14 | a processor on which somebody was, for those who may use one only |
/// | 15 | somebody was on another one |
/// | 16 to 31 | when spinning failed last, in units of 4 ms |
///
/// Each failure takes the doubt a part of the way to 255, each success to half of what it was. With much doubt, it is tried rarely, the more so the greater the
/// doubt is. It is a hint: racing updates may be lost.
#[repr(transparent)]
#[derive(Debug)]
pub(crate) struct Spin(Hint);

/// With this doubt or more, spinning is only tried now and then. Where one out of three attempts succeeds, the doubt stays about here.
const DOUBTFUL: u32 = 128;
const MOST_DOUBT: u32 = 255;

/// How long a spin may take, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Worth {
    /// Until the holder of a lock has gone on: it has little to do, or does not run.
    Lock = 20_000,
    /// Until another has come. It may have to be woken first, on a processor that sleeps; whoever does not wait for that will have to be woken himself, and so on for ever.
    Meeting = 100_000,
}

impl Spin {
    pub(crate) const fn new() -> Self {
        Self(Hint::new(0))
    }

    /// Asks `done` again and again for a short while, if that promises something; whether it became true.
    ///
    /// The pauses between the questions grow up to `longest` rounds: each question slows down whoever works on what is waited for.
    pub(crate) fn until(&self, worth: Worth, longest: u32, mut done: impl FnMut() -> bool) -> bool {
        if processors::all() == 1 {
            return false;
        }
        let is_bound = processors::count() == 1;
        if is_bound {
            self.note_processor();
        }
        let memory = self.memory();
        if (is_bound && !memory.is_on_several()) || !memory.is_promising() {
            return false;
        }
        let mut look = Look { rounds: 0, end: 0 };
        let mut pause = 1;
        while !done() {
            for _ in 0..pause {
                spin_loop();
            }
            if look.is_over(pause, worth) {
                processors::doubt();
                self.learn(
                    memory,
                    if is_bound { memory.failed().on_one() } else { memory.failed() },
                );
                return false;
            }
            pause = (2 * pause).min(longest);
        }
        self.learn(memory, memory.succeeded());
        true
    }

    /// Somebody uses the primitive on this processor.
    pub(crate) fn note_processor(&self) {
        if processors::all() == 1 {
            return;
        }
        let memory = self.memory();
        if !memory.is_on_several() {
            self.learn(memory, memory.on(processors::current()));
        }
    }

    fn memory(&self) -> Memory {
        Memory(self.0.load(Ordering::Relaxed))
    }

    fn learn(&self, before: Memory, after: Memory) {
        if after != before {
            self.0.store(after.0, Ordering::Relaxed);
        }
    }
}

/// The word of a [`Spin`].
#[derive(Clone, Copy, PartialEq, Eq)]
struct Memory(u32);

const PROCESSOR_SHIFT: u32 = 8;
const PROCESSOR: u32 = 0x7f << PROCESSOR_SHIFT;
const ON_SEVERAL: u32 = 1 << 15;
const TIME_SHIFT: u32 = 16;
/// From nanoseconds to units of about 4 ms.
const UNIT_SHIFT: u32 = 22;

impl Memory {
    const fn doubt(self) -> u32 {
        self.0 & MOST_DOUBT
    }

    const fn is_on_several(self) -> bool {
        self.0 & ON_SEVERAL != 0
    }

    const fn on_one(self) -> Self {
        Self(self.0 & !(ON_SEVERAL | PROCESSOR))
    }

    /// Somebody is on `processor`; 7 bits of it tell enough of them apart.
    #[allow(clippy::cast_possible_truncation, reason = "7 bits")]
    const fn on(self, processor: usize) -> Self {
        let here = ((processor % 127) as u32 + 1) << PROCESSOR_SHIFT;
        match self.0 & PROCESSOR {
            0 => Self(self.0 | here),
            there if there == here => self,
            _ => Self(self.0 | ON_SEVERAL),
        }
    }

    /// Whether to spin: there is not much doubt, or it has not been tried for long.
    fn is_promising(self) -> bool {
        let Some(much) = self.doubt().checked_sub(DOUBTFUL) else { return true };
        let units = 1 << (much / 16);
        now().wrapping_sub(self.0 >> TIME_SHIFT) & 0xffff >= units
    }

    fn failed(self) -> Self {
        let doubt = self.doubt() + (MOST_DOUBT - self.doubt()).div_ceil(4);
        Self(self.0 & (ON_SEVERAL | PROCESSOR) | doubt | now() << TIME_SHIFT)
    }

    const fn succeeded(self) -> Self {
        Self((self.0 & !MOST_DOUBT) | (self.doubt() / 2))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it goes round")]
fn now() -> u32 {
    (clock::now() >> UNIT_SHIFT) as u32 & 0xffff
}

/// When to look at the clock, and what it says.
struct Look {
    rounds: u32,
    end: u64,
}

impl Look {
    /// How many rounds go by between two looks.
    const EVERY: u32 = 16;

    #[inline]
    fn is_over(&mut self, rounds: u32, worth: Worth) -> bool {
        self.rounds += rounds;
        if self.rounds < Self::EVERY {
            return false;
        }
        self.rounds = 0;
        let now = clock::now();
        if self.end == 0 {
            self.end = now + worth as u64;
        }
        now >= self.end
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use nix::{
        sched::{CpuSet, sched_getcpu, sched_setaffinity},
        unistd::Pid,
    };

    /// How often it was asked whether it is done, which it never was.
    fn looks(spin: &Spin) -> u32 {
        let mut looks = 0;
        assert!(!spin.until(Worth::Lock, 1, || {
            looks += 1;
            false
        }));
        looks
    }

    #[test]
    fn what_never_succeeds_is_given_up() {
        let spin = Spin::new();
        let tried = (0..100).filter(|_| looks(&spin) != 0).count();
        let is_alone = processors::all() == 1;
        assert!(if is_alone { tried == 0 } else { tried < 20 }, "tried {tried} times");
    }

    #[test]
    fn what_is_done_already_costs_one_look() {
        let mut looks = 0;
        let done = Spin::new().until(Worth::Lock, 1, || {
            looks += 1;
            true
        });
        assert_eq!((looks, done), if processors::count() > 1 { (1, true) } else { (0, false) });
    }

    #[test]
    fn doubt_grows_with_failure_and_melts_with_success() {
        let mut memory = Memory(0);
        let failures = (0..).take_while(|_| {
            memory = memory.failed();
            memory.is_promising()
        });
        assert_eq!(failures.count(), 2);
        assert!(memory.succeeded().is_promising());
        let mut long = memory;
        for _ in 0..100 {
            long = long.failed();
        }
        assert_eq!(long.doubt(), MOST_DOUBT);
        assert!(long.succeeded().is_promising());
        // As if the last failure had been some time ago.
        let earlier = |memory: Memory, ms: u32| {
            let units = (ms << 20 >> UNIT_SHIFT) + 1;
            Memory(memory.0.wrapping_sub(units << TIME_SHIFT))
        };
        assert!(earlier(memory, 10).is_promising() && !earlier(long, 10).is_promising());
        assert!(earlier(long, 1000).is_promising());
    }

    #[test]
    fn a_thread_with_one_processor_spins_only_for_those_on_others() {
        if processors::all() == 1 {
            return;
        }
        std::thread::spawn(|| {
            let here = sched_getcpu().expect("it runs somewhere");
            let mut only = CpuSet::new();
            only.set(here).expect("in range");
            sched_setaffinity(Pid::from_raw(0), &only).expect("it is allowed there");
            processors::doubt();
            let spin = Spin::new();
            assert_eq!((looks(&spin), looks(&spin)), (0, 0));
            spin.learn(spin.memory(), spin.memory().on(here + 1));
            assert_ne!(looks(&spin), 0);
            assert_eq!(looks(&spin), 0, "the other one was not there");
        })
        .join()
        .expect("no panic");
    }
}
