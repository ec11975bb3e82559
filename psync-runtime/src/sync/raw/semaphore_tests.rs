//! What becomes of permits in the word, in the reserve and in the roster.

use super::*;
use crate::sys::clock::Deadline;

fn acquire(semaphore: &RawSemaphore) -> Identity {
    semaphore.acquire(&Deadline::NEVER.into()).expect("free")
}

#[test]
fn what_a_bounded_one_gets_above_its_start_ceases_to_exist() {
    let semaphore = RawSemaphore::new(2, true);
    let first = acquire(&semaphore);
    let second = acquire(&semaphore);
    assert_eq!(semaphore.release(1), Release::Done);
    semaphore.give_back(first);
    assert_eq!(semaphore.available(), 2);
    semaphore.give_back(second);
    assert_eq!(semaphore.available(), 2);
    assert_eq!(semaphore.release(1), Release::AboveBound(2));
}

#[test]
fn settling_again_changes_nothing() {
    let semaphore = RawSemaphore::new(3, false);
    let holder = acquire(&semaphore);
    semaphore.settle();
    assert_eq!(semaphore.available(), 2);
    semaphore.forget(holder);
    semaphore.settle();
    assert_eq!(semaphore.available(), 2);
}

#[test]
fn what_a_place_cannot_tell_stands_in_the_roster() {
    for (permits, bounded) in [(40, false), (40, true)] {
        let semaphore = RawSemaphore::new(permits, bounded);
        let holders: Vec<_> = (0..permits).map(|_| acquire(&semaphore)).collect();
        assert_eq!(semaphore.roster.entries().map(|entry| entry.value()).sum::<u32>(), 25);
        assert_eq!(semaphore.available(), 0);
        semaphore.forget(holders[0]);
        for (given, holder) in (1..).zip(&holders[1..]) {
            semaphore.give_back(*holder);
            assert_eq!(semaphore.available(), given);
        }
        assert_eq!(semaphore.roster.entries().count(), 0);
        // All are given back: this one is nobody's.
        semaphore.give_back(holders[0]);
        assert_eq!(semaphore.available(), permits - 1);
    }
}

#[test]
fn more_than_the_word_can_tell_are_in_reserve() {
    for bounded in [false, true] {
        let most = MOST_FREE + 10;
        let semaphore = RawSemaphore::new(most, bounded);
        let holders: Vec<_> = (0..12).map(|_| acquire(&semaphore)).collect();
        assert_eq!(semaphore.look().free(), MOST_FREE - 12);
        assert_eq!(semaphore.available(), most - 12);
        for holder in holders {
            semaphore.give_back(holder);
        }
        assert_eq!((semaphore.look().free(), semaphore.available()), (MOST_FREE, most));
        let more = if bounded { Release::AboveBound(most) } else { Release::Done };
        assert_eq!(semaphore.release(5), more);
    }
}

#[test]
fn the_places_of_more_processes_than_there_are_stay_as_they_are() {
    let semaphore = RawSemaphore::new(3, false);
    for place in 0..PLACES {
        semaphore.owners.set(place, Identity::from_bits(77));
    }
    let alive = |_: Identity| false;
    assert_eq!(semaphore.claim(me().id, alive), None);
    let holder = me().id;
    assert!(matches!(semaphore.attempt(me(), alive, false), Attempt::Taken));
    assert_eq!((semaphore.owners.find(holder), semaphore.roster.entries().count()), (None, 1));
    assert_eq!(semaphore.available(), 2);
    semaphore.give_back(holder);
    assert_eq!((semaphore.available(), semaphore.roster.entries().count()), (3, 0));
    // One of them dies, with a permit.
    semaphore.change(|seen| seen.take(7)).expect("free");
    let died = |id: Identity| id == Identity::from_bits(77);
    assert_eq!(semaphore.claim(me().id, died), Some(0));
    semaphore.take_back(7);
    semaphore.settle();
    assert_eq!(semaphore.available(), 3);
    assert_eq!(semaphore.owners.find(me().id), Some(0));
}
