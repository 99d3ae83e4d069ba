//! Comparisons of a device with the CPU.

use gpu::{CpuDevice, Device, DeviceError, Measure, NONE, NOT_CHOSEN, Shape};

use crate::rows::{Kind, Random, rows};

/// Of distances in single precision: how far two orders of sums may differ.
const ROUNDING: f32 = 1e-4;
/// The least share of results that are the same where rounding may decide.
const LEAST_SAME: f64 = 0.99;

/// A set to compare on.
#[derive(Clone, Copy, Debug)]
struct Case {
    kind: Kind,
    count: usize,
    dims: usize,
    measure: Measure,
    k: usize,
    /// Every so many-th row is selected; all if 1.
    step: usize,
}

const fn case(
    kind: Kind,
    count: usize,
    dims: usize,
    measure: Measure,
    k: usize,
    step: usize,
) -> Case {
    Case { kind, count, dims, measure, k, step }
}

use Kind::{Clustered, Huge, Whole};
use Measure::{InnerProduct, L2};

/// Compares one of the smallest sets.
pub fn smallest(device: &mut dyn Device) -> Result<(), String> {
    run(device, &[case(Whole, 20, 3, L2, 4, 2)])
}

/// Compares small sets of all shapes.
pub fn small(device: &mut dyn Device) -> Result<(), String> {
    let cases = [
        case(Whole, 1, 1, L2, 1, 1),
        case(Whole, 5, 2, L2, 10, 1),
        case(Whole, 127, 31, L2, 10, 1),
        case(Whole, 129, 32, L2, 40, 1),
        case(Whole, 140, 33, InnerProduct, 10, 1),
        case(Whole, 300, 5, L2, 256, 1),
        case(Whole, 700, 64, L2, 8, 2),
        case(Whole, 300, 1, InnerProduct, 33, 2),
        case(Clustered, 300, 100, L2, 30, 1),
        case(Clustered, 520, 17, InnerProduct, 20, 2),
        case(Huge, 140, 40, L2, 10, 1),
    ];
    run(device, &cases)
}

/// Compares sets of the size of small tables.
pub fn large(device: &mut dyn Device) -> Result<(), String> {
    let cases = [
        case(Whole, 40_000, 24, L2, 64, 1),
        case(Clustered, 40_000, 768, L2, 64, 1),
        case(Clustered, 30_000, 96, InnerProduct, 32, 7),
        case(Clustered, 10_000, 1536, L2, 200, 1),
    ];
    run(device, &cases)
}

fn run(device: &mut dyn Device, cases: &[Case]) -> Result<(), String> {
    cases.iter().try_for_each(|case| compare(device, case))?;
    println!("{} sets: as on the CPU", cases.len());
    Ok(())
}

fn compare(device: &mut dyn Device, case: &Case) -> Result<(), String> {
    let failed = |error: DeviceError| format!("{case:?}: {error}");
    let numbers = rows(case.kind, case.count, case.dims, 1);
    let mut cpu = CpuDevice::new(std::thread::available_parallelism().map_or(1, usize::from));
    for device in [&mut *device, &mut cpu] {
        begin(device, case, &numbers).map_err(failed)?;
    }
    let check = |what: &str, result: Result<(), String>| {
        result.map_err(|why| format!("{case:?}, {what}: {why}"))
    };
    let found = neighbors(device, case).map_err(failed)?;
    let expected = neighbors(&mut cpu, case).map_err(failed)?;
    check("neighbors", same_neighbors(case, &found, &expected))?;

    let chosen = prune(device, case, &expected).map_err(failed)?;
    let expected_places = prune(&mut cpu, case, &expected).map_err(failed)?;
    check("prune", same(case, &chosen, &expected_places))?;

    let (nearest, sums) = cluster(device, case, &numbers).map_err(failed)?;
    let (expected, expected_sums) = cluster(&mut cpu, case, &numbers).map_err(failed)?;
    check("assign", same(case, &nearest, &expected))?;
    // Members are the same for both, and so is the order of sums.
    check("sums", if sums == expected_sums { Ok(()) } else { Err("differ".to_owned()) })?;
    device.end();
    Ok(())
}

fn begin(device: &mut dyn Device, case: &Case, numbers: &[f32]) -> gpu::Result<()> {
    let shape = Shape { rows: case.count, dims: case.dims, measure: case.measure };
    let mut center = vec![0.0; case.dims];
    if case.measure == L2 {
        center.iter_mut().enumerate().for_each(|(d, x)| *x = (d % 3) as f32 - 1.0);
    }
    device.begin(shape, &center)?;
    let half = case.count / 2;
    device.upload(half, &numbers[half * case.dims..])?;
    device.upload(0, &numbers[..half * case.dims])?;
    let some: Vec<u32> = (0..case.count as u32).step_by(case.step).collect();
    device.select(if case.step == 1 { None } else { Some(&some) })
}

