//! Whole builds.

use quant::{Metric, SplitMix64, Sq8Coder, Sq8Set};

use super::*;

const DIMS: usize = 24;

/// `count` vectors in clusters of a hundred, cluster after cluster.
fn clustered(count: usize, seed: u64) -> Vec<f32> {
    let mut random = SplitMix64::new(seed);
    let mut center = [0.0; DIMS];
    let mut vectors = Vec::with_capacity(count * DIMS);
    for i in 0..count {
        if i % 100 == 0 {
            center.fill_with(|| 4.0 * random.next_normal());
        }
        vectors.extend(center.iter().map(|c| c + random.next_normal()));
    }
    vectors
}

fn options(threads: usize) -> BuildOptions {
    BuildOptions { m: 8, ef_construction: 64, threads, seed: 3 }
}

fn try_build<D: Distances>(
    data: &D,
    threads: usize,
    on_tick: &mut dyn FnMut(usize) -> bool,
) -> Result<Graph, BuildError> {
    build_graph(data, &options(threads), &mut Space::unlimited(), on_tick)
}

fn build<D: Distances>(data: &D, threads: usize) -> Graph {
    let graph = try_build(data, threads, &mut |_| true).expect("a graph");
    check(&graph, data);
    graph
}

/// Panics unless the graph has the shape that its documentation promises.
fn check<D: Distances>(graph: &Graph, data: &D) {
    assert_eq!(graph.len(), data.len());
    assert_eq!(graph.level0.len(), graph.len() * graph.degree);
    for element in 0..graph.len() as u32 {
        let list = graph.neighbors(element);
        let rest = &graph.level0[element as usize * graph.degree..][list.len()..];
        assert!(rest[..graph.degree - list.len()].iter().all(|&id| id == NO_NEIGHBOR));
        assert!(list.iter().all(|&id| id != element && (id as usize) < graph.len()));
        let distances: Vec<f32> = list.iter().map(|&id| data.distance(element, id)).collect();
        assert!(distances.is_sorted_by(|a, b| *a <= b + b.abs() * 1e-6), "{distances:?}");
        let mut ids = list.to_vec();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), list.len());
    }
    for (i, level) in graph.upper.iter().enumerate() {
        assert_eq!(level.neighbors.len(), level.elements.len() * graph.degree);
        assert!(level.elements.iter().all(|&e| usize::from(graph.levels[e as usize]) > i));
        let positions = level.neighbors.iter().filter(|&&p| p != NO_NEIGHBOR);
        assert!(positions.into_iter().all(|&p| (p as usize) < level.elements.len()));
    }
    assert_eq!(reachable(graph), graph.len());
}

/// Number of elements that can be reached from the entry on level 0.
fn reachable(graph: &Graph) -> usize {
    let mut reached = vec![false; graph.len()];
    let mut queue: Vec<u32> = if graph.is_empty() { vec![] } else { vec![graph.entry] };
    while let Some(element) = queue.pop() {
        if !std::mem::replace(&mut reached[element as usize], true) {
            queue.extend(graph.neighbors(element));
        }
    }
    reached.iter().filter(|&&reached| reached).count()
}

/// Share of the ten nearest that searches of width `ef` find.
fn recall(graph: &Graph, vectors: &[f32], metric: Metric, ef: usize) -> f64 {
    let mut random = SplitMix64::new(99);
    let mut searcher = graph.searcher().expect("memory");
    let mut hits = 0;
    for _ in 0..100 {
        let near = random.next_u64() as usize % graph.len();
        let x = &vectors[near * DIMS..][..DIMS];
        let query: Vec<f32> = x.iter().map(|x| x + random.next_normal()).collect();
        let distance = |id: u32| {
            let x = &vectors[id as usize * DIMS..][..DIMS];
            match metric {
                Metric::L1 | Metric::Hamming | Metric::Jaccard => kernels::l1(x, &query),
                Metric::InnerProduct => -kernels::inner_product(x, &query),
                Metric::L2 | Metric::Cosine => kernels::l2_squared(x, &query),
            }
        };
        let mut all: Vec<f32> = (0..graph.len() as u32).map(distance).collect();
        all.sort_by(f32::total_cmp);
        hits += searcher
            .search(ef, distance)
            .expect("memory")
            .iter()
            .take(10)
            .filter(|hit| hit.1 <= all[9])
            .count();
    }
    hits as f64 / 1_000.0
}

