//! What is measured of loaded systems: a list of efforts, then the least effort for a recall.

use pg_test::Vector;
use serde::Serialize;

use crate::Result;
use crate::build::Built;
use crate::dataset::Dataset;
use crate::measure::{Round, Session};
use crate::pages::Pages;
use crate::systems::System;

/// What to measure.
#[derive(Debug, Clone, Serialize)]
pub struct Sweep {
    /// Values of each system's effort setting.
    pub efforts: Vec<u32>,
    /// Recalls to find the least effort for.
    pub targets: Vec<f64>,
    /// Passes of all queries per point.
    pub rounds: usize,
}

/// One system at one effort.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    /// Value of the effort setting.
    pub effort: u32,
    /// Mean share of the true neighbors that was found.
    pub recall: f64,
    /// Queries a second in the best round.
    pub qps: f64,
    /// Queries a second in the median round.
    pub qps_median: f64,
    /// Median time of a query in the best round, milliseconds.
    pub p50_ms: f64,
    /// 99th percentile of the times of queries in the best round, milliseconds.
    pub p99_ms: f64,
    /// Processor time of the server a query in the least round, microseconds.
    pub cpu_us: Option<f64>,
    /// Time inside the index scan a query, in the least round, microseconds.
    pub scan_us: Option<f64>,
    /// Shared buffers touched a query.
    pub buffers: f64,
    /// Those of the index alone.
    pub index_pages: Option<f64>,
    /// Whether the planner chose the index.
    pub index_used: bool,
}

/// The point at the least effort that reaches a recall, if any does.
#[derive(Debug, Clone, Serialize)]
pub struct Reached {
    /// The recall asked for.
    pub recall: f64,
    /// The measurement; none if the greatest effort does not reach it.
    pub point: Option<Point>,
}

/// All that is known of one system on one data set.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The system.
    pub system: &'static str,
    /// Its index.
    #[serde(flatten)]
    pub built: Built,
    /// One point an effort of the list.
    pub points: Vec<Point>,
    /// One a target.
    pub targets: Vec<Reached>,
}

/// A loaded system, ready to be asked.
pub struct Contestant {
    /// The system.
    pub system: &'static System,
    /// Its index.
    pub built: Built,
    /// Connections to it.
    pub session: Session,
}

impl Sweep {
    /// Measures `contestants`, which take turns at every point.
    pub fn run(&self, dataset: &Dataset, mut contestants: Vec<Contestant>) -> Result<Vec<Outcome>> {
        let queries = dataset.query_vectors();
        let mut points = vec![Vec::new(); contestants.len()];
        for &effort in &self.efforts {
            let efforts = vec![Some(effort); contestants.len()];
            let measured = self.turns(dataset, &queries, &mut contestants, &efforts)?;
            for (points, point) in points.iter_mut().zip(measured) {
                points.extend(point);
            }
        }
        let mut targets = vec![Vec::new(); contestants.len()];
        for &recall in &self.targets {
            let mut least = Vec::new();
            for (contestant, points) in contestants.iter_mut().zip(&points) {
                least.push(contestant.least_effort(dataset, &queries, points, recall)?);
            }
            let measured = self.turns(dataset, &queries, &mut contestants, &least)?;
            for (targets, point) in targets.iter_mut().zip(measured) {
                targets.push(Reached { recall, point });
            }
        }
        let outcomes = contestants.into_iter().zip(points).zip(targets);
        let outcome = |((contestant, points), targets): ((Contestant, _), _)| Outcome {
            system: contestant.system.name,
            built: contestant.built,
            points,
            targets,
        };
        Ok(outcomes.map(outcome).collect())
    }

