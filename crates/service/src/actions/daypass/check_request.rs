//! `daypass:CheckRequest`: who signed this, and may they? The question of a service behind daypass.
//!
//! It must not become a confused deputy: a service asks about resources of its own account only, for requests
//! that were signed for its own host, and never about calls to daypass itself.

use std::collections::BTreeMap;

use daypass_directory::{
    Authorized, Checks, Facts, Grantor, Operation, Principal, Scope, decide, decide_anonymous,
};
use daypass_policy::{Decision, PolicyType};
use serde::{Deserialize, Serialize};

use super::explain_request::Determined;
use super::inner::{Inner, SignedRequest, Who, payload_hash};
use super::{context, resource};
use crate::action::{Action, read};
use crate::audit::AuditTraits;
use crate::authorization_message;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::request::Time;
use crate::why::Why;

pub(super) struct CheckRequest;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Raw {
    request: SignedRequest,
    action: String,
    resource: String,
    #[serde(default)]
    context: BTreeMap<String, Vec<String>>,
}

/// The parameters, with the inner request taken apart.
#[derive(Deserialize)]
#[serde(try_from = "Raw")]
pub(super) struct Input {
    inner: Inner,
    action: String,
    resource: String,
    context: Vec<(String, daypass_directory::Value)>,
}

impl Input {
    /// The prefix of the action.
    fn service(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }
}

impl TryFrom<Raw> for Input {
    /// The sentence of a ValidationError.
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let service = raw.action.split(':').next().unwrap_or_default();
        if resource::is_own_service(service) {
            return Err(format!("{} is an action of daypass itself.", raw.action));
        }
        if context::is_about_identity(service) {
            return Err(format!("{} is not an action of a service.", raw.action));
        }
        let context = context::keys(service, &raw.context).map_err(|error| error.message)?;
        let inner = Inner::read(&raw.request).map_err(|error| error.message)?;
        Ok(Self { inner, action: raw.action, resource: raw.resource, context })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Answered>,
    decision: &'static str,
    determining_statements: Vec<Determined>,
    #[serde(skip_serializing_if = "Option::is_none")]
    denial_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoded_authorization_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication_error: Option<AuthenticationError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_hash: Option<String>,
}

impl Action for CheckRequest {
    const NAME: &'static str = "daypass:CheckRequest";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    /// The inner request belongs to somebody else; a Referer is a URL of theirs. Who was asked about and what was
    /// decided is kept, though the call only reads.
    const AUDIT: AuditTraits = AuditTraits {
        hidden: &["/request", "/context/aws:Referer"],
        told: &[
            ("decision", "/Decision"),
            ("principalArn", "/Principal/Arn"),
            ("authenticationError", "/AuthenticationError/Code"),
        ],
        ..AuditTraits::PLAIN
    };
    type Input = Input;
    type Output = Output;

    /// A member that this version does not know could be a restriction: refused, though nothing is written.
    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params, false)
    }

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = scope
            .check(Self::NAME, &input.resource)
            .with("daypass:RequestHost", input.inner.authority().to_string())
            .with_some("daypass:SigningService", input.inner.signing_service());
        Checks::one(check)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account, view) = (call.input(), call.account(), call.view());
        let policy = resource::policy(&account, &input.action, &input.resource)?;
        let mut check = call.scope().check(&input.action, &input.resource);
        check.grantor = policy.map_or(Grantor::Nobody, |policy| Grantor::Resource(policy.clone()));
        check.keys.clone_from(&input.context);
        // The facts of the inner request are what the service says; those of its own call to us are not. The region
        // of the inner scope is no fact either: the client chose what to sign, and the service knows where it is.
        let facts = Operation {
            source_ip: None,
            secure: None,
            region: String::new(),
            user_agent: None,
            referer: None,
            ..op.clone()
        };
        match input.inner.verify(house, view, op)? {
            Who::Refused(error) => Ok(Output::refused(error)),
            Who::Anonymous => Ok(Output::of(&decide_anonymous(&facts, &check), &input.action, None)),
            Who::Principal(principal, verified) => {
                let service = input.inner.signing_service().unwrap_or_default();
                house.directory.last_used().note(
                    &principal,
                    service,
                    input.inner.region(),
                    op.now.as_second(),
                );
                check.keys.extend(input.inner.signature_keys(input.service(), &verified, op.now));
                let facts = Facts { op: &facts, view, principal: &principal, mfa_given: false };
                let decision = decide(facts, &check);
                // A denial is explained once, for those who ask here and for those who decode.
                let why = (!decision.is_allowed()).then(|| Why::of(facts, &check));
                house.decisions.note(facts, &check, &decision, why.as_ref());
                let mut output = Output::of(
                    &decision,
                    &input.action,
                    Some((&*principal, principal.account == account.id())),
                );
                output.encoded_authorization_message =
                    why.and_then(|why| authorization_message::encode(house, facts, &check, &why));
                output.signature_hash = Some(verified.signature_hash());
                output.expires = Some(Time(verified.expires.as_second()));
                output.payload_hash = Some(payload_hash(&verified));
                Ok(output)
            }
        }
    }
}

impl Output {
    /// A bad inner signature is an answer, not an error: an error status would make SDKs correct their clock.
    fn refused(error: Error) -> Self {
        Self {
            principal: None,
            decision: "ImplicitlyDenied",
            determining_statements: Vec::new(),
            denial_reason: None,
            encoded_authorization_message: None,
            authentication_error: Some(AuthenticationError { code: error.code, message: error.message }),
            signature_hash: None,
            expires: None,
            payload_hash: None,
        }
    }

    /// `principal` and whether it is of the asker's account; of another account's policies nothing is told.
    fn of(decision: &Decision<'_>, action: &str, principal: Option<(&Principal, bool)>) -> Self {
        let ours = principal.is_none_or(|(_, ours)| ours);
        let told =
            decision.statements.iter().filter(|found| ours || found.policy_type == PolicyType::Resource);
        Self {
            principal: Some(
                principal.map_or_else(Answered::anonymous, |(principal, _)| Answered::of(principal)),
            ),
            decision: decision.effect.as_str(),
            determining_statements: told.map(Determined::from).collect(),
            denial_reason: Some(decision.denial_reason(action)).filter(|reason| !reason.is_empty()),
            encoded_authorization_message: None,
            authentication_error: None,
            signature_hash: None,
            expires: None,
            payload_hash: None,
        }
    }
}

/// `Principal` of the answer.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_issuer: Option<SessionIssuer>,
}

/// The role or user behind a session.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SessionIssuer {
    arn: String,
    user_id: String,
    account: String,
    r#type: &'static str,
}

impl Answered {
    fn anonymous() -> Self {
        Self {
            arn: "anonymous".into(),
            user_id: None,
            account: None,
            r#type: "Anonymous",
            session_issuer: None,
        }
    }

    fn of(principal: &Principal) -> Self {
        let account = principal.account.to_string();
        let session_issuer = principal.session_issuer().map(|issuer| SessionIssuer {
            arn: issuer.arn,
            user_id: issuer.id.to_owned(),
            account: account.clone(),
            r#type: issuer.kind,
        });
        Self {
            arn: principal.arn.clone(),
            user_id: Some(principal.user_id.clone()),
            account: Some(account),
            r#type: principal.identity_type(),
            session_issuer,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AuthenticationError {
    code: &'static str,
    message: String,
}
