//! The `bucket` binary: flags and environment in, a listening service out.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use bucket::Bucket;
use bucket::check::Daypass;
use bucket::folder::Folder;
use clap::Parser;
use daypass_model::{Secret, SystemClock};
use tokio::net::TcpListener;

/// A small object service that asks daypass about every request.
///
/// It needs DAYPASS_ENDPOINT (http://host:port), AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN with temporary
/// credentials) in its environment. AWS_REGION is where policies see it, us-east-1 if it is not set.
#[derive(Parser)]
struct Flags {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// host:port that clients sign for, if it is not the address
    #[arg(long, value_name = "HOST:PORT")]
    authority: Option<String>,
    /// Where the objects are kept
    #[arg(long, value_name = "DIR", default_value = "objects")]
    folder: PathBuf,
    /// Name of the bucket
    #[arg(long, value_name = "NAME", default_value = "mybucket")]
    bucket: String,
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "says where it listens")]
async fn main() -> anyhow::Result<()> {
    let Flags { listen, authority, folder, bucket } = Flags::parse();
    let endpoint = variable("DAYPASS_ENDPOINT")?;
    let daypass = endpoint.strip_prefix("http://").context("DAYPASS_ENDPOINT: give http://host:port")?;
    let daypass = Daypass {
        authority: daypass.trim_end_matches('/').to_owned(),
        region: std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".into()),
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: Secret::new(variable("AWS_SECRET_ACCESS_KEY")?),
        session_token: std::env::var("AWS_SESSION_TOKEN").ok(),
        clock: Arc::new(SystemClock),
    };
    let folder = Folder::open(&folder).with_context(|| format!("--folder {}", folder.display()))?;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("--listen {listen}"))?;
    let authority = authority.map_or_else(|| listener.local_addr().map(|it| it.to_string()), Ok)?;
    eprintln!("bucket: `{bucket}` is at http://{authority}/{bucket}");
    bucket::serve(listener, Arc::new(Bucket { name: bucket, authority, folder, daypass })).await;
    Ok(())
}

fn variable(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}
