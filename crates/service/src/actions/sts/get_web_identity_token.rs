//! `sts:GetWebIdentityToken`: a signed token that says to others who calls, issued as the caller's account. No credentials:
//! it is good wherever somebody believes that issuer, and nowhere here.
//!
//! Source: AWS STS API Reference, GetWebIdentityToken; IAM User Guide, "Federating AWS Identities to external services".
//! That it is authorised on `arn:aws:sts::<account>:self` is recorded from AWS.

use daypass_authn::oidc::SigningAlgorithm;
use daypass_directory::{Authorized, Checks, Operation, Principal, Scope};
use daypass_model::limits::{WEB_IDENTITY_CLAIMS_BYTES_MAX, WEB_IDENTITY_TOKEN_SECONDS_DEFAULT};
use daypass_model::{Secret, Tag, rfc3339_seconds};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::issue;
use crate::action::{Action, read};
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::request::{Time, exposed};

pub(super) struct GetWebIdentityToken;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    audience: Vec<String>,
    signing_algorithm: String,
    duration_seconds: Option<i64>,
    subject_mode: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    #[serde(serialize_with = "exposed")]
    web_identity_token: Secret,
    expiration: Time,
}

/// `SubjectMode`, if none is given.
const AWS_IDENTITY: &str = "AWSIdentity";

impl Input {
    fn seconds(&self) -> i64 {
        self.duration_seconds.unwrap_or(WEB_IDENTITY_TOKEN_SECONDS_DEFAULT)
    }

    fn subject_mode(&self) -> &str {
        self.subject_mode.as_deref().unwrap_or(AWS_IDENTITY)
    }

    /// What restricts or widens a token and needs trusted identity propagation, which is not here.
    fn is_of_caller(&self) -> Result<(), Error> {
        if self.subject_mode() != AWS_IDENTITY {
            let message = "The SubjectMode OriginIdentity needs credentials that carry the context of trusted identity propagation.";
            return Err(Error::validation(message));
        }
        if self.scope.is_some() {
            return Err(Error::validation("A Scope needs the SubjectMode OriginIdentity."));
        }
        Ok(())
    }
}

impl Action for GetWebIdentityToken {
    const NAME: &'static str = "sts:GetWebIdentityToken";
    const CALLERS: Callers = Callers::UsersAndRoles;
    const READ_ONLY: bool = false;
    const AUDIT: AuditTraits = AuditTraits { token: Some("WebIdentityToken"), ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        let input = read::<Self>(params, Self::READ_ONLY)?;
        if SigningAlgorithm::parse(&input.signing_algorithm).is_none() {
            // The model bounds its length and no more.
            let message = format!(
                "1 validation error detected: Value '{}' at 'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [RS256, ES384]",
                input.signing_algorithm
            );
            return Err(Error::validation(message));
        }
        Ok(input)
    }

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let scopes =
            input.scope.as_ref().map(|scopes| scopes.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let is_scoped = scopes.is_some();
        let check = scope
            .check(Self::NAME, format!("arn:aws:sts::{}:self", scope.account().id()))
            .with("sts:IdentityTokenAudience", input.audience.clone())
            // Those of the token, whether they were asked for or not: a condition sees what is issued.
            .with("sts:DurationSeconds", input.seconds().to_string())
            .with("sts:SubjectMode", input.subject_mode())
            .with("sts:SigningAlgorithm", input.signing_algorithm.as_str())
            .with_some("sts:IdentityTokenScope", scopes)
            .with_request_tags(&input.tags);
        Checks::one(check)
            .also_if(!input.tags.is_empty(), "sts:TagGetWebIdentityToken")
            .also_if(is_scoped, "sts:SetWebIdentityTokenScope")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, who) = (call.input(), call.principal());
        input.is_of_caller()?;
        issue::check_tags(&input.tags)?;
        // The public URL may be another since it was enabled.
        let is_safe = house.settings.issuer_is_safe();
        let enabled = call.account().web_identity_issuer().filter(|issuer| issuer.record.enabled && is_safe);
        let issuer = enabled.and_then(|issuer| house.settings.web_identity_issuer(&issuer.record.uuid));
        let issuer = issuer.ok_or_else(|| {
            let message = "Outbound web identity federation is not enabled for this account.";
            Error::new("OutboundWebIdentityFederationDisabledException", message)
        })?;
        let now = op.now.as_second();
        let expires = end(now, who, input.seconds())?;
        let claims = Claims {
            iss: &issuer,
            aud: Audience::of(&input.audience),
            sub: who.principal_arn(),
            iat: now,
            exp: expires,
            jti: daypass_model::uuid(house.directory.random()),
            of_sts: OfSts::of(op, who, &input.tags),
        };
        let claims = serde_json::to_vec(&claims).map_err(|_| Error::internal("claims are no JSON"))?;
        if claims.len() > WEB_IDENTITY_CLAIMS_BYTES_MAX {
            let message = format!(
                "The claims of the token have {} bytes; they may have {WEB_IDENTITY_CLAIMS_BYTES_MAX}.",
                claims.len()
            );
            return Err(Error::new("JWTPayloadSizeExceededException", message));
        }
        let algorithm = SigningAlgorithm::parse(&input.signing_algorithm);
        let algorithm = algorithm.ok_or_else(|| Error::internal("another algorithm was let in"))?;
        let keys = call.view().web_identity_keys();
        let keys = keys.ok_or_else(|| Error::internal("an issuer without keys"))?;
        let token = keys.token(algorithm, &claims).map_err(|_| Error::internal("a token was not signed"))?;
        Ok(Output { web_identity_token: token, expiration: Time(expires) })
    }
}

