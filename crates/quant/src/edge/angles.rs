//! Angles between residuals, from their codes alone.

use kernels::hamming;

use super::coder::EdgeCoder;

/// What angles between the residuals of one list are estimated from.
#[derive(Debug)]
pub enum Angles<'a> {
    /// Codes of one plane: signs. The share of those that differ is the angle over π.
    Signs {
        /// The sign planes.
        planes: Vec<&'a [u8]>,
        /// The angle that one differing sign stands for.
        turn: f32,
    },
    /// Codes of several planes: levels.
    Levels {
        /// Twice the levels, which are odd integers.
        levels: Vec<Vec<i8>>,
        /// Lengths of these.
        lengths: Vec<f32>,
    },
}

impl<'a> Angles<'a> {
    /// Prepares the codes of one list.
    pub fn new(coder: &EdgeCoder, codes: impl Iterator<Item = &'a [u8]>) -> Self {
        if coder.shape().planes == 1 {
            let turn = std::f32::consts::PI / coder.code_dims() as f32;
            return Self::Signs { planes: codes.collect(), turn };
        }
        let levels: Vec<Vec<i8>> = codes.map(|code| coder.doubled_levels(code)).collect();
        let length = |levels: &Vec<i8>| (kernels::inner_product_i8(levels, levels) as f32).sqrt();
        Self::Levels { lengths: levels.iter().map(length).collect(), levels }
    }

    /// Cosine of the angle between residuals `i` and `j`.
    pub fn cosine(&self, i: usize, j: usize) -> f32 {
        match self {
            Self::Signs { planes, turn } => {
                near_cosine(turn * hamming(planes[i], planes[j]) as f32)
            }
            Self::Levels { levels, lengths } => {
                kernels::inner_product_i8(&levels[i], &levels[j]) as f32 / (lengths[i] * lengths[j])
            }
        }
    }
}

impl EdgeCoder {
    /// Twice the levels of a code, which are odd integers.
    fn doubled_levels(&self, code: &[u8]) -> Vec<i8> {
        let top = (1i8 << self.shape().planes) - 1;
        let mut levels = vec![-top; self.code_dims()];
        for (p, plane) in code.chunks_exact(self.shape().plane_bytes).enumerate() {
            for (i, level) in levels.iter_mut().enumerate() {
                *level += ((plane[i / 8] >> (i % 8) & 1) << (p + 1)) as i8;
            }
        }
        levels
    }
}

/// Cosine of an angle of 0..=π, to a thousandth up to π/2 and below zero beyond: by far precise
/// enough beside an angle taken from a few hundred bits.
fn near_cosine(angle: f32) -> f32 {
    let square = angle * angle;
    1.0 - square * (0.5 - square * (1.0 / 24.0 - square / 720.0))
}
