//! Redis on a Unix socket of its own, if it is installed, and as much of its protocol as the bench needs.

use super::measure::Contestant;
use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A server that ends with this.
#[derive(Debug)]
pub(crate) struct Server {
    directory: tempfile::TempDir,
    process: Child,
}

impl Server {
    /// Starts one; `None` if there is no Redis.
    pub(crate) fn start() -> Option<Self> {
        let directory = tempfile::tempdir().ok()?;
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(directory.path().join("socket"))
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let server = Self { directory, process };
        let end = Instant::now() + Duration::from_secs(5);
        while UnixStream::connect(server.socket()).is_err() {
            assert!(Instant::now() < end, "redis-server does not come up");
            std::thread::yield_now();
        }
        Some(server)
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    fn client(&self) -> Client {
        let stream = UnixStream::connect(self.socket()).expect("it listens");
        let reader = BufReader::new(stream.try_clone().expect("a descriptor"));
        Client { stream, reader, line: Vec::new() }
    }

    /// Gets, by so many clients at a time.
    pub(crate) fn get(&self, clients: u64) -> Contestant<'static> {
        let mut all: Vec<Client> = (0..clients).map(|_| self.client()).collect();
        all[0].ask(&["SET", "acorn", "12345678"]);
        Contestant::new("Redis", move |count| {
            let start = Instant::now();
            std::thread::scope(|scope| {
                for client in &mut all {
                    scope.spawn(move || {
                        (0..count.div_ceil(clients)).for_each(|_| client.ask(&["GET", "acorn"]));
                    });
                }
            });
            start.elapsed()
        })
    }

    pub(crate) fn set(&self) -> Contestant<'static> {
        let mut client = self.client();
        Contestant::calls("Redis", move || client.ask(&["SET", "acorn", "12345678"]))
    }

    pub(crate) fn push(&self) -> Contestant<'static> {
        let mut client = self.client();
        Contestant::new("Redis", move |count| {
            client.ask(&["DEL", "list"]);
            let start = Instant::now();
            (0..count).for_each(|_| client.ask(&["RPUSH", "list", "12345678"]));
            start.elapsed()
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Client {
    stream: UnixStream,
    reader: BufReader<UnixStream>,
    line: Vec<u8>,
}

impl Client {
    /// A command and its answer, which is a line, or the length of one and that.
    fn ask(&mut self, words: &[&str]) {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            let _ = write!(request, "${}\r\n{word}\r\n", word.len());
        }
        self.stream.write_all(request.as_bytes()).expect("it listens");
        self.line.clear();
        self.reader.read_until(b'\n', &mut self.line).expect("an answer");
        assert!(
            !self.line.is_empty() && self.line[0] != b'-',
            "{}",
            String::from_utf8_lossy(&self.line)
        );
        if self.line.first() == Some(&b'$') {
            self.reader.read_until(b'\n', &mut self.line).expect("a value");
        }
    }
}
