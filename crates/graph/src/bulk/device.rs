//! Building the graph on a device.

use gpu::{Job, Measure, Provider, Refusal, Shape};
use memory::filled;
use quant::trimmed_mean;
use space::Space;

use super::rows::Rows;
use super::sample::drawn;
use crate::IndexOptions;
use crate::build::batch::{BatchError, Source, build_batch, measure, neighbors, refusal};
use crate::build::{BuildError, BuildOptions, Distances, Graph};

/// The graph over all rows, which `data` compares, from the device of `provider`; none if that has no
/// device, or it was refused or failed.
pub(super) fn graph_on_device<D: Distances>(
    data: &D,
    rows: &Rows,
    options: &IndexOptions,
    build: &BuildOptions,
    provider: &mut dyn Provider,
    space: &mut Space,
    on_tick: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Graph>, BuildError> {
    let Some(measure) = measure(options.metric) else {
        provider.refused(&Refusal::Unsuited);
        return Ok(None);
    };
    let dims = options.form.coded_space(options.dims);
    let shape = Shape { rows: rows.len(), dims, measure };
    let job = Job { rows: rows.len(), shape, neighbors: neighbors(build), centroids: 0 };
    let (left, limit) = (space.left(), space.limit());
    let refused = {
        let Some(mut device) = provider.open(&job) else { return Ok(None) };
        match refusal(shape, build, device.host_bytes(shape), (left, limit)) {
            Some(refusal) => refusal,
            None => {
                provider.accepted(&job, &device.name());
                space.take(device.host_bytes(shape));
                let vector = |element: usize, out: &mut [f32]| rows.normalized(element, out);
                let source = Source { shape, center: center(rows, shape)?, vector: &vector };
                let built = build_batch(data, &source, &mut *device, build, space, on_tick);
                space.restore(left);
                drop(device);
                match built {
                    Ok(graph) => {
                        provider.closed();
                        space.take(size_of_val(&graph.level0[..]));
                        return Ok(Some(graph));
                    }
                    Err(BatchError::Build(error)) => return Err(error),
                    Err(BatchError::Device(error)) => Refusal::Device(error),
                }
            }
        }
    };
    provider.refused(&refused);
    Ok(None)
}

/// A point amid the rows, by some of them; zeros for products.
fn center(rows: &Rows, shape: Shape) -> Result<Vec<f32>, BuildError> {
    let dims = shape.dims;
    if shape.measure == Measure::InnerProduct {
        return Ok(filled(dims, 0.0)?);
    }
    let elements = drawn(rows.len(), dims);
    let mut vectors = filled(elements.len() * dims, 0.0)?;
    for (&element, out) in elements.iter().zip(vectors.chunks_exact_mut(dims)) {
        rows.normalized(element, out);
    }
    Ok(trimmed_mean(&vectors, dims, &mut filled(elements.len(), 0.0)?))
}
