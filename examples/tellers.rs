//! A service that goes on whatever is killed: clients send orders, tellers carry them out, and a teller is killed after every ten receipts. Each
//! order is carried out once.
//!
//! ```console
//! $ cargo run --release --example tellers
//! ```

// ANCHOR: state
use psync::{Waitable, prelude::*, wait_any};
use serde::{Deserialize, Serialize};

const CLIENTS: usize = 2;
const ORDERS: usize = 50;

/// What the bank knows. Replaced as a whole, so nobody ever sees half of a transfer.
#[shared]
#[derive(Clone, Copy)]
struct Book {
    accounts: [i64; 4],
    carried_out: [bool; CLIENTS * ORDERS],
}

#[derive(Serialize, Deserialize)]
struct Order {
    client: usize,
    number: usize,
    from: usize,
    to: usize,
    cents: i64,
}
// ANCHOR_END: state

// ANCHOR: teller
#[process]
fn teller(book: &Value<Book>, orders: WorkQueue<Order>, receipts: Vec<Queue<usize>>) {
    while let Ok(order) = orders.recv() {
        book.update(|mut book| {
            // An order comes again if its teller was killed before it could say `done`.
            if !book.carried_out[order.number] {
                book.accounts[order.from] -= order.cents;
                book.accounts[order.to] += order.cents;
                book.carried_out[order.number] = true;
            }
            book
        });
        if receipts[order.client].send(order.number).is_err() {
            return;
        }
        order.done();
    }
}
// ANCHOR_END: teller

// ANCHOR: client
/// How many receipts came twice.
#[process]
fn client(
    client: usize,
    orders: WorkQueue<Order>,
    receipts: Queue<usize>,
    news: Queue<usize>,
) -> Result<usize, String> {
    let mut again = 0;
    for step in 0..ORDERS {
        let (number, to) = (client * ORDERS + step, (step + client + 1) % 4);
        let order = Order { client, number, from: step % 4, to, cents: 10 };
        orders.send(order).map_err(|error| error.to_string())?;
        while receipts.recv().map_err(|error| error.to_string())? != number {
            again += 1;
        }
        if step % 10 == 9 {
            news.send(step).map_err(|error| error.to_string())?;
        }
    }
    Ok(again)
}
// ANCHOR_END: client

// ANCHOR: main
fn main() -> psync::Result<()> {
    let empty = Book { accounts: [1000; 4], carried_out: [false; CLIENTS * ORDERS] };
    let book = Shared::new(Value::new(empty))?;
    let (orders, news) = (WorkQueue::bounded(8)?, Queue::unbounded()?);
    let receipts = vec![Queue::unbounded()?, Queue::unbounded()?];
    let hire = || teller::spawn(&book, orders.clone(), receipts.clone());
    let mut tellers = [hire()?, hire()?];
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let (orders, receipts) = (orders.clone(), receipts[number].clone());
        clients.push(client::spawn(number, orders, receipts, news.clone())?);
    }
    let (mut killed, mut replaced) = (0, 0);
    while clients.iter().any(Process::is_alive) {
        let mut sources: Vec<&dyn Waitable> = vec![&news];
        sources.extend(tellers.iter().map(|teller| teller as &dyn Waitable));
        let working = clients.iter().filter(|client| client.is_alive());
        sources.extend(working.map(|client| client as &dyn Waitable));
        wait_any(&sources, None)?;
        if news.try_recv().is_ok() {
            let teller = &tellers[killed % 2];
            teller.kill()?; // wherever it is just now
            teller.wait();
            killed += 1;
        }
        for teller in tellers.iter_mut().filter(|teller| !teller.is_alive()) {
            *teller = hire()?;
            replaced += 1;
        }
    }
    for client in clients {
        client.join()?.map_err(std::io::Error::other)?;
    }
    orders.close();
    let book = book.get();
    println!("{} orders carried out", book.carried_out.iter().filter(|done| **done).count());
    println!("{:?}, together {}", book.accounts, book.accounts.iter().sum::<i64>());
    println!("as many tellers hired as were killed: {}", killed > 0 && replaced == killed);
    Ok(())
}
// ANCHOR_END: main
