//! Every action's checks beside what the Service Authorization Reference says of it (`data/authorization.txt`):
//! which permissions, on which resource, with which condition keys, and none beyond.

use std::collections::BTreeMap;

use daypass_directory::{Check, Scope, Value};
use daypass_service::params::Params;

use crate::examples::{EXAMPLES, Example, LIMIT};
use crate::support::{ACCOUNT, Keys};
use crate::world::World;

/// Condition keys of what daypass does not have: role templates, and devices other than virtual ones.
const NOT_HERE: [&str; 5] = [
    "iam:RoleTemplateARN",
    "iam:FIDO-FIPS-140-2-certification",
    "iam:FIDO-FIPS-140-3-certification",
    "iam:FIDO-certification",
    "iam:RegisterSecurityKey",
];

type Pairs = Vec<(String, String)>;

/// A line of the table.
struct Line {
    level: &'static str,
    resource: &'static str,
    keys: Vec<&'static str>,
    also: Vec<&'static str>,
}

fn table() -> BTreeMap<&'static str, Line> {
    let words = |field: &'static str| field.split(' ').filter(|word| *word != "-").collect();
    let lines = include_str!("../data/authorization.txt").lines().filter(|line| !line.starts_with('#'));
    let line = |line: &'static str| {
        let fields: Vec<_> = line.split(" | ").collect();
        let &[action, level, resource, keys, also] = fields.as_slice() else { panic!("five fields: {line}") };
        (action, Line { level, resource, keys: words(keys), also: words(also) })
    };
    lines.map(line).collect()
}

/// The checks of a call with these parameters, by the holder of `keys`.
fn checks(world: &World, keys: &Keys, service: &str, action: &str, params: &Params) -> Vec<Check> {
    let house = &world.house.house;
    let view = house.directory.snapshot();
    let token = keys.session_token.as_deref();
    let credential = house.directory.credential(&view, &keys.access_key_id, token).unwrap();
    let scope = Scope::resolve(view, credential.caller, house.now()).unwrap();
    let row = daypass_service::actions::find(service, action).unwrap();
    (row.checks)(&scope, params).unwrap_or_else(|error| panic!("{action}: {error}")).as_slice().to_vec()
}

fn checks_of_pairs(world: &World, example: &Example, pairs: Pairs) -> Vec<Check> {
    let params = Params::from_pairs(pairs).unwrap();
    checks(world, &world.caller, example.service, example.action, &params)
}

fn param<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}

/// Where the world's entities are.
fn known(kind: &str, name: &str) -> String {
    let path = match (kind, name) {
        ("user", "Alice" | "Doomed") => "/div/",
        ("group", _) => "/staff/",
        ("role", "Build" | "Doomed") => "/ci/",
        ("role", "AWSServiceRoleForBatch") => "/aws-service-role/batch.amazonaws.com/",
        ("instance-profile", "Web" | "Bare") => "/fleet/",
        _ => "/",
    };
    format!("arn:aws:iam::{ACCOUNT}:{kind}{path}{name}")
}

/// The resource that the reference means, for these parameters.
fn expected_resource(line: &Line, action: &str, pairs: &[(String, String)]) -> String {
    let member = |kind: &str| match kind {
        "user" => "UserName",
        "group" => "GroupName",
        "role" => "RoleName",
        "instance-profile" => "InstanceProfileName",
        "mfa" => "VirtualMFADeviceName",
        _ => "PolicyName",
    };
    match line.resource {
        "*" => "*".into(),
        "self" => format!("arn:aws:sts::{ACCOUNT}:self"),
        "federated-user" => {
            format!("arn:aws:sts::{ACCOUNT}:federated-user/{}", param(pairs, "Name").unwrap())
        }
        "user" if action == "iam:ChangePassword" => format!("arn:aws:iam::{ACCOUNT}:user/ops/Caller"),
        "policy" if action != "iam:CreatePolicy" => param(pairs, "PolicyArn").unwrap().into(),
        "oidc-provider" if action == "iam:CreateOpenIDConnectProvider" => param(pairs, "Url")
            .unwrap()
            .replace("https://", &format!("arn:aws:iam::{ACCOUNT}:oidc-provider/")),
        "oidc-provider" => param(pairs, "OpenIDConnectProviderArn").unwrap().into(),
        "saml-provider" if action == "iam:CreateSAMLProvider" => {
            format!("arn:aws:iam::{ACCOUNT}:saml-provider/{}", param(pairs, "Name").unwrap())
        }
        "saml-provider" => param(pairs, "SAMLProviderArn").unwrap().into(),
        "mfa" if action != "iam:CreateVirtualMFADevice" => param(pairs, "SerialNumber").unwrap().into(),
        "role" if action == "sts:AssumeRole" => param(pairs, "RoleArn").unwrap().into(),
        kind @ ("user" | "group" | "role" | "policy" | "instance-profile" | "mfa") => {
            match param(pairs, member(kind)) {
                Some(name) if is_creation(action) => {
                    format!("arn:aws:iam::{ACCOUNT}:{kind}{}{name}", param(pairs, "Path").unwrap_or("/"))
                }
                Some(name) => known(kind, name),
                // GetAccessKeyLastUsed: the key's owner.
                None => known(kind, "Alice"),
            }
        }
        collection => {
            let kind = collection.trim_start_matches("* (").trim_end_matches("/)");
            format!("arn:aws:iam::{ACCOUNT}:{kind}{}", param(pairs, "PathPrefix").unwrap_or("/"))
        }
    }
}

