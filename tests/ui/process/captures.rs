//! A closure that captures cannot be started.
fn main() {
    let x = 3;
    let _ = psync::spawn(|n: u32| n + x, 1);
}
