//! Processes that are not our children: signals and what /proc tells.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;
use crate::place::{as_server_user, output};

/// How long a server may take to start (crash recovery included), stop or catch up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Looks every few milliseconds whether something has happened, up to two minutes.
pub fn wait_until(what: &str, happened: impl FnMut() -> Result<bool>) -> Result<()> {
    wait_for(PATIENCE, what, happened)
}

/// As [`wait_until`], up to a limit of one's own.
pub(crate) fn wait_for(
    limit: Duration,
    what: &str,
    mut happened: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let start = Instant::now();
    while !happened()? {
        if start.elapsed() > limit {
            return Err(format!("waited {} s for {what}", limit.as_secs()).into());
        }
        sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Sends a signal, by the shell's own `kill`: a small Debian has no program of that name.
pub fn kill(signal: &str, pid: u32) -> Result<()> {
    output(Command::new("sh").args(["-c", &format!("kill -s {signal} {pid}")])).map(drop)
}

/// Limits how large a file a server's process may write, in bytes; none: as before.
pub fn limit_file_size(pid: u32, bytes: Option<u64>) -> Result<()> {
    limit("fsize", pid, bytes)
}

/// Limits the address space of a server's process, in bytes.
pub fn limit_memory(pid: u32, bytes: u64) -> Result<()> {
    limit("as", pid, Some(bytes))
}

fn limit(what: &str, pid: u32, bytes: Option<u64>) -> Result<()> {
    // The soft limit, which may be raised again.
    let limit = bytes.map_or("unlimited".into(), |bytes| bytes.to_string());
    let limit = format!("--{what}={limit}:");
    output(as_server_user("prlimit").args(["--pid", &pid.to_string(), &limit])).map(drop)
}

/// The processes whose parent is `pid`, from /proc.
pub(crate) fn children_of(pid: u32) -> Result<Vec<u32>> {
    let processes = fs::read_dir("/proc")?.flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    Ok(pids.filter(|&child| stat(child).is_some_and(|(_, parent)| parent == pid)).collect())
}

/// Has the process neither ended nor become a zombie that waits for its parent?
pub(crate) fn is_running(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// Is nothing left of the process?
pub(crate) fn is_reaped(pid: u32) -> bool {
    stat(pid).is_none()
}

/// State and parent of a process: the two fields that follow the name's `)` in /proc/PID/stat.
fn stat(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_string(), fields.next()?.parse().ok()?))
}
