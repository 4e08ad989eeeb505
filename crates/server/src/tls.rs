//! TLS in front of the API: a certificate and its key from files, read again when they change or when the process gets
//! SIGHUP. Connections go on with what they began with; a pair that cannot be used is told of and changes nothing.
//!
//! TLS 1.2 and 1.3 (RFC 8446), HTTP/2 or HTTP/1.1 as the client prefers (RFC 7301).

mod pair;

use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use daypass_model::Clock;
use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(crate) use self::pair::Pair;
use crate::failure::Failure;

/// How long a client may take for its part of a handshake.
pub(crate) const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// Seconds before its end from which on a certificate should be another.
pub(crate) const ENDS_SOON: i64 = 14 * DAY;
const DAY: i64 = 24 * 60 * 60;
/// How often the files are looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(2);

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first, in PEM.
    pub cert: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

impl fmt::Display for TlsFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` and `{}`", self.cert.display(), self.key.display())
    }
}

/// TLS for one listener.
pub(crate) struct Tls {
    files: TlsFiles,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
    clock: Arc<dyn Clock>,
}

/// What new connections are shown.
struct Current(RwLock<State>);

struct State {
    pair: Pair,
    /// What the files were when they were last read, whatever came of it.
    seen: Seen,
    /// Why what is in the files now is not in use.
    trouble: Option<String>,
    /// When the log was told of its end, and whether that had come.
    told: Option<(Timestamp, bool)>,
}

impl State {
    fn new(pair: Pair, seen: Seen) -> Self {
        Self { pair, seen, trouble: None, told: None }
    }

    /// What the log is to be told of the end of the certificate: when it is near, once a day, and when it has come.
    fn reminder(&mut self, now: Timestamp) -> Option<String> {
        let until = self.pair.not_after;
        let left = until.as_second() - now.as_second();
        if left >= ENDS_SOON {
            return None;
        }
        let is_over = now > until;
        if let Some((at, was_over)) = self.told
            && was_over == is_over
            && (now.as_second() - at.as_second()).abs() < DAY
        {
            return None;
        }
        self.told = Some((now, is_over));
        Some(if is_over {
            format!("the certificate in use ended at {until}: clients refuse it")
        } else {
            format!("the certificate in use ends in {} days, at {until}", left / DAY)
        })
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.read(|state| state.pair.certified.clone()))
    }
}

impl Current {
    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tls {
    /// Read the files. A certificate that is over is said to be, and used: whoever verifies it refuses it.
    ///
    /// # Errors
    /// A file cannot be read, or the two are no pair.
    pub(crate) fn open(files: TlsFiles, clock: Arc<dyn Clock>) -> Result<Arc<Self>, Failure> {
        let seen = Seen::of(&files);
        let pair = Pair::read(&files)?;
        if clock.now() < pair.not_before {
            tracing::warn!(%files, from = %pair.not_before, "clients refuse this certificate until then");
        }
        let current = Arc::new(Current(RwLock::new(State::new(pair, seen))));
        let versions = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(format!("TLS cannot be set up: {error}")))?;
        let mut config = versions.with_no_client_auth().with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let tls = Self { files, current, acceptor: TlsAcceptor::from(Arc::new(config)), clock };
        tls.remind();
        Ok(Arc::new(tls))
    }

    /// The handshake of a new connection.
    ///
    /// # Errors
    /// It was none, or took too long.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
        timeout(HANDSHAKE_TIME_MAX, self.acceptor.accept(stream)).await.unwrap_or_else(late)
    }

    /// When the certificate in use ends.
    pub(crate) fn expires(&self) -> Timestamp {
        self.current.read(|state| state.pair.not_after)
    }

    /// How it is with the certificate, for the operator; one that is no good now, or a new one that is not used.
    pub(crate) fn health(&self) -> String {
        let now = self.clock.now();
        self.current.read(|state| match (&state.trouble, state.pair.is_good_at(now)) {
            (Some(trouble), _) => {
                format!(
                    "{trouble}; the certificate before it, until {}, is still in use",
                    state.pair.not_after
                )
            }
            (None, Err(why)) => format!("{why}: put another into {}", self.files),
            (None, Ok(())) => format!("certificate until {}", state.pair.not_after),
        })
    }

    /// Look at the files from time to time, and read them again at every hangup.
    pub(crate) async fn tend(self: Arc<Self>, mut hangups: watch::Receiver<u32>) {
        let mut ticks = tokio::time::interval(LOOKED_AT_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = true;
        loop {
            let asked = tokio::select! {
                _ = ticks.tick() => false,
                change = hangups.changed(), if heard => {
                    heard = change.is_ok();
                    heard
                }
            };
            let tls = self.clone();
            // Files may be on a disk that hangs.
            drop(tokio::task::spawn_blocking(move || tls.look(asked)).await);
            self.remind();
        }
    }

    /// Tell the log of a certificate that ends soon or has ended.
    fn remind(&self) {
        let now = self.clock.now();
        if let Some(reminder) = self.current.change(|state| state.reminder(now)) {
            tracing::warn!(files = %self.files, "{reminder}: put another there, it is taken within two seconds");
        }
    }

    /// Take what is in the files, if that is something new or if somebody asked.
    fn look(&self, asked: bool) {
        let seen = Seen::of(&self.files);
        if !asked && self.current.read(|state| state.seen == seen) {
            return;
        }
        let good = |pair: Pair| pair.is_good_at(self.clock.now()).map(|()| pair).map_err(Failure::new);
        match Pair::read(&self.files).and_then(good) {
            Ok(pair) => {
                tracing::info!(files = %self.files, until = %pair.not_after, "TLS: new connections get this certificate");
                self.current.change(|state| *state = State::new(pair, seen));
            }
            Err(error) => {
                tracing::error!(%error, "TLS: the new certificate or key cannot be used, the ones before stay");
                let trouble = Some(error.to_string());
                self.current.change(|state| (state.seen, state.trouble) = (seen, trouble));
            }
        }
    }
}

/// What tells a changed file: another one, or another time or length.
#[derive(Debug, PartialEq, Eq)]
struct Seen([Option<Stamp>; 2]);

/// Device, number, length, and time of the last change in seconds and nanoseconds.
type Stamp = (u64, u64, u64, i64, i64);

impl Seen {
    fn of(files: &TlsFiles) -> Self {
        let stamp = |file: Metadata| (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec());
        Self([&files.cert, &files.key].map(|path| path.metadata().ok().map(stamp)))
    }
}

#[cfg(test)]
mod tests;
