//! Sums of rows.

use super::set::Set;

/// Writes the sum of the rows at the positions `members` to `sums`.
pub(super) fn of_cluster(set: &Set, members: &[u32], sums: &mut [f64]) {
    sums.fill(0.0);
    for &member in members {
        let row = set.row(member as usize);
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
    }
}
