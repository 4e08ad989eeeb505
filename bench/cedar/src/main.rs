//! The middling question of `daypass-bench`, put to daypass and to the cedar-policy crate in turns.
//!
//! Both have their policies parsed and compiled, and the request with everything that belongs to it (context, entities)
//! built, before the clock runs: what is measured is `daypass_policy::evaluate` and `Authorizer::is_authorized`. Cedar has
//! no wildcards in actions, so every wildcard of an action is a group that the action is a member of, which is how its
//! authors advise to say it; a resource's ARN is a text of the resource. There is no schema, and no policy template.

use std::error::Error;
use std::hint::black_box;
use std::str::FromStr;
use std::time::Instant;

use allocation_counter::measure;
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use daypass_policy::{Named, Policies, Policy, evaluate};

#[path = "../../src/question.rs"]
mod question;

/// Rounds of each, of which the best counts, and the calls of one: about a millisecond.
const ROUNDS: usize = 1000;
const CALLS: u32 = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "\nthe same decision by daypass and by cedar-policy 4, ns a call, best of {ROUNDS} rounds in turns; allocations"
    );
    compare(false, "half of the action's service")?;
    compare(true, "all of the action's service")
}

/// Puts the question to both, and prints two lines.
fn compare(one_service: bool, name: &str) -> Result<(), Box<dyn Error>> {
    let parsed: Vec<Policy> =
        question::documents(one_service).iter().map(|text| Policy::parse(text)).collect::<Result<_, _>>()?;
    let identity: Vec<_> = parsed.iter().map(|policy| Named { id: "p", policy }).collect();
    let policies = Policies { identity: &identity, ..Policies::default() };
    let context = question::context();
    let request = question::request(&context, question::OBJECT);
    let ours = || evaluate(black_box(&request), black_box(&policies));

    let set = PolicySet::from_str(&statements(one_service))?;
    let entities = Entities::from_json_str(&entities(one_service), None)?;
    let id = |kind: &str, id: &str| EntityUid::from_str(&format!("{kind}::\"{id}\""));
    let cedar_request = Request::new(
        id("Role", question::ROLE)?,
        id("Action", question::ACTION)?,
        id("Object", question::OBJECT)?,
        Context::from_json_str(&facts(), None)?,
        None,
    )?;
    let authorizer = Authorizer::new();
    let theirs =
        || authorizer.is_authorized(black_box(&cedar_request), black_box(&set), black_box(&entities));

    let answer = theirs();
    let errors = answer.diagnostics().errors().count();
    if !ours().is_allowed() || answer.decision() != Decision::Allow || errors > 0 {
        return Err(format!("{name}: not both allow it, {errors} errors").into());
    }
    let (mut best_of_ours, mut best_of_theirs) = (u128::MAX, u128::MAX);
    for _ in 0..ROUNDS {
        best_of_ours = best_of_ours.min(round(ours));
        best_of_theirs = best_of_theirs.min(round(theirs));
    }
    let print = |nanos: u128, allocations: u64, who: &str| {
        println!(
            "{:>10} {allocations:>6}  {who}: 5 policies of 4 statements, {name}",
            nanos / u128::from(CALLS)
        );
    };
    print(best_of_ours, measure(|| drop(ours())).count_total, "daypass");
    print(best_of_theirs, measure(|| drop(theirs())).count_total, "cedar-policy");
    Ok(())
}

/// Nanoseconds of one round.
#[expect(clippy::disallowed_methods, reason = "a measured stretch of time, not the time of day")]
fn round<T>(call: impl Fn() -> T) -> u128 {
    let started = Instant::now();
    for _ in 0..CALLS {
        drop(black_box(call()));
    }
    started.elapsed().as_nanos()
}

/// Each statement as a policy of Cedar.
fn statements(one_service: bool) -> String {
    let statement = |line: &question::Line| {
        let effect = if line.effect == "Allow" { "permit" } else { "forbid" };
        format!(
            "{effect}(principal, action in Action::\"{}\", resource) when {{ resource.arn like \"{}\" && \
             context.team like \"{}\" && context.secure == {} }};\n",
            line.action,
            line.resource,
            question::TEAM,
            line.secure
        )
    };
    question::lines(one_service).iter().flatten().map(statement).collect()
}

/// The caller, the object, and the action with the groups that it is a member of.
fn entities(one_service: bool) -> String {
    let all = question::lines(one_service);
    let mut groups: Vec<&str> =
        all.iter().flatten().map(|line| line.action).filter(|action| fits(action)).collect();
    groups.sort_unstable();
    groups.dedup();
    let parents: Vec<String> =
        groups.iter().map(|group| format!(r#"{{"type":"Action","id":"{group}"}}"#)).collect();
    let entity = |kind: &str, id: &str, attributes: &str, parents: &str| {
        format!(r#"{{"uid":{{"type":"{kind}","id":"{id}"}},"attrs":{attributes},"parents":[{parents}]}}"#)
    };
    let arn = format!(r#"{{"arn":"{}"}}"#, question::OBJECT);
    let mut list = vec![
        entity("Role", question::ROLE, "{}", ""),
        entity("Object", question::OBJECT, &arn, ""),
        entity("Action", question::ACTION, "{}", &parents.join(",")),
    ];
    list.extend(groups.iter().map(|group| entity("Action", group, "{}", "")));
    format!("[{}]", list.join(","))
}

/// Whether the action asked for is among those that the pattern of the question means.
fn fits(pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let head = parts.next().unwrap_or_default();
    let Some(mut rest) = question::ACTION.strip_prefix(head) else { return false };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    pattern.ends_with('*') || rest.is_empty()
}

/// The context with as many facts as daypass is given.
fn facts() -> String {
    let context = question::context();
    let others = context.iter().filter_map(|(key, values, _)| {
        let value = values.first()?;
        match key.to_ascii_lowercase().as_str() {
            "aws:principaltag/team" => Some(format!(r#""team":"{value}""#)),
            "aws:securetransport" => Some(format!(r#""secure":{value}"#)),
            _ => Some(format!(r#""{key}":"{value}""#)),
        }
    });
    format!("{{{}}}", others.collect::<Vec<_>>().join(","))
}
