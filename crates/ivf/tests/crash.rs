//! Crash windows: after any batch the next may be lost. What is left is sound, and every row whose
//! insert had ended is found.

use crate::support::*;
use ivf::{Quantization, Rebalance, insert, rebalance, vacuum};
use pages::mem::MemStore;
use pages::{Error, PageStore};
use quant::Metric;

const DIMS: usize = 600;

#[test]
fn inserts_survive_a_crash_at_any_batch() {
    let vectors = clustered(Metric::L2, 300, DIMS, 1);
    let sound = built(options((Metric::L2, Quantization::Rabitq), DIMS, 3), &vectors[..120]);
    for at in 0..200 {
        let store = sound.clone();
        store.crash_after(at);
        let done = (120..300)
            .take_while(|&i| match insert(&store, &vectors[i], tid(i)) {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(error, Error::Crashed);
                    false
                }
            })
            .count();
        store.recover();
        assert_eq!(problems(&store), [], "after {at} batches");
        let mut found = search(&store, &vectors[0], all_lists(), usize::MAX);
        found.sort_unstable();
        assert_eq!(found, (0..120 + done).collect::<Vec<_>>(), "after {at} batches");
        for (i, vector) in vectors.iter().enumerate().skip(120 + done) {
            insert(&store, vector, tid(i)).expect("inserts");
        }
        assert_eq!(problems(&store), [], "after {at} batches and going on");
        assert_eq!(search(&store, &vectors[0], all_lists(), usize::MAX).len(), 300);
    }
}

#[test]
fn vacuum_survives_a_crash_at_any_batch() {
    let vectors = clustered(Metric::L2, 300, DIMS, 2);
    let sound = built(options((Metric::L2, Quantization::Rabitq), DIMS, 3), &vectors);
    let pages = sound.blocks().expect("counts");
    for at in 0.. {
        let store = sound.clone();
        store.crash_after(at);
        let crashed = vacuum(&store, &mut |tid| row(tid).is_multiple_of(3)).is_err();
        store.recover();
        assert_eq!(problems(&store), [], "after {at} batches");
        // The dead are told again.
        vacuum(&store, &mut |tid| row(tid).is_multiple_of(3)).expect("vacuums");
        let mut found = search(&store, &vectors[0], all_lists(), usize::MAX);
        found.sort_unstable();
        assert_eq!(found, (0..300).filter(|i| i % 3 != 0).collect::<Vec<_>>());
        // Room that was made before the crash is found too, if not at once.
        for i in (0..300).step_by(3) {
            insert(&store, &vectors[i], tid(i)).expect("inserts");
        }
        assert!(store.blocks().expect("counts") <= pages + 12, "after {at} batches");
        if !crashed {
            assert!(at > 3, "a vacuum of {at} batches");
            break;
        }
    }
}

/// Lists come and go; of blocks that a crash leaves half made none is lost.
#[test]
fn a_reorganization_survives_a_crash_at_any_batch() {
    for (kind, lists) in
        [((Metric::L2, Quantization::Rabitq), 8), ((Metric::L2, Quantization::None), 2)]
    {
        let wanted = Rebalance { lists, work: u64::MAX };
        let (sound, vectors, rows) = unbalanced(kind, DIMS);
        let all = |store: &MemStore| {
            let mut found = search(store, &vectors[0], all_lists(), usize::MAX);
            found.sort_unstable();
            found
        };
        let done = rebalance(&sound.clone(), &wanted).expect("reorganizes");
        assert!(if lists == 8 { done.split > 0 } else { done.merged > 0 }, "{done:?}");
        for at in 0.. {
            let store = sound.clone();
            store.crash_after(at);
            let crashed = rebalance(&store, &wanted).is_err();
            store.recover();
            assert_eq!(problems(&store), [], "{kind:?} after {at} batches");
            assert_eq!(all(&store), rows, "{kind:?} after {at} batches");
            for (i, vector) in vectors.iter().enumerate().skip(1_000).take(20) {
                insert(&store, vector, tid(i)).expect("inserts");
            }
            rebalance(&store, &wanted).expect("reorganizes");
            assert_eq!(problems(&store), [], "{kind:?} after {at} batches and going on");
            let expected: Vec<usize> = rows.iter().copied().chain(1_000..1_020).collect();
            assert_eq!(all(&store), expected, "{kind:?} after {at} batches and going on");
            assert_eq!(
                other_blocks(&store),
                other_blocks(&sound),
                "{kind:?} after {at} batches and going on"
            );
            if !crashed {
                break;
            }
        }
    }
}
