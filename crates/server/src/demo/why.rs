//! Why was it denied? For denials that the wire does not explain.
//!
//! `CheckRequest` tells a service who asked, what was decided and which statements decided; where no statement did, it does not tell which
//! kind of policy was silent, and so the bucket cannot. The demo is in the server's own process and asks the deciding function itself, for the
//! same credentials on the state of this moment. It explains an answer that came over HTTP; it never stands in for one.

use std::net::{IpAddr, Ipv4Addr};

use daypass_directory::{Check, Facts, Grantor, Operation, Principal, decide};
use daypass_model::AccountId;
use daypass_service::House;

use super::client::{Keys, REGION};
use super::report::reason;
use super::stage::bucket_arn;

/// The reason, in the short form of the report. Empty when this state would not deny: the line is unexpected then.
pub(super) fn why(house: &House, owner: AccountId, keys: &Keys, action: &str, resource: &str) -> String {
    explain(house, owner, keys, action, resource).unwrap_or_default()
}

fn explain(house: &House, owner: AccountId, keys: &Keys, action: &str, resource: &str) -> Option<String> {
    let view = house.directory.snapshot();
    let credential = house.directory.credential(&view, &keys.id, keys.token.as_deref()).ok()?;
    let now = house.now();
    let principal = Principal::resolve(&view, credential.caller, now).ok()?;
    let mut check = Check::new(action, resource, owner)
        .with("aws:SourceIp", IpAddr::from(Ipv4Addr::LOCALHOST).to_string())
        .with("aws:SecureTransport", "false");
    if let Some(found) = view.account(owner)?.resource_policy(&bucket_arn()) {
        check.grantor = Grantor::Resource(found.clone());
    }
    let op = Operation {
        request_id: "demo".into(),
        now,
        source_ip: None,
        secure: None,
        region: REGION.into(),
        user_agent: None,
        referer: None,
    };
    let decision = decide(Facts { op: &op, view: &view, principal: &principal }, &check);
    Some(reason(&decision.denial_reason(action)))
}
