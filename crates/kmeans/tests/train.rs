//! What a training promises, on made-up data.

use kmeans::{Clusters, Options, Rows, assign, refine, train};
use quant::SplitMix64;
use threads::{Stopped, Workers};

const DIMS: usize = 12;

/// `count` rows about `centers` points far from one another; small ones are rarer.
fn clustered(count: usize, centers: usize, seed: u64) -> Vec<f32> {
    let random = &mut SplitMix64::new(seed);
    let points: Vec<f32> = (0..centers * DIMS).map(|_| 8.0 * random.next_normal()).collect();
    let mut numbers = Vec::with_capacity(count * DIMS);
    for _ in 0..count {
        let share = random.next_f32() * random.next_f32();
        let center = ((share * centers as f32) as usize).min(centers - 1);
        let point = &points[center * DIMS..][..DIMS];
        numbers.extend(point.iter().map(|x| x + random.next_normal()));
    }
    numbers
}

fn options(clusters: usize) -> Options {
    Options { clusters, spherical: false, seed: 7 }
}

fn trained(numbers: &[f32], dims: usize, options: &Options, threads: usize) -> Clusters {
    let on_tick = &mut |_| true;
    train(Rows::new(numbers, dims), options, &mut Workers::new(threads, on_tick)).expect("clusters")
}

fn assigned(numbers: &[f32], clusters: &Clusters) -> Vec<u32> {
    let on_tick = &mut |_| true;
    let rows = Rows::new(numbers, clusters.dims());
    assign(rows, clusters, &mut Workers::new(2, on_tick)).expect("assigned")
}

/// Mean squared distance of rows to the centroids they are assigned to.
fn inertia(numbers: &[f32], clusters: &Clusters, assigned: &[u32]) -> f64 {
    let rows = numbers.chunks_exact(clusters.dims()).zip(assigned);
    let distance =
        |(row, &c): (&[f32], &u32)| kernels::l2_squared(row, clusters.centroid(c as usize));
    rows.map(|row| f64::from(distance(row))).sum::<f64>() / assigned.len() as f64
}

/// The nearest of `centroids` to each row, and the mean squared distance, without any shortcut.
fn exhaustive(numbers: &[f32], centroids: &[f32]) -> (Vec<u32>, f64) {
    let nearest = |row: &[f32]| {
        let distances = centroids.chunks_exact(DIMS).map(|c| kernels::l2_squared(row, c));
        distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).expect("a centroid")
    };
    let found: Vec<_> = numbers.chunks_exact(DIMS).map(nearest).collect();
    let sum: f64 = found.iter().map(|(_, distance)| f64::from(*distance)).sum();
    (found.iter().map(|(c, _)| *c as u32).collect(), sum / found.len() as f64)
}

/// Lloyd's algorithm as in the textbook, from rows at random.
fn textbook(numbers: &[f32], clusters: usize, rounds: usize) -> f64 {
    let random = &mut SplitMix64::new(3);
    let count = (numbers.len() / DIMS) as u64;
    let mut row = || &numbers[(random.next_u64() % count) as usize * DIMS..][..DIMS];
    let mut centroids: Vec<f32> = (0..clusters).flat_map(|_| row().to_vec()).collect();
    for _ in 0..rounds {
        let (assigned, _) = exhaustive(numbers, &centroids);
        for (c, centroid) in centroids.chunks_exact_mut(DIMS).enumerate() {
            let mine =
                || numbers.chunks_exact(DIMS).zip(&assigned).filter(|(_, a)| **a == c as u32);
            let size = mine().count() as f32;
            for (i, x) in centroid.iter_mut().enumerate().filter(|_| size > 0.0) {
                *x = mine().map(|(row, _)| row[i]).sum::<f32>() / size;
            }
        }
    }
    exhaustive(numbers, &centroids).1
}

