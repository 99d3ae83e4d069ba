//! What an index holds, and what is wrong with it.

use graph::Info;
use pages::Problem;
use quant::Metric;
use vectors::Form;

use super::method::Method;
use super::settings;
use crate::am::inspector::{Inspect, Properties, metric_name, page_bytes};
use crate::pg::store::RelationStore;

impl Inspect for Method {
    fn info(store: &RelationStore<'_>) -> pages::Result<Properties> {
        graph::info(store).map(|info| properties(&info))
    }

    fn check(
        store: &RelationStore<'_>,
        table_blocks: &dyn Fn() -> u32,
        report: &mut dyn FnMut(Problem),
    ) -> pages::Result<()> {
        graph::check(store, table_blocks, report)
    }
}

fn properties(info: &Info) -> Properties {
    let meta = &info.meta;
    let geometry = &meta.geometry;
    let metric = Metric::from_byte(meta.metric).map_or("unknown", metric_name);
    let form = match geometry.form {
        Form::Floats => "32-bit floats",
        Form::Halves => "16-bit floats",
        Form::Bits => "bits",
        Form::Bytes => "8-bit integers",
        Form::Sq8 => "8-bit codes",
        Form::Rabitq => "4-bit codes",
        Form::Sparse => "sparse 32-bit floats",
    };
    let upper = info.levels.iter().skip(1).map(u64::to_string).collect::<Vec<_>>();
    let elements = info.levels.first().copied().unwrap_or(0);
    let records: u64 = info.levels.iter().sum();
    let bytes = |records: u64| (records * geometry.record_size as u64).to_string();
    let edges = info.edges as f64 / records.max(1) as f64;
    let mut properties = vec![
        ("format version", pages::FORMAT_VERSION.to_string()),
        ("metric", metric.into()),
        ("dimensions", geometry.dims.to_string()),
        ("vectors held as", form.into()),
        ("m", meta.m.to_string()),
        ("ef_construction", meta.ef_construction.to_string()),
        ("elements", elements.to_string()),
        ("elements on upper levels", upper.join(", ")),
        ("tuples", info.tids.to_string()),
        ("dying elements", info.dying.to_string()),
        ("overflow records", info.overflow.to_string()),
        ("tails", info.tails.to_string()),
        ("free records", info.free.to_string()),
        ("edges per element", format!("{edges:.1}")),
        ("records per page", geometry.records_per_page.to_string()),
        ("bytes per record", geometry.record_size.to_string()),
        ("bits per code", (geometry.code_bytes() * 8).to_string()),
        ("pages", info.pages.to_string()),
        ("bytes", page_bytes(info.pages)),
        ("bytes of elements", bytes(elements)),
        ("bytes of upper levels", bytes(records - elements)),
        ("bytes of overflow records", bytes(info.overflow)),
        ("bytes of dying elements", bytes(info.dying)),
        ("bytes of free records", bytes(info.free)),
        ("bytes of unwritten pages", page_bytes(info.unwritten)),
    ];
    if let Some(calibration) = &meta.calibration {
        let ef = settings::default_ef_search(Some(calibration));
        let ef_for = |target| graph::ef_for_recall(calibration, target, 10).to_string();
        properties.extend([
            ("default ef_search", ef.to_string()),
            ("expected recall", format!("{:.3}", graph::expected_recall(calibration, ef))),
            ("ef_search for recall 0.9", ef_for(0.9)),
            ("ef_search for recall 0.95", ef_for(0.95)),
            ("ef_search for recall 0.99", ef_for(0.99)),
        ]);
    }
    properties
}