fn is_creation(action: &str) -> bool {
    let creations = [
        "iam:CreateInstanceProfile",
        "iam:CreateUser",
        "iam:CreateGroup",
        "iam:CreateRole",
        "iam:CreatePolicy",
        "iam:CreateVirtualMFADevice",
        "iam:CreateOpenIDConnectProvider",
        "iam:CreateSAMLProvider",
    ];
    creations.contains(&action)
}

/// The condition keys that the reference means, for these parameters, on a target that has tags and a boundary.
fn expected_keys(line: &Line, action: &str, pairs: &[(String, String)]) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    let mut put =
        |key: &str, value: Value| assert_eq!(keys.insert(key.to_owned(), value), None, "{key} twice");
    let one = |text: &str| Value::One(text.to_owned());
    let given = |name: &str| {
        one(param(pairs, name).unwrap_or_else(|| panic!("the example of {action} gives no {name}")))
    };
    for key in &line.keys {
        match *key {
            // Of tags in a body.
            "RT" if pairs.is_empty() => put("aws:RequestTag/Cost", one("1")),
            "TK" if pairs.is_empty() => put("aws:TagKeys", Value::Many(vec!["Cost".to_owned()])),
            "RT" => put("aws:RequestTag/Cost", given("Tags.member.1.Value")),
            "TK" => {
                let tag = param(pairs, "Tags.member.1.Key").or_else(|| param(pairs, "TagKeys.member.1"));
                put("aws:TagKeys", Value::Many(vec![tag.unwrap().to_owned()]));
            }
            "PB" if is_creation(action) || action.starts_with("iam:Put") && action.ends_with("Boundary") => {
                put("iam:PermissionsBoundary", given("PermissionsBoundary"));
            }
            "PB" => put("iam:PermissionsBoundary", one(LIMIT)),
            "PolicyARN" => put("iam:PolicyARN", given("PolicyArn")),
            "ResourceTag/k" => {} // with those of every existing entity, below
            "sts:IdentityTokenAudience" => {
                put(key, Value::Many(vec![param(pairs, "Audience.member.1").unwrap().into()]));
            }
            "sts:IdentityTokenScope" => put(key, Value::Many(vec!["read".into()])),
            "sts:TransitiveTagKeys" => put(key, Value::Many(vec!["Cost".into()])),
            "InstanceProfile" => put("ec2:InstanceProfile", one(&known("instance-profile", "Web"))),
            "RequestHost" => put("daypass:RequestHost", one("store.test")),
            "SigningService" => put("daypass:SigningService", one("s3")),
            "RoleArn" => put("daypass:RoleArn", one("arn:aws:iam::111122223333:role/Nightly")),
            "SourceArn" => put("daypass:SourceArn", one("arn:aws:scheduler:eu-west-1:111122223333:job/7")),
            "SourceAccount" => put("daypass:SourceAccount", one(ACCOUNT)),
            "AWSServiceName" => put("iam:AWSServiceName", given("AWSServiceName")),
            _ if key.starts_with("sts:") => put(key, given(key.trim_start_matches("sts:"))),
            _ if NOT_HERE.contains(&format!("iam:{key}").as_str()) => {}
            other => panic!("{action}: what is {other}?"),
        }
    }
    // The caller has no tags.
    let exists =
        !is_creation(action) && !action.contains("ServiceLinkedRole") && action != "iam:ChangePassword";
    let tagged = ["user", "role", "policy", "instance-profile", "mfa", "oidc-provider", "saml-provider"];
    if exists && tagged.contains(&line.resource) {
        put("aws:ResourceTag/Team", one("red"));
    }
    if exists && ["user", "role"].contains(&line.resource) {
        put("iam:ResourceTag/Team", one("red"));
    }
    keys
}

