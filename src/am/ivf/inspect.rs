//! What an index holds, for `vector_index_info`.

use ivf::Info;
use pages::Form;
use pgrx::pg_sys::BLCKSZ;
use quant::Metric;

/// Properties and their values.
pub fn properties(info: &Info) -> Vec<(&'static str, String)> {
    let meta = &info.meta;
    let geometry = &meta.geometry;
    let metric = match meta.metric {
        Metric::L2 => "l2",
        Metric::InnerProduct => "inner product",
        Metric::Cosine => "cosine",
        Metric::L1 => "l1",
        Metric::Hamming => "hamming",
        Metric::Jaccard => "jaccard",
    };
    let form = match geometry.form {
        Form::Bits => "bits",
        Form::Sq8 => "8-bit codes",
        Form::Halves | Form::Floats | Form::Rabitq | Form::Sparse | Form::Bytes => "16-bit floats",
    };
    let blocks = |pages: u32| (u64::from(pages) * u64::from(BLCKSZ)).to_string();
    let mean = info.rows as f64 / f64::from(meta.lists);
    let mut properties = vec![
        ("format version", pages::FORMAT_VERSION.to_string()),
        ("metric", metric.into()),
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
        ("bytes", blocks(info.pages)),
        ("bytes of lists", blocks(info.block_pages)),
        ("bytes of vectors", blocks(info.vector_pages)),
        ("bytes of unwritten pages", blocks(info.unwritten)),
    ];
    if let Some(calibration) = &meta.calibration {
        let probes = |target| {
            let probes = calibration.probes(target).unwrap_or(meta.lists as usize);
            probes.min(meta.lists as usize).to_string()
        };
        properties.extend([
            ("probes for recall 0.9", probes(0.9)),
            ("probes for recall 0.95", probes(0.95)),
            ("probes for recall 0.99", probes(0.99)),
        ]);
    }
    properties
}
