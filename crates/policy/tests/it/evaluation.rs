//! How the kinds of policies combine, fact by fact.

use daypass_policy::{Context, Issuer, Policies, PolicyType, Principal, Request, evaluate};

use crate::support::{ACCOUNT, FEDERATED, OTHER, ROLE, Scene, USER, allow, attached, deny, policy};

const SILENT: &str = "iam:GetUser";
const USER_ARN: &str = r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#;
const SESSION_ARN: &str = r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/Dev/s1"}"#;
const ROLE_ARN: &str = r#"{"AWS":"arn:aws:iam::111122223333:role/team/Dev"}"#;
const FEDERATED_ARN: &str = r#"{"AWS":"arn:aws:sts::111122223333:federated-user/jill"}"#;
const ISSUER_ARN: &str = r#"{"AWS":"arn:aws:iam::111122223333:user/john"}"#;
const ACCOUNT_PRINCIPAL: &str = r#"{"AWS":"111122223333"}"#;

#[test]
fn what_narrowed_a_session_narrows_what_a_resource_policy_gives_it_too() {
    for principal in [r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/Dev/s1"}"#, r#""*""#] {
        let named =
            |scoped| Scene { attached: Some(attached("Allow", principal)), scoped, ..Scene::default() };
        let of_role = |scene: Scene| Scene { principal: ROLE, ..scene };
        of_role(named(Vec::new())).is_allowed_by(PolicyType::Resource);
        of_role(named(vec![vec![allow("s3:GetObject")]])).is_allowed_by(PolicyType::Resource);
        of_role(named(vec![vec![allow("s3:PutObject")]])).is_missing(PolicyType::Session);
        of_role(named(vec![vec![allow("s3:*")], vec![]])).is_missing(PolicyType::Session);
        let denying = of_role(named(vec![vec![allow("s3:*"), deny("s3:GetObject")]]));
        denying.is_denied_by(PolicyType::Session);
    }
    let root = |scoped| Scene { principal: Principal::Root { account: ACCOUNT }, scoped, ..Scene::default() };
    root(Vec::new()).is_allowed_by(PolicyType::NotNeeded);
    root(vec![vec![allow("s3:PutObject")]]).is_missing(PolicyType::Session);
    // A first layer gives a federated user nothing of what only a session policy could.
    let federated = Scene {
        principal: FEDERATED,
        identity: vec![allow("*")],
        scoped: vec![vec![allow("*")]],
        ..Scene::default()
    };
    federated.is_missing(PolicyType::Session);
}

#[test]
fn nothing_is_allowed_by_default() {
    Scene::default().is_missing(PolicyType::Identity);
}

#[test]
fn an_explicit_deny_of_any_kind_wins() {
    let full = |principal| Scene {
        principal,
        identity: vec![allow("*")],
        boundary: Some(vec![allow("*")]),
        session: vec![vec![allow("*")]],
        attached: Some(attached("Allow", "\"*\"")),
        scp: vec![vec![allow("*")]],
        ..Scene::default()
    };
    for principal in [USER, ROLE, FEDERATED] {
        full(principal).is_allowed_by(PolicyType::Resource);
        let mut scene = full(principal);
        scene.identity.push(deny("s3:*"));
        scene.is_denied_by(PolicyType::Identity);
        scene.boundary.as_mut().unwrap().push(deny("s3:*"));
        scene.is_denied_by(PolicyType::Identity);
        let mut scene = full(principal);
        scene.boundary = Some(vec![allow("*"), deny("s3:*")]);
        scene.is_denied_by(PolicyType::Boundary);
        let mut scene = full(principal);
        scene.session = vec![vec![allow("*")], vec![allow("*"), deny("s3:*")]];
        scene.is_denied_by(PolicyType::Session);
        let mut scene = full(principal);
        scene.scp.push(vec![allow("*"), deny("s3:*")]);
        scene.is_denied_by(PolicyType::Scp);
        let mut scene = full(principal);
        scene.rcp = vec![vec![attached("Deny", "\"*\"")]];
        scene.is_denied_by(PolicyType::Rcp);
        let mut scene = full(principal);
        scene.attached = Some(attached("Deny", ACCOUNT_PRINCIPAL));
        scene.is_denied_by(PolicyType::Resource);
    }
}

