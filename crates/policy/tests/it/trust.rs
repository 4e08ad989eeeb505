//! Who may assume a role, fact by fact.

use daypass_policy::{PolicyType, Principal};

use crate::support::{ACCOUNT, OTHER, ROLE, Scene, USER, allow, policy, trust};

const SILENT: &str = "iam:GetUser";
const USER_ARN: &str = r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#;
const ROLE_ARN: &str = r#"{"AWS":"arn:aws:iam::111122223333:role/team/Dev"}"#;
const ACCOUNT_PRINCIPAL: &str = r#"{"AWS":"111122223333"}"#;

fn assume(principal: Principal<'static>, trusted: &str) -> Scene {
    Scene {
        principal,
        action: "sts:AssumeRole",
        resource: "arn:aws:iam::111122223333:role/Target",
        attached: Some(trust(trusted)),
        ..Scene::default()
    }
}

#[test]
fn trust_decides_who_may_assume_a_role() {
    assume(USER, USER_ARN).is_allowed_by(PolicyType::RoleTrust);
    assume(USER, r#"{"AWS":"*"}"#).is_allowed_by(PolicyType::RoleTrust);
    assume(ROLE, ROLE_ARN).is_allowed_by(PolicyType::RoleTrust);
    assume(USER, ACCOUNT_PRINCIPAL).is_missing(PolicyType::Identity);
    let with_identity = |scene: Scene| Scene { identity: vec![allow("*")], ..scene };
    with_identity(assume(USER, ACCOUNT_PRINCIPAL)).is_allowed_by(PolicyType::Identity);
    with_identity(assume(USER, r#"{"AWS":"444455556666"}"#)).is_missing(PolicyType::RoleTrust);
    with_identity(Scene { attached: None, ..assume(USER, "{}") }).is_missing(PolicyType::RoleTrust);
    // Not even a resource that is no role gets around it.
    with_identity(Scene { attached: None, resource: "*", ..assume(USER, "{}") })
        .is_missing(PolicyType::RoleTrust);
    let other = Scene { owner: Some(OTHER), ..assume(USER, USER_ARN) };
    other.is_missing(PolicyType::Identity);
    with_identity(other).is_allowed_by(PolicyType::RoleTrust);
}

#[test]
fn the_account_of_another_partition_or_of_a_region_lets_nobody_in() {
    for trusted in ["arn:aws-cn:iam::111122223333:root", "arn:aws:iam:eu-west-1:111122223333:root"] {
        let scene = assume(USER, &format!(r#"{{"AWS":"{trusted}"}}"#));
        Scene { identity: vec![allow("*")], ..scene }.is_missing(PolicyType::RoleTrust);
    }
}

#[test]
fn a_trusted_role_is_bound_by_its_boundary_and_session_policy() {
    let bounded = Scene { boundary: Some(vec![allow(SILENT)]), ..assume(ROLE, ROLE_ARN) };
    bounded.is_missing(PolicyType::Boundary);
    let restricted = Scene { session: vec![vec![allow(SILENT)]], ..assume(ROLE, ROLE_ARN) };
    restricted.is_missing(PolicyType::Session);
}

#[test]
fn a_role_does_not_trust_itself() {
    let mut scene = assume(ROLE, USER_ARN);
    scene.resource = "arn:aws:iam::111122223333:role/team/Dev";
    scene.identity = vec![allow("*")];
    scene.is_missing(PolicyType::RoleTrust);
}

#[test]
fn tagging_a_session_is_a_permission_of_its_own() {
    let tag = |trusted: &str| Scene { action: "sts:TagSession", ..assume(USER, trusted) };
    tag(USER_ARN).is_allowed_by(PolicyType::RoleTrust);
    let mut scene = tag(USER_ARN);
    scene.attached =
        Some(policy(&format!(r#"{{"Effect":"Allow","Principal":{USER_ARN},"Action":"sts:AssumeRole"}}"#)));
    scene.identity = vec![allow("*")];
    scene.is_missing(PolicyType::RoleTrust);
    // With GetFederationToken there is no role: the user's own policies decide.
    scene.attached = None;
    for no_role in [
        "arn:aws:sts::111122223333:federated-user/jill",
        "arn:aws:iam::111122223333:user/jill",
        "arn:aws:sts::111122223333:role/x",
    ] {
        scene.resource = no_role;
        scene.is_allowed_by(PolicyType::Identity);
    }
}

#[test]
fn principals_stored_as_unique_ids_match() {
    assume(USER, r#"{"AWS":"AIDAALICEALICEALICE00"}"#).is_allowed_by(PolicyType::RoleTrust);
    assume(ROLE, r#"{"AWS":"AROADEVDEVDEVDEVDEV00"}"#).is_allowed_by(PolicyType::RoleTrust);
    let recreated = Principal::User {
        account: ACCOUNT,
        arn: "arn:aws:iam::111122223333:user/alice",
        id: Some("AIDANEW"),
    };
    assume(recreated, r#"{"AWS":"AIDAALICEALICEALICE00"}"#).is_missing(PolicyType::RoleTrust);
}