#[test]
fn searches_find_the_nearest_in_clustered_data() {
    let vectors = clustered(6_000, 1);
    for (metric, threads, least) in [
        (Metric::L2, 1, 0.95),
        (Metric::L2, 4, 0.95),
        (Metric::L1, 2, 0.95),
        (Metric::InnerProduct, 2, 0.9),
    ] {
        let graph = build(&FlatDistances::new(&vectors, DIMS, metric), threads);
        assert!(graph.top_level() >= 1);
        let recall = recall(&graph, &vectors, metric, 80);
        assert!(recall >= least, "{metric:?}, {threads} threads: {recall}");
    }
}

#[test]
fn codes_of_eight_bits_are_enough() {
    let vectors = clustered(4_000, 2);
    let coder = Sq8Coder::new(vec![0.0; DIMS]);
    let mut rows = vec![0; 4_000 * Sq8Coder::row_len(DIMS)];
    let places = rows.chunks_exact_mut(Sq8Coder::row_len(DIMS));
    vectors.chunks_exact(DIMS).zip(places).for_each(|(x, row)| coder.encode(x, row));
    let graph = build(&Sq8Distances::new(Sq8Set::new(&coder, &rows), Metric::L2), 2);
    let recall = recall(&graph, &vectors, Metric::L2, 80);
    assert!(recall >= 0.95, "{recall}");
}

#[test]
fn equal_vectors_stay_reachable() {
    let few = clustered(7, 3);
    let many = clustered(1_000, 4);
    let mut vectors: Vec<f32> = (0..500).flat_map(|_| few.clone()).collect();
    vectors.extend(&many);
    vectors.extend((0..2_000).flat_map(|_| vec![0.0; DIMS]));
    for threads in [1, 3] {
        build(&FlatDistances::new(&vectors, DIMS, Metric::L2), threads);
    }
}

#[test]
fn one_thread_builds_the_same_graph_again() {
    let vectors = clustered(3_000, 5);
    let data = FlatDistances::new(&vectors, DIMS, Metric::L2);
    assert_eq!(build(&data, 1), build(&data, 1));
}

#[test]
fn few_elements_are_all_linked() {
    let vectors = clustered(20, 6);
    for count in 0..=17 {
        let data = FlatDistances::new(&vectors[..count * DIMS], DIMS, Metric::L2);
        let graph = build(&data, 2);
        assert_eq!(graph.entry == NO_NEIGHBOR, count == 0);
        let found = graph
            .searcher()
            .expect("memory")
            .search(20, |id| data.distance(0, id))
            .expect("memory");
        assert_eq!(found.len(), count);
    }
}

/// Distances that panic when a vector far in the list is compared.
struct Broken(usize);

impl Distances for Broken {
    fn leniency(&self) -> f32 {
        1.0
    }

    fn len(&self) -> usize {
        self.0
    }

    fn distance(&self, a: u32, b: u32) -> f32 {
        assert!(a.max(b) < 500, "vector {} is broken", a.max(b));
        (a as f32 - b as f32).abs()
    }
}

#[test]
fn a_panic_of_a_thread_is_an_error() {
    for threads in [1, 4] {
        let result = try_build(&Broken(2_000), threads, &mut |_| true);
        let Err(BuildError::Panicked(message)) = result else {
            panic!("{result:?}");
        };
        assert!(message.contains("is broken"), "{message}");
    }
    let graph = try_build(&Broken(500), 2, &mut |_| true);
    assert_eq!(graph.map(|graph| graph.len()), Ok(500));
}

#[test]
fn ticks_tell_progress_and_can_cancel() {
    let vectors = clustered(20_000, 7);
    let data = FlatDistances::new(&vectors, DIMS, Metric::L2);
    let mut seen = Vec::new();
    try_build(&data, 2, &mut |done| {
        seen.push(done);
        true
    })
    .expect("a graph");
    assert!(seen.is_sorted() && seen.last() == Some(&20_000), "{seen:?}");

    let cancelled = try_build(&data, 2, &mut |done| done < 1_000);
    assert_eq!(cancelled, Err(BuildError::Cancelled));
    let ended = std::panic::catch_unwind(|| try_build(&data, 2, &mut |_| panic!("interrupted")));
    assert!(ended.is_err());
}