#[test]
fn naming_user_session_role_account_or_everybody_is_worth_what_the_guide_says() {
    // Columns: boundary silent; session silent; neither. The caller's own policies are silent throughout.
    let table = [
        (USER, USER_ARN, [true, false, true]),
        (ROLE, SESSION_ARN, [true, true, true]),
        (ROLE, ROLE_ARN, [false, false, true]),
        (FEDERATED, FEDERATED_ARN, [true, true, true]),
        (FEDERATED, ISSUER_ARN, [false, false, false]),
        (USER, ACCOUNT_PRINCIPAL, [false, false, false]),
        (ROLE, ACCOUNT_PRINCIPAL, [false, false, false]),
        (USER, "\"*\"", [true, true, true]),
        (ROLE, r#"{"AWS":"*"}"#, [true, true, true]),
    ];
    for (principal, named, expected) in table {
        let scene = |boundary: bool, session: bool| Scene {
            principal,
            attached: Some(attached("Allow", named)),
            boundary: boundary.then(|| vec![allow(SILENT)]),
            session: if session { vec![vec![allow(SILENT)]] } else { Vec::new() },
            ..Scene::default()
        };
        let decided = [scene(true, false), scene(false, true), scene(false, false)];
        let decided: Vec<bool> = decided.iter().map(|scene| scene.decide().is_allowed()).collect();
        assert_eq!(decided, expected, "{principal:?} {named}");
    }
}

#[test]
fn the_issuer_named_by_a_resource_needs_a_session_policy_that_allows() {
    let mut scene = Scene {
        principal: FEDERATED,
        attached: Some(attached("Allow", ISSUER_ARN)),
        session: vec![vec![allow("s3:*")]],
        ..Scene::default()
    };
    scene.is_allowed_by(PolicyType::Resource);
    scene.session.clear();
    scene.is_missing(PolicyType::Identity);
}

#[test]
fn a_federated_user_gets_what_issuer_and_session_policy_both_allow() {
    let mut scene = Scene {
        principal: FEDERATED,
        identity: vec![allow("*")],
        session: vec![vec![allow("s3:*")]],
        ..Scene::default()
    };
    scene.is_allowed_by(PolicyType::Identity);
    scene.action = "sqs:SendMessage";
    scene.is_missing(PolicyType::Session);
    scene.action = "s3:GetObject";
    scene.identity = vec![allow(SILENT)];
    scene.is_missing(PolicyType::Identity);
    scene.identity = vec![allow("*")];
    scene.session.clear();
    scene.is_missing(PolicyType::Session);
}

#[test]
fn a_federated_user_of_the_root_user_gets_its_session_policy() {
    let scene = Scene {
        principal: Principal::Federated {
            account: ACCOUNT,
            arn: "arn:aws:sts::111122223333:federated-user/x",
            issuer: Issuer::Root,
        },
        session: vec![vec![allow("s3:*")]],
        ..Scene::default()
    };
    assert!(scene.decide().is_allowed());
    assert!(!Scene { action: "sqs:SendMessage", ..scene }.decide().is_allowed());
}

#[test]
fn a_deny_on_the_issuing_user_stops_its_federated_users() {
    let scene = Scene {
        principal: FEDERATED,
        identity: vec![allow("*")],
        session: vec![vec![allow("*")]],
        attached: Some(attached("Deny", ISSUER_ARN)),
        ..Scene::default()
    };
    scene.is_denied_by(PolicyType::Resource);
}

#[test]
fn session_layers_intersect_and_policies_of_a_layer_unite() {
    let mut scene = Scene {
        principal: ROLE,
        identity: vec![allow("*")],
        session: vec![vec![allow("sqs:*"), allow("s3:*")], vec![allow("s3:Get*")]],
        ..Scene::default()
    };
    scene.is_allowed_by(PolicyType::Identity);
    scene.session.push(vec![allow("sqs:*")]);
    scene.is_missing(PolicyType::Session);
    scene.session.rotate_right(1);
    scene.is_missing(PolicyType::Session);
    scene.session = vec![Vec::new()];
    scene.is_missing(PolicyType::Session);
}

#[test]
fn a_user_named_by_a_resource_is_still_bound_by_restricted_credentials_of_its_own() {
    let mut scene = Scene {
        attached: Some(attached("Allow", r#"{"AWS":"AIDAALICEALICEALICE00"}"#)),
        session: vec![vec![allow(SILENT)]],
        ..Scene::default()
    };
    assert!(!scene.decide().is_allowed());
    scene.session = vec![vec![allow("s3:*")]];
    scene.is_allowed_by(PolicyType::Resource);
}

#[test]
fn across_accounts_both_sides_must_allow() {
    for named in [USER_ARN, ACCOUNT_PRINCIPAL, "\"*\""] {
        let mut scene = Scene {
            owner: Some(OTHER),
            attached: Some(attached("Allow", named)),
            identity: vec![allow("*")],
            ..Scene::default()
        };
        scene.is_allowed_by(PolicyType::Resource);
        assert!(scene.decide().cross_account);
        assert_eq!(scene.decide().statements.len(), 2);
        scene.boundary = Some(vec![allow(SILENT)]);
        scene.is_missing(PolicyType::Boundary);
        scene.boundary = None;
        scene.session = vec![vec![allow(SILENT)]];
        scene.is_missing(PolicyType::Session);
        scene.session.clear();
        scene.identity.clear();
        scene.is_missing(PolicyType::Identity);
        assert_eq!(scene.decide().denial_reason("s3:GetObject"), "");
        scene.identity = vec![allow("*")];
        scene.attached = Some(attached("Allow", r#"{"AWS":"444455556666"}"#));
        scene.is_missing(PolicyType::Resource);
        scene.attached = None;
        scene.is_missing(PolicyType::Resource);
    }
}

#[test]
fn a_kms_key_policy_takes_part_inside_the_account() {
    let mut scene = Scene {
        action: "kms:Decrypt",
        resource: "arn:aws:kms:eu-west-1:111122223333:key/1234",
        identity: vec![allow("*")],
        ..Scene::default()
    };
    scene.is_missing(PolicyType::Resource);
    scene.attached = Some(attached("Allow", r#"{"AWS":"444455556666"}"#));
    scene.is_missing(PolicyType::Resource);
    scene.attached = Some(attached("Allow", ACCOUNT_PRINCIPAL));
    scene.is_allowed_by(PolicyType::Identity);
    scene.identity.clear();
    scene.is_missing(PolicyType::Identity);
    scene.attached = Some(attached("Allow", USER_ARN));
    scene.is_allowed_by(PolicyType::Resource);
    let alias = Scene {
        action: "kms:CreateAlias",
        resource: "arn:aws:kms:eu-west-1:111122223333:alias/a",
        identity: vec![allow("*")],
        ..Scene::default()
    };
    alias.is_allowed_by(PolicyType::Identity);
    // Who may write the policy of a key, ask about it or tag it is not for that policy to say.
    for action in ["daypass:PutResourcePolicy", "tag:TagResources"] {
        let resource = "arn:aws:kms:eu-west-1:111122223333:key/1234";
        Scene { action, resource, identity: vec![allow("*")], ..Scene::default() }
            .is_allowed_by(PolicyType::Identity);
    }
}

#[test]
fn callers_without_an_account_get_what_the_resource_gives_them() {
    let service = Principal::Service { name: "sns.amazonaws.com" };
    let provider =
        Principal::Provider { account: Some(ACCOUNT), name: "arn:aws:iam::111122223333:saml-provider/x" };
    for (principal, named, allowed) in [
        (service, r#"{"Service":"sns.amazonaws.com"}"#, true),
        (service, r#"{"Service":"sqs.amazonaws.com"}"#, false),
        (service, r#"{"Service":"*"}"#, false),
        (service, ACCOUNT_PRINCIPAL, false),
        (Principal::Anonymous, "\"*\"", true),
        (Principal::Anonymous, r#"{"AWS":["*"]}"#, true),
        (Principal::Anonymous, ACCOUNT_PRINCIPAL, false),
        (provider, r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/x"}"#, true),
        (provider, r#"{"AWS":"*"}"#, false),
        (provider, "\"*\"", false),
    ] {
        // What they do not have must not help them.
        let scene = Scene {
            principal,
            attached: Some(attached("Allow", named)),
            identity: vec![allow("*")],
            ..Scene::default()
        };
        assert_eq!(scene.decide().is_allowed(), allowed, "{principal:?} {named}");
        let nothing = Scene { attached: None, ..scene };
        nothing.is_missing(PolicyType::Resource);
    }
}

#[test]
fn the_root_user_may_everything_in_its_own_account_but_what_its_organization_or_a_resource_denies() {
    let root = || Scene { principal: Principal::Root { account: ACCOUNT }, ..Scene::default() };
    root().is_allowed_by(PolicyType::NotNeeded);
    let identity_counts_for_nothing = Scene { identity: vec![deny("*")], ..root() };
    identity_counts_for_nothing.is_allowed_by(PolicyType::NotNeeded);
    Scene { scp: vec![vec![allow(SILENT)]], ..root() }.is_missing(PolicyType::Scp);
    Scene { attached: Some(attached("Deny", "\"*\"")), ..root() }.is_denied_by(PolicyType::Resource);
    Scene { owner: Some(OTHER), ..root() }.is_missing(PolicyType::Resource);
    Scene { session: vec![vec![allow(SILENT)]], ..root() }.is_missing(PolicyType::Session);
    let key = Scene { action: "kms:Decrypt", resource: "arn:aws:kms:eu:111122223333:key/1", ..root() };
    key.is_missing(PolicyType::Resource);
    Scene { attached: Some(attached("Allow", ACCOUNT_PRINCIPAL)), ..key }
        .is_allowed_by(PolicyType::NotNeeded);
}

#[test]
fn asking_who_one_is_cannot_be_denied() {
    for principal in [USER, ROLE, FEDERATED] {
        let scene = Scene {
            principal,
            action: "sts:GetCallerIdentity",
            resource: "*",
            identity: vec![deny("*")],
            session: vec![vec![deny("*")]],
            scp: vec![vec![deny("*")]],
            ..Scene::default()
        };
        scene.is_allowed_by(PolicyType::NotNeeded);
    }
}

#[test]
fn a_session_token_needs_no_permission_unless_the_caller_is_restricted() {
    let scene =
        |principal| Scene { principal, action: "sts:GetSessionToken", resource: "*", ..Scene::default() };
    scene(USER).is_allowed_by(PolicyType::NotNeeded);
    Scene { identity: vec![deny("*")], ..scene(USER) }.is_allowed_by(PolicyType::NotNeeded);
    scene(ROLE).is_missing(PolicyType::Identity);
    Scene { session: vec![vec![allow(SILENT)]], identity: vec![allow("*")], ..scene(USER) }
        .is_missing(PolicyType::Session);
}

#[test]
fn every_level_of_the_organization_must_allow() {
    let scene = |scp| Scene { identity: vec![allow("*")], scp, ..Scene::default() };
    scene(vec![vec![allow("*")], vec![allow("sqs:*"), allow("s3:*")]]).is_allowed_by(PolicyType::Identity);
    scene(vec![vec![allow("*")], vec![allow("sqs:*")]]).is_missing(PolicyType::Scp);
    scene(vec![vec![]]).is_missing(PolicyType::Scp);
    let grants_nothing = Scene { scp: vec![vec![allow("*")]], ..Scene::default() };
    grants_nothing.is_missing(PolicyType::Identity);
    for scp in [vec![vec![allow(SILENT)]], vec![vec![allow("*"), deny("*")]]] {
        let service = Scene {
            principal: Principal::Service { name: "sns.amazonaws.com" },
            attached: Some(attached("Allow", r#"{"Service":"sns.amazonaws.com"}"#)),
            scp,
            ..Scene::default()
        };
        service.is_allowed_by(PolicyType::Resource);
    }
}

#[test]
fn service_linked_roles_are_not_bound_by_the_organization() {
    let Principal::Role { account, session_arn, role_arn, role_id, .. } = ROLE else { panic!() };
    let scene = Scene {
        principal: Principal::Role { account, session_arn, role_arn, role_id, service_linked: true },
        identity: vec![allow("*")],
        scp: vec![vec![deny("*")]],
        rcp: vec![vec![attached("Deny", "\"*\"")]],
        ..Scene::default()
    };
    scene.is_allowed_by(PolicyType::Identity);
}

#[test]
fn resource_control_policies_bind_supported_services_and_actions_with_a_resource() {
    let scene = |action, resource, owner| Scene {
        action,
        resource,
        owner: Some(owner),
        identity: vec![allow("*")],
        attached: Some(attached("Allow", "\"*\"")),
        rcp: vec![vec![], vec![attached("Deny", "\"*\"")]],
        ..Scene::default()
    };
    scene("s3:GetObject", "arn:aws:s3:::b/k", ACCOUNT).is_denied_by(PolicyType::Rcp);
    scene("s3:GetObject", "arn:aws:s3:::b/k", OTHER).is_denied_by(PolicyType::Rcp);
    assert!(scene("s3:ListAllMyBuckets", "*", ACCOUNT).decide().is_allowed());
    assert!(scene("lambda:InvokeFunction", "arn:aws:lambda:eu:1:function:f", ACCOUNT).decide().is_allowed());
    assert!(scene("kms:RetireGrant", "arn:aws:kms:eu:1:key/1", ACCOUNT).decide().is_allowed());
    let anonymous =
        Scene { principal: Principal::Anonymous, ..scene("s3:GetObject", "arn:aws:s3:::b/k", ACCOUNT) };
    anonymous.is_denied_by(PolicyType::Rcp);
}

#[test]
fn not_principal_catches_whoever_is_not_spared_and_whoever_has_a_boundary() {
    let not = |listed: &str| {
        policy(&format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}},
               {{"Effect":"Deny","NotPrincipal":{listed},"Action":"*","Resource":"*"}}"#
        ))
    };
    let scene = |listed: &str| Scene { attached: Some(not(listed)), ..Scene::default() };
    let both = r#"{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:root"]}"#;
    scene(both).is_allowed_by(PolicyType::Resource);
    scene(USER_ARN).is_denied_by(PolicyType::Resource);
    scene(ACCOUNT_PRINCIPAL).is_denied_by(PolicyType::Resource);
    Scene { boundary: Some(vec![allow("*")]), ..scene(both) }.is_denied_by(PolicyType::Resource);
}

#[test]
fn an_allow_with_not_principal_never_applies() {
    let text = r#"{"Effect":"Allow","NotPrincipal":{"AWS":"444455556666"},"Action":"*","Resource":"*"}"#;
    Scene { attached: Some(policy(text)), ..Scene::default() }.is_missing(PolicyType::Identity);
}

#[test]
fn elements_that_are_missing_or_out_of_place_never_grant_and_still_deny() {
    let no_resource = |effect: &str| policy(&format!(r#"{{"Effect":"{effect}","Action":"*"}}"#));
    let no_principal =
        |effect: &str| policy(&format!(r#"{{"Effect":"{effect}","Action":"*","Resource":"*"}}"#));
    Scene { identity: vec![no_resource("Allow")], ..Scene::default() }.is_missing(PolicyType::Identity);
    Scene { identity: vec![allow("*"), no_resource("Deny")], ..Scene::default() }
        .is_denied_by(PolicyType::Identity);
    Scene { attached: Some(no_principal("Allow")), ..Scene::default() }.is_missing(PolicyType::Identity);
    Scene { identity: vec![allow("*")], attached: Some(no_principal("Deny")), ..Scene::default() }
        .is_denied_by(PolicyType::Resource);
    let named = attached("Allow", "\"*\"");
    Scene { identity: vec![named], ..Scene::default() }.is_missing(PolicyType::Identity);
    Scene { identity: vec![allow("*"), attached("Deny", USER_ARN)], ..Scene::default() }
        .is_denied_by(PolicyType::Identity);
}

#[test]
fn an_exclusion_without_a_value_denies_everywhere_and_allows_nowhere() {
    let not = |effect: &str| {
        policy(&format!(
            r#"{{"Effect":"{effect}","Action":"*","NotResource":"arn:aws:s3:::bucket/${{aws:PrincipalTag/nope}}/*"}}"#
        ))
    };
    Scene { identity: vec![not("Allow")], ..Scene::default() }.is_missing(PolicyType::Identity);
    Scene { identity: vec![allow("*"), not("Deny")], ..Scene::default() }.is_denied_by(PolicyType::Identity);
}

#[test]
fn the_deciding_statements_are_told() {
    let mut scene = Scene {
        identity: vec![
            allow(SILENT),
            policy(
                r#"{"Effect":"Deny","Action":"sqs:*","Resource":"*"},
                   {"Sid":"Read","Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#,
            ),
        ],
        ..Scene::default()
    };
    let decision = scene.decide();
    let [statement] = &*decision.statements else { panic!("{decision:?}") };
    assert_eq!(
        (&*statement.policy, statement.index, statement.sid.as_deref()),
        ("identity", 1, Some("Read"))
    );
    scene.identity.extend([deny("*"), deny("s3:*")]);
    let decision = scene.decide();
    assert_eq!(decision.statements.len(), 2);
    assert!(decision.statements.iter().all(|statement| statement.sid.as_deref() == Some("No")));
    assert_eq!(decision.denial_reason("s3:GetObject"), "with an explicit deny in an identity-based policy");
}

#[test]
fn the_owner_defaults_to_the_callers_account() {
    let policy = allow("s3:*");
    let own = [daypass_policy::Named { id: "p", policy: &policy }];
    let context = Context::new();
    let request = Request {
        principal: USER,
        action: "S3:getobject",
        resource: "arn:aws:s3:::b/k",
        resource_account: None,
        context: &context,
    };
    assert!(evaluate(&request, &Policies { identity: &own, ..Policies::default() }).is_allowed());
}
