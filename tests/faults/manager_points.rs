//! A client of a manager is killed at every point that it passes, and the server at every point that it passes for a client: what a call does is done as a whole or not at all, nothing is
//! left of the dead, and nobody waits for ever.

use psync::{
    managed,
    manager::{DictProxy, ListProxy, QueueProxy},
    prelude::*,
    spawn,
};
use psync_runtime::sync::testing::{Watchdog, faults, watchdog};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// The point and the turn at which to die; no point to note what is passed.
type Plan = (String, u32);

fn arm((point, turn): Plan) {
    if point.is_empty() {
        faults::record();
    } else {
        faults::die_at(&point, turn);
    }
}

fn passed() -> Vec<String> {
    faults::disarm().into_iter().map(|hit| hit.name.to_owned()).collect()
}

/// It is made, and called, by the server's thread for this client, whose points are counted from there on.
struct Server;

#[managed]
impl Server {
    /// From here on.
    pub(crate) fn arm(plan: Plan) -> Self {
        arm(plan);
        Self
    }

    /// What that thread has passed.
    #[allow(clippy::unused_self, reason = "what is called is a method of an object")]
    pub(crate) fn passed(&self) -> Vec<String> {
        passed()
    }
}

/// What is there for all.
#[derive(Clone, Serialize, Deserialize)]
struct Objects {
    manager: Manager,
    accounts: DictProxy<u8, [i64; 2]>,
    shelf: ListProxy<ListProxy<u32>>,
    line: QueueProxy<u32>,
}

impl Objects {
    const COUNT: usize = 3;
    const BOOK: [u32; 3] = [1, 2, 3];

    fn new() -> Self {
        let manager = Manager::start().expect("starts");
        let accounts = manager.dict().expect("a dict");
        accounts.insert(0, [100, 0]).expect("there");
        let (shelf, line) = (manager.list().expect("a list"), manager.queue().expect("a queue"));
        Self { manager, accounts, shelf, line }
    }

    /// Calls of every sort: with functions, with values and with handles in them, there and back.
    fn work(&self) -> Result<(), ManagerError> {
        for _ in 0..2 {
            let pay = |has: Option<[i64; 2]>| has.map(|[a, b]| [a - 1, b + 1]);
            self.accounts.fetch_update(0, pay)?;
            let book = self.manager.list()?;
            book.extend(Self::BOOK)?;
            self.shelf.push(book.clone())?;
            drop(self.shelf.get(0)?);
            drop(book);
            let book = self.shelf.pop()?.ok_or(ManagerError::Gone)?;
            assert_eq!(book.to_vec()?, Self::BOOK);
            self.line.send(7)?;
            self.line.recv()?;
        }
        Ok(())
    }

    /// After a client's death.
    fn check(&self, cell: &str) {
        let [a, b] = self.accounts.get(&0).expect(cell).expect(cell);
        assert!(a + b == 100 && (0..=2).contains(&b), "{cell}: {a} and {b}");
        for book in self.shelf.to_vec().expect(cell) {
            assert_eq!(book.to_vec().expect(cell), Self::BOOK, "{cell}");
        }
        self.work().expect(cell);
        self.shelf.clear().expect(cell);
        let begun = Instant::now();
        while self.manager.objects().expect(cell) != Self::COUNT {
            let left = self.manager.objects().expect(cell);
            assert!(begun.elapsed() < Duration::from_secs(40), "{cell}: {left} objects are left");
            std::thread::yield_now();
        }
        self.manager.clone().shutdown().expect(cell);
    }

    /// After the server's.
    fn is_lost(&self, cell: &str) {
        let lost = |error: Option<ManagerError>| {
            let pid = self.manager.pid();
            assert!(
                matches!(error, Some(ManagerError::Lost { pid: of }) if of == pid),
                "{cell}: {error:?}"
            );
        };
        lost(self.accounts.get(&0).err());
        lost(self.shelf.len().err());
        lost(self.line.send(1).err());
        lost(self.manager.list::<u8>().err());
        lost(self.manager.clone().shutdown().err());
    }
}

fn count(names: Vec<String>) -> BTreeMap<String, u32> {
    let mut points = BTreeMap::new();
    for name in names {
        *points.entry(name).or_default() += 1;
    }
    points
}

