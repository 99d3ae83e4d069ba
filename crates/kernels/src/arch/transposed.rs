//! placeholder
use crate::codes::{BitQuery, CodeShape, score_each};

#[target_feature(enable = "avx2,popcnt")]
pub(super) fn score_codes(
    q: &BitQuery,
    codes: &[u8],
    shape: CodeShape,
    stride: usize,
    scores: &mut [i32],
) {
    score_each(q, codes, shape, stride, scores);
}
