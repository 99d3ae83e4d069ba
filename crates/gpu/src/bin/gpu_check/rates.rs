//! How fast a device is.

use std::time::{Duration, Instant};

use gpu::{Device, DeviceError, Measure, Shape};

use crate::rows::{Kind, rows};

const ROWS: usize = 1_000_000;
const DIMS: usize = 768;
const NEIGHBORS: usize = 64;
const CENTROIDS: usize = 4096;
/// Rows that are made and uploaded, again and again.
const BLOCK: usize = 50_000;
/// The longest that a call may take.
const LONGEST: Duration = Duration::from_millis(100);

/// Measures the calls of a build of a million rows, and prints what a whole build would take of each.
pub fn measure(device: &mut dyn Device) -> Result<(), String> {
    run(device).map_err(|error| error.to_string())
}

fn run(device: &mut dyn Device) -> Result<(), DeviceError> {
    let shape = Shape { rows: ROWS, dims: DIMS, measure: Measure::L2 };
    if !device.fits(shape, NEIGHBORS, CENTROIDS) {
        println!("rates: a million rows of {DIMS} dimensions do not fit");
        return Ok(());
    }
    let block = rows(Kind::Clustered, BLOCK, DIMS, 3);
    device.begin(shape, &vec![0.0; DIMS])?;
    let begin = Instant::now();
    for first in (0..ROWS).step_by(BLOCK) {
        device.upload(first, &block)?;
    }
    // Waits for the uploads.
    device.select(None)?;
    let seconds = begin.elapsed().as_secs_f64();
    let bytes = (ROWS * DIMS * size_of::<f32>()) as f64;
    println!("upload: {seconds:.2} s, {:.1} GB/s", bytes / seconds / 1e9);

    let mut ids = vec![0; ROWS * NEIGHBORS];
    let mut distances = vec![0.0; ROWS * NEIGHBORS];
    let seconds = in_blocks("neighbors", device, |device, of| {
        let places = of.start * NEIGHBORS..of.end * NEIGHBORS;
        device.neighbors(of, NEIGHBORS, &mut ids[places.clone()], &mut distances[places])
    })?;
    let operations = 2.0 * (ROWS as f64).powi(2) * DIMS as f64;
    println!("neighbors: {:.0} TFLOP/s with tensor cores", operations / seconds / 1e12);

    let limit = NEIGHBORS / 2;
    let mut chosen = vec![0; ROWS * limit];
    in_blocks("prune", device, |device, of| {
        let places = of.start * NEIGHBORS..of.end * NEIGHBORS;
        let chosen = &mut chosen[of.start * limit..of.end * limit];
        device.prune(NEIGHBORS, &ids[places.clone()], &distances[places], limit, 1.1, chosen)
    })?;

    device.set_centroids(&block[..CENTROIDS * DIMS])?;
    let mut nearest = vec![0; ROWS];
    let seconds =
        in_blocks("assign", device, |device, of| device.assign(of.clone(), &mut nearest[of]))?;
    let operations = 2.0 * (ROWS * CENTROIDS * DIMS) as f64;
    println!("assign: {:.0} TFLOP/s with tensor cores", operations / seconds / 1e12);

    let mut members: Vec<u32> = (0..ROWS as u32).collect();
    members.sort_by_key(|&row| nearest[row as usize]);
    let starts: Vec<u32> = (0..=CENTROIDS as u32)
        .map(|cluster| members.partition_point(|&row| nearest[row as usize] < cluster) as u32)
        .collect();
    let mut sums = vec![0.0; CENTROIDS * DIMS];
    let begin = Instant::now();
    device.sums(&members, &starts, &mut sums)?;
    println!("sums: {:.3} s", begin.elapsed().as_secs_f64());
    device.end();
    Ok(())
}

/// Has `call` do all rows in blocks whose size adapts to the time that they take; returns and prints the
/// seconds.
fn in_blocks(
    what: &str,
    device: &mut dyn Device,
    mut call: impl FnMut(&mut dyn Device, std::ops::Range<usize>) -> gpu::Result<()>,
) -> gpu::Result<f64> {
    let mut size = device.granule();
    let (mut first, mut longest) = (0, Duration::ZERO);
    let begin = Instant::now();
    while first < ROWS {
        let of = first..ROWS.min(first + size);
        let begin = Instant::now();
        call(device, of.clone())?;
        let took = begin.elapsed();
        longest = longest.max(took);
        if took < LONGEST / 3 {
            size *= 2;
        } else if took > LONGEST {
            size = (size / 2).max(device.granule());
        }
        first = of.end;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let longest = longest.as_millis();
    println!("{what}: {seconds:.2} s for {ROWS} rows, the longest call {longest} ms");
    Ok(seconds)
}
