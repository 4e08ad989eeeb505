//! The errors of every action, beside what was written down from the public references. In
//! `golden/<service>/<Action>.json`, `errors` are calls that are refused and the words in which they are; `never` says why
//! no call gets an error that the model declares, or which test shows it.
//!
//! A `source` names the public document, and behind it where the words come from: `captured` from AWS by others who
//! publish what they recorded, known from AWS without such a record, formed after such words, or ours.
//!
//! What all actions have alike is shown elsewhere: identities that are not proven and kinds of credentials that an action
//! does not take in `matrix`, what can be wrong with any parameter in the tests of `params`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use daypass_service::Error;
use daypass_service::shapes::{self, Bounds, Kind, Member};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::examples::{EXAMPLES, Example, UNSIGNED};
use crate::golden::golden;
use crate::support::Keys;
use crate::world::World;

/// The part of a golden file that is read here.
#[derive(Deserialize)]
struct Golden {
    errors: Vec<Refusal>,
    /// Codes, and why no call is answered with them.
    #[serde(default)]
    never: BTreeMap<String, String>,
}

/// A refusal, and how to get it: by the action's example, changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    code: String,
    status: u16,
    message: String,
    when: String,
    source: String,
    /// Who calls, where it is not the administrator.
    #[serde(rename = "as")]
    who: Option<Who>,
    /// What was done before.
    #[serde(default)]
    before: Vec<Call>,
    /// Parameters that are not the example's.
    #[serde(default)]
    change: Map<String, Value>,
    /// A state of the world that no call brings about.
    state: Option<State>,
    /// The test that shows it, where one call does not.
    test: Option<String>,
}

/// A caller.
#[derive(Deserialize)]
#[serde(untagged)]
enum Who {
    /// `denied`, to whom no policy allows anything, or one of the matrix's kinds.
    Kind(String),
    /// Whoever has the credentials that a call answers.
    Made(Box<Call>),
}

/// A call that is done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    /// `iam:CreateUser`
    action: String,
    #[serde(default)]
    params: Map<String, Value>,
    /// So many such calls; if several, `{n}` in a parameter is which.
    #[serde(default = "once")]
    times: usize,
    #[serde(rename = "as")]
    who: Option<Who>,
}

fn once() -> usize {
    1
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// The roles under `/ci/` are roles of an AWS service.
    RolesOfAws,
}

