//! What signals mean to a server: SIGTERM and SIGINT that it should end, SIGHUP that its certificate may be a new one.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::failure::Failure;

/// How many times a server was told something so far.
pub(crate) struct Heard {
    /// To stop.
    pub(crate) to_stop: watch::Receiver<u32>,
    /// To look at its certificate again.
    pub(crate) hangups: watch::Receiver<u32>,
}

/// From now on signals end the process in order only.
///
/// # Errors
/// The system refuses.
pub(crate) fn heard() -> Result<Heard, Failure> {
    let hear = |kind| signal(kind).map_err(|error| Failure::new(format!("signals cannot be heard: {error}")));
    let hangup = hear(SignalKind::hangup())?;
    let (terminate, interrupt) = (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?);
    let (told, to_stop) = watch::channel(0);
    let (hung_up, hangups) = watch::channel(0);
    tokio::spawn(pass_on(hangup, hung_up));
    tokio::spawn(count(terminate, interrupt, told));
    Ok(Heard { to_stop, hangups })
}

/// What rotates logs sends SIGHUP by habit, and its default is to kill.
async fn pass_on(mut hangup: Signal, hung_up: watch::Sender<u32>) {
    while hangup.recv().await.is_some() {
        tracing::info!(
            "SIGHUP: certificate and key of TLS are read again; settings are read at start only, and the audit file is followed by itself"
        );
        hung_up.send_modify(|times| *times += 1);
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
