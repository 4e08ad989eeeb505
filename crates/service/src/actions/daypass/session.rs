//! A session of the log as daypass's own API shows it to an account.

use std::net::IpAddr;

use daypass_directory::Scope;
use daypass_model::AccountId;
use serde::Serialize;

use crate::request::Time;
use crate::sessions::{Requester, SessionEntry};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Session {
    session_id: String,
    arn: String,
    r#type: String,
    principal_arn: String,
    principal_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    session_name: String,
    access_key_id: String,
    status: &'static str,
    issued_at: Time,
    expires: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_session_id: Option<String>,
    requested_by: RequestedBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ip_address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    mfa_authenticated: bool,
    session_policy_layers: usize,
    scoped_policies_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// Of a principal of another account no more than CloudTrail tells an account of whoever takes a role of it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RequestedBy {
    account_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
}

impl RequestedBy {
    pub(super) fn of(asker: &Requester, shown_to: AccountId) -> Self {
        let own = asker.account == shown_to;
        Self {
            account_id: asker.account,
            arn: own.then(|| asker.arn.clone()),
            access_key_id: asker.access_key_id.as_ref().filter(|_| own).map(ToString::to_string),
        }
    }
}

impl Session {
    pub(super) fn of(entry: &SessionEntry, scope: &Scope, now: i64) -> Self {
        let account = scope.account().id();
        // Where a caller from elsewhere calls from, and with what, is that account's to know.
        let own_call = entry.requested_by.account == account;
        Self {
            session_id: entry.id.to_string(),
            arn: entry.arn.clone(),
            r#type: entry.identity_type.clone(),
            principal_arn: entry.principal_arn.clone(),
            principal_id: entry.principal_id.clone(),
            session_name: entry.session_name.clone(),
            access_key_id: entry.access_key_id.to_string(),
            status: entry.status(scope.view(), now).word(),
            issued_at: Time(entry.at),
            expires: Time(entry.expires_at),
            parent_session_id: entry.parent().map(|id| id.to_string()),
            requested_by: RequestedBy::of(&entry.requested_by, account),
            source_identity: entry.source_identity.clone(),
            source_ip_address: entry.source_ip.filter(|_| own_call),
            user_agent: entry.user_agent.clone().filter(|_| own_call),
            mfa_authenticated: entry.mfa,
            session_policy_layers: entry.layers,
            scoped_policies_count: entry.scoped_layers,
            description: entry.description.clone(),
        }
    }
}