#[test]
fn clusters_are_as_tight_as_those_of_the_textbook() {
    let numbers = clustered(6_000, 150, 1);
    for wanted in [20, 64, 65, 150, 400] {
        let clusters = trained(&numbers, DIMS, &options(wanted), 2);
        assert_eq!(clusters.len(), wanted);
        let ours = exhaustive(&numbers, &clusters_of(&clusters)).1;
        let theirs = textbook(&numbers, wanted, 12);
        // Two that are as good differ by what they happened to begin with.
        assert!(ours <= 1.01 * theirs, "{wanted} clusters: {ours}, textbook {theirs}");
    }
}

fn clusters_of(clusters: &Clusters) -> Vec<f32> {
    (0..clusters.len()).flat_map(|c| clusters.centroid(c).to_vec()).collect()
}

#[test]
fn points_far_apart_are_all_found() {
    let numbers = clustered(20_000, 20, 2);
    let clusters = trained(&numbers, DIMS, &options(40), 2);
    // Each row differs from its point by a normal number in each dimension.
    let inertia = inertia(&numbers, &clusters, &assigned(&numbers, &clusters));
    assert!(inertia < 1.25 * DIMS as f64, "{inertia}");
}

#[test]
fn shortcuts_of_the_assignment_cost_little() {
    let numbers = clustered(10_000, 300, 4);
    let clusters = trained(&numbers, DIMS, &options(500), 2);
    let ours = assigned(&numbers, &clusters);
    let (best, least) = exhaustive(&numbers, &clusters_of(&clusters));
    let missed = ours.iter().zip(&best).filter(|(a, b)| a != b).count();
    assert!(missed * 50 < best.len(), "{missed} of {} not with the nearest", best.len());
    let inertia = inertia(&numbers, &clusters, &ours);
    assert!(inertia < 1.01 * least, "{inertia}, at best {least}");
}

#[test]
fn clusters_are_balanced() {
    // Half of the rows about one point, the others spread widely.
    let random = &mut SplitMix64::new(5);
    let numbers: Vec<f32> = (0..20_000 * DIMS)
        .map(|i| random.next_normal() * if (i / DIMS).is_multiple_of(2) { 0.5 } else { 10.0 })
        .collect();
    let clusters = trained(&numbers, DIMS, &options(200), 2);
    let mut sizes = vec![0usize; clusters.len()];
    assigned(&numbers, &clusters).into_iter().for_each(|c| sizes[c as usize] += 1);
    let squares: usize = sizes.iter().map(|n| n * n).sum();
    // What a row meets in its own cluster, over the mean.
    let imbalance = squares as f64 * 200.0 / 20_000f64.powi(2);
    assert!(imbalance < 4.0, "{imbalance}");
    assert!(sizes.iter().all(|&n| n > 0), "{sizes:?}");
}

#[test]
fn threads_do_not_matter_and_the_seed_does() {
    let numbers = clustered(5_000, 50, 6);
    for wanted in [30, 130] {
        let one = trained(&numbers, DIMS, &options(wanted), 1);
        assert_eq!(one, trained(&numbers, DIMS, &options(wanted), 4));
        let other = Options { seed: 8, ..options(wanted) };
        assert_ne!(one, trained(&numbers, DIMS, &other, 1));
    }
}

#[test]
fn groups_hold_all_clusters_in_order() {
    let numbers = clustered(3_000, 50, 6);
    let clusters = trained(&numbers, DIMS, &options(144), 2);
    let groups: Vec<_> = (0..clusters.groups()).map(|group| clusters.group(group)).collect();
    assert!(groups.len() > 6, "{groups:?}");
    assert_eq!(groups.iter().cloned().flatten().collect::<Vec<_>>(), (0..144).collect::<Vec<_>>());
    assert!(groups.iter().all(|group| !group.is_empty()));
}

