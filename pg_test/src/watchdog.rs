//! A shell process that outlives us by a moment and clears up after us.
//!
//! It waits on a pipe whose other end we hold.  When we drop the pipe, exit, panic or are killed,
//! it stops the server and removes the cluster's folders.  So no server is left behind, not even
//! one in a `static`, which Rust never drops.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Result;
use crate::place::is_root;

const SCRIPT: &str = r#"
    read -r word
    [ "$word" = keep ] && exit
    $3 "$0/pg_ctl" -D "$1/data" -m immediate -w stop
    [ "$word" = stop ] || rm -rf "$1" "$2"
"#;

pub(crate) struct Watchdog(Child);

impl Watchdog {
    /// Watches over the cluster in `dir`, whose sockets are in `socket_dir`.
    pub(crate) fn new(bindir: &Path, dir: &Path, socket_dir: &Path) -> Result<Self> {
        let runner = if is_root() { "runuser -u postgres --" } else { "" };
        let child = Command::new("sh")
            .args(["-c", SCRIPT])
            .args([bindir, dir, socket_dir])
            .arg(runner)
            .current_dir("/")
            .process_group(0) // Ctrl-C is for us; it must survive us.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// Ends the watch: server and folders stay.
    pub(crate) fn keep(mut self) -> Result<()> {
        self.say("keep\n")
    }

    /// Stops the server, but leaves its folders to be looked at.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.say("stop\n")
    }

    fn say(&mut self, word: &str) -> Result<()> {
        if let Some(pipe) = &mut self.0.stdin {
            pipe.write_all(word.as_bytes())?;
        }
        Ok(())
    }
}

impl Drop for Watchdog {
    /// Closes the pipe and waits until the cluster is gone.
    fn drop(&mut self) {
        // `wait` closes the pipe first; nothing can be done about an error here.
        let _ = self.0.wait();
    }
}
