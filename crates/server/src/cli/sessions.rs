//! `daypass sessions list|revoke`: sessions of every account, through the operator's door of the running server.

use clap::{ArgGroup, Args, Subcommand};
use daypass_model::rfc3339_seconds;
use daypass_service::sessions::Selection;
use jiff::Timestamp;

use super::input::show;
use crate::config::DataArgs;
use crate::failure::Failure;
use crate::operator::{Answer, Ask, Ended, Listed, Wanted, ask};

#[derive(Debug, Args)]
pub(super) struct SessionsArgs {
    #[command(subcommand)]
    command: SessionsCommand,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Subcommand)]
enum SessionsCommand {
    /// Print the sessions that live, the newest first: id, status, issue, end, who it is, who asked
    List(ListArgs),
    /// End sessions before their time, from the next request on
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only sessions of this account
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// Only sessions of this user, role or root user, or with this ARN of a session
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
    /// Only sessions whose user or role, or whose own name, begins like this
    #[arg(long, value_name = "TEXT")]
    name_prefix: Option<String>,
    /// Only role sessions and federated users of this name
    #[arg(long, value_name = "NAME")]
    session_name: Option<String>,
    /// Only sessions with this source identity
    #[arg(long, value_name = "TEXT")]
    source_identity: Option<String>,
    /// Only sessions that this access key id was issued for, asked for, or stood at the beginning of
    #[arg(long, value_name = "ID")]
    access_key_id: Option<String>,
    /// Also sessions that are over
    #[arg(long)]
    all: bool,
    /// Everything that is known of each, as a JSON object on a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["session_id", "principal"]))]
struct RevokeArgs {
    /// The session
    #[arg(long, value_name = "ID")]
    session_id: Option<String>,
    /// With every session that descends from it; of a principal, from its sessions and access keys
    #[arg(long)]
    include_issued: bool,
    /// The user, role or root user whose sessions are to end
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
    /// Only those issued before this moment, such as 2026-01-15T12:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "session_id")]
    issued_before: Option<String>,
}

pub(super) async fn run(args: SessionsArgs) -> Result<(), Failure> {
    let data = args.data.directory()?;
    match args.command {
        SessionsCommand::List(args) => list(&data, args).await,
        SessionsCommand::Revoke(args) => {
            let RevokeArgs { session_id, include_issued, principal, issued_before } = args;
            let ended = match (session_id, principal) {
                (Some(id), _) => Ended::Session { id, include_issued },
                (None, arn) => {
                    Ended::Principal { arn: arn.unwrap_or_default(), issued_before, include_issued }
                }
            };
            match ask(&data, &Ask::SessionRevoke { ended }).await? {
                Answer::SessionsRevoked { told, left } => {
                    show(&format!("ended: {told}\n"));
                    if let Some(left) = left {
                        show(&format!("look again: {left}\n"));
                    }
                    Ok(())
                }
                other => Err(other.unexpected()),
            }
        }
    }
}

async fn list(data: &std::path::Path, args: ListArgs) -> Result<(), Failure> {
    let selection = Selection {
        principal_arn: args.principal,
        name_prefix: args.name_prefix,
        session_name: args.session_name,
        source_identity: args.source_identity,
        access_key_id: args.access_key_id,
        ended_too: args.all,
    };
    let mut wanted = Box::new(Wanted { account_id: args.account_id, selection, after: None });
    let (mut incomplete, mut none) = (false, true);
    loop {
        let (sessions, after) = match ask(data, &Ask::SessionList { wanted: wanted.clone() }).await? {
            Answer::Sessions { sessions, after, may_be_incomplete } => {
                incomplete |= may_be_incomplete;
                (sessions, after)
            }
            other => return Err(other.unexpected()),
        };
        none &= sessions.is_empty();
        sessions.iter().for_each(|session| show(&line(session, args.json)));
        if after.is_none() {
            break;
        }
        wanted.after = after;
    }
    if none && !args.json {
        note(if args.all {
            "the session log has no session that was asked for"
        } else {
            "no session that was asked for lives (--all lists those that are over, too)"
        });
    }
    if incomplete {
        note("more sessions may live than are listed: the log had no room for some");
    }
    Ok(())
}

fn line(session: &Listed, json: bool) -> String {
    if json {
        return format!("{}\n", serde_json::to_string(session).unwrap_or_default());
    }
    let entry = &session.entry;
    let time = |second: i64| rfc3339_seconds(Timestamp::from_second(second).unwrap_or_default());
    let (id, arn, asker) = (entry.id, &entry.arn, &entry.requested_by);
    let (issued, ends) = (time(entry.at), time(entry.expires_at));
    // Whoever an identity provider vouched for had no key.
    let key = asker.access_key_id.as_ref().map(|key| format!("  {key}")).unwrap_or_default();
    let by = &asker.arn;
    format!("{id}  {:<7}  {issued}  {ends}  {arn}  {}  by {by}{key}\n", session.status, entry.access_key_id)
}

#[expect(clippy::print_stderr, reason = "beside the list, which may go into a pipe")]
fn note(text: &str) {
    eprintln!("daypass: {text}");
}
