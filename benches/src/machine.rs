//! Where and when a measurement was made.

use std::fs;
use std::num::NonZero;
use std::process::Command;
use std::thread;

use serde::{Deserialize, Serialize};

/// The machine and the sources of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// Model name of the processor.
    pub cpu: String,
    /// Cores this process may use.
    pub cores: usize,
    /// One-minute load average before the run: other work on the machine.
    pub load_before: f64,
    /// Commit of the checkout, with `-dirty` for uncommitted changes.
    pub commit: String,
}

impl Machine {
    /// Describes this machine; what cannot be found is "unknown" or NaN.
    pub fn here() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": "));
        Self {
            cpu: model.map_or("unknown", |(_, name)| name).to_owned(),
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            load_before: load(),
            commit: commit().unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}

/// The one-minute load average.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
}

fn commit() -> Option<String> {
    let arguments = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
    let output = Command::new("git")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Seconds of processor time of process `pid`, all threads: its own, and that of the children it
/// has waited for. `None` if there is no such process here.
pub fn cpu_seconds(pid: u32) -> Option<(f64, f64)> {
    // Fields 14 to 17: own and children's time in user and system mode, in ticks; Linux reports
    // 100 a second on every architecture PostgreSQL is packaged for. The name in brackets may
    // hold blanks.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: Vec<f64> = fields.split(' ').skip(11).take(4).flat_map(str::parse).collect();
    let &[user, system, child_user, child_system] = &ticks[..] else { return None };
    Some(((user + system) / 100.0, (child_user + child_system) / 100.0))
}

/// Nanoseconds that the main thread of process `pid` has been on a processor.
pub fn cpu_nanoseconds(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    text.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_the_processor() {
        let pid = std::process::id();
        let (own, children) = cpu_seconds(pid).unwrap();
        assert!(own >= 0.0 && children >= 0.0);
        assert!(cpu_nanoseconds(pid).unwrap() > 0);
        assert!(cpu_seconds(u32::MAX).is_none());
    }
}