/// What iam:PassRole sees of a tagged role that goes to machines, or to holders of certificates.
fn passed_to_machines(example: &Example) -> BTreeMap<String, Value> {
    let (service, associated) = match example.service {
        "rolesanywhere" => ("rolesanywhere.amazonaws.com", "rolesanywhere:*:{ACCOUNT}:profile/*"),
        "eks" => ("pods.eks.amazonaws.com", "eks:*:{ACCOUNT}:podidentityassociation/*"),
        _ => ("ec2.amazonaws.com", "ec2:*:{ACCOUNT}:instance/*"),
    };
    let keys = [
        ("iam:PassedToService", service.to_owned()),
        ("iam:AssociatedResourceArn", format!("arn:aws:{}", associated.replace("{ACCOUNT}", ACCOUNT))),
        ("aws:ResourceTag/Team", "red".to_owned()),
        ("iam:ResourceTag/Team", "red".to_owned()),
    ];
    keys.into_iter().map(|(key, value)| (key.to_owned(), Value::One(value))).collect()
}

fn keys_of(check: &Check) -> BTreeMap<String, Value> {
    let keys: BTreeMap<_, _> = check.keys.iter().cloned().collect();
    assert_eq!(keys.len(), check.keys.len(), "{}: a condition key is given twice", check.action);
    keys
}

#[tokio::test]
async fn every_check_is_what_the_reference_says() {
    let world = World::new().await;
    let table = table();
    for example in EXAMPLES {
        let action = example.permission();
        let line = table.get(action.as_str()).unwrap_or_else(|| panic!("authorization.txt has no {action}"));
        let mut found =
            checks(&world, &world.caller, example.service, example.action, &example.params(&world).unwrap());
        if action == "sts:AssumeRole" {
            // An example that can succeed has no context, which none of ours could vouch for.
            let context =
                |(name, value): (&str, &str)| (format!("ProvidedContexts.member.1.{name}"), value.to_owned());
            let contexts =
                [("ProviderArn", "arn:aws:iam::aws:contextProvider/x"), ("ContextAssertion", "text")]
                    .map(context);
            found = checks_of_pairs(
                &world,
                example,
                example.pairs(&world).unwrap().into_iter().chain(contexts).collect(),
            );
        }
        if action == "sts:GetWebIdentityToken" {
            // Nor has it a scope, which only credentials of another kind may ask for.
            let scope = [("Scope".to_owned(), "read".to_owned())];
            let pairs = example.pairs(&world).unwrap().into_iter().chain(scope).collect();
            found = checks_of_pairs(&world, example, pairs);
        }
        if line.also == ["none"] {
            assert!(found.is_empty(), "{action} needs no permission");
            continue;
        }
        let pairs = example.pairs(&world).unwrap_or_default();
        let resource = match line.resource {
            "resource" => example.shown(&world),
            "role" if action.contains("ServiceLinkedRole") && action != "iam:DeleteServiceLinkedRole" => {
                example.shown(&world)
            }
            "oidc-provider" if action.starts_with("daypass:") => example.shown(&world),
            _ => expected_resource(line, &action, &pairs),
        };
        let keys = expected_keys(line, &action, &pairs);
        let mut expected = vec![(action.clone(), resource.clone(), keys.clone())];
        for also in &line.also {
            match also.strip_prefix('+') {
                Some(second) => expected.push((second.to_owned(), resource.clone(), keys.clone())),
                None if *also == "PassRole" => {
                    let role = known("role", param(&pairs, "RoleName").unwrap_or("Build"));
                    let mut passed = passed_to_machines(example);
                    let mut put = |key: &str, value: &str| {
                        passed.insert(key.to_owned(), Value::One(value.to_owned()));
                    };
                    let is_known =
                        ["UpdateProfile", "UpdatePodIdentityAssociation"].contains(&example.action);
                    if example.service == "daypass" || is_known {
                        put("iam:AssociatedResourceArn", &resource);
                    }
                    if example.action == "CreatePodIdentityAssociation" {
                        let any = resource.replace(":cluster/", ":podidentityassociation/");
                        put("iam:AssociatedResourceArn", &format!("{any}/*"));
                    }
                    if example.action == "RegisterTask" {
                        put("iam:PassedToService", "ecs-tasks.amazonaws.com");
                    }
                    expected.push(("iam:PassRole".to_owned(), role, passed));
                }
                None => {
                    let kind = line.resource;
                    let name =
                        param(&pairs, "NewUserName").or_else(|| param(&pairs, "NewGroupName")).unwrap();
                    let path = param(&pairs, "NewPath").unwrap();
                    let moved = format!("arn:aws:iam::{ACCOUNT}:{kind}{path}{name}");
                    expected.push((action.clone(), moved, keys.clone()));
                }
            }
        }
        let found: Vec<_> = found
            .iter()
            .map(|check| (check.action.clone(), check.resource.clone(), keys_of(check)))
            .collect();
        assert_eq!(found, expected, "{action}");
    }
    assert_eq!(table.len(), EXAMPLES.len(), "authorization.txt has lines of actions that are not here");
}

