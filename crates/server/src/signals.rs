//! What signals mean to a server: SIGTERM and SIGINT that it should end, SIGHUP nothing.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::failure::Failure;

/// From now on signals end the process in order only: how many times it was told to stop so far.
///
/// # Errors
/// The system refuses.
pub(crate) fn heard() -> Result<watch::Receiver<u32>, Failure> {
    let hear = |kind| signal(kind).map_err(|error| Failure::new(format!("signals cannot be heard: {error}")));
    let hangup = hear(SignalKind::hangup())?;
    let (terminate, interrupt) = (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?);
    let (told, times) = watch::channel(0);
    tokio::spawn(shrug(hangup));
    tokio::spawn(count(terminate, interrupt, told));
    Ok(times)
}

/// What rotates logs sends SIGHUP by habit, and its default is to kill.
async fn shrug(mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        tracing::info!("SIGHUP: settings are read at start only, and the audit file is followed by itself");
    }
}

async fn count(mut terminate: Signal, mut interrupt: Signal, told: watch::Sender<u32>) {
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop: calls under way may end");
        told.send_modify(|times| *times += 1);
    }
}

/// Completes once the process was told to stop so many times.
pub(crate) async fn told_to_stop(mut told: watch::Receiver<u32>, times: u32) {
    drop(told.wait_for(|told| *told >= times).await);
}
