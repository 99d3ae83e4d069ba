//! Recall as colors, SVG that reads well on light and on dark pages.

use std::fmt::Write;

use pg_test::any_data::State;

use super::Line;
use super::report::Report;
use crate::plot::INK;

const LEFT: f64 = 290.0;
const TOP: f64 = 96.0;
const CELL_WIDTH: f64 = 46.0;
const CELL_HEIGHT: f64 = 19.0;
/// Between two systems.
const GAP: f64 = 12.0;

/// The share of neighbors missed that is all red, and the one that is all green.
const MISSED: [f64; 2] = [0.5, 0.005];

/// The map of `report`'s lines on column type `column`: a row a distribution, a group of columns a
/// system.
pub fn svg(report: &Report, column: &str) -> String {
    let lines: Vec<_> = report.lines.iter().filter(|line| line.column == column).collect();
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, report, column, &lines);
    out
}

fn write(out: &mut String, report: &Report, column: &str, lines: &[&Line]) -> std::fmt::Result {
    let width = x(report.systems.len(), 0);
    let height = TOP + CELL_HEIGHT * lines.len() as f64 + 12.0;
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="{INK}">
<title>Recall on any data, {column}</title>
<text x="12" y="26" font-size="17" font-weight="600">recall@10 on any data, {column}</text>
<text x="12" y="46">{} rows, default settings</text>"#,
        report.size.rows
    )?;
    for (system, (name, version)) in report.systems.iter().enumerate() {
        let left = x(system, 0);
        let label = TOP - 28.0;
        writeln!(out, r#"<text x="{left}" y="{label}" font-weight="600">{name} {version}</text>"#)?;
        for (state, name) in State::ALL.map(State::name).iter().enumerate() {
            let middle = x(system, state) + CELL_WIDTH / 2.0;
            let y = TOP - 8.0;
            writeln!(
                out,
                r#"<text x="{middle}" y="{y}" text-anchor="middle" font-size="9">{name}</text>"#
            )?;
        }
    }
    for (number, line) in lines.iter().enumerate() {
        let y = TOP + CELL_HEIGHT * number as f64;
        let base = y + 13.5;
        writeln!(out, r#"<text x="12" y="{base}">{}</text>"#, line.data)?;
        for (system, recall) in line.recall.iter().enumerate() {
            for (state, &recall) in recall.iter().flatten().enumerate() {
                let (left, color) = (x(system, state), color(recall));
                let (middle, width, height) =
                    (left + CELL_WIDTH / 2.0, CELL_WIDTH - 1.0, CELL_HEIGHT - 1.0);
                writeln!(
                    out,
                    r##"<rect x="{left}" y="{y}" width="{width}" height="{height}" fill="{color}"/><text x="{middle}" y="{base}" text-anchor="middle" fill="#111">{recall:.3}</text>"##
                )?;
            }
        }
    }
    writeln!(out, "</svg>")
}

/// The left edge of a cell.
fn x(system: usize, state: usize) -> f64 {
    let group = CELL_WIDTH * State::ALL.len() as f64 + GAP;
    LEFT + group * system as f64 + CELL_WIDTH * state as f64
}

/// From red over yellow to green, by the logarithm of what is missed.
fn color(recall: f64) -> String {
    let [red, green] = MISSED;
    let missed = (1.0 - recall).clamp(green, red);
    let share = (red / missed).ln() / (red / green).ln();
    format!("hsl({:.0},65%,65%)", 130.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_is_red() {
        assert_eq!(color(0.2), "hsl(0,65%,65%)");
        assert_eq!(color(0.95), "hsl(65,65%,65%)");
        assert_eq!(color(1.0), "hsl(130,65%,65%)");
    }
}