#[tokio::test]
async fn a_second_permission_is_asked_for_only_where_the_call_needs_it() {
    let world = World::new().await;
    for example in EXAMPLES {
        let Some(mut pairs) = example.pairs(&world) else { continue };
        let before = pairs.len();
        let extra = ["Tags", "TransitiveTagKeys", "SourceIdentity", "NewPath", "NewUserName", "NewGroupName"];
        pairs.retain(|(name, _)| !extra.iter().any(|extra| name.starts_with(extra)));
        if pairs.len() == before || example.action.starts_with("Tag") {
            continue;
        }
        let found = checks_of_pairs(&world, example, pairs);
        assert_eq!(found.len(), 1, "{}", example.permission());
        let beyond = ["aws:RequestTag/Cost", "aws:TagKeys", "sts:TransitiveTagKeys", "sts:SourceIdentity"];
        assert!(
            !found[0].keys.iter().any(|(key, _)| beyond.contains(&key.as_str())),
            "{}",
            example.permission()
        );
    }
}

/// Names of existing entities, as parameters.
const NAMES: [&str; 4] = ["UserName", "GroupName", "RoleName", "InstanceProfileName"];

/// Every Query example about an existing entity, with another name for it.
fn renamed(world: &World, rename: impl Fn(&str) -> String) -> Vec<(&'static Example, Pairs)> {
    let mut all = Vec::new();
    for example in EXAMPLES.iter().filter(|example| !is_creation(&example.permission())) {
        let Some(mut pairs) = example.pairs(world) else { continue };
        for (_, value) in pairs.iter_mut().filter(|(name, _)| NAMES.contains(&name.as_str())) {
            *value = rename(value);
        }
        if Some(&pairs) != example.pairs(world).as_ref() {
            all.push((example, pairs));
        }
    }
    assert!(all.len() >= 30, "most actions name an entity");
    all
}

#[tokio::test]
async fn however_a_request_spells_a_name_the_stored_arn_is_asked_about() {
    let world = World::new().await;
    for (example, pairs) in renamed(&world, str::to_ascii_uppercase) {
        let spelled: Vec<_> =
            checks_of_pairs(&world, example, pairs).into_iter().map(|check| check.resource).collect();
        let stored = checks_of_pairs(&world, example, example.pairs(&world).unwrap());
        let stored: Vec<_> = stored.into_iter().map(|check| check.resource).collect();
        assert_eq!(spelled, stored, "{}", example.permission());
    }
}

#[tokio::test]
async fn what_does_not_exist_is_asked_about_under_the_root_path_without_keys_of_its_own() {
    let world = World::new().await;
    let own = ["aws:ResourceTag/", "iam:ResourceTag/"];
    for (example, pairs) in renamed(&world, |_| "Nobody".into()) {
        let name = example.permission();
        let check = checks_of_pairs(&world, example, pairs).remove(0);
        let kind = check.resource.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
        assert_eq!(check.resource, format!("arn:aws:iam::{ACCOUNT}:{kind}/Nobody"), "{name}");
        assert!(!check.keys.iter().any(|(key, _)| own.iter().any(|own| key.starts_with(own))), "{name}");
    }
}

