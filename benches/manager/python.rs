//! Python's `multiprocessing.Manager` on the same machine, if it is there.

use std::process::Command;

const PROGRAM: &str = r#"
import multiprocessing as mp, os, time

def calls(proxy, n):
    for _ in range(n):
        proxy.get(1)

def each(name, n, body):
    start = time.perf_counter()
    body(n)
    print(f"| Python {name} | {(time.perf_counter() - start) / n * 1e6:.1f} us |")

def run(pinned):
    manager = mp.Manager()
    words, zoo = manager.dict({1: 1}), manager.list()
    if pinned:
        return each("dict get, one processor", 20000, lambda n: calls(words, n))
    each("dict get", 20000, lambda n: calls(words, n))
    each("dict set", 20000, lambda n: [words.__setitem__(1, i) for i in range(n)])
    each("list append", 20000, lambda n: [zoo.append(i) for i in range(n)])
    def two(n):
        children = [mp.Process(target=calls, args=(words, n // 2)) for _ in range(2)]
        [child.start() for child in children]
        [child.join() for child in children]
    each("dict get, 2 processes", 20000, two)

if __name__ == "__main__":
    mp.set_start_method("fork")
    run(False)
    os.sched_setaffinity(0, {0})
    run(True)
"#;

/// Runs it and prints what it measures.
pub(crate) fn print() {
    let output = Command::new("python3").args(["-c", PROGRAM]).output();
    match output {
        Ok(output) if output.status.success() => {
            println!("\nPython\n\n{}", String::from_utf8_lossy(&output.stdout));
        }
        _ => println!("\n(no Python to compare with)"),
    }
}