    /// One point of each contestant that has an effort; they take turns round by round, so that
    /// other work on the machine strikes all alike.
    fn turns(
        &self,
        dataset: &Dataset,
        queries: &[Vector],
        contestants: &mut [Contestant],
        efforts: &[Option<u32>],
    ) -> Result<Vec<Option<Point>>> {
        let mut pages = Vec::new();
        for (contestant, effort) in contestants.iter_mut().zip(efforts) {
            pages.push(match effort {
                Some(effort) => Some(contestant.prepare(*effort, queries)?),
                None => None,
            });
        }
        let mut rounds: Vec<Vec<_>> = contestants.iter().map(|_| Vec::new()).collect();
        for _ in 0..self.rounds {
            for (i, contestant) in contestants.iter_mut().enumerate() {
                if pages[i].is_some() {
                    let scan_us = contestant.session.scan_us(queries)?;
                    let round = contestant.session.run(queries)?;
                    rounds[i].push(Round { scan_us, ..round });
                }
            }
        }
        let mut points = Vec::new();
        for (i, mut rounds) in rounds.into_iter().enumerate() {
            let counted = pages[i].zip(efforts[i]);
            let point = counted.and_then(|(p, effort)| Point::new(dataset, &mut rounds, p, effort));
            if let Some(Point { effort, recall, qps, buffers, .. }) = &point {
                let name = contestants[i].system.name;
                eprintln!(
                    "{name} {effort}: recall {recall:.4}, {qps:.0} qps, {buffers:.0} buffers"
                );
            }
            points.push(point);
        }
        Ok(points)
    }
}

impl Point {
    /// Sums up the rounds, of which there is at least one, at `effort`.
    fn new(dataset: &Dataset, rounds: &mut [Round], pages: Pages, effort: u32) -> Option<Self> {
        rounds.sort_by(|a, b| a.qps.total_cmp(&b.qps));
        let (best, median) = (rounds.last()?, &rounds[rounds.len() / 2]);
        let percentile = |p: usize| {
            let rank = (best.latencies.len() * p).div_ceil(100).max(1);
            best.latencies[rank - 1].as_secs_f64() * 1e3
        };
        Some(Self {
            effort,
            recall: dataset.recall(&best.answers),
            qps: best.qps,
            qps_median: median.qps,
            p50_ms: percentile(50),
            p99_ms: percentile(99),
            cpu_us: rounds.iter().filter_map(|round| round.cpu_us).min_by(f64::total_cmp),
            scan_us: rounds.iter().filter_map(|round| round.scan_us).min_by(f64::total_cmp),
            buffers: pages.buffers,
            index_pages: pages.index_pages,
            index_used: pages.index_used,
        })
    }
}

impl Contestant {
    /// Sets the effort, warms the caches by all queries and counts pages.
    fn prepare(&mut self, effort: u32, queries: &[Vector]) -> Result<Pages> {
        self.session.set_effort(effort)?;
        self.session.run(queries)?;
        let pages = self.session.pages(queries)?;
        if !pages.index_used {
            let name = self.system.name;
            eprintln!("WARNING: {name} at {effort}: the index is NOT USED (see --force-index)");
        }
        Ok(pages)
    }

    /// The least effort with recall of at least `target`, to about one percent of the effort.
    fn least_effort(
        &mut self,
        dataset: &Dataset,
        queries: &[Vector],
        points: &[Point],
        target: f64,
    ) -> Result<Option<u32>> {
        let max = self.session.max_effort()?;
        let mut recall = |effort| -> Result<f64> {
            if let Some(point) = points.iter().find(|point| point.effort == effort) {
                return Ok(point.recall);
            }
            self.session.set_effort(effort)?;
            Ok(dataset.recall(&self.session.run(queries)?.answers))
        };
        let least = if self.system.effort_covers_k { u32::try_from(dataset.k)? } else { 1 };
        if recall(least)? >= target {
            return Ok(Some(least));
        }
        let reach = points.iter().filter(|p| p.recall >= target).map(|p| p.effort).min();
        let mut high = reach.unwrap_or(max);
        if recall(high)? < target {
            return Ok(None);
        }
        let below = points.iter().map(|p| p.effort).filter(|&effort| effort < high).max();
        let mut low = below.unwrap_or(least).max(least);
        while high - low > 1 + low / 100 {
            let middle = low.midpoint(high);
            if recall(middle)? >= target {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(Some(high))
    }
}
