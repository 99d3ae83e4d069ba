//! A page is untrusted: whatever it holds, the answer is an error or a result, never a panic.

mod support;

use graph::{Hnsw, Scan, vacuum};
use pages::{PAGE_BODY, PageStore};
use quant::{Metric, SplitMix64};
use support::*;

#[test]
fn scribbled_pages_never_panic() {
    let vectors = clustered(300, 20, 1);
    let sound = bulk_built(options(Metric::L2, 20), &vectors);
    let blocks = u64::from(sound.blocks().expect("counts"));
    let mut random = SplitMix64::new(9);
    let mut errors = 0;
    for _ in 0..150 {
        let store = sound.clone();
        for _ in 0..1 + random.next_u64() % 20 {
            let block = (random.next_u64() % blocks) as u32;
            let at = random.next_u64() as usize % PAGE_BODY;
            let value = random.next_u64() as u8;
            store.scribble(block, |page| page[at] = value);
        }
        let mut failed = graph::check(&store, &mut |_| ()).is_err();
        if let Ok(hnsw) = Hnsw::open(&store)
            && hnsw.meta().geometry.dims == 20
        {
            let mut scan = Scan::new(hnsw, Some(&vectors[0]), scan_options(20));
            for _ in 0..20 {
                failed |= scan.next(&store).is_err();
            }
            failed |= graph::insert(&store, &vectors[1], tid(999)).is_err();
            failed |= vacuum::clear(&store, &mut |tid| tid.offset == 3)
                .and_then(|(emptied, _)| vacuum::unlink(&store, &emptied))
                .is_err();
        }
        errors += u32::from(failed);
    }
    assert!(errors > 0, "no scribble was noticed");
}

#[test]
fn the_check_names_the_block() {
    let vectors = clustered(300, 20, 1);
    let store = bulk_built(options(Metric::L2, 20), &vectors);
    store.scribble(2, |page| page[PAGE_BODY - 1] = 0);
    let found = problems(&store);
    assert!(found.iter().any(|problem| problem.block == Some(2)), "{found:?}");
    // Edges to its records are not to blame.
    assert!(!found.iter().any(|problem| problem.what.starts_with("edge")), "{found:?}");
    store.scribble(0, |page| page[0] = 0);
    assert_eq!(problems(&store).len(), 1);
}
