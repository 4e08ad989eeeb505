//! The first half of the story: people whom only an identity broker knows, and what their credentials may do.

use data_encoding::HEXLOWER;
use daypass_authn::sigv4::HttpRequest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::client::{self, Answer, Keys};
use super::report::{Outcome, Report, Try, error_of};
use super::stage::{Stage, allow, bucket_arn, credentials, deny, object_arn, policy};
use crate::failure::Failure;

const JILLS: &str = "federated-user/Jill/a.txt";
const SUSANS: &str = "federated-user/Susan/b.txt";
/// The host that the story's queue service is configured with.
const QUEUE_HOST: &str = "queue.example.com";

/// Lines 1–8.
pub(super) async fn tell(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    stage.put(JILLS).await?;
    stage.put(SUSANS).await?;
    managers(stage, report).await?;
    let issuer = stage.user(&stage.home.root.clone(), "Issuer", &issuer_policy(stage, None)).await?;
    let jill = jill(stage, report, &issuer).await?;
    no_more_than_the_issuer(stage, report, &issuer).await?;
    as_the_issuer_now(stage, report, &jill).await?;
    susan(stage, report, &issuer).await?;
    queue(stage, report).await
}

/// A broker may ask for credentials of managers, and of nobody else.
async fn managers(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    let managers = allow(&json!("sts:GetFederationToken"), &federated_user(stage, "Manager*"));
    let broker = stage.user(&stage.home.root.clone(), "Broker", &policy(&[managers])).await?;
    let ann = federate(stage, &broker, "ManagerAnn", None).await?;
    report.line("Broker", &[Try::new("GetFederationToken ManagerAnn", Outcome::of(&ann), 200, "")]);
    let jill = federate(stage, &broker, "Jill", None).await?;
    let reason = "no identity-based policy allows sts:GetFederationToken";
    report.line("Broker", &[Try::new("GetFederationToken Jill", Outcome::of(&jill), 403, reason)]);
    Ok(())
}

/// The issuer passes a policy: Jill reads what is hers, and not what is Susan's.
async fn jill(stage: &Stage, report: &mut Report, issuer: &Keys) -> Result<Keys, Failure> {
    let hers = policy(&[allow(&json!("s3:GetObject"), &object_arn("federated-user/Jill/*"))]);
    let (jill, _) = credentials("GetFederationToken", &federate(stage, issuer, "Jill", Some(&hers)).await?)?;
    report.line("Jill", &[get(stage, &jill, JILLS, "", 200, "").await?]);
    report
        .line("Jill", &[get(stage, &jill, SUSANS, "", 403, "no session policy allows s3:GetObject").await?]);
    Ok(jill)
}

/// A session policy that allows everything gives what the issuer has.
async fn no_more_than_the_issuer(stage: &Stage, report: &mut Report, issuer: &Keys) -> Result<(), Failure> {
    let everything = policy(&[allow(&json!("*"), "*")]);
    let (jill, _) =
        credentials("GetFederationToken", &federate(stage, issuer, "Jill", Some(&everything)).await?)?;
    let deleted = stage.object(&jill, "DELETE", JILLS).await?;
    let tries = [
        get(stage, &jill, SUSANS, ", with a session policy of `*`", 200, "").await?,
        Try::new(format!("DELETE {JILLS}"), deleted, 403, "no identity-based policy allows s3:DeleteObject"),
    ];
    report.line("Jill", &tries);
    Ok(())
}

/// What the issuer's policies say at this moment binds credentials that were issued before.
async fn as_the_issuer_now(stage: &Stage, report: &mut Report, jill: &Keys) -> Result<(), Failure> {
    let root = &stage.home.root;
    stage.user_policy(root, "Issuer", "story", &issuer_policy(stage, Some("203.0.113.0/24"))).await?;
    let elsewhere = get(
        stage,
        jill,
        JILLS,
        ", issuer bound to 203.0.113.0/24",
        403,
        "no identity-based policy allows s3:GetObject",
    )
    .await?;
    stage.user_policy(root, "Issuer", "story", &issuer_policy(stage, Some("127.0.0.0/8"))).await?;
    let here = get(stage, jill, JILLS, ", issuer bound to 127.0.0.0/8", 200, "").await?;
    let not_jill = policy(&[deny(&json!("s3:GetObject"), &object_arn("federated-user/Jill/*"))]);
    stage.user_policy(root, "Issuer", "not-jill", &not_jill).await?;
    let denied =
        get(stage, jill, JILLS, ", issuer denied it", 403, "explicit deny in an identity-based policy")
            .await?;
    report.line("Jill", &[elsewhere, here, denied]);
    Ok(())
}

/// Without a session policy Susan may nothing, until the bucket's own policy names her.
async fn susan(stage: &Stage, report: &mut Report, issuer: &Keys) -> Result<(), Failure> {
    let (susan, _) = credentials("GetFederationToken", &federate(stage, issuer, "Susan", None).await?)?;
    let before =
        get(stage, &susan, SUSANS, ", no session policy", 403, "no session policy allows s3:GetObject")
            .await?;
    let named = json!({
        "Effect": "Allow",
        "Principal": {"AWS": federated_user(stage, "Susan")},
        "Action": "s3:GetObject",
        "Resource": object_arn("federated-user/Susan/*"),
    });
    stage.resource_policy(&bucket_arn(), &policy(&[named])).await?;
    let after = get(stage, &susan, SUSANS, ", the bucket's policy names her", 200, "").await?;
    report.line("Susan", &[before, after]);
    Ok(())
}