#[test]
fn spherical_centroids_have_length_one() {
    let mut numbers = clustered(4_000, 40, 9);
    for row in numbers.chunks_exact_mut(DIMS) {
        let norm = kernels::inner_product(row, row).sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
    }
    for wanted in [10, 100] {
        let options = Options { spherical: true, ..options(wanted) };
        let clusters = trained(&numbers, DIMS, &options, 2);
        for c in 0..clusters.len() {
            let square = kernels::inner_product(clusters.centroid(c), clusters.centroid(c));
            assert!((square - 1.0).abs() < 1e-5, "{square}");
        }
        let mean = inertia(&numbers, &clusters, &assigned(&numbers, &clusters));
        assert!(mean < if wanted == 10 { 0.9 } else { 0.15 }, "{wanted}: {mean}");
    }
}

#[test]
fn few_rows_make_few_clusters() {
    let none = trained(&[], DIMS, &options(100), 2);
    assert!(none.is_empty() && none.groups() == 0);
    let row: Vec<f32> = (0..DIMS).map(|i| i as f32).collect();
    let one = trained(&row, DIMS, &options(100), 2);
    assert_eq!((one.len(), one.centroid(0)), (1, &row[..]));
    let same = trained(&row.repeat(5_000), DIMS, &options(1_000), 2);
    assert!((1..=70).contains(&same.len()), "{}", same.len());
    assert!((0..same.len()).all(|c| same.centroid(c) == row));
    // 90 distinct rows, many times over.
    let some = clustered(90, 9, 1).repeat(30);
    let clusters = trained(&some, DIMS, &options(2_000), 2);
    assert!((80..=150).contains(&clusters.len()), "{}", clusters.len());
    assert!(inertia(&some, &clusters, &assigned(&some, &clusters)) < 0.1);
    // As many clusters as rows.
    let all = trained(&some[..90 * DIMS], DIMS, &options(90), 2);
    assert!(inertia(&some[..90 * DIMS], &all, &assigned(&some[..90 * DIMS], &all)) < 0.1);
}

/// Products of vectors this long tell distances to about a hundred.
#[test]
fn rows_far_from_the_origin_are_clustered_as_well() {
    let numbers: Vec<f32> = clustered(4_000, 40, 5).iter().map(|x| x + 10_000.0).collect();
    let clusters = trained(&numbers, DIMS, &options(100), 2);
    let found = inertia(&numbers, &clusters, &assigned(&numbers, &clusters));
    let least = exhaustive(&numbers, clusters.centroids()).1;
    let wanted = textbook(&numbers, 100, 10);
    assert!(found < 1.01 * least, "{found} for {least}");
    assert!(found < 1.05 * wanted, "{found} for {wanted}");
}

#[test]
fn huge_numbers_do_no_harm() {
    let numbers: Vec<f32> = clustered(2_000, 20, 3).iter().map(|x| x * 1e37).collect();
    let clusters = trained(&numbers, DIMS, &options(100), 2);
    assert!(!clusters.is_empty());
    assert!(assigned(&numbers, &clusters).iter().all(|&c| (c as usize) < clusters.len()));
}

#[test]
fn a_training_can_be_cancelled() {
    let numbers = clustered(30_000, 50, 6);
    let rows = Rows::new(&numbers, DIMS);
    let on_tick = &mut |_| false;
    let result = train(rows, &options(1_000), &mut Workers::new(2, on_tick));
    assert_eq!(result, Err(Stopped::Cancelled));
}

#[test]
fn centroids_move_to_the_middle_of_their_rows_and_stay_without_any() {
    let far = [100.0; DIMS];
    let row = |x: f32| [x; DIMS];
    let numbers = [row(0.0), row(2.0), row(10.0), row(14.0)].concat();
    let centroids = [row(1.5), row(11.0), far].concat();
    let on_tick = &mut |_| true;
    let clusters = refine(Rows::new(&numbers, DIMS), centroids, &mut Workers::new(0, on_tick));
    assert_eq!(clusters_of(&clusters.expect("clusters")), [row(1.0), row(12.0), far].concat());
}
