//! Who holds which objects: by process, so that nothing is left of the dead.
//!
//! | a handle | counts on the account of |
//! |---|---|
//! | in a process | that process |
//! | in arguments of a start | the process that is being started |
//! | in a result | the process that may ask for it |
//! | in a request, or in a reply | the client that asks |
//! | in any other message | its sender, until it is received; for [`LEASE`] after the sender's end, since the message may outlive it |
//! | in another object | the server itself |

use crate::{shm::world::Identity, sys::clock::Deadline};
use core::time::Duration;
use std::collections::HashMap;

/// How long a handle in a message counts after the end of its sender. Nobody can know whether such a message will still be received, so this is the
/// most that a killed process can leave behind.
const LEASE: Duration = Duration::from_mins(1);

type Counts = HashMap<u64, u32>;

/// On whose account a handle in a message is, and whether the message may outlive that process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::manager) struct Charge {
    pub(in crate::manager) process: Identity,
    pub(in crate::manager) lasts: bool,
}

impl Charge {
    pub(in crate::manager) const fn bits(self) -> u64 {
        self.process.bits() as u64 | (self.lasts as u64) << 32
    }

    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart")]
    pub(in crate::manager) const fn from_bits(bits: u64) -> Self {
        Self { process: Identity::from_bits(bits as u32), lasts: bits >> 32 != 0 }
    }
}

/// What one process has.
#[derive(Debug, Default)]
struct Account {
    held: Counts,
    /// In messages that nobody can receive once it is dead, and in those that may still be received.
    flying: [Counts; 2],
    /// Connections that are still being served: as long as there is one, requests of a dead process may wait there.
    connections: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    of: HashMap<u32, Account>,
    /// How many handles each object has.
    total: Counts,
    /// What the dead had sent.
    estates: Vec<(Deadline, Counts)>,
}

fn add(counts: &mut Counts, object: u64) {
    *counts.entry(object).or_default() += 1;
}

/// Whether there was one.
fn subtract(counts: &mut Counts, object: u64) -> bool {
    let Some(count) = counts.get_mut(&object) else { return false };
    *count -= 1;
    if *count == 0 {
        counts.remove(&object);
    }
    true
}

impl Accounts {
    fn account(&mut self, process: Identity) -> &mut Account {
        self.of.entry(process.bits()).or_default()
    }

    /// The first handle of a new object.
    pub(super) fn begin(&mut self, process: Identity, object: u64) {
        add(&mut self.account(process).held, object);
        add(&mut self.total, object);
    }

    /// Whether anybody holds the object.
    pub(super) fn knows(&self, object: u64) -> bool {
        self.total.contains_key(&object)
    }

    /// One handle of an object less: whether that was the last.
    fn forget(&mut self, object: u64) -> bool {
        subtract(&mut self.total, object) && !self.knows(object)
    }

    /// A process drops a handle. Whether the object is nobody's any more.
    pub(super) fn release(&mut self, process: Identity, object: u64) -> bool {
        subtract(&mut self.account(process).held, object) && self.forget(object)
    }

    /// A handle goes into a message. False if the object is gone.
    pub(super) fn depart(&mut self, charge: Charge, object: u64) -> bool {
        if !self.knows(object) {
            return false;
        }
        if charge.process != Identity::NOBODY {
            add(&mut self.account(charge.process).flying[usize::from(charge.lasts)], object);
            add(&mut self.total, object);
        }
        true
    }

    /// A handle has come out of a message. False if the object is gone.
    pub(super) fn arrive(&mut self, process: Identity, charge: Charge, object: u64) -> bool {
        if !self.knows(object) {
            return false;
        }
        self.begin(process, object);
        self.land(charge, object);
        true
    }

    /// A handle that was in a message is not any more. Whether the object is nobody's any more.
    pub(super) fn land(&mut self, charge: Charge, object: u64) -> bool {
        let flew = self.of.get_mut(&charge.process.bits()).is_some_and(|account| {
            subtract(&mut account.flying[usize::from(charge.lasts)], object)
        });
        let flew = flew || self.estates.iter_mut().any(|(_, counts)| subtract(counts, object));
        flew && self.forget(object)
    }

