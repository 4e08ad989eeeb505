//! Self-contained evaluation cases: one JSON object with a request, its policies and the decision expected.
//!
//! The format is that of the files in `tests/cases`; their README describes it. A case's context is complete:
//! nothing is added to it.

mod caller;

use self::caller::{Caller, read_caller};
use crate::context::Context;
use crate::decision::Decision;
use crate::evaluate::{Level, Named, Policies, evaluate};
use crate::explain::{Explanation, explain};
use crate::json::{self, Node, Value};
use crate::policy::Policy;
use crate::request::Request;

/// The members of `policies`.
const KINDS: [&str; 6] = ["identity", "boundary", "session", "resource", "scp", "rcp"];
/// The members of a case that its decision depends on.
const FACTS: [&str; 6] = ["principal", "account", "action", "resource", "context", "policies"];
/// Those that it does not depend on.
const REMARKS: [&str; 9] =
    ["id", "category", "expected", "expect", "reason", "soft", "open", "note", "comment"];
/// Longest line read as a case, in characters.
const CHARACTERS_MAX: usize = 1 << 20;

/// One case.
#[derive(Debug)]
pub struct Case {
    /// Its name.
    pub id: String,
    /// The group it is counted in.
    pub category: String,
    /// The decision expected: `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`. Empty when not given.
    pub expected: String,
    /// For contested cases, the name of the point.
    pub reason: Option<String>,
    /// For cases on which the documentation is silent, the name of the point.
    pub soft: Option<String>,
    /// Whether either answer is defensible.
    pub open: bool,
    caller: Caller,
    action: String,
    resource: String,
    resource_account: Option<String>,
    context: Context,
    identity: Vec<Entry>,
    boundary: Option<Vec<Entry>>,
    session: Option<Entry>,
    attached: Option<Entry>,
    scp: Vec<LevelEntry>,
    rcp: Vec<LevelEntry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    policy: Policy,
}

#[derive(Debug)]
struct LevelEntry {
    name: String,
    policies: Vec<Entry>,
}

impl Case {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// A sentence saying what is wrong: no JSON, a member missing or of another type, a policy that does not
    /// keep to the grammar.
    pub fn parse(line: &str) -> Result<Case, String> {
        let node = json::parse(line, CHARACTERS_MAX).map_err(|error| error.to_string())?;
        if let Some(kind) = KINDS.iter().find(|kind| **kind != "resource" && node.get(kind).is_some()) {
            return Err(format!("`{kind}` belongs into `policies`"));
        }
        known_members("a case", &node, &[&FACTS[..], &REMARKS].concat())?;
        let resource = member(&node, "resource")?;
        let policies = member(&node, "policies")?;
        known_members("`resource`", resource, &["arn", "account"])?;
        known_members("`policies`", policies, &KINDS)?;
        let context = read_context(member(&node, "context")?)?;
        let action = read_action(&node)?;
        Ok(Case {
            id: text(&node, "id")?,
            category: optional_text(&node, "category")?.unwrap_or_default(),
            expected: optional_text(&node, "expected")?.unwrap_or_default(),
            reason: remark(&node, "reason"),
            soft: remark(&node, "soft"),
            open: node.get("open").is_some_and(|open| open.value == Value::Bool(true)),
            caller: read_caller(&node, &context, &action)?,
            action,
            resource: text(resource, "arn")?,
            resource_account: optional_text(resource, "account")?,
            context,
            identity: present(policies, "identity").map_or(Ok(Vec::new()), read_entries)?,
            boundary: present(policies, "boundary").map(read_entries).transpose()?,
            session: present(policies, "session").map(|node| read_policy("session", node)).transpose()?,
            attached: present(policies, "resource").map(|node| read_policy("resource", node)).transpose()?,
            scp: present(policies, "scp").map_or(Ok(Vec::new()), read_levels)?,
            rcp: present(policies, "rcp").map_or(Ok(Vec::new()), read_levels)?,
        })
    }

