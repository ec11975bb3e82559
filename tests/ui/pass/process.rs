//! Every shape that `#[process]` takes.
use psync::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone)]
struct Job {
    name: String,
    sizes: Vec<u32>,
}

#[process]
fn by_value(job: Job, _unit: (), n: u32) -> Result<usize, String> {
    if n == 0 { Err(job.name) } else { Ok(job.sizes.len()) }
}

#[process]
fn by_reference(total: &Mutex<u32>, text: &str, values: &[u32]) -> psync::Result<()> {
    *total.lock()? += values.iter().sum::<u32>() + text.len() as u32;
    Ok(())
}

#[process]
fn in_place(values: &mut [u32]) {
    values.fill(7);
}

#[process]
fn generic<T>(value: T, more: Vec<T>) -> usize
where
    T: Serialize + for<'de> Deserialize<'de> + Send + 'static,
{
    drop(value);
    more.len()
}

#[derive(Serialize, Deserialize, Clone, Copy)]
struct Tag<const N: usize>;

#[process]
fn constant<const N: usize>(_tag: Tag<N>, values: &[[u8; N]]) -> usize {
    values.len() * N
}

#[process]
fn leave(code: i32) -> ! {
    std::process::exit(code)
}

#[process(wait(go), acquire(room), lock(total as sum), set(done), name = "wired", daemon = false, start_method = StartMethod::ForkServer)]
fn wired(go: &Event, room: &Semaphore, total: &Mutex<u32>, done: &Event) -> u32 {
    *sum += 1;
    *sum
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let job = Job { name: "sizes".to_owned(), sizes: vec![1, 2] };
    assert_eq!(by_value(job.clone(), (), 1), Ok(2));
    assert_eq!(by_value::run(job.clone(), (), 1)?, Ok(2));
    assert_eq!(by_value::spawn(job, (), 0)?.join()?, Err("sizes".to_owned()));

    let total = Shared::new(Mutex::new(0))?;
    let values = Shared::<[u32]>::from_slice(&[1, 2, 3])?;
    by_reference::run(&total, "four", &values)??;
    assert_eq!(*total.lock()?, 10);

    let array = Array::<u32>::zeroed(4)?;
    let mut guard = array.lock()?;
    psync::scope(|scope| -> psync::Result<()> {
        let (left, right) = guard.split_at_mut(2);
        in_place::spawn_in(scope, left)?;
        in_place::spawn_in(scope, right)?;
        Ok(())
    })?;
    assert_eq!(guard[..], [7; 4]);

    assert_eq!(generic::run(1_u8, vec![2, 3])?, 2);
    let process = generic::spawn_with(Options::new().name("texts"), String::new(), vec![])?;
    assert_eq!(process.name(), "texts");
    assert_eq!(process.join()?, 0);
    let pairs = Shared::<[[u8; 2]]>::zeroed(3)?;
    assert_eq!(constant::run::<2>(Tag, &pairs)?, 6);
    let Err(error) = leave::run(3);
    assert!(error.to_string().contains("code 3"));

    let (go, room) = (Shared::new(Event::new())?, Shared::new(Semaphore::new(1))?);
    let done = Shared::new(Event::new())?;
    let process = wired::spawn(&go, &room, &total, &done)?;
    assert_eq!(process.name(), "wired");
    go.set();
    done.wait();
    assert_eq!(process.join()?, 11);
    Ok(())
}
