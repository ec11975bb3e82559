//! A bank in a process of its own: clients call its methods, and whoever of them is killed, no money is lost.
//!
//! ```console
//! $ cargo run --release --example bank
//! ```
#![allow(unreachable_pub, reason = "`pub` is what makes a method callable by others")]

// ANCHOR: bank
use psync::prelude::*;
use std::collections::BTreeMap;

/// Who has how much.
struct Bank {
    accounts: BTreeMap<String, i64>,
}

#[managed]
impl Bank {
    /// A bank at which everybody has 100.
    pub fn open(names: Vec<String>) -> Self {
        Self { accounts: names.into_iter().map(|name| (name, 100)).collect() }
    }

    /// Moves money, or says why not.
    pub fn transfer(&mut self, from: &str, to: &str, cents: i64) -> Result<(), String> {
        let has = self.accounts.get_mut(from).ok_or("nobody has that name")?;
        if *has < cents {
            return Err(format!("{from} has only {has}"));
        }
        *has -= cents;
        *self.accounts.entry(to.to_owned()).or_default() += cents;
        Ok(())
    }

    /// All money.
    pub fn sum(&self) -> i64 {
        self.accounts.values().sum()
    }
}
// ANCHOR_END: bank

// ANCHOR: clients
/// Moves money round for ever.
#[process]
fn trade(bank: BankProxy) -> psync::Result<()> {
    loop {
        for (from, to) in [("Ann", "Ben"), ("Ben", "Cid"), ("Cid", "Ann")] {
            // That somebody has too little is an answer, and no failure of the call.
            let _refused = bank.transfer(from, to, 7)?;
        }
    }
}

fn main() -> psync::Result<()> {
    let manager = Manager::start()?;
    let names = ["Ann", "Ben", "Cid"].map(str::to_owned);
    let bank = BankProxy::open(&manager, names.to_vec())?;
    if let Err(refused) = bank.transfer("Ann", "Ben", 1000)? {
        println!("{refused}");
    }
    for _ in 0..5 {
        let client = trade::spawn(bank.clone())?;
        bank.transfer("Ann", "Ben", 1)?.ok();
        client.kill()?;
        println!("{:?}, and the bank has {}", client.wait(), bank.sum()?);
    }
    Ok(())
}
// ANCHOR_END: clients