    /// Evaluates it.
    #[must_use]
    pub fn decide(&self) -> Decision<'static> {
        self.with(|request, policies| evaluate(request, policies).into_owned())
    }

    /// Evaluates it and says why.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        self.with(explain)
    }

    /// Whether the decision is the expected one.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.decide().effect.as_str() == self.expected
    }

    fn with<T>(&self, answer: impl FnOnce(&Request<'_>, &Policies<'_>) -> T) -> T {
        let request = Request {
            principal: self.caller.principal(),
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account.as_deref(),
            context: &self.context,
        };
        let identity = named(&self.identity);
        let boundary = self.boundary.as_deref().map(named);
        let session: Option<[Named<'_>; 1]> = self.session.as_ref().map(|entry| [entry.named()]);
        let layers: Vec<&[Named<'_>]> = session.iter().map(<[Named<'_>; 1]>::as_slice).collect();
        let scp: Vec<_> = self.scp.iter().map(|level| named(&level.policies)).collect();
        let rcp: Vec<_> = self.rcp.iter().map(|level| named(&level.policies)).collect();
        let policies = Policies {
            identity: &identity,
            boundary: boundary.as_deref(),
            session: &layers,
            scoped: &[],
            resource: self.attached.as_ref().map(Entry::named),
            scp: &levels(&self.scp, &scp),
            rcp: &levels(&self.rcp, &rcp),
        };
        answer(&request, &policies)
    }
}

impl Entry {
    fn named(&self) -> Named<'_> {
        Named { id: &self.name, policy: &self.policy }
    }
}

fn named(entries: &[Entry]) -> Vec<Named<'_>> {
    entries.iter().map(Entry::named).collect()
}

fn levels<'a>(entries: &'a [LevelEntry], named: &'a [Vec<Named<'a>>]) -> Vec<Level<'a>> {
    entries.iter().zip(named).map(|(entry, policies)| Level { name: &entry.name, policies }).collect()
}

/// No policy could speak of anything else, so every answer about it would be a misleading "no".
fn read_action(case: &Node) -> Result<String, String> {
    let action = text(case, "action")?;
    let part = |part: &str| !part.is_empty() && !part.contains([':', '*', '?', ' ']);
    if action.split_once(':').is_some_and(|(service, name)| part(service) && part(name)) {
        return Ok(action);
    }
    Err(format!("the action `{action}` is no `service:Name`"))
}

fn read_context(node: &Node) -> Result<Context, String> {
    let mut context = Context::new();
    for member in node.as_object().ok_or("`context` is not an object")? {
        let key = &member.name;
        // Keys have no case: one of the two values would have no say.
        if context.get(key).is_some() {
            return Err(format!("the context key `{key}` stands there twice, in upper and lower case"));
        }
        match &member.node.value {
            Value::String(value) => context.insert(key, value.as_str()),
            Value::Array(nodes) => {
                let values = nodes.iter().map(|node| node.as_str().map(str::to_owned));
                let values = values.collect::<Option<Vec<_>>>();
                let values = values
                    .ok_or_else(|| format!("the context key `{key}` holds something else than texts"))?;
                context.insert_list(key, values);
            }
            _ => return Err(format!("the context key `{key}` is neither a text nor a list")),
        }
    }
    Ok(context)
}

fn read_entries(node: &Node) -> Result<Vec<Entry>, String> {
    let nodes = node.as_array().ok_or("a list of policies is not a list")?;
    let entry = |node| {
        known_members("a policy of a list", node, &["name", "policy"])?;
        read_policy(&text(node, "name")?, member(node, "policy")?)
    };
    nodes.iter().map(entry).collect()
}

fn read_levels(node: &Node) -> Result<Vec<LevelEntry>, String> {
    let nodes = node.as_array().ok_or("a list of levels is not a list")?;
    let level = |node| {
        known_members("a level", node, &["level", "policies"])?;
        Ok(LevelEntry { name: text(node, "level")?, policies: read_entries(member(node, "policies")?)? })
    };
    nodes.iter().map(level).collect()
}

fn read_policy(name: &str, node: &Node) -> Result<Entry, String> {
    let policy = Policy::from_node(node)
        .map_err(|fault| format!("the policy `{name}` breaks the grammar at byte {}", fault.offset))?;
    Ok(Entry { name: name.to_owned(), policy })
}

/// A policy or a fact under a name with a slip in it would have no say, and nobody would know.
fn known_members(of: &str, node: &Node, known: &[&str]) -> Result<(), String> {
    let members = node.as_object().ok_or_else(|| format!("{of} is not an object"))?;
    match members.iter().find(|member| !known.contains(&member.name.as_str())) {
        Some(member) => {
            Err(format!("{of} has no member `{}`; it may have {}", member.name, known.join(", ")))
        }
        None => Ok(()),
    }
}

fn member<'n>(node: &'n Node, name: &str) -> Result<&'n Node, String> {
    node.get(name).ok_or_else(|| format!("`{name}` is missing"))
}

/// A member that is there and not null.
fn present<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    node.get(name).filter(|node| node.value != Value::Null)
}

