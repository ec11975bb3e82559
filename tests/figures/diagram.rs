//! Diagrams: one thing on each line of the source.
//!
//! ```text
//! # a comment
//! size WIDTH HEIGHT
//! title TEXT
//! box ID X Y WIDTH TEXT [| TEXT ..]       mem, pill: the same with another look
//! cells ID X Y WIDTH TEXT ; TEXT ..       a strip of memory; `!` before a text stresses it, `-` leaves it empty
//! arrow ID.SIDE ID.SIDE [TEXT]            SIDE is l, r, t or b, with `+N` or `-N` for so much further along it
//! dash ID.SIDE ID.SIDE [TEXT]             the same, dashed; `stress` in another colour
//! actor ID X HEIGHT TEXT                  a vertical line with a name
//! step Y ID ID TEXT                       an arrow from actor to actor
//! note X Y TEXT                           text alone
//! ```

use crate::svg::{ACCENT, LINE, Svg};
use std::collections::HashMap;

const FRAME: &str = r#"fill="none" stroke="currentColor" stroke-width="1.2""#;
const MEMORY: &str =
    r#"fill="currentColor" fill-opacity=".09" stroke="currentColor" stroke-width="1.2""#;
const STRESSED: &str = r##"fill="#3d8bd4" fill-opacity=".22" stroke="#3d8bd4" stroke-width="1.4""##;
const EMPTY: &str = r#"fill="none" stroke="currentColor" stroke-width="1" stroke-dasharray="3 3""#;
const SMALL: &str = r#"font-size="11.5""#;
const BOLD: &str = r#"font-weight="bold""#;

/// A place that arrows lead to.
type Area = [f64; 4];

#[derive(Default)]
struct Diagram {
    size: Option<[f64; 2]>,
    title: String,
    areas: HashMap<String, Area>,
    svg: Svg,
}

pub(crate) fn draw(source: &str) -> Result<String, String> {
    let mut diagram = Diagram::default();
    for (line, number) in source.lines().zip(1..) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            diagram.put(line).map_err(|wrong| format!("line {number}: {wrong}"))?;
        }
    }
    let size = diagram.size.ok_or("no size")?;
    Ok(diagram.svg.finish(size, &diagram.title))
}

/// The next word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).map_or((text, ""), |(word, rest)| (word, rest.trim()))
}

fn numbers<const N: usize>(text: &str) -> Result<([f64; N], &str), String> {
    let (mut found, mut rest) = ([0.0; N], text);
    for number in &mut found {
        let (digits, more) = word(rest);
        *number = digits.parse().map_err(|_| format!("no number: `{digits}`"))?;
        rest = more;
    }
    Ok((found, rest))
}