/// When the token ends: never after the session that asks for it, and never earlier than asked for without a word.
fn end(now: i64, who: &Principal, seconds: i64) -> Result<i64, Error> {
    let end = now.saturating_add(seconds);
    match &who.session {
        Some(session) if end > session.claims.expires_at => {
            let message = "The token would outlive the session that asks for it.";
            Err(Error::new("SessionDurationEscalationException", message))
        }
        _ => Ok(end),
    }
}

/// What the token says, in AWS's order.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: Audience<'a>,
    sub: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(rename = "https://sts.amazonaws.com/")]
    of_sts: OfSts<'a>,
}

/// One audience is a text, several are a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Many(&'a [String]),
}

impl<'a> Audience<'a> {
    fn of(audience: &'a [String]) -> Self {
        match audience {
            [one] => Self::One(one),
            many => Self::Many(many),
        }
    }
}

/// What is known of the caller; whatever there is not is left out.
#[derive(Serialize)]
struct OfSts<'a> {
    aws_account: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    source_region: &'a str,
    principal_id: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    principal_tags: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    request_tags: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_session_exp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    federated_provider: Option<&'a str>,
}

impl<'a> OfSts<'a> {
    fn of(op: &'a Operation, who: &'a Principal, request_tags: &[Tag]) -> Self {
        let session = who.session.as_ref().map(|session| &session.claims);
        let ends = session.and_then(|claims| Timestamp::from_second(claims.expires_at).ok());
        let provider = session.and_then(|claims| {
            let kept = claims.federation.iter().find(|(key, _)| key == "aws:FederatedProvider");
            kept?.1.first()
        });
        Self {
            aws_account: who.account.as_str(),
            source_region: &op.region,
            principal_id: who.principal_arn(),
            principal_tags: pairs(&who.tags()),
            request_tags: pairs(request_tags),
            original_session_exp: ends.map(rfc3339_seconds),
            source_identity: session.and_then(|claims| claims.source_identity.as_deref()),
            federated_provider: provider.map(String::as_str),
        }
    }
}

fn pairs<'t>(tags: impl IntoIterator<Item = &'t Tag>) -> Map<String, Value> {
    tags.into_iter().map(|tag| (tag.key.clone(), tag.value.as_str().into())).collect()
}
