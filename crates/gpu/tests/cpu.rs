//! Each call of the CPU's device against naive computations in double precision.

mod naive;

use gpu::{
    CpuDevice, Device, DeviceError, FaultDevice, MAX_CANDIDATES, MAX_NEIGHBORS, Measure, NONE,
    NOT_CHOSEN, Shape,
};
use naive::{Data, check_neighbors, mean};

const DIMS: [usize; 7] = [1, 2, 31, 32, 33, 768, 1536];
const MEASURES: [Measure; 2] = [Measure::L2, Measure::InnerProduct];

/// A device that has the rows of `data`, uploaded in parts.
fn uploaded(data: &Data, threads: usize) -> CpuDevice {
    let mut device = CpuDevice::new(threads);
    let shape = Shape { rows: data.len(), dims: data.dims, measure: data.measure };
    assert!(device.fits(shape, 64, 0));
    device.begin(shape, &mean(data)).expect("memory");
    for first in (0..data.len()).step_by(100) {
        let end = data.len().min(first + 100);
        device.upload(first, &data.rows[first * data.dims..end * data.dims]).expect("in bounds");
    }
    device
}

/// The neighbors of all positions, asked for in blocks.
fn neighbors(device: &mut CpuDevice, count: usize, k: usize) -> (Vec<u32>, Vec<f32>) {
    let (mut ids, mut distances) = (vec![7; count * k], vec![f32::NAN; count * k]);
    for start in (0..count).step_by(70) {
        let of = start..count.min(start + 70);
        let places = of.start * k..of.end * k;
        let (ids, distances) = (&mut ids[places.clone()], &mut distances[places]);
        device.neighbors(of, k, ids, distances).expect("a set");
    }
    (ids, distances)
}

#[test]
fn neighbors_are_the_nearest() {
    for dims in DIMS {
        for measure in MEASURES {
            let data = Data::random(if dims > 100 { 150 } else { 333 }, dims, measure, 1);
            for threads in [0, 2] {
                let mut device = uploaded(&data, threads);
                let found = neighbors(&mut device, data.len(), 20);
                check_neighbors(&data, None, 20, &found);
            }
        }
    }
}

#[test]
fn neighbors_among_few_rows_are_filled_up() {
    for count in 1..6 {
        let data = Data::random(count, 3, Measure::L2, 2);
        let found = neighbors(&mut uploaded(&data, 1), count, 4);
        check_neighbors(&data, None, 4, &found);
        let rest = found.0.chunks_exact(4).zip(found.1.chunks_exact(4));
        for (ids, distances) in rest {
            let used = (count - 1).min(4);
            assert!(ids[used..].iter().all(|&id| id == NONE));
            assert!(distances[used..].iter().all(|&distance| distance == f32::INFINITY));
        }
    }
}

#[test]
fn neighbors_are_found_among_selected_rows() {
    let data = Data::random(300, 33, Measure::L2, 3);
    let mut device = uploaded(&data, 2);
    let rows: Vec<u32> = (0..300).filter(|i| i % 7 < 3).collect();
    device.select(Some(&rows)).expect("ascending");
    let found = neighbors(&mut device, rows.len(), 30);
    check_neighbors(&data, Some(&rows), 30, &found);
    device.select(None).expect("all");
    let found = neighbors(&mut device, 300, 30);
    check_neighbors(&data, None, 30, &found);
}

#[test]
fn ties_are_broken_by_position() {
    // Whole numbers, which rounding keeps: five different rows, each forty times.
    let rows: Vec<f32> = (0..200).flat_map(|i| [(i % 5) as f32, 1.0]).collect();
    let data = Data { rows, dims: 2, measure: Measure::L2 };
    let mut device = CpuDevice::new(2);
    device.begin(Shape { rows: 200, dims: 2, measure: Measure::L2 }, &[2.0, 1.0]).expect("memory");
    device.upload(0, &data.rows).expect("in bounds");
    let (ids, distances) = neighbors(&mut device, 200, 45);
    for (own, (ids, distances)) in ids.chunks(45).zip(distances.chunks(45)).enumerate() {
        let mut all: Vec<(u32, u32)> = (0..200)
            .filter(|&other| other != own)
            .map(|other| ((own % 5).abs_diff(other % 5).pow(2) as u32, other as u32))
            .collect();
        all.sort_unstable();
        let expected: Vec<u32> = all[..45].iter().map(|&(_, other)| other).collect();
        assert_eq!(ids, expected, "of {own}");
        assert!(distances.iter().zip(&all).all(|(&distance, &(d, _))| distance == d as f32));
    }
}

#[test]
fn a_center_lets_rows_far_from_the_origin_be_told_apart() {
    let mut data = Data::random(300, 32, Measure::L2, 4);
    data.rows.iter_mut().for_each(|x| *x += 1_000.0);
    let found = neighbors(&mut uploaded(&data, 1), 300, 10);
    check_neighbors(&data, None, 10, &found);
}

