//! Plots: how many times as long as psync others take, from the tables that the benches print.
//!
//! ```text
//! title TEXT
//! from FILE                               a recorded output
//! row TEXT                                the first cell of a row in it
//! as TEXT                                 what to write instead
//! also NAME: TEXT                         one more bar of that row, from a row of two cells in the same file
//! ```

use crate::svg::{ACCENT, Svg};

const WIDTH: f64 = 460.0;
/// Where the bars begin.
const LEFT: f64 = 136.0;
/// How much a factor of ten is.
const DECADE: f64 = 48.0;

struct Bar {
    name: String,
    /// What it took, as the table says it.
    time: String,
    /// How many times as long as psync.
    factor: f64,
}

pub(crate) fn draw(source: &str, read: impl Fn(&str) -> String) -> Result<String, String> {
    let (mut title, mut file, mut groups) = (String::new(), String::new(), Vec::new());
    for line in source.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(' ') {
            Some(("title", text)) => text.clone_into(&mut title),
            Some(("from", name)) => file = read(name),
            Some(("row", name)) => groups.push((name.to_owned(), bars(&file, name)?)),
            Some(("as", name)) => name.clone_into(&mut groups.last_mut().ok_or("no row")?.0),
            Some(("also", text)) => {
                let (name, row) = text.split_once(": ").ok_or(format!("`{line}`?"))?;
                let bars = &mut groups.last_mut().ok_or("no row")?.1;
                bars.push(another(&file, name, row, nanos(&bars[0].time)?)?);
            }
            _ => return Err(format!("`{line}`?")),
        }
    }
    let mut svg = Svg::default();
    let mut y = 12.0;
    for (name, bars) in &groups {
        svg.text([0.0, y], "start", r#"font-weight="bold""#, name);
        y += 19.0;
        for (place, bar) in bars.iter().enumerate() {
            draw_bar(&mut svg, y, place == 0, bar);
            y += 19.0;
        }
        y += 9.0;
    }
    Ok(svg.finish([WIDTH, y], &title))
}

fn draw_bar(svg: &mut Svg, y: f64, is_ours: bool, bar: &Bar) {
    let small = r#"font-size="11.5""#;
    svg.text([LEFT - 8.0, y], "end", small, &bar.name);
    // Logarithmic, with psync at one decade: what is faster ends to the left of it.
    let length = (DECADE * (bar.factor.log10() + 1.0)).clamp(2.0, WIDTH - LEFT - 116.0);
    let style = if is_ours {
        format!(r#"fill="{ACCENT}""#)
    } else {
        r#"fill="currentColor" fill-opacity=".35""#.to_owned()
    };
    svg.rect([LEFT, y - 7.0, (length * 10.0).round() / 10.0, 13.0], &style);
    let factor = match bar.factor {
        _ if is_ours => String::new(),
        ..10.0 => format!(" · {:.2} ×", bar.factor),
        _ => format!(" · {:.0} ×", bar.factor),
    };
    let text = format!("{}{factor}", bar.time);
    svg.text([(LEFT + length + 6.0).round(), y], "start", small, &text);
}

/// The cells of a line of a table.
fn cells(line: &str) -> Vec<String> {
    line.trim().trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

/// What a row says of a program that was measured by itself: `| Python does it | 12 us |`.
fn another(table: &str, name: &str, work: &str, unit: f64) -> Result<Bar, String> {
    let row = table.lines().map(cells).find(|cells| cells[0] == work && cells.len() == 2);
    let time = row.ok_or(format!("no row `{work}`"))?.swap_remove(1);
    Ok(Bar { name: name.to_owned(), factor: nanos(&time)? / unit, time })
}

/// What a row of the table says: `| work | psync | peer 12 ns (0.50x), peer .. | ..`.
fn bars(table: &str, work: &str) -> Result<Vec<Bar>, String> {
    let row = table.lines().map(cells).find(|cells| cells[0] == work && cells.len() > 2);
    let row = row.ok_or(format!("no row `{work}`"))?;
    let ours = row[1].split(" (p").next().unwrap_or_default();
    let unit = nanos(ours)?;
    let mut bars = vec![Bar { name: "psync".to_owned(), time: ours.to_owned(), factor: 1.0 }];
    for peer in row[2].split("x), ") {
        // The ratio of the table has two decimals, which is too few for what takes a hundred times as long.
        let said = peer.rsplit_once(" (").map_or(peer, |(said, _)| said);
        let said = said.split(" (p").next().unwrap_or(said);
        let words: Vec<&str> = said.split(' ').collect();
        let (name, time) = words.split_at(words.len().saturating_sub(2));
        let time = time.join(" ");
        bars.push(Bar { name: name.join(" "), factor: nanos(&time)? / unit, time });
    }
    Ok(bars)
}

/// `12.3 us` in nanoseconds.
fn nanos(time: &str) -> Result<f64, String> {
    let wrong = || format!("no time: `{time}`");
    let (number, unit) = time.split_once(' ').ok_or_else(wrong)?;
    let unit = match unit {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        _ => return Err(wrong()),
    };
    Ok(number.parse::<f64>().map_err(|_| wrong())? * unit)
}
