//! What unit tests need of an agent.

use std::path::PathBuf;
use std::sync::Arc;

use daypass_model::{MockClock, SeededRandom};
use jiff::Timestamp;
use rustls::RootCertStore;

use crate::container::Tasks;
use crate::imds::Metadata;
use crate::machine::Machine;
use crate::routes::Endpoints;
use crate::token::Tokens;
use crate::{Settings, World};

pub(crate) fn settings() -> Settings {
    Settings {
        listen: Vec::new(),
        allow_version_1: false,
        hop_limit: 1,
        server: "http://127.0.0.1:9".into(),
        roots: RootCertStore::empty(),
        state: PathBuf::new(),
        instance: None,
        join_secret: None,
        cluster: None,
    }
}

/// Of a machine that has not joined.
pub(crate) fn endpoints() -> Arc<Endpoints> {
    let clock = Arc::new(MockClock::at(Timestamp::UNIX_EPOCH));
    let world = World { clock, random: Arc::new(SeededRandom::new(1)) };
    let tokens = Tokens::new(&*world.random);
    let machine = Machine::new(&settings(), world).unwrap();
    let metadata = Metadata { machine: machine.clone(), tokens, allow_version_1: false };
    Arc::new(Endpoints {
        metadata,
        tasks: Tasks::new(machine),
        pods: None,
        rush: crate::rush::Rush::default(),
    })
}
