//! Attention: each token of a text becomes a mixture of all of them. Vaswani and others, 2017.

use std::sync::atomic::AtomicBool;

use super::functions::softmax;
use super::linear::MOST_WORK;
use crate::Error;
use crate::error::{go_on, out_of_memory};

/// Tokens whose mixtures are computed together at most.
const ROWS: usize = 64;

/// Puts the mixtures of the tokens of one text into `out`, where they have `hidden` numbers each.
/// `projected` has for each token its query, key, and value, of all heads. `hidden` is a multiple of
/// `heads`.
///
/// # Errors
/// If `stop` is set, or memory is refused.
pub(super) fn attend(
    projected: &[f32],
    heads: usize,
    hidden: usize,
    out: &mut [f32],
    stop: &AtomicBool,
) -> Result<(), Error> {
    let (tokens, width) = (out.len() / hidden, hidden / heads);
    if tokens == 0 {
        return Ok(());
    }
    let rows = (MOST_WORK / (tokens * width)).clamp(1, ROWS).min(tokens);
    let filled = |len| memory::filled(len, 0.0).map_err(out_of_memory);
    let (mut keys, mut values) = (filled(tokens * width)?, filled(tokens * width)?);
    let (mut weights, mut mixed) = (filled(rows * tokens)?, filled(rows * width)?);
    let scale = 1.0 / (width as f32).sqrt();
    for head in 0..heads {
        let part = |vector, which| part(vector, which * hidden + head * width, width);
        for (token, vector) in projected.chunks_exact(3 * hidden).enumerate() {
            go_on(stop)?;
            keys[token * width..][..width].copy_from_slice(part(vector, 1));
            // The first number of all tokens, then the second, and so on.
            for (value, place) in
                part(vector, 2).iter().zip(values[token..].iter_mut().step_by(tokens))
            {
                *place = *value;
            }
        }
        let queries = projected.chunks(rows * 3 * hidden);
        for (queries, out) in queries.zip(out.chunks_mut(rows * hidden)) {
            go_on(stop)?;
            let queries = queries.chunks_exact(3 * hidden).map(|vector| part(vector, 0));
            let queries = memory::collected(queries).map_err(out_of_memory)?;
            let weights = &mut weights[..queries.len() * tokens];
            kernels::inner_products(&queries, &keys, width, weights);
            weights.chunks_exact_mut(tokens).for_each(|weights| softmax(weights, scale));
            let weights = memory::collected(weights.chunks_exact(tokens)).map_err(out_of_memory)?;
            let mixed = &mut mixed[..queries.len() * width];
            kernels::inner_products(&weights, &values, tokens, mixed);
            for (out, mixed) in out.chunks_exact_mut(hidden).zip(mixed.chunks_exact(width)) {
                out[head * width..][..width].copy_from_slice(mixed);
            }
        }
    }
    Ok(())
}

fn part(vector: &[f32], start: usize, len: usize) -> &[f32] {
    &vector[start..start + len]
}
