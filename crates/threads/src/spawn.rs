//! What the host does around the start of threads.

use std::any::Any;
use std::io;
use std::sync::{OnceLock, mpsc};
use std::thread;

/// Makes a guard that is held while a thread is started: what it sets up (blocked signals, say)
/// they inherit, and dropping it undoes it for the thread that started them. None where there is not
/// enough memory: what the C library needs for a thread, it must get.
pub type SpawnGuard = fn() -> Option<Box<dyn Any>>;

static SPAWN_GUARD: OnceLock<SpawnGuard> = OnceLock::new();

/// Sets the guard for all threads that [`Workers`](crate::Workers) and [`spawn`] start. Only the first
/// call counts.
pub fn set_spawn_guard(guard: SpawnGuard) {
    SPAWN_GUARD.get_or_init(|| guard);
}

/// The guard of the host, or one of nothing.
pub(crate) fn spawn_guard() -> Option<Box<dyn Any>> {
    SPAWN_GUARD.get().map_or_else(|| Some(Box::new(()) as _), |guard| guard())
}

/// Has a thread do `work`, which nobody waits for. Returns when the thread has begun.
///
/// # Errors
/// [`io::ErrorKind::OutOfMemory`] where the guard says so; and those of the operating system.
pub fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let _guard = spawn_guard().ok_or(io::ErrorKind::OutOfMemory)?;
    let (sender, begun) = mpsc::sync_channel(1);
    thread::Builder::new().spawn(move || {
        // Who started the thread waits for this.
        let _ = sender.send(());
        work();
    })?;
    begun.recv().map_err(|_| io::Error::other("a thread ended early"))
}
