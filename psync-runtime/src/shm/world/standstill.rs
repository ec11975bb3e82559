//! Whether a thread waits for what nobody will ever do, where more than one could.
//!
//! A wait for a message ends if *anybody* who holds the queue sends one. So it lasts for ever only if every thread of every process that holds it waits for ever
//! itself. [`find`] begins by taking all waits without a deadline for such ones, and strikes out each that somebody else could end, until nothing changes:
//!
//! | a wait | is kept as long as |
//! |---|---|
//! | for one that holds it up: an owner, readers, a process | one of those threads is kept |
//! | for anybody of the processes that could end it | each thread of each of them is kept: as many threads as the kernel counts there |
//!
//! What is left may still be wrong, since the records are read one after the other, and a message that has come may not have been noticed yet. So it is
//! a [`Suspicion`]: which waits, at which turns, and how often each has looked whether it can go on. It is borne out when the same waits are left, at the same
//! turns, for the same processes, and each has looked once more *after* the suspicion and found nothing. Then
//!
//! * from the moment at which threads were counted on, no thread of those processes has done anything, since all of them wait in the same turns still;
//! * nobody else could do anything: there were no handles under way, and nobody else has the queue in its memory;
//! * after that moment each of them has found nothing to go on with.
//!
//! So none of them ever will, unless somebody is told.

use super::{
    Identity, Method, World,
    needs::{Needs, Turn, Waiter},
    site::Operation,
};
use crate::{
    primitive::{Ordering, fence},
    shm::segment::Inode,
    sys::{mappers::mappers, procfs},
};
use std::collections::{BTreeMap, BTreeSet};

/// One wait without a deadline.
#[derive(Debug)]
struct Wait {
    turn: Turn,
    waiter: Waiter,
    needs: Needs,
    /// Those who hold it up, any of them; of a wait that anybody may end, all who could. By their places in the list.
    others: Vec<usize>,
    is_stuck: bool,
}

/// Waits that only each other could end: the first one's, and all that it depends on.
#[derive(Debug)]
pub(super) struct Knot(Vec<Wait>);

/// A knot that was seen once: by record and turn, what was seen of it.
#[derive(Debug)]
pub(super) struct Suspicion(BTreeMap<(u32, u32), Option<Looked>>);

/// Of a wait that anybody may end: how many looks it had begun, and who could end it.
#[derive(Debug)]
struct Looked {
    begun: u32,
    holders: Vec<Identity>,
}

/// What `mine` is stuck in, as far as the records and the kernel tell; `None` if nothing, or if it has to do with locks only.
pub(super) fn find(world: &World, mine: Turn) -> Option<Knot> {
    let all: Vec<(Turn, Waiter)> =
        world.turns().filter_map(|turn| Some((turn, world.waits_for_ever(turn)?))).collect();
    if !all.iter().any(|(_, waiter)| may_be_ended_by_anyone(waiter.operation)) {
        return None;
    }
    let mut crowd = Crowd::new(world, &all);
    // Most often somebody does not wait, and that is seen at once.
    let own = world.needs(mine)?;
    if own.check.is_some_and(|check| !check.holders.processes.iter().all(|&p| crowd.is_counted(p)))
    {
        return None;
    }
    let mut waits: Vec<Wait> = all
        .iter()
        .filter_map(|&(turn, waiter)| {
            let needs = world.needs(turn)?;
            Some(Wait { turn, waiter, needs, others: Vec::new(), is_stuck: true })
        })
        .collect();
    connect(&mut waits);
    strike_out(&mut waits, &mut crowd);
    let first = waits.iter().position(|wait| wait.turn == mine && wait.is_stuck)?;
    let knot = Knot::from(waits, first);
    knot.0.iter().any(|wait| wait.needs.check.is_some()).then_some(knot)
}

const fn may_be_ended_by_anyone(operation: Operation) -> bool {
    matches!(operation, Operation::Send | Operation::Receive | Operation::Finish)
}

/// How many threads the processes have, and how many of them wait for ever.
struct Crowd<'a> {
    world: &'a World,
    waiting: BTreeMap<u32, usize>,
    threads: BTreeMap<u32, Option<usize>>,
}

impl<'a> Crowd<'a> {
    fn new(world: &'a World, all: &[(Turn, Waiter)]) -> Self {
        let mut waiting = BTreeMap::new();
        for (_, waiter) in all {
            *waiting.entry(waiter.process.bits()).or_insert(0) += 1;
        }
        Self { world, waiting, threads: BTreeMap::new() }
    }

