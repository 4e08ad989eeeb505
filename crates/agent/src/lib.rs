//! The agent of a machine: programs there ask it for credentials as they ask AWS's instance metadata service, ECS's container
//! credentials endpoint or EKS's Pod Identity agent, and it asks daypass for them.
//!
//! It answers for what these endpoints look like from a program's side, for who may not ask them, for the machine's key, and
//! for credentials that are there before they are needed and while the server is away. It refuses to know who may have which
//! role: the server decides. It is a client of daypass like any other and uses none of the rooms behind its API.
//!
//! Governing documents: Amazon EC2 User Guide, "Instance metadata and user data"; Amazon ECS Developer Guide, "Task IAM role";
//! Amazon EKS User Guide, "EKS Pod Identities"; AWS SDKs and Tools Reference Guide, "Container credential provider" and "Process
//! credential provider".

mod answer;
mod anywhere;
mod container;
mod credentials;
pub mod creds;
mod gate;
mod health;
mod imds;
mod machine;
mod peers;
mod place;
mod pod;
mod ration;
mod rations;
mod routes;
mod rush;
mod serve;
mod shelf;
mod shelves;
mod stalled;
mod state;
#[cfg(test)]
mod test_support;
mod token;
mod upstream;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use daypass_model::{Clock, Random};
use rustls::RootCertStore;

pub use serve::Agent;

/// What whoever runs an agent chooses.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// Whether instance metadata is told without a session token, too: version 1.
    pub allow_version_1: bool,
    /// How many hops an answer with a session token may go: 1 to 64. At 1 nobody is answered who comes from another address
    /// than this machine's own.
    pub hop_limit: u8,
    /// The server's URL.
    pub server: String,
    /// Who vouches for the server's certificate.
    pub roots: RootCertStore,
    /// The directory of the machine's key.
    pub state: PathBuf,
    /// ARN of the instance; needed to join.
    pub instance: Option<String>,
    /// The file with the join secret; needed to join.
    pub join_secret: Option<PathBuf>,
    /// The cluster whose node this machine is: for its pods.
    pub cluster: Option<String>,
}

/// Time and chance, which are parameters.
#[derive(Clone)]
pub struct World {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for ids and secrets.
    pub random: Arc<dyn Random>,
}

impl World {
    /// Unix seconds.
    fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// A number below `end`.
    fn below(&self, end: i64) -> i64 {
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        i64::from(u32::from_le_bytes(bytes)) % end.max(1)
    }
}

/// Why an agent does not start or go on: a line for whoever runs it, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(String);

impl Trouble {
    /// One line, whatever names of files and answers of others are in it.
    fn new(line: impl AsRef<str>) -> Self {
        Self(answer::plain(line.as_ref()))
    }
}
