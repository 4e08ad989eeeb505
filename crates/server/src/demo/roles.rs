//! The second half of the story: a role in another account, a chain, and two ways to end sessions.

use daypass_model::rfc3339_seconds;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::{Answer, Keys};
use super::report::{Outcome, Report, Try, error_of};
use super::stage::{Stage, allow, credentials, object_arn, policy};
use crate::failure::Failure;

const EXTERNAL_ID: &str = "pegasus-7";
const PLAN: &str = "projects/apollo/plan.txt";
const BUDGET: &str = "projects/apollo/budget.txt";
const OTHER_PLAN: &str = "projects/gemini/plan.txt";
/// Seconds of every session but the one that is refused.
const SESSION_SECONDS: i64 = 3600;

/// Lines 9–12.
pub(super) async fn tell(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    for key in [PLAN, BUDGET, OTHER_PLAN] {
        stage.put(key).await?;
    }
    make_reader(stage).await?;
    let archivist_trust = json!({
        "Effect": "Allow",
        "Principal": {"AWS": role_arn(stage, "reader")},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    });
    stage.role("archivist", &policy(&[archivist_trust]), &reads_own_project()).await?;
    let assumes = allow(&json!(["sts:AssumeRole", "sts:TagSession"]), &role_arn(stage, "reader"));
    let pat = stage.user(&stage.partner.root.clone(), "Pat", &policy(&[assumes])).await?;

    let (session, issued_at) = reader(stage, report, &pat).await?;
    chain(stage, report, &session).await?;
    older_sessions(stage, report, &session, issued_at).await?;
    made_again(stage, report, &pat, &session).await
}

/// A role that trusts the partner's account, if it names the external id.
async fn make_reader(stage: &Stage) -> Result<(), Failure> {
    let trust = json!({
        "Effect": "Allow",
        "Principal": {"AWS": stage.partner.id.to_string()},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    });
    stage.role("reader", &policy(&[trust]), &reads_own_project()).await
}

/// External id, session tag and session policy each bind.
async fn reader(stage: &Stage, report: &mut Report, pat: &Keys) -> Result<(Keys, i64), Failure> {
    let wrong = assume(stage, pat, "reader", SESSION_SECONDS, &[("ExternalId", "wrong")]).await?;
    let right = assume_reader(stage, pat).await?;
    let (session, ends_at) = credentials("AssumeRole", &right)?;
    let tries = [
        // Across accounts a refusal gives no reason: it would tell one account what the other's policies say.
        Try::new("AssumeRole reader in another account, wrong ExternalId", Outcome::of(&wrong), 403, ""),
        Try::new(
            "AssumeRole reader, its ExternalId, project=apollo, a session policy",
            Outcome::of(&right),
            200,
            "",
        ),
        get(stage, &session, PLAN, 200, "").await?,
        get(stage, &session, OTHER_PLAN, 403, "no identity-based policy allows s3:GetObject").await?,
        get(stage, &session, BUDGET, 403, "no session policy allows s3:GetObject").await?,
    ];
    report.line("Pat", &tries);
    Ok((session, ends_at - SESSION_SECONDS))
}

/// A session of a role becomes a session of another one: for an hour at most, and with its transitive tag.
async fn chain(stage: &Stage, report: &mut Report, session: &Keys) -> Result<(), Failure> {
    let long = assume(stage, session, "archivist", 2 * SESSION_SECONDS, &[]).await?;
    let short = assume(stage, session, "archivist", SESSION_SECONDS, &[]).await?;
    let (chained, _) = credentials("AssumeRole", &short)?;
    let too_long =
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
    let tries = [
        Try::new("AssumeRole archivist from reader, for two hours", told(&long), 400, too_long),
        Try::new("AssumeRole archivist from reader, for one hour", Outcome::of(&short), 200, ""),
        get(stage, &chained, BUDGET, 200, "").await?,
        get(stage, &chained, OTHER_PLAN, 403, "no identity-based policy allows s3:GetObject").await?,
    ];
    report.line("Pat", &tries);
    Ok(())
}