#[test]
fn huge_numbers_give_infinity_and_never_nan() {
    for measure in MEASURES {
        let mut data = Data::random(100, 33, measure, 5);
        for (i, x) in data.rows.iter_mut().enumerate() {
            *x = if i % 33 < 20 { x.signum() * f32::MAX } else { *x };
        }
        let mut device = CpuDevice::new(1);
        device.begin(Shape { rows: 100, dims: 33, measure }, &[0.0; 33]).expect("memory");
        device.upload(0, &data.rows).expect("in bounds");
        let (ids, distances) = neighbors(&mut device, 100, 12);
        assert!(distances.iter().all(|distance| !distance.is_nan()));
        assert!(ids.iter().all(|&id| id < 100));
        let mut chosen = vec![0; 100 * 5];
        device.prune(12, &ids, &distances, 5, 1.1, &mut chosen).expect("lists");
        device.set_centroids(&data.rows[..33 * 3]).expect("whole");
        let mut nearest = [9; 100];
        device.assign(0..100, &mut nearest).expect("centroids");
        assert!(nearest.iter().all(|&nearest| nearest < 3));
    }
}

#[test]
fn pruning_keeps_what_the_rule_says() {
    for dims in DIMS {
        for (measure, leniency) in [(Measure::L2, 1.1), (Measure::InnerProduct, 1.0)] {
            let mut data = Data::random(150, dims, measure, 6);
            // Whole numbers: nothing is rounded, and comparisons have one outcome.
            data.rows.iter_mut().for_each(|x| *x = (3.0 * *x).round());
            let mut device = uploaded(&data, 2);
            let (mut ids, mut distances) = neighbors(&mut device, 150, 24);
            // Some lists are shorter, one is empty.
            for (list, length) in [(3, 5), (4, 1), (149, 0)] {
                ids[list * 24 + length..][..24 - length].fill(NONE);
                distances[list * 24 + length..][..24 - length].fill(f32::INFINITY);
            }
            let mut chosen = vec![99; 150 * 10];
            device.prune(24, &ids, &distances, 10, leniency, &mut chosen).expect("lists");
            for (list, chosen) in chosen.chunks_exact(10).enumerate() {
                let used = ids[list * 24..][..24].iter().take_while(|&&id| id != NONE).count();
                let places: Vec<usize> =
                    chosen.iter().take_while(|&&c| c != NOT_CHOSEN).map(|&c| c.into()).collect();
                assert!(chosen[places.len()..].iter().all(|&place| place == NOT_CHOSEN));
                assert_eq!(places.len(), used.min(10));
                let id = |place: usize| ids[list * 24 + place] as usize;
                let distances = &distances[list * 24..][..used];
                let between = |a, b| data.distance(id(a), id(b)) as f32;
                let expected: Vec<usize> = prune::select(distances, 10, leniency, between)
                    .into_iter()
                    .map(|(place, _)| place)
                    .collect();
                assert_eq!(places, expected, "{dims} dimensions, {measure:?}, list {list}");
            }
        }
    }
}

#[test]
fn rows_are_assigned_to_the_nearest_centroid() {
    for dims in DIMS {
        let data = Data::random(200, dims, Measure::L2, 7);
        let centroids = Data::random(37, dims, Measure::L2, 8);
        let mut device = uploaded(&data, 2);
        device.set_centroids(&centroids.rows).expect("whole");
        let mut nearest = vec![99; 200];
        device.assign(0..90, &mut nearest[..90]).expect("centroids");
        device.assign(90..200, &mut nearest[90..]).expect("centroids");
        let mut best = 0;
        for (i, &found) in nearest.iter().enumerate() {
            let distance = |c: usize| naive::l2_squared(data.row(i), centroids.row(c));
            let least = (0..37).map(distance).fold(f64::INFINITY, f64::min);
            // Rounding to eight bits may hide the nearest behind four others, which are then hardly
            // farther.
            let excess = distance(found as usize) / least - 1.0;
            assert!(excess < 0.05 || dims < 3, "{dims} dimensions: {excess}");
            best += usize::from(excess < 1e-6);
        }
        assert!(best >= 195, "{dims} dimensions: {best}");
    }
}

#[test]
fn equal_centroids_are_chosen_by_number() {
    let data = Data::random(50, 5, Measure::L2, 9);
    let mut device = uploaded(&data, 1);
    device.set_centroids(&data.row(3).repeat(9)).expect("whole");
    let mut nearest = [9; 50];
    device.assign(0..50, &mut nearest).expect("centroids");
    assert_eq!(nearest, [0; 50]);
}