fn selected(case: &Case) -> usize {
    case.count.div_ceil(case.step)
}

/// Positions and distances, `k` for each row.
fn neighbors(device: &mut dyn Device, case: &Case) -> gpu::Result<(Vec<u32>, Vec<f32>)> {
    let (count, k) = (selected(case), case.k);
    // What is not written shows.
    let mut ids = vec![0xdead_beef; count * k];
    let mut distances = vec![f32::NAN; count * k];
    // Blocks of two sizes: results do not depend on them.
    let middle = count / 3;
    let (ids_of_first, ids_of_rest) = ids.split_at_mut(middle * k);
    let (distances_of_first, distances_of_rest) = distances.split_at_mut(middle * k);
    device.neighbors(0..middle, k, ids_of_first, distances_of_first)?;
    device.neighbors(middle..count, k, ids_of_rest, distances_of_rest)?;
    Ok((ids, distances))
}

fn same_neighbors(
    case: &Case,
    found: &(Vec<u32>, Vec<f32>),
    expected: &(Vec<u32>, Vec<f32>),
) -> Result<(), String> {
    for (i, (&distance, &expected)) in found.1.iter().zip(&expected.1).enumerate() {
        let same = distance == expected
            || case.kind != Whole
                && (distance - expected).abs() <= ROUNDING * expected.abs().max(1.0);
        if !same {
            let (row, place) = (i / case.k, i % case.k);
            return Err(format!("row {row}, place {place}: {distance} instead of {expected}"));
        }
    }
    for (row, ids) in found.0.chunks(case.k).enumerate() {
        let mut sorted: Vec<u32> = ids.iter().copied().filter(|&id| id != NONE).collect();
        sorted.sort_unstable();
        let wrong = |id: &u32| *id as usize >= selected(case) || *id as usize == row;
        if !sorted.is_sorted_by(|a, b| a < b) || sorted.iter().any(wrong) {
            return Err(format!("row {row} has the neighbors {ids:?}"));
        }
    }
    same(case, &found.0, &expected.0)
}

/// Whether all results are the same, or, where rounding may decide, most.
fn same<T: PartialEq>(case: &Case, found: &[T], expected: &[T]) -> Result<(), String> {
    let equal = found.iter().zip(expected).filter(|(found, expected)| found == expected).count();
    let share = equal as f64 / expected.len().max(1) as f64;
    let needed = match case.kind {
        Whole => 1.0,
        Clustered => LEAST_SAME,
        // Where all distances are infinite, the least rounded ones are left to the order of sums.
        Huge => 0.0,
    };
    if share >= needed || expected.is_empty() {
        return Ok(());
    }
    Err(format!("{equal} of {} are the same", expected.len()))
}

/// Places of the chosen among the neighbors.
fn prune(
    device: &mut dyn Device,
    case: &Case,
    (ids, distances): &(Vec<u32>, Vec<f32>),
) -> gpu::Result<Vec<u16>> {
    let limit = case.k.div_ceil(2);
    let mut chosen = vec![NOT_CHOSEN - 1; ids.len() / case.k * limit];
    device.prune(case.k, ids, distances, limit, 1.1, &mut chosen)?;
    Ok(chosen)
}

/// The nearest centroid of each row, and sums of arbitrary clusters.
fn cluster(
    device: &mut dyn Device,
    case: &Case,
    numbers: &[f32],
) -> gpu::Result<(Vec<u32>, Vec<f64>)> {
    let (count, dims) = (selected(case), case.dims);
    let centroids = (case.count / 4).clamp(1, 1000);
    device.set_centroids(&numbers[..centroids * dims])?;
    let mut nearest = vec![0xdead_beef; count];
    device.assign(0..count, &mut nearest)?;
    let mut random = Random(2);
    let members: Vec<u32> = (0..3 * count).map(|_| (random.next() % count as u64) as u32).collect();
    let mut starts: Vec<u32> =
        (0..10).map(|_| (random.next() % (3 * count) as u64) as u32).collect();
    starts.push(3 * count as u32);
    starts.sort_unstable();
    let mut sums = vec![f64::NAN; 10 * dims];
    device.sums(&members, &starts, &mut sums)?;
    Ok((nearest, sums))
}
