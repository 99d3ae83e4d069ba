//! `decay_gauss`, `decay_exp`, `decay_linear`: factors from 1 down to 0 by how far a value is from
//! where it should be. At a distance of `offset` from the origin they are 1, `scale` further
//! `decay`. The formulas are Milvus's.

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;

use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, pg_functions};

pg_functions! {
    /// Slow at first, then quick.
    fn decay_gauss(value: f64, fall: Fall) -> f64 {
        (fall.scales(value).powi(2) * fall.decay.ln()).exp()
    }

    /// By the same share over every distance.
    fn decay_exp(value: f64, fall: Fall) -> f64 {
        (fall.scales(value) * fall.decay.ln()).exp()
    }

    /// By the same amount over every distance, never below `decay`.
    fn decay_linear(value: f64, fall: Fall) -> f64 {
        (1.0 - fall.scales(value) * (1.0 - fall.decay)).clamp(fall.decay, 1.0)
    }
}

/// Where a factor begins to fall, and how fast: the arguments after the value.
struct Fall {
    origin: f64,
    scale: f64,
    offset: f64,
    decay: f64,
}

impl Fall {
    /// Distance of a value from the origin beyond the offset, in scales; NaN of a value that is
    /// NaN.
    fn scales(&self, value: f64) -> f64 {
        // Infinities have no difference, nor a ratio.
        let distance = if value == self.origin { 0.0 } else { (value - self.origin).abs() };
        if distance <= self.offset {
            0.0
        } else if distance.is_infinite() {
            distance
        } else {
            (distance - self.offset) / self.scale
        }
    }
}

impl Argument<'_> for Fall {
    const COUNT: usize = 4;

    fn take(args: &mut Args) -> Result<Fall, Report> {
        let (origin, scale, offset, decay) =
            (args.take()?, args.take()?, args.take()?, args.take()?);
        check(scale > 0.0, "scale must be greater than 0", scale)?;
        check(offset >= 0.0, "offset must not be negative", offset)?;
        check(decay > 0.0 && decay < 1.0, "decay must lie between 0 and 1", decay)?;
        Ok(Fall { origin, scale, offset, decay })
    }
}

fn check(holds: bool, rule: &str, found: f64) -> Result<(), Report> {
    if holds {
        return Ok(());
    }
    let hint = "A decay function is 1 up to a distance of \"offset\" from the origin, and \"decay\" \
                where the distance is \"scale\" more.";
    let report = Report::new(ERRCODE_INVALID_PARAMETER_VALUE, rule);
    Err(report.detail(format!("It is {found}.")).hint(hint))
}
