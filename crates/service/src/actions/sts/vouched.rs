//! What AssumeRoleWithWebIdentity, AssumeRoleWithSAML and services that ask for a role have alike: a role for somebody who is
//! vouched for.

use std::sync::Arc;

use daypass_authn::token::{SessionClaims, SessionKind, SessionLayer};
use daypass_directory::{
    Authorized, Check, Checks, Operation, Principal, Role, Scope, TrustingRole, Vouched,
};
use daypass_model::{AccountId, Arn, is_source_identity, same_key};

use super::assume_role::AssumeRole;
use super::claims::{self, Subject};
use super::issue::{self, PolicyDescriptor};
use crate::action::read;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

/// Whether what a call names as its role is the ARN of one, before anything else of it is looked at.
pub(crate) fn check_role_arn(role_arn: &str) -> Result<(), Error> {
    match role_arn.parse::<Arn>() {
        Ok(arn) if arn.service() == "iam" && arn.account_id().is_some() => Ok(()),
        _ => Err(Error::validation(format!("{role_arn} is invalid"))),
    }
}

/// What a call must be allowed, each by the role's trust policy alone.
pub(crate) fn checks(action: &'static str, scope: &Scope, role_arn: &str, session_name: &str) -> Checks {
    let owner = scope.principal().account;
    let Some(vouched) = scope.principal().vouched() else { return Checks::nobody_may(action, role_arn) };
    let check = Check::new(action, role_arn, owner)
        .with("sts:RoleSessionName", session_name)
        .with_some("sts:SourceIdentity", vouched.source_identity.as_deref())
        .with_request_tags(&vouched.tags);
    let transitive = Some(&vouched.transitive_tag_keys).filter(|keys| !keys.is_empty());
    let check = check.with_some("sts:TransitiveTagKeys", transitive.cloned());
    let Some(TrustingRole { role, .. }) = trusting_role(scope, role_arn) else {
        return Checks::missing(check);
    };
    Checks::one(check.of_role(role, &role.record.tags))
        .also_if(!vouched.tags.is_empty(), "sts:TagSession")
        .also_if(vouched.source_identity.is_some(), "sts:SetSourceIdentity")
}

/// The role, if it is one of the account whose provider vouches.
pub(super) fn trusting_role<'v>(scope: &'v Scope, role_arn: &str) -> Option<TrustingRole<'v>> {
    let arn: Arn = role_arn.parse().ok()?;
    let account: AccountId = arn.account_id().filter(|account| *account == scope.principal().account)?;
    scope.view().trusting_role(&arn).filter(|trusting| trusting.role.account == account)
}

/// For how long a session is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Lifetime {
    /// So many seconds, or as many as is usual; as many as the role allows at the most.
    OfRole(Option<i64>),
    /// As many seconds as the role allows.
    AllOfRole,
    /// So many seconds, whatever the role says of calls: a session of the console, or of a machine.
    Exactly(i64),
}

/// What a call asks of its session.
pub(crate) struct Asked<'a> {
    pub(crate) role_arn: &'a str,
    pub(crate) session_name: &'a str,
    pub(crate) policy: Option<&'a String>,
    pub(crate) policy_arns: &'a [PolicyDescriptor],
    pub(crate) lifetime: Lifetime,
    /// When the session ends at the latest, in Unix seconds.
    pub(crate) ends_by: Option<i64>,
}

impl<'a> Asked<'a> {
    /// A session of the console that is as long as the role allows.
    pub(crate) fn as_long_as_allowed(role_arn: &'a str, session_name: &'a str) -> Self {
        let (lifetime, ends_by) = (Lifetime::AllOfRole, None);
        Self { role_arn, session_name, policy: None, policy_arns: &[], lifetime, ends_by }
    }

    /// A session of the console, which nothing but the provider limits.
    pub(crate) fn of_console(
        role_arn: &'a str,
        session_name: &'a str,
        seconds: i64,
        ends_by: Option<i64>,
    ) -> Self {
        let lifetime = Lifetime::Exactly(seconds);
        Self { role_arn, session_name, policy: None, policy_arns: &[], lifetime, ends_by }
    }
}

