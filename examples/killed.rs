//! Processes are killed with something in their hands, and the others go on.
//!
//! ```console
//! $ cargo run --release --example killed
//! ```

// ANCHOR: shared
use psync::prelude::*;
use std::thread;

#[shared]
struct House {
    /// The process has what it is to have when it is killed.
    ready: Event,
    never: Event,
    #[init(Mutex::new([3, 4, 7]))]
    sum: Mutex<[u32; 3]>,
    #[init(Value::new([3, 4, 7]))]
    value: Value<[u32; 3]>,
    #[init(RwLock::new(5))]
    paper: RwLock<u32>,
    #[init(Semaphore::new(1))]
    seat: Semaphore,
    #[init(Barrier::new(2))]
    door: Barrier,
    recipe: Once<u32>,
    bell: Condvar,
}

impl House {
    /// Waits to be killed.
    fn stay(&self) {
        self.ready.set();
        self.never.wait();
    }
}

/// Kills a process once it is ready, and waits until it is dead.
fn kill(house: &House, process: &Process<()>) -> psync::Result<()> {
    house.ready.wait();
    house.ready.clear();
    process.kill()?;
    process.wait();
    Ok(())
}
// ANCHOR_END: shared

// ANCHOR: locks
#[process(lock(house.sum as sum))]
fn change_half_of_it(house: &House) {
    sum[0] += 10;
    house.stay();
}

#[process]
fn change_a_copy(house: &House) {
    let mut copy = house.value.lock().expect("nobody else has it");
    copy[0] += 10;
    house.stay();
}

#[process]
fn read(house: &House) {
    let _reading = house.paper.read().expect("nobody writes");
    house.stay();
}

fn locks(house: &Shared<House>) -> psync::Result<()> {
    kill(house, &change_half_of_it::spawn(house)?)?;
    println!("Mutex: {}", house.sum.lock().expect_err("it is poisoned"));
    let sum = house.sum.lock_or_repair(|sum| sum[2] = sum[0] + sum[1])?;
    println!("Mutex, repaired: {sum:?}");

    kill(house, &change_a_copy::spawn(house)?)?;
    println!("Value: {:?}", house.value.get());

    kill(house, &read::spawn(house)?)?;
    *house.paper.write()? += 1;
    println!("RwLock, after a reader: {}", house.paper.read()?);
    Ok(())
}
// ANCHOR_END: locks

// ANCHOR: others
#[process(acquire(house.seat))]
fn sit(house: &House) {
    house.stay();
}

#[process]
fn stand_in_the_door(house: &House) {
    let _ = house.door.wait();
}

#[process(lock(house.sum as sum))]
fn listen(house: &House) {
    drop(house.bell.wait(sum));
}

#[process]
fn write(house: &House) {
    house.recipe.get_or_init(|| {
        house.stay();
        1
    });
}

fn others(house: &Shared<House>) -> psync::Result<()> {
    kill(house, &sit::spawn(house)?)?;
    println!("Semaphore: {} free", house.seat.available());

    let waiting = stand_in_the_door::spawn(house)?;
    while house.door.waiting() == 0 {
        thread::yield_now();
    }
    house.ready.set();
    kill(house, &waiting)?;
    println!("Barrier: {}", house.door.wait().expect_err("it is broken"));
    house.door.reset();
    println!("Barrier, after a reset: {:?}", house.door);

    let listening = listen::spawn(house)?;
    while !psync::dump_waits().contains("for Condvar") {
        thread::yield_now();
    }
    house.ready.set();
    kill(house, &listening)?;
    println!("Condvar: {} notified", house.bell.notify(1));

    kill(house, &write::spawn(house)?)?;
    println!("Once: {}", house.recipe.get_or_init(|| 2));
    Ok(())
}
// ANCHOR_END: others

// ANCHOR: main
fn main() -> psync::Result<()> {
    let house = Shared::new(House::default())?;
    locks(&house)?;
    others(&house)
}
// ANCHOR_END: main
