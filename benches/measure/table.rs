//! The table that a bench prints.

use super::Figures;

/// What the first contestant of a row is to reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// So many times as long as this one takes.
    Times(f64, &'static str),
    /// Less than any of these.
    Ahead(&'static [&'static str]),
    /// So many nanoseconds.
    Nanos(f64),
    /// Nothing is agreed on.
    None,
}

/// What to show of the long rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tail {
    None,
    P90,
    P99,
}

/// One line of the table: ours first, then its peers.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) figures: Vec<Figures>,
    pub(crate) goal: Goal,
}

impl Row {
    /// What is to be reached, and what share of it was used up: up to 1.00 is good.
    fn verdict(&self) -> (String, String) {
        let ours = &self.figures[0];
        let peer = |name: &str| self.figures.iter().find(|peer| peer.name == name);
        let (goal, share) = match self.goal {
            Goal::Times(times, name) => {
                (format!("{times} x {name}"), peer(name).map(|peer| ours.ratio(peer) / times))
            }
            Goal::Ahead(names) => {
                let shares = names.iter().filter_map(|name| peer(name)).map(|one| ours.ratio(one));
                (format!("ahead of {}", names.join(", ")), shares.reduce(f64::max))
            }
            Goal::Nanos(nanos) => (duration(nanos), Some(ours.median() / nanos)),
            Goal::None => (String::new(), None),
        };
        let verdict = share
            .map(|share| format!("{share:.2} {}", if share <= 1.0 { "reached" } else { "missed" }));
        (goal, verdict.unwrap_or_default())
    }
}

fn duration(nanos: f64) -> String {
    match nanos {
        ..10.0 => format!("{nanos:.2} ns"),
        ..1e3 => format!("{nanos:.1} ns"),
        ..1e6 => format!("{:.1} us", nanos / 1e3),
        _ => format!("{:.2} ms", nanos / 1e6),
    }
}

/// Prints medians, what is asked for of the tail, and how many times as long as each peer ours took.
pub(crate) fn print(title: &str, rows: &[Row], tail: Tail) {
    if rows.is_empty() {
        return;
    }
    let text = |figures: &Figures| {
        let median = duration(figures.median());
        match tail {
            Tail::None => median,
            Tail::P90 => format!("{median} (p90 {})", duration(figures.quantile(0.9))),
            Tail::P99 => format!("{median} (p99 {})", duration(figures.quantile(0.99))),
        }
    };
    let mut lines = vec![
        ["work", "psync", "peers (psync takes so many times as long)", "goal", "used"]
            .map(str::to_owned),
    ];
    for row in rows {
        let (ours, peers) = row.figures.split_first().expect("a row has figures");
        let peers: Vec<_> = peers
            .iter()
            .map(|peer| format!("{} {} ({:.2}x)", peer.name, text(peer), ours.ratio(peer)))
            .collect();
        let (goal, used) = row.verdict();
        lines.push([row.work.to_owned(), text(ours), peers.join(", "), goal, used]);
    }
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0))
        .collect();
    println!("\n{title}\n");
    for (number, line) in lines.iter().enumerate() {
        let cells: Vec<_> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("| {} |", cells.join(" | "));
        if number == 0 {
            let rules: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
            println!("| {} |", rules.join(" | "));
        }
    }
}
