//! The few shapes that the pictures are made of. Colours follow the text's, so a picture fits every theme of the page that it stands in.

use std::fmt::Write as _;

/// The height of a line of text.
pub(crate) const LINE: f64 = 17.0;

/// What draws the eye; legible on white and on black.
pub(crate) const ACCENT: &str = "#3d8bd4";

#[derive(Debug, Default)]
pub(crate) struct Svg(String);

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Svg {
    pub(crate) fn rect(&mut self, [x, y, w, h]: [f64; 4], style: &str) {
        let _ = writeln!(self.0, r#"<rect x="{x}" y="{y}" width="{w}" height="{h}" {style}/>"#);
    }

    pub(crate) fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], style: &str) {
        let _ = writeln!(self.0, r#"<path d="M{x1} {y1}L{x2} {y2}" {style}/>"#);
    }

    /// The point of an arrow that comes from `from` and ends at `to`.
    pub(crate) fn head(&mut self, from: [f64; 2], to: [f64; 2], colour: &str) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy).max(1.0);
        let (ux, uy) = (dx / length, dy / length);
        let (bx, by) = (to[0] - 9.0 * ux, to[1] - 9.0 * uy);
        let _ = writeln!(
            self.0,
            r#"<path d="M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}z" fill="{colour}" stroke="none"/>"#,
            to[0],
            to[1],
            bx - 4.0 * uy,
            by + 4.0 * ux,
            bx + 4.0 * uy,
            by - 4.0 * ux,
        );
    }

    /// `anchor` is start, middle or end; `y` is the middle of the line.
    pub(crate) fn text(&mut self, [x, y]: [f64; 2], anchor: &str, style: &str, text: &str) {
        let (y, text) = (y + 4.5, escaped(text));
        let _ = writeln!(
            self.0,
            r#"<text x="{x}" y="{y}" text-anchor="{anchor}" {style}>{text}</text>"#
        );
    }

    /// The whole picture. A file of its own takes the reader's preference of light or dark; in a page it has the page's colour.
    pub(crate) fn finish(self, [width, height]: [f64; 2], title: &str) -> String {
        let title = escaped(title);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{title}" font-family="sans-serif" font-size="13" fill="currentColor" stroke="none">
<title>{title}</title>
{}</svg>
"#,
            self.0
        )
    }
}