    pub(super) fn connect(&mut self, process: Identity) {
        self.account(process).connections += 1;
    }

    pub(super) fn disconnect(&mut self, process: Identity) {
        let account = self.account(process);
        account.connections = account.connections.saturating_sub(1);
    }

    /// The processes that have anything.
    pub(super) fn processes(&self) -> Vec<Identity> {
        self.of.keys().copied().map(Identity::from_bits).collect()
    }

    /// Closes the account of a dead process once all that it had asked for has been done. The objects that are nobody's any more.
    pub(super) fn close(&mut self, process: Identity) -> Vec<u64> {
        if self.of.get(&process.bits()).is_none_or(|account| account.connections != 0) {
            return Vec::new();
        }
        let Some(account) = self.of.remove(&process.bits()) else { return Vec::new() };
        let [lost, lasting] = account.flying;
        if !lasting.is_empty() {
            self.estates.push((Deadline::after(LEASE), lasting));
        }
        let mut gone = self.strike(account.held);
        gone.extend(self.strike(lost));
        gone
    }

    /// Closes the estates whose time is up. The objects that are nobody's any more.
    pub(super) fn close_estates(&mut self) -> Vec<u64> {
        let over = self.estates.extract_if(.., |(until, _)| until.is_over());
        let over: Vec<Counts> = over.map(|(_, counts)| counts).collect();
        over.into_iter().flat_map(|counts| self.strike(counts)).collect()
    }

    fn strike(&mut self, counts: Counts) -> Vec<u64> {
        let handles =
            counts.into_iter().flat_map(|(object, count)| (0..count).map(move |_| object));
        handles.filter(|object| self.forget(*object)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Identity = Identity::from_bits(1 << 12);
    const TWO: Identity = Identity::from_bits(1 << 12 | 1);
    /// In a message of a queue.
    const SENT: Charge = Charge { process: ONE, lasts: true };
    /// In a request.
    const ASKED: Charge = Charge { process: ONE, lasts: false };

    #[test]
    fn an_object_lives_as_long_as_anybody_holds_it() {
        let mut accounts = Accounts::default();
        accounts.begin(ONE, 7);
        assert!(accounts.depart(SENT, 7));
        assert!(!accounts.release(ONE, 7), "it is under way");
        assert!(accounts.arrive(TWO, SENT, 7));
        assert!(!accounts.land(SENT, 7), "it has landed already");
        assert!(accounts.release(TWO, 7), "the last one");
        assert!(!accounts.knows(7) && !accounts.depart(SENT, 7) && !accounts.arrive(TWO, SENT, 7));
    }

    #[test]
    fn the_dead_hold_nothing_but_what_they_have_sent() {
        let mut accounts = Accounts::default();
        for object in [1, 2, 3] {
            accounts.begin(ONE, object);
        }
        accounts.begin(TWO, 3);
        accounts.depart(SENT, 2);
        accounts.depart(ASKED, 1);
        accounts.connect(ONE);
        assert_eq!(accounts.close(ONE), [0; 0], "a connection may have requests");
        accounts.disconnect(ONE);
        assert_eq!(accounts.close(ONE), [1]);
        assert!(accounts.knows(2) && accounts.knows(3));
        assert!(accounts.arrive(TWO, SENT, 2), "its message was received after all");
        assert_eq!(accounts.close(TWO).len(), 2);
        assert_eq!(accounts.total.len(), 0);
    }

    #[test]
    fn what_the_dead_have_sent_ends_with_its_lease() {
        let mut accounts = Accounts::default();
        accounts.begin(ONE, 1);
        accounts.depart(SENT, 1);
        assert_eq!(accounts.close(ONE), [0; 0]);
        assert_eq!(accounts.close_estates(), [0; 0]);
        accounts.estates[0].0 = Deadline::after(Duration::ZERO);
        assert_eq!(accounts.close_estates(), [1]);
    }
}
