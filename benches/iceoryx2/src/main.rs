//! What messages cost with iceoryx2, between two processes: medians as lines of a table.
//!
//! It has names in `/dev/shm` and `/tmp/iceoryx2`. What a run that was killed has left there, the next one takes away.

use iceoryx2::{
    port::{publisher::Publisher, subscriber::Subscriber},
    prelude::*,
};
use std::{
    hint::{black_box, spin_loop},
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROOM: usize = 1024;
const ROUNDS: usize = 15;

/// In the partner: whether the process that gives orders has ended.
static IS_OVER: AtomicBool = AtomicBool::new(false);

struct Line {
    publisher: Publisher<ipc::Service, [u8], ()>,
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    _node: Node<ipc::Service>,
}

/// A line to the other process: what it publishes is received here, and the other way round.
fn line(out: &str, back: &str, len: usize) -> Result<Line> {
    let node = NodeBuilder::new().create::<ipc::Service>()?;
    let service = |name: &str| -> Result<_> {
        Ok(node
            .service_builder(&name.try_into()?)
            .publish_subscribe::<[u8]>()
            .enable_safe_overflow(false)
            .subscriber_max_buffer_size(ROOM)
            .open_or_create()?)
    };
    let (out, back) = (service(out)?, service(back)?);
    let publisher = out
        .publisher_builder()
        .initial_max_slice_len(len)
        .unable_to_deliver_strategy(UnableToDeliverStrategy::Block)
        .create()?;
    let subscriber = back.subscriber_builder().buffer_size(ROOM).create()?;
    Ok(Line { publisher, subscriber, _node: node })
}

impl Line {
    fn send(&self, message: &[u8]) -> Result<()> {
        self.publisher.loan_slice_uninit(message.len())?.write_from_slice(message).send()?;
        Ok(())
    }

    /// Asks again and again, as iceoryx2's own benchmark does; copies the message, as the other peers do.
    fn receive(&self, message: &mut Vec<u8>) -> Result<()> {
        while !IS_OVER.load(Ordering::Relaxed) {
            if let Some(sample) = self.subscriber.receive()? {
                message.clear();
                message.extend_from_slice(sample.payload());
                return Ok(());
            }
            spin_loop();
        }
        Err("the other process is gone".into())
    }
}

/// The partner: takes as many messages as it is told to, or answers them.
fn partner(names: &str, len: usize) -> Result<()> {
    let line = line(&format!("{names}/back"), &format!("{names}/out"), len)?;
    let (give, orders) = mpsc::channel();
    std::thread::spawn(move || {
        std::io::stdin()
            .lock()
            .lines()
            .map_while(std::io::Result::ok)
            .try_for_each(|order| give.send(order))
            .ok();
        IS_OVER.store(true, Ordering::Relaxed);
    });
    println!("ready");
    let mut message = Vec::new();
    for order in orders {
        let (what, count) = order.split_once(' ').ok_or("an order")?;
        for _ in 0..count.parse::<u64>()? {
            line.receive(black_box(&mut message))?;
            if what == "answer" {
                line.send(&message)?;
            }
        }
        println!("done");
    }
    Ok(())
}

fn measure(len: usize, count: u64, answers: bool) -> Result<Duration> {
    let names = format!("psync-bench/{}/{len}/{answers}", std::process::id());
    let mut child = Command::new(std::env::current_exe()?)
        .args(["partner", &names, &len.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let line = line(&format!("{names}/out"), &format!("{names}/back"), len)?;
    let mut said = BufReader::new(child.stdout.take().ok_or("a pipe")?);
    let mut orders = child.stdin.take().ok_or("a pipe")?;
    let mut word = String::new();
    said.read_line(&mut word)?;
    let message = vec![7; len];
    let mut back = Vec::new();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        writeln!(orders, "{} {count}", if answers { "answer" } else { "take" })?;
        let start = Instant::now();
        for _ in 0..count {
            line.send(black_box(&message))?;
            if answers {
                line.receive(&mut back)?;
            }
        }
        said.read_line(&mut word)?;
        rounds.push(start.elapsed() / u32::try_from(count)?);
    }
    drop(orders);
    said.read_to_string(&mut word)?;
    child.wait()?;
    rounds.sort();
    Ok(rounds[ROUNDS / 2])
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [what, names, len] = &arguments[..]
        && what == "partner"
    {
        return partner(names, len.parse()?);
    }
    set_log_level(LogLevel::Error);
    for (len, count) in [(8, 100_000), (64, 100_000), (1 << 10, 100_000), (64 << 10, 5_000)] {
        println!("| iceoryx2, {len} B | {:?} |", measure(len, count, false)?);
    }
    println!("| iceoryx2, 8 B there and back, awake | {:?} |", measure(8, 50_000, true)?);
    Ok(())
}
