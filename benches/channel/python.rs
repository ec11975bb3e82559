//! Python's queues and pipes on the same machine, if it is there.

use std::process::Command;

const PROGRAM: &str = r#"
import multiprocessing as mp, time

def drain(get, n, done):
    for _ in range(n):
        get()
    done.set()

def run(name, put, get, n, message):
    done = mp.Event()
    child = mp.Process(target=drain, args=(get, n, done))
    child.start()
    start = time.perf_counter()
    for _ in range(n):
        put(message)
    done.wait()
    each = (time.perf_counter() - start) / n
    child.join()
    print(f"| Python {name}, {len(message)} B | {each * 1e6:.2f} us |")

if __name__ == "__main__":
    mp.set_start_method("fork")
    for size, n in ((8, 50000), (1024, 20000), (65536, 2000)):
        message = b"x" * size
        queue, simple, (reader, writer) = mp.Queue(), mp.SimpleQueue(), mp.Pipe(duplex=False)
        run("Queue", queue.put, queue.get, n, message)
        run("SimpleQueue", simple.put, simple.get, n, message)
        run("Pipe", writer.send, reader.recv, n, message)
"#;

/// Runs it and prints what it measures.
pub(crate) fn print() {
    let output = Command::new("python3").args(["-c", PROGRAM]).output();
    match output {
        Ok(output) if output.status.success() => {
            println!("\nPython, 1 to 1\n\n{}", String::from_utf8_lossy(&output.stdout));
        }
        _ => println!("\n(no Python to compare with)"),
    }
}
