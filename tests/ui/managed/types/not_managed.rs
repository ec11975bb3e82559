//! A type without `#[managed]`.

use psync::Manager;

struct Account {
    cents: i64,
}

fn main() -> psync::Result<()> {
    let manager = Manager::start()?;
    let account = manager.create(|cents| Account { cents }, 10_i64);
    drop(account);
    Ok(())
}
