//! The `bucket` binary: flags and environment in, a listening service out.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bucket::Bucket;
use bucket::check::Daypass;
use bucket::folder::Folder;
use clap::Parser;
use daypass_model::{Secret, SystemClock};
use tokio::net::TcpListener;

/// A small object service that asks daypass about every request.
///
/// It needs DAYPASS_ENDPOINT (http://host:port), AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN with temporary
/// credentials) in its environment.
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
async fn main() -> ExitCode {
    match run(Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tell(&format!("bucket: {why}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags) -> Result<(), String> {
    let endpoint = variable("DAYPASS_ENDPOINT")?;
    let authority = endpoint.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let authority = authority.ok_or("DAYPASS_ENDPOINT: give http://host:port")?.to_owned();
    let daypass = Daypass {
        authority,
        region: std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".into()),
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: Secret::new(variable("AWS_SECRET_ACCESS_KEY")?),
        session_token: std::env::var("AWS_SESSION_TOKEN").ok(),
        clock: Arc::new(SystemClock),
    };
    let folder = Folder::open(&flags.folder)
        .map_err(|error| format!("--folder {}: {error}", flags.folder.display()))?;
    let listener = TcpListener::bind(flags.listen)
        .await
        .map_err(|error| format!("--listen {}: {error}", flags.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let authority = flags.authority.unwrap_or_else(|| address.to_string());
    tell(&format!("bucket `{}` at http://{authority}/{}", flags.bucket, flags.bucket));
    bucket::serve(listener, Arc::new(Bucket { name: flags.bucket, authority, folder, daypass })).await;
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}

#[expect(clippy::print_stderr, reason = "the few lines this program says")]
fn tell(line: &str) {
    eprintln!("{line}");
}
