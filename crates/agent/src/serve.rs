//! Sockets: listeners, connections and their bounds, hops, and the end.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt::{set_ip_ttl, set_ipv6_unicast_hops};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::container::Tasks;
use crate::imds::Metadata;
use crate::machine::{Delivery, Machine};
use crate::peers::{Beyond, Peers};
use crate::pod::{Pods, TOKEN_BYTES_MAX};
use crate::routes::Endpoints;
use crate::rush::Rush;
use crate::stalled::Impatient;
use crate::token::Tokens;
use crate::{Settings, Trouble, World};

/// Connections at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 512;
/// How long a client may take to send the head of a request, to read an answer, or to do nothing.
const IDLE_TIME_MAX: Duration = Duration::from_secs(15);
/// Largest head of a request, in bytes: the longest token, and 8 KB for everything else.
const HEAD_BYTES_MAX: usize = TOKEN_BYTES_MAX + 8 * 1024;
/// Most fields of one.
const HEADERS_MAX: usize = 50;
/// How often it is looked whether credentials are due. Programs that ask look, too.
const TEND_EVERY: Duration = Duration::from_secs(10);
/// How long to wait when the system gives no connection.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// An agent that listens.
pub struct Agent {
    settings: Settings,
    machine: Arc<Machine>,
    endpoints: Arc<Endpoints>,
    listeners: Vec<TcpListener>,
}