#[tokio::test]
async fn an_entity_without_tags_and_boundary_leaves_their_keys_absent() {
    let world = World::new().await;
    for (example, pairs) in renamed(&world, |name| if name == "Crew" { name.into() } else { "Plain".into() })
    {
        let name = example.permission();
        let asks = param(&pairs, "PermissionsBoundary").is_some();
        for check in checks_of_pairs(&world, example, pairs) {
            let keys = keys_of(&check);
            assert!(!keys.keys().any(|key| key.contains("ResourceTag")), "{name}");
            assert_eq!(keys.contains_key("iam:PermissionsBoundary"), asks, "{name}: absent, not empty");
        }
    }
}

#[tokio::test]
async fn without_a_user_name_the_call_is_about_the_caller() {
    let world = World::new().await;
    let role = world.caller_of("role").await;
    let optional = [
        "GetUser",
        "CreateAccessKey",
        "DeleteAccessKey",
        "ListAccessKeys",
        "UpdateAccessKey",
        "DeactivateMFADevice",
        "GetMFADevice",
        "ListMFADevices",
        "CreateLoginProfile",
        "GetLoginProfile",
        "DeleteLoginProfile",
        "ChangePassword",
    ];
    let callers = [
        (&world.caller, "user/ops/Caller"),
        (&world.admin, "user/Admin"),
        (&world.house.root, "root"),
        (&role, "role/Power"),
    ];
    for action in optional {
        let mut pairs = Example::of("iam", action).pairs(&world).unwrap();
        pairs.retain(|(name, _)| name != "UserName");
        for (keys, resource) in callers {
            let params = Params::from_pairs(pairs.clone()).unwrap();
            let found = checks(&world, keys, "iam", action, &params);
            let found: Vec<_> = found.iter().map(|check| check.resource.as_str()).collect();
            assert_eq!(found, [format!("arn:aws:iam::{ACCOUNT}:{resource}")], "{action}");
        }
    }
}

#[tokio::test]
async fn collections_are_asked_about_by_the_path_that_is_listed() {
    let world = World::new().await;
    for (action, kind) in
        [("ListUsers", "user"), ("ListGroups", "group"), ("ListRoles", "role"), ("ListPolicies", "policy")]
    {
        for (given, prefix) in [(None, "/"), (Some("/div/"), "/div/")] {
            let pairs =
                given.map(|prefix| ("PathPrefix".to_owned(), prefix.to_owned())).into_iter().collect();
            let check = checks_of_pairs(&world, Example::of("iam", action), pairs).remove(0);
            assert_eq!(check.resource, format!("arn:aws:iam::{ACCOUNT}:{kind}{prefix}"));
        }
    }
}

#[tokio::test]
async fn of_two_tags_with_one_key_the_last_value_is_tested() {
    let world = World::new().await;
    let iam = [
        "CreateUser",
        "CreateRole",
        "CreatePolicy",
        "CreateVirtualMFADevice",
        "TagUser",
        "TagRole",
        "TagPolicy",
        "TagMFADevice",
    ];
    let sts = ["AssumeRole", "GetFederationToken", "GetWebIdentityToken"];
    let actions = iam.map(|action| ("iam", action)).into_iter().chain(sts.map(|action| ("sts", action)));
    for (service, action) in actions {
        let example = Example::of(service, action);
        let mut pairs = example.pairs(&world).unwrap();
        pairs.push(("Tags.member.2.Key".into(), "Cost".into()));
        pairs.push(("Tags.member.2.Value".into(), "2".into()));
        let keys = keys_of(&checks_of_pairs(&world, example, pairs)[0]);
        assert_eq!(keys.get("aws:RequestTag/Cost"), Some(&Value::One("2".into())), "{action}");
    }
}

#[test]
fn what_only_reads_is_listed_as_list_or_read() {
    for row in daypass_service::actions::all().filter(|row| !row.is_unsigned()) {
        let action = format!("{}:{}", row.name.0, row.name.1);
        let level = table()[action.as_str()].level;
        assert_eq!(row.read_only, matches!(level, "L" | "R") && !row.issues, "{action} is {level}");
    }
}
