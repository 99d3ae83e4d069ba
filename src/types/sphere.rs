//! Spheres: a center, and the distances from it that are inside. Composite types of SQL: `vsphere`
//! of `vector`, and one of each other type with the distances `<->`, `<#>` and `<=>`.
//!
//! The operators `<<->>`, `<<#>>` and `<<=>>` tell whether a vector is inside.

#![allow(unsafe_code)] // reads composite datums

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use pgrx::pg_sys::Datum;

use super::distance::{cosine, l2, negative_inner_product};
use super::numbers::{Numbers, for_each_number_type};
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, pg_export};
use crate::pg::record::attributes;

/// Distances: from the inner bound on, and less than the radius.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// No number, or the least distance inside.
    inner: Option<f64>,
    radius: f64,
}

impl Range {
    /// No distance is inside.
    pub const EMPTY: Self = Self { inner: None, radius: f64::NEG_INFINITY };

    /// Distances less than a number. NULL is less than none, and all numbers are less than NaN,
    /// which is then no bound.
    pub fn below(radius: Option<f64>) -> Option<Self> {
        match radius {
            Some(radius) if radius.is_nan() => None,
            Some(radius) => Some(Self { inner: None, radius }),
            None => Some(Self::EMPTY),
        }
    }

    /// Whether a distance is inside; what is not a number is not.
    pub fn contains(&self, distance: f64) -> bool {
        distance < self.radius && self.inner.is_none_or(|inner| distance >= inner)
    }

    /// Whether neither this distance nor a larger one is inside.
    pub fn ends_before(&self, distance: f64) -> bool {
        distance >= self.radius
    }
}

/// A sphere whose type SQL declares.
pub struct Sphere {
    /// None where the center or the radius is NULL.
    known: Option<(Datum, Range)>,
}

impl Sphere {
    /// Reads a sphere; refuses bounds that are not numbers.
    ///
    /// # Safety
    /// `datum` is a non-null value of one of the types of spheres.
    pub unsafe fn from_datum(datum: Datum) -> Result<Self, Report> {
        // SAFETY: `datum` is composite, and so of variable length. The types have three attributes,
        // the last two `float8`.
        let [center, radius, inner] = unsafe { attributes(datum) };
        let number = |bound: Datum| f64::from_bits(bound.value() as u64);
        let (radius, inner) = (radius.map(number), inner.map(number));
        if radius.is_some_and(f64::is_nan) || inner.is_some_and(f64::is_nan) {
            let message = "bounds of a sphere must be numbers, not NaN";
            return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message));
        }
        Ok(Self { known: center.zip(radius.map(|radius| Range { inner, radius })) })
    }

    /// The center, as long as the sphere lives, and the distances inside; none where one of them is
    /// NULL.
    pub fn known(&self) -> Option<(Datum, Range)> {
        self.known
    }
}

impl Argument<'_> for Sphere {
    fn take(args: &mut Args) -> Result<Sphere, Report> {
        let datum = args.datum()?;
        // SAFETY: SQL declares the argument as a sphere.
        unsafe { Sphere::from_datum(datum) }
    }
}

/// Whether a vector is inside, by a distance; none where the sphere is not known.
fn inside<'a, V: Numbers<'a>>(
    vector: V,
    sphere: Sphere,
    distance: fn(V, V) -> Result<f64, Report>,
) -> Result<Option<bool>, Report> {
    let Some((center, range)) = sphere.known() else { return Ok(None) };
    // SAFETY: SQL declares that the center is of the type of the vector; it lives as long as the call.
    let center = unsafe { V::view(center) }?;
    Ok(Some(range.contains(distance(vector, center)?)))
}

macro_rules! export {
    ($type:literal, $vector:ty) => {
        pg_export! { $type:
            l2_inside => |vector: $vector, sphere| inside(vector, sphere, l2);
            ip_inside => |vector: $vector, sphere| inside(vector, sphere, negative_inner_product);
            cosine_inside => |vector: $vector, sphere| inside(vector, sphere, cosine);
        }
    };
}
for_each_number_type!(export);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inner_bound_is_inside_and_the_radius_is_not() {
        let range = Range { inner: Some(1.0), radius: 2.0 };
        assert_eq!([0.9, 1.0, 1.9, 2.0].map(|d| range.contains(d)), [false, true, true, false]);
        assert!(!range.contains(f64::NAN) && !Range::EMPTY.contains(f64::NEG_INFINITY));
        assert!(range.ends_before(2.0) && !range.ends_before(1.9));
    }
}
