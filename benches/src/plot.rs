//! Recall against queries a second, as SVG that reads well on light and on dark pages.

use std::fmt::Write;

use crate::exact::Metric;
use crate::report::DatasetReport;
use crate::sweep::{Outcome, Point};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
/// The frame's edges.
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = HEIGHT - 60.0;

/// One a system, then from the beginning again.
const COLORS: [&str; 4] = ["#2f81f7", "#e8833a", "#2da44e", "#a371f7"];
/// Of text and lines: in the middle between black and white.
pub const INK: &str = "#768390";

const RECALLS: [f64; 12] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999];

/// Which part of the plane is shown: the horizontal axis is logarithmic in the share of neighbors
/// that is missed, the vertical one in queries a second.
struct Axes {
    missed: [f64; 2],
    qps: [f64; 2],
}

/// The plot of `report`, whose queries were asked by `clients` at once.
pub fn svg(report: &DatasetReport, clients: usize) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, report, clients);
    out
}

fn write(out: &mut String, report: &DatasetReport, clients: usize) -> std::fmt::Result {
    let DatasetReport { name, rows, dims, k, .. } = report;
    let metric = match report.metric {
        Metric::L2 => "L2",
        Metric::Cosine => "cosine",
    };
    let clients = if clients == 1 { "one client".to_owned() } else { format!("{clients} clients") };
    let middle = f64::midpoint(LEFT, RIGHT);
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="{INK}">
<title>Recall against queries a second on {name}</title>
<text x="{LEFT}" y="26" font-size="17" font-weight="600">{name}</text>
<text x="{LEFT}" y="46">{rows} rows of {dims} dimensions, {metric} distance, {k} nearest, {clients}</text>
<text x="{middle}" y="{}" text-anchor="middle">recall@{k}, better to the right</text>
<text transform="translate(20 {}) rotate(-90)" text-anchor="middle">queries a second (log), better upwards</text>"#,
        HEIGHT - 14.0,
        f64::midpoint(TOP, BOTTOM),
    )?;
    let curves: Vec<_> = report.systems.iter().map(|outcome| (outcome, curve(outcome))).collect();
    let Some(axes) = Axes::around(curves.iter().flat_map(|(_, points)| points)) else {
        return writeln!(out, "</svg>");
    };
    axes.grid(out)?;
    for (number, (outcome, points)) in curves.iter().enumerate() {
        let color = COLORS[number % COLORS.len()];
        axes.curve(out, points, color)?;
        let y = TOP + 20.0 + 22.0 * number as f64;
        let Outcome { system, built, .. } = outcome;
        writeln!(
            out,
            r#"<path d="M{} {y}h24" stroke="{color}" stroke-width="2.5"/><circle cx="{}" cy="{y}" r="4" fill="{color}"/>
<text x="{}" y="{}">{system} {}</text>"#,
            RIGHT - 172.0,
            RIGHT - 160.0,
            RIGHT - 140.0,
            y + 4.5,
            built.version
        )?;
    }
    writeln!(out, "</svg>")
}

/// All that was measured of a system, by effort.
fn curve(outcome: &Outcome) -> Vec<&Point> {
    let targets = outcome.targets.iter().filter_map(|reached| reached.point.as_ref());
    let mut points: Vec<_> = outcome.points.iter().chain(targets).collect();
    points.sort_by_key(|point| point.effort);
    points.dedup_by_key(|point| point.effort);
    points
}

impl Axes {
    fn around<'a>(points: impl Iterator<Item = &'a &'a Point> + Clone) -> Option<Self> {
        let missed = points.clone().map(|point| missed(point.recall));
        let least = missed.clone().min_by(f64::total_cmp)?.min(0.01);
        let most = missed.max_by(f64::total_cmp)?.max(0.1);
        let qps = points.map(|point| point.qps);
        let (low, high) = (qps.clone().min_by(f64::total_cmp)?, qps.max_by(f64::total_cmp)?);
        Some(Self { missed: [most * 1.1, least / 1.15], qps: [low / 1.3, high * 1.3] })
    }

    fn x(&self, recall: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * share(missed(recall), self.missed)
    }

    fn y(&self, qps: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * share(qps, self.qps)
    }

    fn grid(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, r#"<g stroke="{INK}" stroke-opacity="0.3">"#)?;
        let recalls: Vec<_> =
            RECALLS.into_iter().filter(|&r| within(self.x(r), LEFT, RIGHT)).collect();
        let steps = (0..7).flat_map(|power| [1, 2, 5].map(|digit| digit * 10u32.pow(power)));
        let qps: Vec<_> = steps.filter(|&q| within(self.y(q.into()), TOP, BOTTOM)).collect();
        for &recall in &recalls {
            writeln!(out, r#"<path d="M{:.1} {TOP}V{BOTTOM}"/>"#, self.x(recall))?;
        }
        for &qps in &qps {
            writeln!(out, r#"<path d="M{LEFT} {:.1}H{RIGHT}"/>"#, self.y(qps.into()))?;
        }
        writeln!(
            out,
            r#"<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke-opacity="1"/>"#
        )?;
        writeln!(out, "</g>")?;
        let y = BOTTOM + 20.0;
        for recall in recalls {
            let x = self.x(recall);
            writeln!(out, r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{recall}</text>"#)?;
        }
        let x = LEFT - 8.0;
        for qps in qps {
            let y = self.y(qps.into()) + 4.5;
            writeln!(out, r#"<text x="{x}" y="{y:.1}" text-anchor="end">{qps}</text>"#)?;
        }
        Ok(())
    }

    fn curve(&self, out: &mut String, points: &[&Point], color: &str) -> std::fmt::Result {
        let place =
            |point: &&Point| format!("{:.1},{:.1}", self.x(point.recall), self.y(point.qps));
        let places: Vec<String> = points.iter().map(place).collect();
        let line = places.join(" ");
        writeln!(
            out,
            r#"<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2.5" stroke-linejoin="round"/>"#
        )?;
        for Point { effort, recall, qps, .. } in points {
            writeln!(
                out,
                r#"<circle cx="{:.1}" cy="{:.1}" r="4" fill="{color}"><title>ef {effort}: recall {recall:.4}, {qps:.0} queries a second</title></circle>"#,
                self.x(*recall),
                self.y(*qps)
            )?;
        }
        Ok(())
    }
}

/// The share of neighbors that is missed; what is below one in ten thousand is not told apart.
fn missed(recall: f64) -> f64 {
    (1.0 - recall).max(1e-4)
}

/// How far `value` lies from the first to the second of `ends`, on a logarithmic scale.
fn share(value: f64, [from, to]: [f64; 2]) -> f64 {
    (value / from).ln() / (to / from).ln()
}

fn within(value: f64, low: f64, high: f64) -> bool {
    value >= low && value <= high
}
