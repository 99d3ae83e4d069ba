//! Numbers as colors, SVG that reads well on light and on dark pages.

use std::fmt::Write;

use crate::plot::INK;

const TOP: f64 = 96.0;
const CELL_WIDTH: f64 = 46.0;
const CELL_HEIGHT: f64 = 19.0;
/// Between two groups of columns.
const GAP: f64 = 12.0;

/// A table whose cells are colored, with columns in groups of the same columns.
pub struct HeatMap {
    /// What the map is called.
    pub title: String,
    /// The heading.
    pub heading: String,
    /// What is below the heading.
    pub subheading: String,
    /// Where the first column begins, beside the names of rows.
    pub left: f64,
    /// Names of groups.
    pub groups: Vec<String>,
    /// Names of the columns of each group.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of cells.
pub struct Row {
    /// What it is called.
    pub name: String,
    /// For each group, the cells of its columns.
    pub groups: Vec<Vec<Cell>>,
}

/// A colored cell.
pub struct Cell {
    /// What is written in it.
    pub text: String,
    /// The color, from 0, red, over yellow to 1, green.
    pub share: f64,
}

impl HeatMap {
    /// The map as SVG.
    pub fn svg(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Self { title, heading, subheading, .. } = self;
        let width = self.x(self.groups.len(), 0);
        let height = TOP + CELL_HEIGHT * self.rows.len() as f64 + 12.0;
        writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="{INK}">
<title>{title}</title>
<text x="12" y="26" font-size="17" font-weight="600">{heading}</text>
<text x="12" y="46">{subheading}</text>"#
        )?;
        for (group, name) in self.groups.iter().enumerate() {
            let left = self.x(group, 0);
            let label = TOP - 28.0;
            writeln!(out, r#"<text x="{left}" y="{label}" font-weight="600">{name}</text>"#)?;
            for (column, name) in self.columns.iter().enumerate() {
                let middle = self.x(group, column) + CELL_WIDTH / 2.0;
                let y = TOP - 8.0;
                writeln!(
                    out,
                    r#"<text x="{middle}" y="{y}" text-anchor="middle" font-size="9">{name}</text>"#
                )?;
            }
        }
        for (number, Row { name, groups }) in self.rows.iter().enumerate() {
            let y = TOP + CELL_HEIGHT * number as f64;
            let base = y + 13.5;
            writeln!(out, r#"<text x="12" y="{base}">{name}</text>"#)?;
            for (group, cells) in groups.iter().enumerate() {
                for (column, Cell { text, share }) in cells.iter().enumerate() {
                    let (left, color) = (self.x(group, column), color(*share));
                    let (middle, width, height) =
                        (left + CELL_WIDTH / 2.0, CELL_WIDTH - 1.0, CELL_HEIGHT - 1.0);
                    writeln!(
                        out,
                        r##"<rect x="{left}" y="{y}" width="{width}" height="{height}" fill="{color}"/><text x="{middle}" y="{base}" text-anchor="middle" fill="#111">{text}</text>"##
                    )?;
                }
            }
        }
        writeln!(out, "</svg>")
    }

    /// The left edge of a cell.
    fn x(&self, group: usize, column: usize) -> f64 {
        let width = CELL_WIDTH * self.columns.len() as f64 + GAP;
        self.left + width * group as f64 + CELL_WIDTH * column as f64
    }
}

/// From red, 0, over yellow to green, 1.
fn color(share: f64) -> String {
    format!("hsl({:.0},65%,65%)", 130.0 * share.clamp(0.0, 1.0))
}

/// Where `value` is between `red` and `green`, by the logarithm: 0 at `red`, 1 at `green`.
pub fn between(red: f64, green: f64, value: f64) -> f64 {
    ((red / value).ln() / (red / green).ln()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_follow_the_logarithm() {
        let of = |missed| color(between(0.5, 0.005, missed));
        assert_eq!(of(0.8), "hsl(0,65%,65%)");
        assert_eq!(of(0.05), "hsl(65,65%,65%)");
        assert_eq!(of(0.0), "hsl(130,65%,65%)");
    }
}
