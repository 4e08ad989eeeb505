//! Where `src/token/dictionary-v1.bin` comes from: synthetic session policies and tags from a fixed seed.
//!
//! The same zstd release trains the same bytes, so the committed file can always be made again. It belongs to
//! token format 1 and never changes; a better one would be a version 2 beside it.

use daypass_model::{Random, SeededRandom};

#[test]
fn the_committed_dictionary_can_be_trained_again() {
    let dice = Dice(SeededRandom::new(0x6461_7970_6173_7331));
    let samples: Vec<Vec<u8>> =
        (0..4000).map(|n| if n % 5 == 4 { tags(&dice) } else { layer(&dice) }).collect();
    let trained = zstd::dict::from_samples(&samples, 8192).unwrap();
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/src/token/dictionary-v1.bin");
    assert!(
        trained == std::fs::read(place).unwrap(),
        "another zstd release? then keep the file and this seed"
    );
}

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % u64::try_from(bound).unwrap()).unwrap()
    }

    fn one<'a>(&self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn name(&self) -> String {
        const WORDS: [&str; 36] = [
            "data",
            "lake",
            "warehouse",
            "orders",
            "events",
            "logs",
            "raw",
            "prod",
            "dev",
            "staging",
            "team",
            "app",
            "backup",
            "images",
            "users",
            "reports",
            "bronze",
            "silver",
            "gold",
            "tmp",
            "export",
            "ml",
            "models",
            "metrics",
            "archive",
            "web",
            "assets",
            "billing",
            "audit",
            "jobs",
            "cache",
            "home",
            "shared",
            "table",
            "db",
            "input",
        ];
        match self.below(3) {
            0 => self.one(&WORDS).to_owned(),
            1 => format!("{}-{}", self.one(&WORDS), self.one(&WORDS)),
            _ => format!("{}-{}-{}", self.one(&WORDS), self.one(&WORDS), self.below(100)),
        }
    }

    fn account(&self) -> String {
        format!("{:012}", self.below(1_000_000_000_000))
    }

    fn region(&self) -> &'static str {
        self.one(&["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "*", ""])
    }
}

/// The bytes a block of session policies has before compression.
fn layer(dice: &Dice) -> Vec<u8> {
    let arns: Vec<String> = (0..if dice.below(4) == 0 { 1 + dice.below(3) } else { 0 })
        .map(|_| match dice.below(3) {
            0 => format!("arn:aws:iam::{}:policy/{}", dice.account(), dice.name()),
            _ => format!("arn:aws:iam::aws:policy/{}", dice.one(&MANAGED)),
        })
        .collect();
    let mut out = vec![1, u8::try_from(arns.len()).unwrap()];
    for arn in &arns {
        put(&mut out, arn);
    }
    out.extend_from_slice(policy(dice).as_bytes());
    out
}

const MANAGED: [&str; 12] = [
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonEC2ReadOnlyAccess",
    "SecurityAudit",
    "job-function/ViewOnlyAccess",
    "CloudWatchLogsFullAccess",
];

/// The bytes a block of tags has before compression.
fn tags(dice: &Dice) -> Vec<u8> {
    let pairs: Vec<(String, String)> = if dice.below(3) == 0 {
        let cluster = dice.name();
        let pod = dice.name();
        vec![
            (
                "eks-cluster-arn".into(),
                format!("arn:aws:eks:{}:{}:cluster/{cluster}", dice.region(), dice.account()),
            ),
            ("eks-cluster-name".into(), cluster),
            (
                "kubernetes-namespace".into(),
                dice.one(&["default", "kube-system", "prod", "monitoring"]).into(),
            ),
            ("kubernetes-service-account".into(), dice.name()),
            (
                "kubernetes-pod-name".into(),
                format!("{pod}-{:010x}-{:05x}", dice.below(1 << 40), dice.below(1 << 20)),
            ),
            (
                "kubernetes-pod-uid".into(),
                format!(
                    "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                    dice.below(1 << 32),
                    dice.below(1 << 16),
                    dice.below(1 << 12),
                    dice.below(1 << 12),
                    dice.below(1 << 48)
                ),
            ),
        ]
    } else {
        const KEYS: [&str; 24] = [
            "Project",
            "CostCenter",
            "Department",
            "Team",
            "team",
            "Environment",
            "Owner",
            "Email",
            "Application",
            "Name",
            "access-project",
            "access-team",
            "cost-center",
            "jobfunction",
            "Repository",
            "Workflow",
            "Actor",
            "Branch",
            "Commit",
            "tenant",
            "TenantID",
            "userName",
            "division",
            "organization",
        ];
        (0..=dice.below(6)).map(|_| (dice.one(&KEYS).to_owned(), value(dice))).collect()
    };
    let mut out = vec![u8::try_from(pairs.len()).unwrap()];
    for (key, value) in pairs {
        put(&mut out, &key);
        put(&mut out, &value);
    }
    out
}

