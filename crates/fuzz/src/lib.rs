//! Random tests: bounded in time, and each case can be repeated alone.
//!
//! The environment says how long and from where:
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `FUZZ_SECONDS` | how long each test makes new cases | 2 |
//! | `FUZZ_SEED` | what the cases are derived from | 1 |
//! | `FUZZ_CASE` | runs this case only | all |
//!
//! When a case fails, its seed, its number and the file with its input are printed.

mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use rand::SeedableRng;
use rand::rngs::SmallRng;

pub use mutate::{mutate, scribble};

/// One case of a test.
#[derive(Debug)]
pub struct Case {
    /// Source of all that is random in the case.
    pub rng: SmallRng,
    input: Vec<u8>,
}

impl Case {
    /// Names the input of the case, to be saved when the case fails.
    pub fn input(&mut self, input: impl AsRef<[u8]>) {
        self.input = input.as_ref().to_vec();
    }
}

/// Runs `test` with one case after another, at least once, until the time is up. Returns how many
/// cases there were.
///
/// # Panics
/// When `test` does; and when a variable of the environment is not a number.
pub fn run(name: &str, mut test: impl FnMut(&mut Case)) -> u64 {
    let seed = variable("FUZZ_SEED").unwrap_or(1);
    if let Some(number) = variable("FUZZ_CASE") {
        run_case(name, seed, number, &mut test);
        return 1;
    }
    let time = Duration::from_secs(variable("FUZZ_SECONDS").unwrap_or(2));
    let start = Instant::now();
    let mut cases = 0;
    while cases == 0 || start.elapsed() < time {
        run_case(name, seed, cases, &mut test);
        cases += 1;
    }
    eprintln!("{name}: {cases} cases of FUZZ_SEED={seed}");
    cases
}

fn run_case(name: &str, seed: u64, number: u64, test: &mut impl FnMut(&mut Case)) {
    // Seeds of consecutive cases have nothing in common, nor have cases of consecutive seeds.
    let mixed = (seed.rotate_left(32) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut case = Case { rng: SmallRng::seed_from_u64(mixed), input: Vec::new() };
    // Nothing of the case but its input is looked at afterwards.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(&mut case))) {
        eprintln!("{name} failed: repeat it with FUZZ_SEED={seed} FUZZ_CASE={number}");
        match save(&format!("{name}-{seed}-{number}"), &case.input) {
            Ok(path) => eprintln!("its input is in {}", path.display()),
            Err(error) => eprintln!("its input was not saved: {error}"),
        }
        resume_unwind(panic);
    }
}

fn save(name: &str, input: &[u8]) -> io::Result<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/fuzz"));
    fs::create_dir_all(&folder)?;
    let path = folder.canonicalize()?.join(name);
    fs::write(&path, input)?;
    Ok(path)
}

fn variable(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is not a number: {value}")))
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn a_case_can_be_repeated() {
        let number = |case: u64| {
            let mut number = 0u64;
            run_case("repeated", 7, case, &mut |case| number = case.rng.random());
            number
        };
        assert_eq!(number(3), number(3));
        assert_ne!(number(3), number(4));
    }

    #[test]
    fn the_input_of_a_failure_is_saved() {
        let failed = catch_unwind(|| {
            run_case("saved", 7, 3, &mut |case| {
                case.input("bad");
                panic!("as it should");
            });
        });
        assert!(failed.is_err());
        let path = save("saved-7-4", b"").expect("saves").with_file_name("saved-7-3");
        assert_eq!(fs::read(path).expect("was saved"), b"bad");
    }
}
