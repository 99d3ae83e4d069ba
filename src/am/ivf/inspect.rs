//! What an index holds, and what is wrong with it.

use ivf::Info;
use pages::Problem;
use vectors::Form;

use super::method::Method;
use super::variant::Variant;
use crate::am::inspector::{Inspect, Properties, metric_name, page_bytes};
use crate::pg::store::RelationStore;

impl<V: Variant> Inspect for Method<V> {
    fn info(store: &RelationStore<'_>) -> pages::Result<Properties> {
        ivf::info(store).map(|info| properties(&info))
    }

    fn check(
        store: &RelationStore<'_>,
        table_blocks: &dyn Fn() -> u32,
        report: &mut dyn FnMut(Problem),
    ) -> pages::Result<()> {
        ivf::check(store, table_blocks, report)
    }
}

fn properties(info: &Info) -> Properties {
    let meta = &info.meta;
    let geometry = &meta.geometry;
    let form = match geometry.form {
        Form::Bits => "bits",
        Form::Sq8 => "8-bit codes",
        Form::Halves | Form::Floats | Form::Rabitq | Form::Sparse | Form::Bytes => "16-bit floats",
    };
    let mean = info.rows as f64 / f64::from(meta.lists);
    let mut properties = vec![
        ("format version", pages::FORMAT_VERSION.to_string()),
        ("metric", metric_name(meta.metric).into()),
        ("dimensions", geometry.dims.to_string()),
        ("vectors held as", form.into()),
        ("bits per code", (geometry.shape().bytes() * 8).to_string()),
        ("lists", meta.lists.to_string()),
        ("tuples", info.rows.to_string()),
        ("tuples that lists were trained with", meta.trained.to_string()),
        ("tuples per list", format!("{mean:.1}")),
        ("tuples of the longest list", info.longest.to_string()),
        ("empty lists", info.empty.to_string()),
        ("imbalance", format!("{:.2}", info.imbalance)),
        ("vacant entries", info.vacant.to_string()),
        ("pages", info.pages.to_string()),
        ("bytes", page_bytes(info.pages)),
        ("bytes of lists", page_bytes(info.block_pages)),
        ("bytes of vectors", page_bytes(info.vector_pages)),
        ("bytes of unwritten pages", page_bytes(info.unwritten)),
    ];
    if meta.calibration.is_some() {
        let probes = |target| meta.probes(target).to_string();
        properties.extend([
            ("probes for recall 0.9", probes(0.9)),
            ("probes for recall 0.95", probes(0.95)),
            ("probes for recall 0.99", probes(0.99)),
        ]);
    }
    properties
}
