//! Embeds each line of a file with a model in files, and tells how many texts a second that is.
//!
//! `model_in_files PROVIDER FOLDER TEXTS [EXPECTED]`; `EXPECTED` has the vectors as 32-bit floats, one after the
//! other, and the greatest difference is told.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use models::{Endpoint, Input};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [provider, folder, texts, expected @ ..] = &arguments[..] else {
        panic!("model_in_files PROVIDER FOLDER TEXTS [EXPECTED]");
    };
    let options = [("provider", provider), ("path", folder)].map(|(n, v)| (n.into(), v.into()));
    let endpoint = Endpoint::new("s", &options, &[]).expect("valid options");
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    endpoint.embed(&[Input::Text("")], &stop).expect("a model");
    println!("loaded in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let texts = std::fs::read_to_string(texts).expect("texts");
    let texts: Vec<Input<'_>> = texts.lines().map(Input::Text).collect();
    let start = Instant::now();
    let vectors = endpoint.embed(&texts, &stop).expect("vectors");
    println!("{:.0} texts a second", texts.len() as f64 / start.elapsed().as_secs_f64());
    if let [expected] = expected {
        let expected = std::fs::read(expected).expect("vectors");
        let expected = expected.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        let mut most: (f32, usize) = (0.0, 0);
        let mut count = 0;
        for (position, (a, b)) in vectors.iter().flatten().zip(expected).enumerate() {
            let difference = (a - b).abs();
            count += 1;
            if difference > most.0 {
                most = (difference, position / vectors[0].len());
            }
        }
        assert_eq!(count, vectors.iter().map(Vec::len).sum::<usize>(), "as many as expected");
        println!("greatest difference {:e}, in line {}", most.0, most.1 + 1);
    }
}
