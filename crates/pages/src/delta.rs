//! What has changed in a page.

/// Bytes of a fragment's header: offset and length, two bytes each.
const HEADER: usize = 4;
/// Bytes that are compared at a time.
const STRIDE: usize = 64;

/// Appends to `out` the fragments of `new` that differ from `old`, which is as long, and at most
/// 65,535 bytes: for each its offset, its length (native `u16`) and its bytes. Equal bytes between
/// two changes are taken along where a new header would cost as much.
///
/// This is how PostgreSQL's generic WAL records tell the changes of a page.
pub fn push_delta(old: &[u8], new: &[u8], out: &mut Vec<u8>) {
    let mut open: Option<(usize, usize)> = None;
    for start in (0..new.len().min(old.len())).step_by(STRIDE) {
        let stride = start..new.len().min(old.len()).min(start + STRIDE);
        if old[stride.clone()] == new[stride.clone()] {
            continue;
        }
        for at in stride.filter(|&at| old[at] != new[at]) {
            open = match open {
                Some((from, end)) if at - end <= HEADER => Some((from, at + 1)),
                _ => {
                    push_fragment(new, open, out);
                    Some((at, at + 1))
                }
            };
        }
    }
    push_fragment(new, open, out);
}

fn push_fragment(new: &[u8], fragment: Option<(usize, usize)>, out: &mut Vec<u8>) {
    let Some((from, end)) = fragment else { return };
    // Both are offsets in a page.
    out.extend((from as u16).to_ne_bytes());
    out.extend(((end - from) as u16).to_ne_bytes());
    out.extend(&new[from..end]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(page: &mut [u8], mut delta: &[u8]) {
        while let [a, b, c, d, rest @ ..] = delta {
            let (at, len) = (u16::from_ne_bytes([*a, *b]), u16::from_ne_bytes([*c, *d]));
            let (at, len) = (usize::from(at), usize::from(len));
            page[at..at + len].copy_from_slice(&rest[..len]);
            delta = &rest[len..];
        }
    }

    #[test]
    fn a_delta_makes_the_new_page_of_the_old() {
        let old: Vec<u8> = (0..8192u32).map(|i| (i * 7 % 251) as u8).collect();
        for changes in [
            &[][..],
            &[(0, 1)],
            &[(8191, 8192)],
            &[(0, 8192)],
            &[(60, 70), (128, 192), (200, 201), (206, 207), (300, 900), (8100, 8192)],
        ] {
            let mut new = old.clone();
            for &(start, end) in changes {
                new[start..end].iter_mut().for_each(|x| *x ^= 0xFF);
            }
            let mut delta = Vec::new();
            push_delta(&old, &new, &mut delta);
            let changed: usize = changes.iter().map(|(start, end)| end - start + HEADER).sum();
            assert_eq!(delta.len(), changed, "{changes:?}");
            let mut page = old.clone();
            apply(&mut page, &delta);
            assert!(page == new, "{changes:?}");
        }
    }

    #[test]
    fn small_gaps_are_taken_along() {
        let mut delta = Vec::new();
        push_delta(&[0; 100], &[&[1, 0, 0, 0, 0, 1][..], &[0; 94]].concat(), &mut delta);
        assert_eq!(delta.len(), HEADER + 6);
    }
}
