//! The nearest so far.

/// Keeps the least of many distances and their positions, which come in ascending order.
#[derive(Debug, Default)]
pub(super) struct Nearest {
    wanted: usize,
    /// Distances that are not less than this are not wanted.
    bound: f32,
    /// Distance and position in one number that sorts as they do.
    kept: Vec<u64>,
}

impl Nearest {
    /// Forgets all, and wants so many from now on, at least one.
    pub(super) fn begin(&mut self, wanted: usize) {
        self.wanted = wanted;
        // Infinity itself is a distance.
        self.bound = f32::NAN;
        self.kept.clear();
        self.kept.reserve(2 * wanted);
    }

    /// Offers one; its distance is not NaN, and its position greater than all before.
    #[inline]
    pub(super) fn offer(&mut self, distance: f32, position: usize) {
        // The bound is NaN until there are enough.
        if distance >= self.bound {
            return;
        }
        self.kept.push(u64::from(ascending(distance)) << 32 | position as u64);
        if self.kept.len() >= 2 * self.wanted {
            self.cut();
        }
    }

    /// The positions of the nearest, in no order.
    pub(super) fn positions(&mut self) -> impl Iterator<Item = usize> {
        if self.kept.len() > self.wanted {
            self.cut();
        }
        self.kept.iter().map(|&packed| packed as u32 as usize)
    }

    fn cut(&mut self) {
        let (_, &mut last, _) = self.kept.select_nth_unstable(self.wanted - 1);
        self.kept.truncate(self.wanted);
        self.bound = distance((last >> 32) as u32);
    }
}

/// A number that sorts as `x` does. Zeros of both signs are one.
fn ascending(x: f32) -> u32 {
    let bits = (x + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The distance that [`ascending`] was given.
fn distance(ascending: u32) -> f32 {
    f32::from_bits(if ascending >> 31 == 1 { ascending & !(1 << 31) } else { !ascending })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_least_and_first() {
        let distances = [3.0, -1.0, f32::INFINITY, 0.0, -0.0, 2.0, -1.0, 3.0, f32::NEG_INFINITY];
        let mut all: Vec<usize> = (0..distances.len()).collect();
        all.sort_by(|&a, &b| (distances[a] + 0.0f32).total_cmp(&(distances[b] + 0.0)));
        let mut nearest = Nearest::default();
        for wanted in 1..=distances.len() + 1 {
            nearest.begin(wanted);
            distances.iter().enumerate().for_each(|(i, &distance)| nearest.offer(distance, i));
            let mut found: Vec<usize> = nearest.positions().collect();
            let mut expected = all[..wanted.min(all.len())].to_vec();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{wanted}");
        }
    }
}