impl Golden {
    fn of(example: &Example) -> Self {
        let name = example.permission();
        serde_json::from_value(golden(example)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn codes(&self) -> BTreeSet<&str> {
        self.errors.iter().map(|refusal| refusal.code.as_str()).collect()
    }

    /// Whether a refusal tells of this member that it `must`…
    fn tells(&self, member: &str, must: &str) -> bool {
        let rule = format!("'{}' failed to satisfy constraint: {must}", lower_first(member));
        self.errors.iter().any(|refusal| refusal.message.contains(&rule))
    }
}

impl State {
    async fn of(self, world: &World) -> World {
        let Self::RolesOfAws = self;
        let moved = |text: String| text.replace(r#""path":"/ci/""#, r#""path":"/aws-service-role/ci/""#);
        let house =
            world.house.copy_with(|record| moved(String::from_utf8(record.value.to_vec()).unwrap()).into());
        world.on(house.await)
    }
}

impl Refusal {
    /// What is told otherwise.
    async fn differs(&self, world: &World, example: &Example) -> Option<String> {
        let (what, expected) = (example.permission(), filled(world, &self.message));
        let Err(error) = self.call(world, example).await else {
            return Some(format!("{what}, {}: it was done", self.when));
        };
        let told = daypass_service::rest::code(example.service, error.code);
        let same = (told, error.message.as_str()) == (self.code.as_str(), expected.as_str());
        let both =
            || format!("{what}, {}:\n  {} {expected}\n  {told} {}", self.when, self.code, error.message);
        (!same).then(both)
    }

    async fn call(&self, world: &World, example: &Example) -> Result<Value, Error> {
        for call in &self.before {
            made(world, call).await;
        }
        let mut who = keys(world, self.who.as_ref()).await;
        if self.who.as_ref().is_none_or(|who| matches!(who, Who::Kind(kind) if kind == "denied")) {
            who = world.as_taken(&who, example).await;
        }
        let (service, action) = example.name();
        let http = world.signed(&who, example);
        let params = example.params_with(world, &changes(world, &self.change));
        world.house.send_http(http, service, action, "any", params).await
    }
}

async fn keys(world: &World, who: Option<&Who>) -> Keys {
    match who {
        None => world.admin.clone(),
        Some(Who::Kind(kind)) if kind == "denied" => world.caller.clone(),
        Some(Who::Kind(kind)) => world.caller_of(kind).await,
        Some(Who::Made(call)) => {
            let answer = Box::pin(made(world, call)).await;
            Keys::of(answer.get("Credentials").unwrap_or(&answer["AccessKey"]))
        }
    }
}

/// Do it; the last answer.
async fn made(world: &World, call: &Call) -> Value {
    let who = keys(world, call.who.as_ref()).await;
    let (service, action) = call.action.split_once(':').unwrap();
    let mut last = Value::Null;
    for n in 1..=call.times {
        let mut text = Value::Object(call.params.clone()).to_string();
        if call.times > 1 {
            text = text.replace("{n}", &n.to_string());
        }
        let params = changes(world, &serde_json::from_str(&text).unwrap());
        let answer = match service {
            "daypass" => world.house.call_json(&who, action, &Value::Object(params)).await,
            "rolesanywhere" | "eks" => {
                let service = shapes::service(service).unwrap().name;
                world.house.call_rest(&who, service, action, &Value::Object(params)).await
            }
            _ => {
                let pairs: Vec<_> =
                    params.iter().map(|(name, value)| (&**name, value.as_str().unwrap())).collect();
                let service = if service == "sts" { "sts" } else { "iam" };
                world.house.call(&who, service, action, &pairs).await
            }
        };
        last = answer.unwrap_or_else(|error| panic!("{} {text}: {error}", call.action));
    }
    last
}

/// Parameters as they are sent. `Tags.member.{1..51}.Key` stands for fifty-one of them, whose number is `{n}` in the value.
fn changes(world: &World, change: &Map<String, Value>) -> Map<String, Value> {
    let one = |(name, value): (&String, &Value)| match name.split_once("{1..") {
        None => vec![(name.clone(), sent(world, value))],
        Some((before, rest)) => {
            let (last, after) = rest.split_once('}').unwrap();
            let numbered = |n: usize| {
                let text = value.as_str().unwrap().replace("{n}", &n.to_string());
                (format!("{before}{n}{after}"), Value::String(filled(world, &text)))
            };
            (1..=last.parse().unwrap()).map(numbered).collect()
        }
    };
    change.iter().flat_map(one).collect()
}

fn sent(world: &World, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(filled(world, text)),
        Value::Array(items) => items.iter().map(|item| sent(world, item)).collect(),
        Value::Object(parts) => parts.iter().map(|(name, part)| (name.clone(), sent(world, part))).collect(),
        other => other.clone(),
    }
}

/// A text with what only the world knows, and `{65*x}` for 65 times `x`.
fn filled(world: &World, text: &str) -> String {
    let text = world.fill(text);
    let (mut out, mut rest) = (String::new(), text.as_str());
    while let Some((before, from)) = rest.split_once('{') {
        out.push_str(before);
        let repeated = from.split_once('}').and_then(|(inside, after)| {
            let (times, what) = inside.split_once('*')?;
            Some((what.repeat(times.parse().ok()?), after))
        });
        let (text, after) = repeated.unwrap_or_else(|| ("{".into(), from));
        out.push_str(&text);
        rest = after;
    }
    out + rest
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

#[tokio::test]
async fn every_error_is_answered_as_the_references_say() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for example in EXAMPLES.iter().chain(UNSIGNED) {
        // A refused call leaves nothing behind, so that those without a stage of their own share one world.
        let shared = world.copy_for(example).await;
        for refusal in Golden::of(example).errors.iter().filter(|refusal| refusal.test.is_none()) {
            let difference = match refusal.state {
                Some(state) => refusal.differs(&state.of(&world).await, example).await,
                None if refusal.before.is_empty() => refusal.differs(&shared, example).await,
                None => refusal.differs(&world.copy_for(example).await, example).await,
            };
            wrong.extend(difference);
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Codes that the model of an operation declares.
fn declared(example: &Example) -> BTreeSet<String> {
    let read = |path: &str| -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api").join(path);
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let (service, action) = example.name();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    if service == "daypass" {
        let model = read("daypass/2026-11-01/service-2.json");
        let errors = model["operations"][action]["errors"].as_array().unwrap();
        return errors
            .iter()
            .map(|error| text(&model["shapes"][text(&error["shape"])]["error"]["code"]))
            .collect();
    }
    let rest = shapes::service(service).unwrap().rest;
    let model = &read(if rest { "rest-shapes.json" } else { "input-shapes.json" })["services"][service];
    let errors = model["ops"][action]["err"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|name| text(&model["errors"][text(name)]["code"])).collect()
}

/// Whether the model bounds a text or number.
fn is_bounded(member: &Member) -> bool {
    let some = |Bounds(min, max): Bounds| min.is_some() || max.is_some();
    match &member.shape.kind {
        Kind::String(text) => some(text.length) || text.pattern.is_some() || !text.values.is_empty(),
        Kind::Integer(bounds) | Kind::Long(bounds) => some(*bounds),
        _ => false,
    }
}

#[test]
fn every_error_of_the_model_every_parameter_and_every_denial_is_in_the_golden_files() {
    let mut missing = Vec::new();
    for example in EXAMPLES.iter().chain(UNSIGNED) {
        let (golden, name) = (Golden::of(example), example.permission());
        let mut wanted = declared(example);
        wanted.insert(daypass_service::rest::code(example.service, "AccessDenied").into());
        let told = golden.codes();
        let untold =
            wanted.iter().filter(|code| !told.contains(code.as_str()) && !golden.never.contains_key(*code));
        missing.extend(untold.map(|code| format!("{name}: {code}")));
        let both = golden.never.keys().filter(|code| told.contains(code.as_str()));
        missing.extend(both.map(|code| format!("{name}: {code} is told, though it is never")));
        let strange = golden.never.keys().filter(|code| !wanted.contains(*code));
        missing.extend(strange.map(|code| format!("{name}: no model declares {code}, which is never")));
        let (service, action) = example.name();
        for member in shapes::operation(service, action).unwrap().input.members {
            let at = lower_first(member.name);
            if member.required && !golden.tells(member.name, "Member must not be null") {
                missing.push(format!("{name}: without {}", member.name));
            }
            let characters = format!("The specified value for {at} is invalid.");
            let bound = ["have", "satisfy"]
                .iter()
                .any(|must| golden.tells(member.name, &format!("Member must {must}")));
            let bound = bound || golden.errors.iter().any(|refusal| refusal.message.contains(&characters));
            if is_bounded(member) && !bound {
                missing.push(format!("{name}: {} out of bounds", member.name));
            }
        }
    }
    assert!(missing.is_empty(), "{} pieces are missing:\n{}", missing.len(), missing.join("\n"));
    print_counts();
}

#[test]
fn every_golden_error_has_the_status_of_its_model_and_names_its_source() {
    for example in EXAMPLES.iter().chain(UNSIGNED) {
        for refusal in Golden::of(example).errors {
            let what = format!("{}, {}", example.permission(), refusal.when);
            assert!(!refusal.when.is_empty() && !refusal.source.is_empty(), "{what}: {}", refusal.source);
            let declared = shapes::service(example.service).unwrap().error(&refusal.code);
            if let Some(declared) = declared {
                assert_eq!(declared.status, refusal.status, "{what}");
            }
        }
    }
}

#[test]
fn the_tests_that_golden_files_name_exist() {
    for example in EXAMPLES.iter().chain(UNSIGNED) {
        let golden = Golden::of(example);
        let named = golden.errors.iter().filter_map(|refusal| refusal.test.as_deref());
        let in_reasons = golden.never.values().flat_map(|reason| reason.split('`').skip(1).step_by(2));
        for (module, test) in named.chain(in_reasons).filter_map(|name| name.split_once("::")) {
            let path = format!("{}/tests/it/{module}.rs", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(
                text.contains(&format!("fn {test}(")),
                "{}: no test {module}::{test}",
                example.permission()
            );
        }
    }
}

/// How many there are, for the record.
#[expect(clippy::print_stdout, reason = "a figure that the test prints")]
fn print_counts() {
    for service in ["sts", "iam", "daypass", "eks", "eks-auth", "rolesanywhere"] {
        let files: Vec<_> = EXAMPLES
            .iter()
            .chain(UNSIGNED)
            .filter(|example| example.service == service)
            .map(Golden::of)
            .collect();
        let errors: Vec<_> = files.iter().flat_map(|golden| &golden.errors).collect();
        let sentences: BTreeSet<_> = errors.iter().map(|refusal| (&refusal.code, &refusal.message)).collect();
        let elsewhere = errors.iter().filter(|refusal| refusal.test.is_some()).count();
        let never: usize = files.iter().map(|golden| golden.never.len()).sum();
        println!(
            "{service}: {} actions, {} errors ({elsewhere} in tests of their own), {} different answers, {never} never",
            files.len(),
            errors.len(),
            sentences.len(),
        );
    }
}