    /// Whether all threads of a process wait for ever. The dead do nothing.
    fn is_counted(&mut self, process: Identity) -> bool {
        if !self.world.is_alive(process) {
            return true;
        }
        let waiting = self.waiting.get(&process.bits()).copied().unwrap_or(0);
        if waiting == 0 {
            return false;
        }
        let world = self.world;
        let threads = self.threads.entry(process.bits()).or_insert_with(|| threads(world, process));
        *threads == Some(waiting)
    }

    fn strike_out(&mut self, process: Identity) {
        if let Some(waiting) = self.waiting.get_mut(&process.bits()) {
            *waiting -= 1;
        }
    }
}

/// How many threads of the process run code of the user's.
fn threads(world: &World, process: Identity) -> Option<usize> {
    let slot = world.slot(process);
    let stat = procfs::Stat::of(slot.pid()).filter(|stat| stat.started <= slot.started())?;
    // Its main thread only waits for the one that runs its function.
    let idle = usize::from(slot.method() == Method::Spawn);
    stat.threads.checked_sub(idle)
}

/// Finds out who could end each wait.
fn connect(waits: &mut [Wait]) {
    let (mut turns, mut readers) = (BTreeMap::new(), BTreeMap::<u64, Vec<usize>>::new());
    let (mut mains, mut members) = (BTreeMap::new(), BTreeMap::<u32, Vec<usize>>::new());
    for (place, wait) in waits.iter().enumerate() {
        turns.insert((wait.turn.index, wait.turn.turn), place);
        for &lock in wait.needs.reads.iter().filter(|&&lock| lock != 0) {
            readers.entry(lock).or_default().push(place);
        }
        let process = wait.waiter.process.bits();
        if wait.waiter.is_main {
            mains.insert(process, place);
        }
        members.entry(process).or_default().push(place);
    }
    for (place, wait) in waits.iter_mut().enumerate() {
        let Needs { edge, lock, ends, check, .. } = &wait.needs;
        let edge = edge.and_then(|edge| turns.get(&(edge.index, edge.turn)));
        let readers = readers.get(lock).into_iter().flatten();
        let mains = ends.iter().filter_map(|end| mains.get(&end.bits()));
        let holders = check.iter().flat_map(|check| &check.holders.processes);
        let anyone = holders.filter_map(|holder| members.get(&holder.bits())).flatten();
        let others = edge.into_iter().chain(readers).chain(mains).chain(anyone).copied();
        wait.others = others.filter(|&other| other != place).collect();
    }
}

fn strike_out(waits: &mut [Wait], crowd: &mut Crowd<'_>) {
    loop {
        let free: Vec<usize> = (0..waits.len())
            .filter(|&place| waits[place].is_stuck && !is_kept(waits, place, crowd))
            .collect();
        if free.is_empty() {
            return;
        }
        for place in free {
            waits[place].is_stuck = false;
            crowd.strike_out(waits[place].waiter.process);
        }
    }
}

fn is_kept(waits: &[Wait], place: usize, crowd: &mut Crowd<'_>) -> bool {
    match &waits[place].needs.check {
        Some(check) => check.holders.processes.iter().all(|&holder| crowd.is_counted(holder)),
        None => waits[place].others.iter().any(|&other| waits[other].is_stuck),
    }
}

impl Knot {
    /// What the wait at `first` depends on, which comes first in it.
    fn from(waits: Vec<Wait>, first: usize) -> Self {
        let mut order = vec![first];
        let mut next = 0;
        while let Some(&place) = order.get(next) {
            for &other in &waits[place].others {
                if waits[other].is_stuck && !order.contains(&other) {
                    order.push(other);
                }
            }
            next += 1;
        }
        let new: BTreeMap<usize, usize> = order.iter().copied().zip(0..).collect();
        let mut waits: Vec<Option<Wait>> = waits.into_iter().map(Some).collect();
        let taken = order.iter().filter_map(|&place| waits[place].take());
        let renamed = taken.map(|mut wait| {
            wait.others = wait.others.iter().filter_map(|other| new.get(other).copied()).collect();
            wait
        });
        Self(renamed.collect())
    }

