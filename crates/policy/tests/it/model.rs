//! Random requests and policies as plain data, small enough that they often meet each other.
//!
//! The second evaluator reads the data, the engine reads the JSON made from it.

use daypass_policy::{Context, Policy, Principal};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{ACCOUNT, FEDERATED, OTHER, ROLE, Scene, USER};

#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) deny: bool,
    pub(crate) not_action: bool,
    pub(crate) actions: Vec<&'static str>,
    pub(crate) not_resource: bool,
    pub(crate) resources: Vec<&'static str>,
    /// Operator, key, values.
    pub(crate) conditions: Vec<(&'static str, &'static str, Vec<&'static str>)>,
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

fn statement() -> impl Strategy<Value = Statement> {
    let condition = (
        prop::sample::select(vec![
            "StringEquals",
            "StringNotEquals",
            "StringLikeIfExists",
            "ForAnyValue:StringEquals",
            "ForAllValues:StringLike",
            "ForAnyValue:StringNotEquals",
        ]),
        prop::sample::select(vec!["aws:PrincipalTag/TEAM", "aws:tagkeys"]),
        prop::collection::vec(prop::sample::select(vec!["blue", "red", "b*"]), 1..3),
    );
    let arn_condition = (
        prop::sample::select(vec![
            "ArnEquals",
            "ArnNotEquals",
            "ArnNotLikeIfExists",
            "ForAllValues:ArnNotLike",
        ]),
        Just("aws:SourceArn"),
        prop::collection::vec(prop::sample::select(&SOURCES[..]), 1..3),
    );
    let condition = prop_oneof![condition, arn_condition];
    (
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
        prop::collection::vec(prop::sample::select(&PATTERNS[..]), 1..3),
        prop::bool::weighted(0.1),
        prop::collection::vec(prop::sample::select(&RESOURCES[..]), 1..3),
        prop_oneof![3 => Just(Vec::new()), 1 => condition.prop_map(|condition| vec![condition])],
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
        let (principal, (action, resource), owner, team, tags, source) = request;
        let (identity, boundary, session, scoped, attached, scp, rcp) = policies;
        World {
            principal,
            action,
            resource,
            owner,
            team,
            tags,
            source,
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
