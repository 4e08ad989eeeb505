//! Calls over loopback, keep-alive, against the built server and a bare hyper answer of the same size, in
//! turns: what slows the machine slows both.

use crate::Outcome;
use crate::client::{Call, Keys, once};
use crate::issuer::Signed;
use crate::load::{Round, Shape, count, round};
use crate::process::{DataDir, ROOT_KEY, Server};
use crate::start::mebibytes;

const ROLE: &str = "arn:aws:iam::111122223333:role/reader";
const IDENTITY: Call<'_> = Call { service: "sts", action: "GetCallerIdentity", params: &[] };
const ASSUME: Call<'_> =
    Call { service: "sts", action: "AssumeRole", params: &[("RoleArn", ROLE), ("RoleSessionName", "bench")] };

/// Sets up a user and a role, then measures.
pub(crate) fn print(shape: Shape) -> Outcome<()> {
    let data = DataDir::new("calls")?;
    let server = Server::daypass(data.path())?;
    let user = set_up(&server)?;
    let session = Keys::find(&ASSUME.send(server.address, &user)?)?;
    println!(
        "\ncalls over HTTP/1.1 keep-alive on loopback: {} connections, {} rounds of {} s in turns, one load thread",
        shape.connections, shape.rounds, shape.seconds
    );
    println!("(requests/s and times: the best round; server CPU: user and system, the best round)");
    println!("{HEAD}");
    let of =
        |call: Call<'static>, keys: &Keys| call.bytes(server.address, keys, false).map(|bytes| vec![bytes]);
    compare("GetCallerIdentity, user", &server, &|| of(IDENTITY, &user), None, shape)?;
    compare("GetCallerIdentity, session", &server, &|| of(IDENTITY, &session), None, shape)?;
    compare("AssumeRole, user", &server, &|| of(ASSUME, &user), None, shape)?;
    if let Some((now, most)) = server.memory() {
        println!("memory after it, MiB: {:.1} resident, {:.1} at most", mebibytes(now), mebibytes(most));
    }
    Ok(())
}

pub(crate) const HEAD: &str =
    "                                        requests/s    p50 µs    p99 µs  CPU µs/request";

/// A user that may assume a role that trusts it, by its own inline policy.
fn set_up(server: &Server) -> Outcome<Keys> {
    let root = Keys::new(ROOT_KEY.0, ROOT_KEY.1);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{ROLE}"}}]}}"#
    );
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/app"},"Action":"sts:AssumeRole"}]}"#;
    let iam = |action: &str, params: &[(&str, &str)]| {
        Call { service: "iam", action, params }.send(server.address, &root)
    };
    iam("CreateUser", &[("UserName", "app")])?;
    iam("PutUserPolicy", &[("UserName", "app"), ("PolicyName", "assume"), ("PolicyDocument", &policy)])?;
    iam("CreateRole", &[("RoleName", "reader"), ("AssumeRolePolicyDocument", trust)])?;
    Keys::find(&iam("CreateAccessKey", &[("UserName", "app")])?)
}

/// The best of several rounds against one server.
#[derive(Default)]
struct Best {
    round: Round,
    cpu: Option<f64>,
}

impl Best {
    fn measure(&mut self, server: &Server, requests: Vec<Vec<u8>>, shape: Shape) -> Outcome<()> {
        let before = server.cpu();
        let round = round(server.address, requests, shape)?;
        let used = server.cpu().zip(before).map(|(after, before)| after - before);
        let each = used.map(|used| used.as_secs_f64() * 1e6 / count(round.times.len().max(1)));
        self.cpu = [self.cpu, each].into_iter().flatten().reduce(f64::min);
        if self.round.times.is_empty() || round.requests_per_second() > self.round.requests_per_second() {
            self.round = round;
        }
        Ok(())
    }

    fn print(&self, name: &str) {
        let cpu = self.cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.1}"));
        println!(
            "  {name:<36} {:>11.0} {:>9.0} {:>9.0} {cpu:>15}",
            self.round.requests_per_second(),
            self.round.microseconds_at(500),
            self.round.microseconds_at(990),
        );
    }
}

/// Requests that `fresh` makes, one or many, against a server, and against a bare answer of the same size that may have a
/// signature to verify.
pub(crate) fn compare(
    name: &str,
    server: &Server,
    fresh: &dyn Fn() -> Outcome<Vec<Vec<u8>>>,
    verify: Option<Signed>,
    shape: Shape,
) -> Outcome<()> {
    let mut warm = fresh()?;
    let request = warm.pop().ok_or("no request")?;
    let size = once(server.address, &request)?.len();
    if warm.is_empty() {
        warm.push(request.clone());
    }
    let bare = Server::bare(size, verify)?;
    let warm_up = Shape { seconds: 0.5, ..shape };
    round(server.address, warm, warm_up)?;
    round(bare.address, vec![request.clone()], warm_up)?;
    let (mut ours, mut theirs) = (Best::default(), Best::default());
    for _ in 0..shape.rounds {
        // Signed anew: a round lasts far less than the 15 minutes that a signature holds.
        ours.measure(server, fresh()?, shape)?;
        theirs.measure(&bare, vec![request.clone()], shape)?;
    }
    ours.print(name);
    theirs.print(&format!("bare answer, {size} bytes"));
    let rate = ours.round.requests_per_second() / theirs.round.requests_per_second() * 100.0;
    let cpu = theirs.cpu.zip(ours.cpu).map(|(theirs, ours)| theirs / ours * 100.0);
    let cpu = cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.0} %"));
    println!("  {:<36} {rate:>9.0} % {:>9} {:>9} {cpu:>15}", "of bare", "", "");
    Ok(())
}