impl Agent {
    /// Listen, before anything else: programs that start with the machine wait instead of failing.
    ///
    /// # Errors
    /// An address cannot be had; the server's URL is none; one `GET` of a neighbour would get credentials.
    pub async fn listen(settings: Settings, world: World) -> Result<Self, Trouble> {
        for address in &settings.listen {
            match Beyond::of(*address, &settings)? {
                Beyond::Nothing => {}
                Beyond::Own(line) | Beyond::Others(line) => tracing::warn!("{line}"),
            }
        }
        let machine = Machine::new(&settings, world.clone())?;
        let metadata = Metadata {
            machine: machine.clone(),
            tokens: Tokens::new(&*world.random),
            allow_version_1: settings.allow_version_1,
        };
        let pods = settings.cluster.clone().map(|cluster| Pods::new(machine.clone(), cluster));
        let endpoints =
            Arc::new(Endpoints { metadata, tasks: Tasks::new(machine.clone()), pods, rush: Rush::default() });
        let mut listeners = Vec::new();
        for address in &settings.listen {
            let listener = TcpListener::bind(address).await;
            let failed = |error| Trouble::new(format!("--listen {address}: {error}"));
            listeners.push(listener.map_err(failed)?);
        }
        Ok(Self { settings, machine, endpoints, listeners })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Join if need be, and answer until `stop` completes; `ready` is called once the machine has joined.
    ///
    /// # Errors
    /// The machine may not join.
    pub async fn run(self, stop: impl Future<Output = ()>, ready: impl FnOnce()) -> Result<(), Trouble> {
        let mut tasks = JoinSet::new();
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        for listener in self.listeners {
            let (room, endpoints) = (room.clone(), self.endpoints.clone());
            tasks.spawn(accept(listener, room, endpoints, Peers::new(self.settings.hop_limit)));
        }
        let mut stop = std::pin::pin!(stop);
        tokio::select! {
            joined = self.machine.join(&self.settings) => joined?,
            () = &mut stop => return Ok(()),
        }
        ready();
        tasks.spawn(tend(self.machine));
        stop.await;
        tasks.shutdown().await;
        Ok(())
    }
}

/// Have credentials at hand before programs ask for them.
async fn tend(machine: Arc<Machine>) {
    let mut ticks = tokio::time::interval(TEND_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let facts = machine.facts().await;
        let has_role = matches!(
            &facts,
            crate::shelf::Shown::Good(facts, _)
                if facts.profile.as_ref().is_some_and(|profile| profile.role.is_some())
        );
        if has_role {
            drop(machine.credentials(Delivery::Version2).await);
        }
    }
}

async fn accept(listener: TcpListener, room: Arc<Semaphore>, endpoints: Arc<Endpoints>, peers: Peers) {
    let hop_limit = peers.hop_limit();
    let mut conversations = JoinSet::new();
    loop {
        while conversations.try_join_next().is_some() {}
        let Ok(place) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Before anything of it is read, whatever it asks for.
                let Some(guest) = stream.local_addr().ok().and_then(|local| peers.admit(peer, local)) else {
                    continue;
                };
                let endpoints = endpoints.clone();
                conversations.spawn(async move {
                    if let Err(error) = converse((stream, peer), endpoints, hop_limit).await {
                        tracing::debug!(error, "a connection ended early");
                    }
                    drop((place, guest));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}

async fn converse(
    (stream, peer): (TcpStream, SocketAddr),
    endpoints: Arc<Endpoints>,
    hop_limit: u8,
) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    let local = stream.local_addr().map_err(told)?;
    // The same socket, for its hops.
    let socket = Arc::new(stream.as_fd().try_clone_to_owned().map_err(told)?);
    let service = service_fn(move |request: Request<Incoming>| {
        let (endpoints, socket) = (endpoints.clone(), socket.clone());
        async move {
            let (head, _) = request.into_parts();
            if head.method == Method::PUT {
                limit_hops(&socket, local, hop_limit).map_err(|error| error.to_string())?;
            }
            Ok::<_, String>(endpoints.answer(head, local, peer.ip()).await)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(Impatient::new(stream, IDLE_TIME_MAX)), service);
    connection.await.map_err(|error| error.to_string())
}

/// From here on nothing on this connection goes further than so many hops: a token does not leave the machine. It stays so to the
/// connection's end, since what is sent again later goes as far as the socket then says.
fn limit_hops(socket: &OwnedFd, local: SocketAddr, hops: u8) -> io::Result<()> {
    match local {
        SocketAddr::V6(address) if address.ip().to_ipv4_mapped().is_none() => {
            set_ipv6_unicast_hops(socket, Some(hops))?;
        }
        _ => set_ip_ttl(socket, u32::from(hops))?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! How far an answer goes.

    use rustix::net::sockopt::{ip_ttl, ipv6_unicast_hops};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::test_support::endpoints;

    async fn answer_to_a_peer(peers: Peers) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let agent = tokio::spawn(accept(listener, Arc::new(Semaphore::new(1)), endpoints(), peers));
        let request = "PUT /latest/api/token HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        // A reset is an end as well.
        drop(client.read_to_end(&mut said).await);
        agent.abort();
        String::from_utf8(said).unwrap()
    }

    #[tokio::test]
    async fn who_is_not_of_this_machine_is_not_read_at_hop_limit_1() {
        let others = |hop_limit| Peers::of(hop_limit, |_, _| false);
        assert_eq!(answer_to_a_peer(others(1)).await, "");
        assert!(answer_to_a_peer(others(2)).await.starts_with("HTTP/1.1 200 "));
        assert!(answer_to_a_peer(Peers::new(1)).await.starts_with("HTTP/1.1 200 "));
    }

    async fn pair(address: &str) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(address).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0, client)
    }

    #[tokio::test]
    async fn hops_are_limited_for_both_families() {
        let (stream, _client) = pair("127.0.0.1:0").await;
        let socket = stream.as_fd().try_clone_to_owned().unwrap();
        assert!(ip_ttl(&stream).unwrap() > 1);
        limit_hops(&socket, stream.local_addr().unwrap(), 1).unwrap();
        assert_eq!(ip_ttl(&stream).unwrap(), 1);
        let (stream, _client) = pair("[::1]:0").await;
        let socket = stream.as_fd().try_clone_to_owned().unwrap();
        limit_hops(&socket, stream.local_addr().unwrap(), 2).unwrap();
        assert_eq!(ipv6_unicast_hops(&stream).unwrap(), 2);
    }
}
