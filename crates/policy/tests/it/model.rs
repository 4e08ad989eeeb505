//! Random requests and policies as plain data, small enough that they often meet each other.
//!
//! The second evaluator reads the data, the engine reads the JSON made from it.

use daypass_policy::{Context, Policy, Principal};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{ACCOUNT, FEDERATED, OTHER, ROLE, Scene, USER};

/// Operator, key, values.
pub(crate) type Condition = (String, &'static str, Vec<&'static str>);

#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) deny: bool,
    pub(crate) not_action: bool,
    pub(crate) actions: Vec<&'static str>,
    pub(crate) not_resource: bool,
    pub(crate) resources: Vec<&'static str>,
    pub(crate) conditions: Vec<Condition>,
    /// Type and value; used where the policy stands at a resource.
    pub(crate) principals: Vec<(&'static str, &'static str)>,
}

pub(crate) type Document = Vec<Statement>;

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) principal: Principal<'static>,
    pub(crate) action: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) owner: &'static str,
    /// `aws:PrincipalTag/team`, if there.
    pub(crate) team: Option<&'static str>,
    /// `aws:TagKeys`, if there.
    pub(crate) tags: Option<Vec<&'static str>>,
    /// `aws:SourceArn`, if there.
    pub(crate) source: Option<&'static str>,
    /// Those keys of [`TYPED`] that are there, with their values.
    pub(crate) typed: Vec<(&'static str, &'static str)>,
    pub(crate) identity: Vec<Document>,
    pub(crate) boundary: Option<Vec<Document>>,
    pub(crate) session: Vec<Vec<Document>>,
    pub(crate) scoped: Vec<Vec<Document>>,
    pub(crate) attached: Option<Document>,
    pub(crate) scp: Vec<Vec<Document>>,
    pub(crate) rcp: Vec<Vec<Document>>,
}

impl World {
    /// For the engine.
    pub(crate) fn scene(&self) -> Scene {
        let plain =
            |documents: &Vec<Document>| documents.iter().map(|document| compile(document, false)).collect();
        let named =
            |documents: &Vec<Document>| documents.iter().map(|document| compile(document, true)).collect();
        Scene {
            principal: self.principal,
            action: self.action,
            resource: self.resource,
            owner: Some(self.owner),
            context: self.context(),
            identity: plain(&self.identity),
            boundary: self.boundary.as_ref().map(plain),
            session: self.session.iter().map(plain).collect(),
            scoped: self.scoped.iter().map(plain).collect(),
            attached: self.attached.as_ref().map(|document| compile(document, true)),
            scp: self.scp.iter().map(plain).collect(),
            rcp: self.rcp.iter().map(named).collect(),
        }
    }

    fn context(&self) -> Context {
        let mut context = Context::new();
        if let Some(team) = self.team {
            context.insert("aws:PrincipalTag/team", team);
        }
        if let Some(tags) = &self.tags {
            context.insert_list("aws:TagKeys", tags.iter().map(|tag| (*tag).to_owned()).collect());
        }
        if let Some(source) = self.source {
            context.insert("aws:SourceArn", source);
        }
        for (key, value) in &self.typed {
            context.insert(key, *value);
        }
        context
    }
}

fn compile(document: &Document, with_principals: bool) -> Policy {
    let statements: Vec<Value> =
        document.iter().map(|statement| to_json(statement, with_principals)).collect();
    Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
}

fn to_json(statement: &Statement, with_principals: bool) -> Value {
    let mut object = json!({"Effect": if statement.deny { "Deny" } else { "Allow" }});
    object[if statement.not_action { "NotAction" } else { "Action" }] = json!(statement.actions);
    object[if statement.not_resource { "NotResource" } else { "Resource" }] = json!(statement.resources);
    for (operator, key, values) in &statement.conditions {
        object["Condition"][operator][key] = json!(values);
    }
    if with_principals {
        object["Principal"] = json!({});
        for (kind, value) in &statement.principals {
            let list = object["Principal"][kind].as_array().cloned().unwrap_or_default();
            object["Principal"][kind] = json!([list, vec![json!(value)]].concat());
        }
    }
    object
}

