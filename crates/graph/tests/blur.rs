//! When halves do not tell rows apart.

use crate::support::*;
use graph::IndexOptions;
use quant::Metric;
use vectors::Form;

/// `vectors` moved by `offset` in each dimension.
fn moved(vectors: &[Vec<f32>], offset: f32) -> Vec<Vec<f32>> {
    vectors.iter().map(|vector| vector.iter().map(|x| x + offset).collect()).collect()
}

fn is_blurred(metric: Metric, form: Form, vectors: &[Vec<f32>]) -> bool {
    let options = IndexOptions { form, ..options(metric, vectors[0].len()) };
    collected(options, vectors).is_blurred().expect("has the memory")
}

#[test]
fn halves_do_not_tell_apart_what_lies_close_together_far_from_the_origin() {
    let vectors = clustered(2_000, 80, 3);
    for metric in [Metric::L2, Metric::Cosine, Metric::L1, Metric::InnerProduct] {
        for offset in [0.0, 10.0] {
            let vectors = moved(&vectors, offset);
            assert!(!is_blurred(metric, Form::Halves, &vectors), "{metric:?} {offset}");
        }
        let far = moved(&vectors, 10_000.0);
        assert!(is_blurred(metric, Form::Halves, &far), "{metric:?}");
        assert!(!is_blurred(metric, Form::Floats, &far), "{metric:?}");
    }
    let integers: Vec<Vec<f32>> = moved(&vectors, 1_000.0);
    let integers: Vec<Vec<f32>> =
        integers.iter().map(|vector| vector.iter().map(|x| x.round()).collect()).collect();
    assert!(!is_blurred(Metric::L2, Form::Halves, &integers), "nothing is lost");
    assert!(!is_blurred(Metric::L2, Form::Halves, &vectors[..1]), "one row");
    assert!(!is_blurred(Metric::L2, Form::Halves, &vectors[..2]), "two rows");
}