/// A queue that denies John denies everybody whom John issued credentials for.
async fn queue(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    let (root, arn) =
        (stage.home.root.clone(), format!("arn:aws:sqs:{}:{}:myqueue", client::REGION, stage.home.id));
    let may = policy(&[allow(&json!("sqs:SendMessage"), &arn), allow(&json!("sts:GetFederationToken"), "*")]);
    let john = stage.user(&root, "John", &may).await?;
    let asks = policy(&[allow(&json!("daypass:CheckRequest"), &arn)]);
    let service = stage.user(&root, "queue-service", &asks).await?;
    let everything = policy(&[allow(&json!("*"), "*")]);
    let (kim, _) =
        credentials("GetFederationToken", &federate(stage, &john, "Kim", Some(&everything)).await?)?;
    let before = send_message(stage, &service, &kim, &arn).await?;
    let not_john = json!({
        "Effect": "Deny",
        "Principal": {"AWS": format!("arn:aws:iam::{}:user/John", stage.home.id)},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    });
    stage.resource_policy(&arn, &policy(&[not_john])).await?;
    let after = send_message(stage, &service, &kim, &arn).await?;
    let johns = send_message(stage, &service, &john, &arn).await?;
    let denied = "ExplicitlyDenied, resource-based policy";
    let tries = [
        Try::new("sqs:SendMessage to myqueue, credentials from John", before, 200, "Allowed"),
        Try::new("sqs:SendMessage, the queue denies John", after, 200, denied),
        Try::new("sqs:SendMessage by John himself", johns, 200, denied),
    ];
    report.line("Kim", &tries);
    Ok(())
}

/// The demo plays the queue service: it got a request signed by `keys` and asks daypass about it.
async fn send_message(stage: &Stage, service: &Keys, keys: &Keys, arn: &str) -> Result<Outcome, Failure> {
    let request = HttpRequest::new("POST", "/", r#"{"MessageBody":"hello"}"#)
        .with_header("content-type", "application/x-amz-json-1.0")
        .with_header("x-amz-target", "AmazonSQS.SendMessage");
    let request = keys.sign(request, QUEUE_HOST, "sqs")?;
    let fields = request
        .headers
        .iter()
        .map(|(name, value)| json!({"Name": name, "Value": String::from_utf8_lossy(value)}));
    let question = json!({
        "Request": {
            "Method": "POST",
            "Url": format!("http://{QUEUE_HOST}/"),
            "Headers": fields.collect::<Vec<_>>(),
            "BodySha256": HEXLOWER.encode(&Sha256::digest(&request.body)),
        },
        "Action": "sqs:SendMessage",
        "Resource": arn,
    });
    Ok(decided(&client::daypass(stage.api, service, "CheckRequest", &question).await?))
}

/// The answer of CheckRequest itself: 200 with a decision, and the kind of policy that denied.
fn decided(answer: &Answer) -> Outcome {
    if answer.status != 200 {
        let (code, message) = error_of(&answer.body);
        return Outcome::new(answer.status, format!("{code}: {message}"));
    }
    let found: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |pointer: &str| found.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let mut told = text("/Decision").to_owned();
    for more in [text("/AuthenticationError/Code"), text("/DeterminingStatements/0/SourcePolicyType")] {
        if told != "Allowed" && !more.is_empty() {
            told.push_str(&format!(", {more}"));
        }
    }
    Outcome::new(answer.status, told)
}

async fn get(
    stage: &Stage,
    keys: &Keys,
    key: &str,
    remark: &str,
    status: u16,
    reason: &str,
) -> Result<Try, Failure> {
    let got = stage.object(keys, "GET", key).await?;
    Ok(Try::new(format!("GET {key}{remark}"), got, status, reason))
}

async fn federate(
    stage: &Stage,
    issuer: &Keys,
    name: &str,
    session_policy: Option<&Value>,
) -> Result<Answer, Failure> {
    let document = session_policy.map(Value::to_string);
    let mut params = vec![("Name", name), ("DurationSeconds", "3600")];
    params.extend(document.as_deref().map(|document| ("Policy", document)));
    stage.sts(issuer, "GetFederationToken", &params).await
}

fn federated_user(stage: &Stage, name: &str) -> String {
    format!("arn:aws:sts::{}:federated-user/{name}", stage.home.id)
}

/// The issuer reads what federated users have in the bucket, perhaps only from some network, and may ask for credentials.
fn issuer_policy(stage: &Stage, network: Option<&str>) -> Value {
    let mut reads = allow(&json!("s3:GetObject"), &object_arn("federated-user/*"));
    if let (Some(network), Some(statement)) = (network, reads.as_object_mut()) {
        statement.insert("Condition".into(), json!({"IpAddress": {"aws:SourceIp": network}}));
    }
    policy(&[reads, allow(&json!("sts:GetFederationToken"), &federated_user(stage, "*"))])
}