    /// The thread that is told, as of [`thread_key`](super::waits::thread_key): of those that depend on the first as it depends on them. `None` if that does
    /// not wait for itself, or none of them has an error for it.
    pub(super) fn told(&self) -> Option<u64> {
        let mut back = BTreeSet::from([0]);
        loop {
            let more = (0..self.0.len())
                .filter(|place| !back.contains(place))
                .filter(|&place| self.0[place].others.iter().any(|other| back.contains(other)));
            let more: Vec<usize> = more.collect();
            if more.is_empty() {
                break;
            }
            back.extend(more);
        }
        let is_circle = self.0.len() == 1 || back.len() > 1;
        let candidates = back.iter().map(|&place| &self.0[place].waiter);
        let ranked =
            candidates.filter_map(|waiter| Some((waiter.operation.rank()?, waiter.thread)));
        ranked.min().filter(|_| is_circle).map(|(_, thread)| thread)
    }

    /// The turns: first those of the shortest circle through the first one, whose number is returned, and then the others.
    pub(super) fn turns(&self) -> (Vec<Turn>, usize) {
        let mut circle = self.circle();
        let len = circle.len();
        let others = (0..self.0.len()).filter(|place| !circle.contains(place));
        let others: Vec<usize> = others.collect();
        circle.extend(others);
        (circle.into_iter().map(|place| self.0[place].turn).collect(), len)
    }

    fn circle(&self) -> Vec<usize> {
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut order = vec![0];
        let mut next = 0;
        while let Some(&place) = order.get(next) {
            if self.0[place].others.contains(&0) {
                let back = core::iter::successors(Some(place), |at| came_from.get(at).copied());
                let mut circle: Vec<usize> = back.collect();
                circle.reverse();
                return circle;
            }
            for &other in &self.0[place].others {
                if !order.contains(&other) {
                    order.push(other);
                    came_from.insert(other, place);
                }
            }
            next += 1;
        }
        vec![0]
    }

    fn files(&self) -> Vec<Inode> {
        let checks = self.0.iter().filter_map(|wait| wait.needs.check.as_ref());
        let mut files: Vec<Inode> = checks.map(|check| check.holders.file).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Whether only those processes can use the queues that are booked as doing so: nobody has a copy of their memory.
    pub(super) fn has_no_copies(&self, world: &World) -> bool {
        let root = world.used().find(|(_, slot)| slot.pid() == world.root());
        let since = root.map_or(0, |(_, slot)| slot.started());
        let holders = self.0.iter().filter_map(|wait| wait.needs.check.as_ref());
        let holders: Vec<Identity> =
            holders.flat_map(|check| check.holders.processes.iter().copied()).collect();
        let is_known = |pid: i32| {
            let known = world.used().find(|(id, slot)| slot.is_alive(*id) && slot.pid() == pid);
            // A forked process has copies of handles that it is not booked for.
            known.is_some_and(|(id, slot)| {
                holders.contains(&id) || !matches!(slot.method(), Method::Fork | Method::Foreign)
            })
        };
        mappers(&self.files(), since).is_some_and(|pids| pids.into_iter().all(is_known))
    }
}

impl Suspicion {
    /// After threads were counted and copies looked for; `None` if somebody has gone on since.
    pub(super) fn of(world: &World, knot: &Knot) -> Option<Self> {
        // Who begins a look that is not seen here begins it after all that.
        fence(Ordering::SeqCst);
        let begun = |wait: &Wait| {
            let holders = wait.needs.check.as_ref().map(|check| &check.holders.processes);
            let begun = world.checks_begun(wait.turn)?;
            let key = (wait.turn.index, wait.turn.turn);
            Some((key, holders.map(|holders| Looked { begun, holders: holders.clone() })))
        };
        knot.0.iter().map(begun).collect::<Option<_>>().map(Self)
    }

    /// Whether it was about all that is in this knot, and the same processes.
    pub(super) fn is_about(&self, knot: &Knot) -> bool {
        knot.0.iter().all(|wait| {
            let then = self.0.get(&(wait.turn.index, wait.turn.turn));
            let holders = wait.needs.check.as_ref().map(|check| &check.holders.processes);
            then.is_some_and(|then| then.as_ref().map(|looked| &looked.holders) == holders)
        })
    }

    /// Whether each of them has looked once more since.
    pub(super) fn is_borne_out(&self, knot: &Knot) -> bool {
        knot.0.iter().all(|wait| {
            let then = self.0.get(&(wait.turn.index, wait.turn.turn)).and_then(Option::as_ref);
            match (then, &wait.needs.check) {
                (Some(looked), Some(check)) => {
                    check.number.wrapping_sub(looked.begun).cast_signed() >= 2
                }
                (None, None) => true,
                _ => false,
            }
        })
    }
}