/// The session that the call gets.
pub(crate) struct Granted<'v> {
    pub(crate) role: &'v Arc<Role>,
    pub(crate) claims: SessionClaims,
    /// Whether session policies or tags take room in its token.
    pub(crate) is_packed: bool,
}

/// The claims of the session of a call that was authorized.
pub(crate) fn grant<'v, I>(
    op: &Operation,
    house: &House,
    call: &'v Authorized<I>,
    asked: &Asked<'_>,
) -> Result<Granted<'v>, Error> {
    grant_through(op, house, call, asked, call.principal())
}

/// The same for a service that somebody speaks for: the session descends from theirs, and ends with it where they are ended
/// together.
pub(crate) fn grant_through<'v, I>(
    op: &Operation,
    house: &House,
    call: &'v Authorized<I>,
    asked: &Asked<'_>,
    through: &Principal,
) -> Result<Granted<'v>, Error> {
    let who = call.principal();
    let there = trusting_role(call.scope(), asked.role_arn).zip(who.vouched());
    let (trusting, vouched) = there.ok_or_else(|| {
        Error::internal("a role was authorized that is not there, or without anybody who vouches")
    })?;
    let role = trusting.role;
    let seconds = match asked.lifetime {
        Lifetime::OfRole(seconds) => claims::seconds_of_role(seconds, role)?,
        Lifetime::AllOfRole => role.record.session_duration_max,
        Lifetime::Exactly(seconds) => seconds,
    };
    check_passed(vouched)?;
    let layer: Option<SessionLayer> =
        issue::layer(|arn| trusting.policy(arn), asked.policy, asked.policy_arns)?;
    let is_packed = layer.is_some() || !vouched.tags.is_empty();
    let of = Subject {
        kind: SessionKind::Role,
        account: role.account,
        id: role.record.id.to_string(),
        arn: role.arn.clone(),
    };
    let begun = claims::begin(op, house, through, of, seconds)?;
    let expires_at = asked.ends_by.map_or(begun.expires_at, |end| end.min(begun.expires_at));
    let claims = SessionClaims {
        session_name: asked.session_name.to_owned(),
        expires_at,
        layers: layer.into_iter().collect(),
        tags: vouched.tags.clone(),
        transitive_tag_keys: vouched.transitive_tag_keys.clone(),
        source_identity: vouched.source_identity.clone(),
        federation: vouched.kept.clone(),
        ..begun
    };
    Ok(Granted { role, claims, is_packed })
}

/// Rules of what a provider passes. It is the provider's fault where it breaks one, and the session is not made.
fn check_passed(vouched: &Vouched) -> Result<(), Error> {
    check_form(vouched)?;
    issue::check_tags(&vouched.tags)?;
    let passed = |key: &String| vouched.tags.iter().any(|tag| same_key(&tag.key, key));
    if !vouched.transitive_tag_keys.iter().all(passed) {
        let message = "The specified transitive tag key must be included in the requested tags.";
        return Err(Error::new("InvalidParameterValue", message));
    }
    match &vouched.source_identity {
        Some(source) if !is_source_identity(source) => {
            let message = r#"Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:""#;
            Err(Error::new("InvalidIdentityToken", message))
        }
        _ => Ok(()),
    }
}

/// Tags have the form that AssumeRole's own parameters have: whoever reads them later is promised that.
fn check_form(vouched: &Vouched) -> Result<(), Error> {
    let mut pairs = vec![
        ("RoleArn".to_owned(), "arn:aws:iam::000000000000:role/any".to_owned()),
        ("RoleSessionName".to_owned(), "any".to_owned()),
    ];
    for (n, tag) in (1..).zip(&vouched.tags) {
        pairs.push((format!("Tags.member.{n}.Key"), tag.key.clone()));
        pairs.push((format!("Tags.member.{n}.Value"), tag.value.clone()));
    }
    for (n, key) in (1..).zip(&vouched.transitive_tag_keys) {
        pairs.push((format!("TransitiveTagKeys.member.{n}"), key.clone()));
    }
    let passed = Params::from_pairs(pairs).map_err(|error| Error::new(error.code(), error.to_string()))?;
    read::<AssumeRole>(&passed, false).map(|_| ())
}