/// AWS's way to end the sessions of a role: deny everything to those issued before a moment.
async fn older_sessions(
    stage: &Stage,
    report: &mut Report,
    session: &Keys,
    issued_at: i64,
) -> Result<(), Failure> {
    let moment = Timestamp::from_second(issued_at + 1).map_err(|error| Failure::new(error.to_string()))?;
    let before = get(stage, session, PLAN, 200, "").await?;
    let older = json!({
        "Effect": "Deny",
        "Action": ["*"],
        "Resource": ["*"],
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": rfc3339_seconds(moment)}},
    });
    stage.role_policy("reader", "AWSRevokeOlderSessions", &policy(&[older])).await?;
    let got = stage.object(session, "GET", PLAN).await?;
    let what = format!("GET {PLAN}, older sessions revoked by aws:TokenIssueTime");
    report.line("Pat", &[before, Try::new(what, got, 403, "explicit deny in an identity-based policy")]);
    Ok(())
}

/// A role made again under the same name is another role.
async fn made_again(stage: &Stage, report: &mut Report, pat: &Keys, old: &Keys) -> Result<(), Failure> {
    let root = &stage.home.root;
    for name in ["story", "AWSRevokeOlderSessions"] {
        stage.iam(root, "DeleteRolePolicy", &[("RoleName", "reader"), ("PolicyName", name)]).await?;
    }
    stage.iam(root, "DeleteRole", &[("RoleName", "reader")]).await?;
    make_reader(stage).await?;
    let dead = stage.object(old, "GET", PLAN).await?;
    let (new, _) = credentials("AssumeRole", &assume_reader(stage, pat).await?)?;
    let alive = stage.object(&new, "GET", PLAN).await?;
    let tries = [
        Try::new(format!("GET {PLAN}, reader deleted and made again"), dead, 403, "InvalidClientTokenId"),
        Try::new(format!("GET {PLAN}, with a new session"), alive, 200, ""),
    ];
    report.line("Pat", &tries);
    Ok(())
}

async fn assume_reader(stage: &Stage, pat: &Keys) -> Result<Answer, Failure> {
    let plans = policy(&[
        allow(&json!("s3:GetObject"), &object_arn("projects/*/plan.txt")),
        allow(&json!(["sts:AssumeRole", "sts:TagSession"]), &role_arn(stage, "archivist")),
    ]);
    let plans = plans.to_string();
    let params = [
        ("ExternalId", EXTERNAL_ID),
        ("Tags.member.1.Key", "project"),
        ("Tags.member.1.Value", "apollo"),
        ("TransitiveTagKeys.member.1", "project"),
        ("Policy", plans.as_str()),
    ];
    assume(stage, pat, "reader", SESSION_SECONDS, &params).await
}

async fn assume(
    stage: &Stage,
    keys: &Keys,
    role: &str,
    seconds: i64,
    more: &[(&str, &str)],
) -> Result<Answer, Failure> {
    let (arn, seconds) = (role_arn(stage, role), seconds.to_string());
    let mut params =
        vec![("RoleArn", arn.as_str()), ("RoleSessionName", "Pat"), ("DurationSeconds", seconds.as_str())];
    params.extend_from_slice(more);
    stage.sts(keys, "AssumeRole", &params).await
}

async fn get(stage: &Stage, keys: &Keys, key: &str, status: u16, reason: &str) -> Result<Try, Failure> {
    Ok(Try::new(format!("GET {key}"), stage.object(keys, "GET", key).await?, status, reason))
}

/// An error by its sentence, where the code alone does not say enough.
fn told(answer: &Answer) -> Outcome {
    Outcome::new(answer.status, error_of(&answer.body).1)
}

fn role_arn(stage: &Stage, role: &str) -> String {
    format!("arn:aws:iam::{}:role/{role}", stage.home.id)
}

/// The objects of the project that the session is tagged with.
fn reads_own_project() -> Value {
    policy(&[allow(&json!("s3:GetObject"), &object_arn("projects/${aws:PrincipalTag/project}/*"))])
}