fn text(node: &Node, name: &str) -> Result<String, String> {
    optional_text(node, name)?.ok_or_else(|| format!("`{name}` is missing"))
}

/// What has no say in the decision may be anything.
fn remark(node: &Node, name: &str) -> Option<String> {
    present(node, name)?.as_str().map(str::to_owned)
}

/// A text, if there is one: what is something else must not pass for nothing.
fn optional_text(node: &Node, name: &str) -> Result<Option<String>, String> {
    let text = |node: &Node| node.as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` is no text"));
    present(node, name).map(text).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(before: &str, policies: &str) -> Result<Case, String> {
        Case::parse(&format!(
            r#"{{"id":"a","principal":"arn:aws:iam::111122223333:user/a","account":"111122223333","action":"s3:GetObject",{before}
                "resource":{{"arn":"arn:aws:s3:::b/k","account":"111122223333"}},"context":{{}},"policies":{{{policies}}}}}"#
        ))
    }

    #[test]
    fn a_kind_of_policy_that_is_misspelt_or_misplaced_is_refused() {
        let none = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
        assert!(case("", &format!(r#""identity":[],"session":{none}"#)).is_ok());
        for slip in ["boundry", "sesion", "permissionsBoundary", "sc", "Session"] {
            let why = case("", &format!(r#""identity":[],"{slip}":{none}"#)).unwrap_err();
            assert!(why.contains(slip) && why.contains("boundary"), "{why}");
        }
        let why = case(&format!(r#""session":{none},"#), r#""identity":[]"#).unwrap_err();
        assert_eq!(why, "`session` belongs into `policies`");
        assert!(case("", r#""identity":[]"#).is_ok());
    }

    #[test]
    fn what_is_no_action_is_refused() {
        let with = |action: &str| {
            let line = r#"{"id":"a","principal":{"type":"Anonymous"},"action":ACTION,"resource":{"arn":"*"},"context":{},"policies":{}}"#;
            Case::parse(&line.replace("ACTION", &format!("{action:?}")))
        };
        for action in ["s3:GetObject", "S3:getobject", "my-service:Do_It"] {
            assert!(with(action).is_ok(), "{action}");
        }
        for action in ["", ":", "GetObject", "s3:", ":GetObject", "s3:*", "s3:Get?bject", "s3:a:b", " s3:a"] {
            assert_eq!(with(action).unwrap_err(), format!("the action `{action}` is no `service:Name`"));
        }
    }

    #[test]
    fn context_keys_that_differ_only_in_case_are_refused() {
        let with = |context: &str| {
            let line = r#"{"id":"a","principal":{"type":"Anonymous"},"action":"s3:GetObject","resource":{"arn":"*"},"context":CONTEXT,"policies":{}}"#;
            Case::parse(&line.replace("CONTEXT", context))
        };
        assert!(with(r#"{"aws:SourceIp":"192.0.2.7","aws:SourceVpc":"v"}"#).is_ok());
        for context in
            [r#"{"aws:SourceIp":"1","AWS:sourceIP":"2"}"#, r#"{"aws:SourceIp":[],"AWS:sourceIP":[]}"#]
        {
            let why = with(context).unwrap_err();
            assert_eq!(why, "the context key `AWS:sourceIP` stands there twice, in upper and lower case");
        }
    }

    #[test]
    fn a_member_that_nobody_reads_is_refused_by_name_wherever_it_stands() {
        let line = r#"{"id":"a","note":"n","soft":true,"reason":["r"],"principal":{"type":"Anonymous"},"account":null,"action":"s3:GetObject","resource":{"arn":"arn:aws:s3:::b/k","account":"111122223333"},"context":{},"policies":{"identity":[{"name":"p","policy":{"Statement":[]}}],"scp":[{"level":"root","policies":[]}]}}"#;
        Case::parse(line).unwrap();
        for (from, to, refused) in [
            (r#""account":null"#, r#""acount":"111122223333""#, "a case has no member `acount`"),
            (r#""type":"Anonymous""#, r#""type":"Anonymous","x":1"#, "`principal` has no member `x`"),
            (r#""arn":"#, r#""ARN":1,"arn":"#, "`resource` has no member `ARN`"),
            (r#""name":"#, r#""sid":"s","name":"#, "a policy of a list has no member `sid`"),
            (r#""level":"#, r#""levle":1,"level":"#, "a level has no member `levle`"),
            (r#""account":null"#, r#""account":111122223333"#, "`account` is no text"),
        ] {
            let why = Case::parse(&line.replacen(from, to, 1)).unwrap_err();
            assert!(why.starts_with(refused), "{why}");
        }
    }
}