#[test]
fn rows_are_summed_in_order() {
    for dims in DIMS {
        let data = Data::random(100, dims, Measure::L2, 10);
        let mut device = uploaded(&data, 2);
        let members: Vec<u32> = (0..100).map(|i| i * 37 % 100).collect();
        let starts = [5, 5, 60, 99];
        let mut sums = vec![f64::NAN; 3 * dims];
        device.sums(&members, &starts, &mut sums).expect("in bounds");
        for (cluster, sums) in sums.chunks_exact(dims).enumerate() {
            let members = &members[starts[cluster] as usize..starts[cluster + 1] as usize];
            for (j, &sum) in sums.iter().enumerate() {
                let expected = members.iter().map(|&m| f64::from(data.row(m as usize)[j]));
                assert_eq!(sum, expected.fold(0.0, |sum, x| sum + x));
            }
        }
    }
}

#[test]
fn rows_may_be_replaced() {
    let data = Data::random(120, 8, Measure::L2, 11);
    let mut device = uploaded(&Data::random(120, 8, Measure::L2, 12), 1);
    device.upload(0, &data.rows).expect("in bounds");
    let found = neighbors(&mut device, 120, 9);
    check_neighbors(&data, None, 9, &found);
}

#[test]
fn arguments_that_do_not_fit_are_errors() {
    fn fails(result: gpu::Result<()>) {
        assert!(matches!(result, Err(DeviceError::Failed(_))), "{result:?}");
    }
    let mut device = CpuDevice::new(1);
    fails(device.upload(0, &[1.0]));
    fails(device.select(None));
    fails(device.neighbors(0..0, 1, &mut [], &mut []));
    fails(device.prune(1, &[], &[], 1, 1.0, &mut []));
    fails(device.set_centroids(&[1.0]));
    fails(device.assign(0..0, &mut []));
    fails(device.sums(&[], &[0], &mut []));
    let shape = Shape { rows: 10, dims: 3, measure: Measure::L2 };
    fails(device.begin(shape, &[0.0; 2]));
    fails(device.begin(Shape { dims: 0, ..shape }, &[]));
    fails(device.begin(Shape { rows: usize::MAX, ..shape }, &[0.0; 3]));
    device.begin(shape, &[0.0; 3]).expect("memory");
    fails(device.upload(10, &[0.0; 3]));
    fails(device.upload(usize::MAX, &[0.0; 3]));
    fails(device.upload(0, &[0.0; 4]));
    fails(device.select(Some(&[1, 1])));
    fails(device.select(Some(&[10])));
    fails(device.neighbors(0..11, 1, &mut [0; 11], &mut [0.0; 11]));
    fails(device.neighbors(0..1, 2, &mut [0; 1], &mut [0.0; 2]));
    let most = MAX_NEIGHBORS + 1;
    fails(device.neighbors(0..1, most, &mut vec![0; most], &mut vec![0.0; most]));
    fails(device.prune(0, &[], &[], 0, 1.0, &mut []));
    fails(device.prune(2, &[0; 2], &[0.0; 2], 3, 1.0, &mut [0; 3]));
    fails(device.prune(2, &[0, 10], &[0.0; 2], 1, 1.0, &mut [0]));
    fails(device.prune(2, &[0, 1], &[1.0, 0.0], 1, 1.0, &mut [0]));
    let most = MAX_CANDIDATES + 1;
    fails(device.prune(most, &vec![0; most], &vec![0.0; most], 1, 1.0, &mut [0]));
    fails(device.assign(0..1, &mut [0]));
    fails(device.set_centroids(&[]));
    fails(device.set_centroids(&[0.0; 4]));
    device.set_centroids(&[0.0; 3]).expect("whole");
    fails(device.assign(0..11, &mut [0; 11]));
    fails(device.assign(0..2, &mut [0]));
    fails(device.sums(&[10], &[0, 1], &mut [0.0; 3]));
    fails(device.sums(&[0], &[1, 0], &mut [0.0; 3]));
    fails(device.sums(&[0], &[0, 2], &mut [0.0; 3]));
    fails(device.sums(&[0], &[0, 1], &mut [0.0; 2]));
    device.end();
    fails(device.upload(0, &[0.0; 3]));
}

#[test]
fn the_wanted_call_fails() {
    let shape = Shape { rows: 2, dims: 1, measure: Measure::L2 };
    for fails in 0..3 {
        let mut device = FaultDevice::new(CpuDevice::new(0), fails);
        let results = [
            device.begin(shape, &[0.0]).is_ok(),
            device.upload(0, &[1.0, 2.0]).is_ok(),
            device.neighbors(0..1, 1, &mut [0], &mut [0.0]).is_ok(),
        ];
        let expected: Vec<bool> = (0..3).map(|call| call < fails).collect();
        assert_eq!(results[..], expected);
        assert!(device.has_failed());
    }
}
