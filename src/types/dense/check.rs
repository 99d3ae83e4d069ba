//! Checks of dimensions and elements.

use super::{Element, MAX_DIMS};
use crate::pg::error::Report;
use crate::pg::number;
use crate::types::error;

/// Checks that two vectors have the same number of dimensions.
#[inline(always)]
pub fn same_dims<E: Element>(a: &[E], b: &[E]) -> Result<(), Report> {
    if a.len() == b.len() { Ok(()) } else { Err(error::different_dims(E::TYPE, a.len(), b.len())) }
}

/// Checks a number of dimensions against the limits of the type.
pub fn dims<E: Element>(dims: usize) -> Result<(), Report> {
    match dims {
        0 => Err(error::no_dims(E::TYPE)),
        1..=MAX_DIMS => Ok(()),
        _ => Err(error::too_many_dims(E::TYPE, MAX_DIMS)),
    }
}

/// Checks a number of dimensions against a type modifier (-1: none).
pub fn typmod(typmod: i32, dims: usize) -> Result<(), Report> {
    if typmod == -1 || usize::try_from(typmod) == Ok(dims) {
        Ok(())
    } else {
        Err(error::unexpected_dims(typmod.into(), dims))
    }
}

/// Checks that a number is finite.
#[inline]
pub fn finite<E: Element>(number: f32) -> Result<(), Report> {
    if number.is_nan() {
        Err(error::nan(E::TYPE))
    } else if number.is_infinite() {
        Err(error::infinite(E::TYPE))
    } else {
        Ok(())
    }
}

/// The element nearest to a number, ties to even.
#[inline]
pub fn element<E: Element>(number: f32) -> Result<E, Report> {
    if E::fits(number) { Ok(E::from_f32(number)) } else { Err(misfit::<E>(number)) }
}

/// What is wrong with a number that no element fits.
#[cold]
pub fn misfit<E: Element>(number: f32) -> Report {
    if let Err(report) = finite::<E>(number) {
        return report;
    }
    let mut text = Vec::new();
    number::push_shortest(&mut text, number);
    error::out_of_range(E::TYPE, &text)
}