fn value(dice: &Dice) -> String {
    match dice.below(4) {
        0 => dice
            .one(&["production", "development", "test", "Engineering", "Finance", "Automation"])
            .to_owned(),
        1 => format!("{}@example.com", dice.name()),
        2 => dice.below(100_000).to_string(),
        _ => dice.name(),
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.push(u8::try_from(text.len().min(127)).unwrap());
    out.extend_from_slice(text.as_bytes());
}

/// A session policy, spelled as one of the tools that write them spells it.
fn policy(dice: &Dice) -> String {
    let statements: Vec<Json> = (0..=dice.below(3)).map(|_| statement(dice)).collect();
    let mut members = vec![("Version".to_owned(), Json::Text("2012-10-17".into()))];
    let list = if statements.len() == 1 && dice.below(4) == 0 {
        statements.into_iter().next().unwrap()
    } else {
        Json::List(statements)
    };
    members.push(("Statement".to_owned(), list));
    let mut out = String::new();
    let style = dice.one(&["compact", "compact", "python", "python", "two", "four"]);
    Json::Object(members).write(&mut out, style, 0);
    out
}

fn statement(dice: &Dice) -> Json {
    let (actions, resources) = target(dice);
    let mut members = Vec::new();
    if dice.below(3) == 0 {
        members.push((
            "Sid".to_owned(),
            Json::Text(dice.one(&["VisualEditor0", "AllowList", "Read", "Write", "DenyOther"]).into()),
        ));
    }
    members.push(("Effect".to_owned(), Json::Text(if dice.below(8) == 0 { "Deny" } else { "Allow" }.into())));
    members.push(("Action".to_owned(), one_or_many(dice, actions)));
    members.push(("Resource".to_owned(), one_or_many(dice, resources)));
    if dice.below(3) == 0 {
        members.push(("Condition".to_owned(), condition(dice)));
    }
    Json::Object(members)
}

fn one_or_many(dice: &Dice, mut texts: Vec<String>) -> Json {
    if texts.len() == 1 && dice.below(2) == 0 {
        return Json::Text(texts.remove(0));
    }
    Json::List(texts.into_iter().map(Json::Text).collect())
}

fn target(dice: &Dice) -> (Vec<String>, Vec<String>) {
    const S3: [&str; 14] = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:ListBucket",
        "s3:GetBucketLocation",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
        "s3:ListBucketMultipartUploads",
        "s3:GetObjectVersion",
        "s3:GetObjectTagging",
        "s3:PutObjectTagging",
        "s3:ListBucketVersions",
        "s3:*",
        "s3:Get*",
    ];
    const OTHERS: [(&str, &[&str]); 9] = [
        (
            "dynamodb",
            &["GetItem", "PutItem", "Query", "Scan", "UpdateItem", "BatchGetItem", "DeleteItem", "*"],
        ),
        (
            "sqs",
            &["SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueUrl", "GetQueueAttributes", "*"],
        ),
        ("sns", &["Publish", "Subscribe"]),
        ("kms", &["Decrypt", "Encrypt", "GenerateDataKey", "DescribeKey"]),
        ("logs", &["CreateLogGroup", "CreateLogStream", "PutLogEvents"]),
        ("secretsmanager", &["GetSecretValue", "DescribeSecret"]),
        ("ec2", &["Describe*", "StartInstances", "StopInstances", "RunInstances"]),
        ("sts", &["AssumeRole", "GetFederationToken", "TagSession", "GetCallerIdentity"]),
        ("iam", &["PassRole", "GetUser", "List*", "GetRole"]),
    ];
    if dice.below(3) > 0 {
        let actions = (0..=dice.below(5)).map(|_| dice.one(&S3).to_owned()).collect();
        let bucket = dice.name();
        let resources = match dice.below(4) {
            0 => vec![format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
            1 => vec![format!("arn:aws:s3:::{bucket}/${{aws:username}}/*")],
            2 => vec![format!("arn:aws:s3:::{bucket}/{}/{}/{}/*", dice.name(), dice.name(), dice.name())],
            _ => vec![format!("arn:aws:s3:::{bucket}/federated-user/{}/*", dice.name())],
        };
        return (actions, resources);
    }
    let (service, names) = OTHERS[dice.below(OTHERS.len())];
    let actions = (0..=dice.below(3)).map(|_| format!("{service}:{}", dice.one(names))).collect();
    let (region, account, name) = (dice.region(), dice.account(), dice.name());
    let resource = match service {
        _ if dice.below(3) == 0 => "*".to_owned(),
        "dynamodb" => format!("arn:aws:dynamodb:{region}:{account}:table/{name}"),
        "kms" => format!("arn:aws:kms:{region}:{account}:key/*"),
        "logs" => format!("arn:aws:logs:{region}:{account}:log-group:{name}:*"),
        "secretsmanager" => format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-*"),
        "ec2" => format!("arn:aws:ec2:{region}:{account}:instance/*"),
        "sts" | "iam" => format!("arn:aws:iam::{account}:role/{name}"),
        _ => format!("arn:aws:{service}:{region}:{account}:{name}"),
    };
    (actions, vec![resource])
}

fn condition(dice: &Dice) -> Json {
    let bucket = dice.name();
    let (operator, key, values) = match dice.below(9) {
        0 => ("StringLike", "s3:prefix", vec![format!("{bucket}/*")]),
        1 => ("StringEquals", "s3:prefix", vec![String::new(), format!("{bucket}/")]),
        2 => ("IpAddress", "aws:SourceIp", vec!["203.0.113.0/24".to_owned()]),
        3 => ("Bool", "aws:SecureTransport", vec!["true".to_owned()]),
        4 => ("Bool", "aws:MultiFactorAuthPresent", vec!["true".to_owned()]),
        5 => ("StringEquals", "aws:ResourceTag/team", vec!["${aws:PrincipalTag/team}".to_owned()]),
        6 => ("DateLessThan", "aws:CurrentTime", vec!["2027-01-01T00:00:00Z".to_owned()]),
        7 => ("StringEquals", "aws:RequestedRegion", vec!["eu-west-1".to_owned(), "us-east-1".to_owned()]),
        _ => ("ForAllValues:StringEquals", "dynamodb:LeadingKeys", vec!["${aws:userid}".to_owned()]),
    };
    Json::Object(vec![(operator.to_owned(), Json::Object(vec![(key.to_owned(), one_or_many(dice, values))]))])
}

enum Json {
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn write(&self, out: &mut String, style: &str, depth: usize) {
        let (comma, colon) = match style {
            "compact" => (",", ":"),
            "python" => (", ", ": "),
            _ => (",", ": "),
        };
        let indent = match style {
            "two" => 2,
            "four" => 4,
            _ => 0,
        };
        let line = |out: &mut String, depth: usize| {
            if indent > 0 {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent * depth));
            }
        };
        match self {
            Self::Text(text) => out.push_str(&format!("\"{text}\"")),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { comma } else { "" });
                    line(out, depth + 1);
                    item.write(out, style, depth + 1);
                }
                line(out, depth);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    out.push_str(if at > 0 { comma } else { "" });
                    line(out, depth + 1);
                    out.push_str(&format!("\"{key}\"{colon}"));
                    value.write(out, style, depth + 1);
                }
                line(out, depth);
                out.push('}');
            }
        }
    }
}