/// It gets to know of the server once it is armed, so that its hello is among what it may die of.
fn client((post, plan): (Queue<Objects>, Plan)) -> Vec<String> {
    arm(plan);
    let objects = post.recv().expect("it was sent before");
    objects.work().expect("the server lives");
    passed()
}

fn start_client(objects: &Objects, plan: Plan) -> Process<Vec<String>> {
    let post = Queue::bounded(1).expect("memory");
    post.send(objects.clone()).expect("there is room");
    spawn(client, (post, plan)).expect("starts")
}

/// A client with this plan: whether it has died.
fn kill_client(plan: Plan, cell: &str) -> bool {
    let objects = Objects::new();
    let has_died = !start_client(&objects, plan).wait().success();
    objects.check(cell);
    has_died
}

/// A server with this plan: whether it has died. Somebody waits for a message meanwhile.
fn kill_server(plan: &Plan, cell: &str) -> bool {
    let objects = Objects::new();
    let (line, work) = (objects.manager.queue::<u8>().expect(cell), objects.clone());
    let waits = line.clone();
    let waiting = std::thread::spawn(move || waits.recv());
    let plan = plan.clone();
    // On a thread of its own, which has its own connection.
    let done = std::thread::spawn(move || {
        let server = ServerProxy::arm(&work.manager, plan)?;
        work.work()?;
        // From here on it passes no more.
        server.passed().map(drop)
    });
    let outcome = done.join().expect(cell);
    let has_died = match outcome {
        Ok(()) => false,
        Err(ManagerError::Lost { .. }) => true,
        Err(error) => panic!("{cell}: {error}"),
    };
    if !has_died {
        line.send(1).expect(cell);
    }
    assert_eq!(waiting.join().expect(cell).is_err(), has_died, "{cell}");
    if has_died {
        objects.is_lost(cell);
    } else {
        drop(line);
        objects.check(cell);
    }
    has_died
}

/// How often a client passes each point, and the server's thread for it.
fn rehearse() -> [BTreeMap<String, u32>; 2] {
    let objects = Objects::new();
    let by_client = start_client(&objects, Plan::default()).join().expect("ends");
    let server = ServerProxy::arm(&objects.manager, Plan::default()).expect("made");
    objects.work().expect("there");
    [count(by_client), count(server.passed().expect("there"))]
}

/// The points that the sources of the manager name.
fn named() -> BTreeSet<String> {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../../psync-runtime/src/manager");
    let folders = ["", "serve", "proxy", "object", "net"];
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(format!("{sources}/{folder}")).expect("the sources"));
    let text: String =
        files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok()).collect();
    let names = text.split("fault::point(\"").skip(1).filter_map(|rest| rest.split('"').next());
    names.map(str::to_owned).collect()
}

/// Plays some turns of each point: how many, and how many have killed.
fn play(
    points: &BTreeMap<String, u32>,
    who: &str,
    mut kill: impl FnMut(&Plan, &str) -> bool,
) -> (u32, u32) {
    let (mut cells, mut deaths) = (0, 0);
    for (point, count) in points {
        let mut turns = vec![1, 2, count / 2, *count];
        turns.retain(|turn| *turn > 0 && turn <= count);
        turns.sort_unstable();
        turns.dedup();
        for turn in turns {
            let _watchdog: Watchdog = watchdog("a_manager_and_its_clients_die_at_every_point");
            cells += 1;
            let plan = (point.clone(), turn);
            deaths += u32::from(kill(&plan, &format!("{who}: {point}, turn {turn}")));
        }
    }
    println!("{who}: {} points, {cells} cells, {deaths} deaths", points.len());
    (cells, deaths)
}

#[test]
fn a_manager_and_its_clients_die_at_every_point() {
    let [of_client, of_server] = rehearse();
    let passed: BTreeSet<String> = of_client.keys().chain(of_server.keys()).cloned().collect();
    let missed: Vec<_> = named().difference(&passed).cloned().collect();
    assert!(missed.is_empty(), "nobody passes {missed:?}");
    let clients = play(&of_client, "client", |plan, cell| kill_client(plan.clone(), cell));
    let servers = play(&of_server, "server", kill_server);
    for (cells, deaths) in [clients, servers] {
        assert!(deaths * 2 > cells, "most cells kill: {deaths} of {cells}");
    }
}
