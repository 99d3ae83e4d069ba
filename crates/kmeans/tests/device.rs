//! Training and assignment on a device.

use gpu::{CpuDevice, FaultDevice};
use kmeans::{Assigner, Clusters, Failure, Options, Rows, assign, train, train_on};
use quant::SplitMix64;
use threads::{Stopped, Workers};

const DIMS: usize = 24;

/// `count` rows about 40 points.
fn clustered(count: usize, seed: u64) -> Vec<f32> {
    let random = &mut SplitMix64::new(seed);
    let points: Vec<f32> = (0..40 * DIMS).map(|_| 3.0 * random.next_normal()).collect();
    let mut row = |i: usize| -> Vec<f32> {
        let point = &points[i % 40 * DIMS..][..DIMS];
        point.iter().map(|x| x + random.next_normal()).collect()
    };
    (0..count).flat_map(&mut row).collect()
}

fn options(clusters: usize) -> Options {
    Options { clusters, spherical: false, seed: 7 }
}

fn trained_on_device(numbers: &[f32], clusters: usize, fails: usize) -> Result<Clusters, Failure> {
    let device = &mut FaultDevice::new(CpuDevice::new(2), fails);
    let on_tick = &mut |_| true;
    let workers = &mut Workers::new(2, on_tick);
    train_on(device, Rows::new(numbers, DIMS), &options(clusters), workers)
}

/// Mean squared distance of rows to the nearest centroid.
fn inertia(numbers: &[f32], clusters: &Clusters) -> f64 {
    let least = |row: &[f32]| {
        let centroids = clusters.centroids().chunks_exact(DIMS);
        centroids.map(|c| kernels::l2_squared(row, c)).fold(f32::INFINITY, f32::min)
    };
    let rows = numbers.chunks_exact(DIMS);
    rows.map(|row| f64::from(least(row))).sum::<f64>() / (numbers.len() / DIMS) as f64
}

#[test]
fn clusters_are_as_good_as_those_of_threads() {
    let numbers = clustered(12_000, 1);
    for count in [1, 10, 64, 65, 300] {
        let clusters = trained_on_device(&numbers, count, usize::MAX).expect("clusters");
        assert_eq!(clusters.len(), count);
        let on_tick = &mut |_| true;
        let workers = &mut Workers::new(2, on_tick);
        let usual = train(Rows::new(&numbers, DIMS), &options(count), workers).expect("clusters");
        let (found, usual) = (inertia(&numbers, &clusters), inertia(&numbers, &usual));
        println!("{count} clusters: {found}, usual {usual}");
        assert!(found <= 1.03 * usual, "{count} clusters: {found}, usual {usual}");
    }
}

#[test]
fn few_rows_make_few_clusters() {
    for rows in 0..4 {
        let numbers = clustered(rows, 2);
        let clusters = trained_on_device(&numbers, 3, usize::MAX).expect("clusters");
        assert_eq!(clusters.len(), rows.min(3));
    }
    // Of equal rows there is one cluster.
    let clusters = trained_on_device(&[1.5; 100 * DIMS], 80, usize::MAX).expect("clusters");
    assert_eq!(inertia(&[1.5; 100 * DIMS], &clusters), 0.0);
}

#[test]
fn rows_are_assigned_to_the_nearest() {
    let numbers = clustered(3_000, 3);
    let clusters = trained_on_device(&numbers, 200, usize::MAX).expect("clusters");
    let device = &mut CpuDevice::new(2);
    let mut assigner = Assigner::new(device, 1_000, &clusters).expect("memory");
    let on_tick = &mut |_| true;
    let workers = &mut Workers::new(2, on_tick);
    let usual = assign(Rows::new(&numbers, DIMS), &clusters, workers).expect("assigned");
    let mut found = Vec::new();
    // The last turn is shorter.
    for part in numbers.chunks(700 * DIMS) {
        found.extend(assigner.assign(Rows::new(part, DIMS), workers).expect("assigned"));
    }
    let distance = |list: &[u32]| -> f64 {
        let rows = numbers.chunks_exact(DIMS).zip(list);
        rows.map(|(row, &c)| f64::from(kernels::l2_squared(row, clusters.centroid(c as usize))))
            .sum()
    };
    assert!(distance(&found) <= 1.001 * distance(&usual));
}

#[test]
fn every_failure_is_told() {
    let numbers = clustered(500, 4);
    let failing = |fails: &usize| trained_on_device(&numbers, 20, *fails).is_err();
    let calls = (0..).take_while(failing).count();
    assert!(calls > 6, "{calls}");
    for fails in 0..calls {
        let result = trained_on_device(&numbers, 20, fails);
        assert!(matches!(result, Err(Failure::Device(_))), "{result:?}");
    }
}

#[test]
fn a_training_is_stopped_between_calls() {
    let numbers = clustered(500, 5);
    let mut ticks = 0;
    loop {
        let mut left = ticks;
        let mut on_tick = |_| {
            left -= 1;
            left >= 0
        };
        let workers = &mut Workers::new(1, &mut on_tick);
        let rows = Rows::new(&numbers, DIMS);
        match train_on(&mut CpuDevice::new(1), rows, &options(20), workers) {
            Ok(_) => break,
            Err(failure) => assert_eq!(failure, Failure::Stopped(Stopped::Cancelled)),
        }
        ticks += 1;
    }
    assert!(ticks > 4, "{ticks}");
}