impl Diagram {
    fn put(&mut self, line: &str) -> Result<(), String> {
        let (kind, rest) = word(line);
        match kind {
            "size" => self.size = Some(numbers(rest)?.0),
            "title" => rest.clone_into(&mut self.title),
            "box" => self.boxed(rest, FRAME, 3.0)?,
            "mem" => self.boxed(rest, MEMORY, 0.0)?,
            "pill" => self.boxed(rest, FRAME, 18.0)?,
            "cells" => self.cells(rest)?,
            "arrow" => self.arrow(rest, "currentColor", "")?,
            "dash" => self.arrow(rest, "currentColor", r#" stroke-dasharray="4 4""#)?,
            "stress" => self.arrow(rest, ACCENT, "")?,
            "actor" => self.actor(rest)?,
            "step" => self.step(rest)?,
            "note" => {
                let (at, text) = numbers(rest)?;
                self.svg.text(at, "start", SMALL, text);
            }
            other => return Err(format!("no kind of thing: `{other}`")),
        }
        Ok(())
    }

    fn boxed(&mut self, rest: &str, style: &str, round: f64) -> Result<(), String> {
        let (id, rest) = word(rest);
        let ([x, y, width], text) = numbers(rest)?;
        let lines: Vec<&str> = text.split('|').map(str::trim).collect();
        let height = f64::from(u32::try_from(lines.len()).unwrap_or(1)) * LINE + 13.0;
        self.svg.rect([x, y, width, height], &format!(r#"rx="{round}" {style}"#));
        let mut middle = y + 6.5 + LINE / 2.0;
        for (place, line) in lines.iter().enumerate() {
            let style = if place == 0 { BOLD } else { SMALL };
            self.svg.text([x + width / 2.0, middle], "middle", style, line);
            middle += LINE;
        }
        self.areas.insert(id.to_owned(), [x, y, width, height]);
        Ok(())
    }

    fn cells(&mut self, rest: &str) -> Result<(), String> {
        let (id, rest) = word(rest);
        let ([x, y, width], text) = numbers(rest)?;
        let mut left = x;
        for cell in text.split(';').map(str::trim) {
            let (style, label) = match cell.strip_prefix('!') {
                Some(label) => (STRESSED, label),
                None => cell.strip_prefix('-').map_or((MEMORY, cell), |label| (EMPTY, label)),
            };
            self.svg.rect([left, y, width, 30.0], style);
            self.svg.text([left + width / 2.0, y + 15.0], "middle", SMALL, label.trim());
            left += width;
        }
        self.areas.insert(id.to_owned(), [x, y, left - x, 30.0]);
        Ok(())
    }

    /// A point on the edge of something, such as `lock.r+10`.
    fn point(&self, name: &str) -> Result<[f64; 2], String> {
        let (id, side) = name.split_once('.').unwrap_or((name, "b"));
        let [x, y, width, height] = *self.areas.get(id).ok_or(format!("there is no `{id}`"))?;
        let (side, along) = side.split_at_checked(1).ok_or(format!("no side: `{name}`"))?;
        let along: f64 = if along.is_empty() { 0.0 } else { along.parse().map_err(|_| name)? };
        Ok(match side {
            "l" => [x, y + height / 2.0 + along],
            "r" => [x + width, y + height / 2.0 + along],
            "t" => [x + width / 2.0 + along, y],
            _ => [x + width / 2.0 + along, y + height],
        })
    }

    fn arrow(&mut self, rest: &str, colour: &str, dashes: &str) -> Result<(), String> {
        let (from, rest) = word(rest);
        let (to, text) = word(rest);
        let (from, to) = (self.point(from)?, self.point(to)?);
        self.stroke(from, to, colour, dashes);
        let middle = [f64::midpoint(from[0], to[0]), f64::midpoint(from[1], to[1])];
        // Beside a line that goes down, above one that goes across.
        if (to[0] - from[0]).abs() < (to[1] - from[1]).abs() {
            for (place, line) in (0_u8..).zip(text.split('|')) {
                let at = [middle[0] + 7.0, middle[1] + f64::from(place) * 14.0];
                self.svg.text(at, "start", SMALL, line.trim());
            }
        } else {
            self.svg.text([middle[0], middle[1] - 9.0], "middle", SMALL, text);
        }
        Ok(())
    }

    fn stroke(&mut self, from: [f64; 2], to: [f64; 2], colour: &str, dashes: &str) {
        let style = format!(r#"fill="none" stroke="{colour}" stroke-width="1.3"{dashes}"#);
        self.svg.line([from[0], from[1], to[0], to[1]], &style);
        self.svg.head(from, to, colour);
    }

    fn actor(&mut self, rest: &str) -> Result<(), String> {
        let (id, rest) = word(rest);
        let ([x, height], text) = numbers(rest)?;
        self.svg.text([x, 14.0], "middle", BOLD, text);
        self.svg.line([x, 26.0, x, height], EMPTY);
        self.areas.insert(id.to_owned(), [x, 26.0, 0.0, height]);
        Ok(())
    }

    fn step(&mut self, rest: &str) -> Result<(), String> {
        let ([y], rest) = numbers(rest)?;
        let (from, rest) = word(rest);
        let (to, text) = word(rest);
        let (from, to) = (self.point(from)?[0], self.point(to)?[0]);
        if (from - to).abs() < 1.0 {
            // Something that one does alone.
            self.svg.rect([from - 4.0, y - 7.0, 8.0, 14.0], STRESSED);
            // At the right edge there is no room behind it.
            let (at, anchor) =
                if from > 300.0 { (from - 9.0, "end") } else { (from + 9.0, "start") };
            self.svg.text([at, y], anchor, SMALL, text);
            return Ok(());
        }
        self.stroke([from, y], [to, y], "currentColor", "");
        self.svg.text([f64::midpoint(from, to), y - 9.0], "middle", SMALL, text);
        Ok(())
    }
}