pub(crate) const ACTIONS: [(&str, &str); 6] = [
    ("s3:GetObject", "arn:aws:s3:::b/blue/x"),
    ("s3:PutObject", "arn:aws:s3:::b/red/x"),
    ("sqs:ListQueues", "*"),
    ("sts:AssumeRole", "arn:aws:iam::111122223333:role/Target"),
    ("kms:Decrypt", "arn:aws:kms:eu:111122223333:key/1"),
    ("lambda:InvokeFunction", "arn:aws:lambda:eu:111122223333:function:f"),
];

/// Some stand twice or more, so that most requests find something that speaks of them.
const PATTERNS: [&str; 11] = [
    "*",
    "*",
    "*",
    "*:*",
    "s3:*",
    "S3:getobject",
    "s3:?etObject",
    "sts:*",
    "kms:*",
    "lambda:Invoke*",
    "sqs:List*",
];

const RESOURCES: [&str; 10] = [
    "*",
    "*",
    "*",
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/${aws:PrincipalTag/team}/*",
    "arn:aws:s3:*:*:b/?ed/x",
    "arn:aws:*:*:111122223333:*",
    "arn:aws:iam::111122223333:role/Target",
    "arn:aws:s3:::${aws:TagKeys}",
];

const PRINCIPALS: [(&str, &str); 11] = [
    ("AWS", "*"),
    ("AWS", ACCOUNT),
    ("AWS", "arn:aws:iam::111122223333:root"),
    ("AWS", OTHER),
    ("AWS", "arn:aws:iam::111122223333:user/alice"),
    ("AWS", "arn:aws:sts::111122223333:assumed-role/Dev/s1"),
    ("AWS", "arn:aws:iam::111122223333:role/team/Dev"),
    ("AWS", "arn:aws:sts::111122223333:federated-user/jill"),
    ("AWS", "AIDAJOHNJOHNJOHNJOHN0"),
    ("Service", "sns.amazonaws.com"),
    ("Federated", "accounts.google.com"),
];

/// ARNs, texts that are none, and texts that values make one or the other.
const SOURCES: [&str; 6] = [
    "arn:aws:sns:eu:111122223333:*",
    "*:aws:s3:::red",
    "arn:aws:s3:::${aws:PrincipalTag/team}",
    "${aws:PrincipalTag/team}",
    "a${aws:PrincipalTag/team}:aws:s3:::red",
    "nobody",
];

pub(crate) const TEXT: [&str; 6] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
];
pub(crate) const ARN: [&str; 4] = ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"];

/// Operators of one type with a key, values of a request, and values of a policy.
type Typed = (&'static [&'static str], &'static str, &'static [&'static str], &'static [&'static str]);

pub(crate) const TYPED: [Typed; 5] = [
    (
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        "s3:max-keys",
        &["9", "10", "10.50", "-1", "x"],
        &["9", "10.0", "+10.5", "-01"],
    ),
    (
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        "aws:CurrentTime",
        &["2026-01-15T12:00:00Z", "1768478400", "2026-01-15T12:00:00.001Z", "x"],
        &["2026-01-15T13:00:00+01:00", "2026-01-15", "1768478400"],
    ),
    (&["Bool"], "aws:SecureTransport", &["true", "FALSE", "x"], &["true", "False"]),
    (
        &["IpAddress", "NotIpAddress"],
        "aws:SourceIp",
        &["10.1.2.3", "10.2.0.1", "2001:db8::1", "x"],
        &["10.1.0.0/16", "10.2.0.1", "2001:DB8::/32"],
    ),
    (&["BinaryEquals"], "app:blob", &["AAE=", "AAI=", "x"], &["AAE=", "AAM="]),
];

/// Every operator, as often as any other; some with a set qualifier, some with the suffix.
fn condition() -> impl Strategy<Value = Condition> {
    type Kind = (&'static str, Vec<&'static str>, &'static [&'static str]);
    let of = |operators: &'static [&'static str],
              keys: &[&'static str],
              values: &'static [&'static str]|
     -> Vec<Kind> {
        operators.iter().map(|operator| (*operator, keys.to_vec(), values)).collect()
    };
    let mut kinds = of(&TEXT, &["aws:PrincipalTag/TEAM", "aws:tagkeys"], &["blue", "Red", "red", "b*"]);
    kinds.extend(of(&ARN, &["aws:SourceArn"], &SOURCES));
    kinds.extend(TYPED.iter().flat_map(|(operators, key, _, values)| of(operators, &[*key], values)));
    kinds.extend(of(&["Null"], &["aws:PrincipalTag/TEAM", "aws:tagkeys", "s3:max-keys"], &["true", "FALSE"]));
    prop::sample::select(kinds).prop_flat_map(|(operator, keys, values)| {
        let bare = operator == "Null";
        let qualifiers = if bare { vec![""] } else { vec!["", "", "ForAllValues:", "ForAnyValue:"] };
        let suffixes = if bare { vec![""] } else { vec!["", "", "IfExists"] };
        let name = (prop::sample::select(qualifiers), prop::sample::select(suffixes))
            .prop_map(move |(qualifier, suffix)| format!("{qualifier}{operator}{suffix}"));
        let values = prop::collection::vec(prop::sample::select(values), 1..3);
        (name, prop::sample::select(keys), values)
    })
}

/// One or two, which differ in operator or key: of two that do not the document would have the last.
fn conditions() -> impl Strategy<Value = Vec<Condition>> {
    prop::collection::vec(condition(), 1..3).prop_map(|mut conditions| {
        conditions.sort();
        conditions.dedup_by(|one, other| (&one.0, one.1) == (&other.0, other.1));
        conditions
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    (
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
        prop::collection::vec(prop::sample::select(&PATTERNS[..]), 1..3),
        prop::bool::weighted(0.1),
        prop::collection::vec(prop::sample::select(&RESOURCES[..]), 1..3),
        prop_oneof![3 => Just(Vec::new()), 1 => conditions()],
        prop::collection::vec(prop::sample::select(&PRINCIPALS[..]), 1..5),
    )
        .prop_map(|(deny, not_action, actions, not_resource, resources, conditions, principals)| {
            Statement { deny, not_action, actions, not_resource, resources, conditions, principals }
        })
}

pub(crate) fn document() -> impl Strategy<Value = Document> {
    prop::collection::vec(statement(), 1..4)
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    prop_oneof![1 => Just(Vec::new()), 12 => prop::collection::vec(document(), 1..3)]
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let principal = prop::sample::select(vec![
        USER,
        USER,
        ROLE,
        ROLE,
        FEDERATED,
        Principal::Root { account: ACCOUNT },
        Principal::Service { name: "sns.amazonaws.com" },
        Principal::Provider { account: None, name: "accounts.google.com" },
        Principal::Anonymous,
    ]);
    let request = (
        principal,
        prop::sample::select(&ACTIONS[..]),
        prop::sample::select(vec![ACCOUNT, ACCOUNT, OTHER]),
        prop::option::of(prop::sample::select(vec!["blue", "red", "*", "rn", "arn:aws:s3:::red"])),
        prop::option::of(prop::collection::vec(prop::sample::select(vec!["blue", "red"]), 0..3)),
        prop::option::of(prop::sample::select(vec![
            "arn:aws:s3:::red",
            "arn:aws:sns:eu:111122223333:t",
            "red",
        ])),
        TYPED.map(|(_, key, values, _)| {
            prop::option::of(prop::sample::select(values).prop_map(move |value| (key, value)))
        }),
    );
    let policies = (
        documents(),
        prop::option::weighted(0.3, documents()),
        prop::collection::vec(documents(), 0..3),
        prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(documents(), 1..3)],
        prop::option::weighted(0.7, document()),
        prop::collection::vec(documents(), 0..3),
        prop::collection::vec(documents(), 0..2),
    );
    (request, policies).prop_map(|(request, policies)| {
        let (principal, (action, resource), owner, team, tags, source, typed) = request;
        let (identity, boundary, session, scoped, attached, scp, rcp) = policies;
        World {
            principal,
            action,
            resource,
            owner,
            team,
            tags,
            source,
            typed: typed.into_iter().flatten().collect(),
            identity,
            boundary,
            session,
            scoped,
            attached,
            scp,
            rcp,
        }
    })
}

/// So many cases, or as many as `PROPTEST_CASES` says.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let said = std::env::var("PROPTEST_CASES").ok().and_then(|said| said.parse().ok());
    ProptestConfig::with_cases(said.unwrap_or(usual))
}
