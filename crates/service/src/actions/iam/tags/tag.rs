//! `iam:TagUser`, `iam:TagRole`, `iam:TagPolicy`, `iam:TagMFADevice`: adds tags, or gives those there are another
//! value. All of them or none.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::limits::TAGS_MAX;
use daypass_model::{self as model, TagSet};
use serde::Deserialize;

use super::Taggable;
use crate::action::Action;
use crate::actions::iam::rules;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct Tag<K>(PhantomData<K>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(
        rename = "UserName",
        alias = "RoleName",
        alias = "PolicyArn",
        alias = "InstanceProfileName",
        alias = "SerialNumber",
        alias = "OpenIDConnectProviderArn",
        alias = "SAMLProviderArn"
    )]
    name: String,
    #[serde(rename = "Tags")]
    tags: Vec<model::Tag>,
}

impl<K: Taggable> Action for Tag<K> {
    const NAME: &'static str = K::TAG;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = K::check(Self::NAME, scope, &input.name);
        K::writing(check.with_request_tags(&input.tags))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        let (record, revision) = K::record(K::find(&account, &input.name)?);
        let mut record = record.clone();
        add(K::tags(&mut record), &input.tags, K::KEYS_IGNORE_CASE)?;
        let mut change = call.change(op);
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

fn add(tags: &mut TagSet, added: &[model::Tag], keys_ignore_case: bool) -> Result<(), Error> {
    if added.is_empty() {
        return Err(Error::invalid_input("At least one tag must be given."));
    }
    let added = if keys_ignore_case { rules::tags(added)? } else { rules::tags_of_policy(added)? };
    for tag in &added {
        let exact = tags.iter().any(|old| old.key == tag.key);
        if !keys_ignore_case && !exact && tags.value(&tag.key).is_some() {
            return Err(rules::duplicate_tag_key());
        }
        tags.insert(tag.clone());
    }
    if tags.len() > TAGS_MAX {
        return Err(rules::too_many_tags());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> model::Tag {
        model::Tag { key: key.into(), value: value.into() }
    }

    fn start() -> TagSet {
        [tag("Env", "test")].into_iter().collect()
    }

    #[test]
    fn a_key_in_another_case_replaces_where_keys_ignore_case() {
        let mut tags = start();
        add(&mut tags, &[tag("ENV", "prod"), tag("Team", "")], true).unwrap();
        assert_eq!(tags.iter().cloned().collect::<Vec<_>>(), [tag("ENV", "prod"), tag("Team", "")]);
    }

    #[test]
    fn a_policy_never_holds_keys_that_differ_only_in_case() {
        let mut tags = start();
        let error = add(&mut tags, &[tag("env", "prod")], false).unwrap_err();
        assert_eq!(error.code, "InvalidInput");
        assert_eq!(tags, start());
        add(&mut tags, &[tag("Env", "prod")], false).unwrap();
        assert_eq!(tags.value("Env"), Some("prod"));
    }

    #[test]
    fn reserved_duplicate_and_absent_tags_are_invalid_input() {
        let refused = |added: &[model::Tag]| add(&mut start(), added, true).unwrap_err();
        for key in ["aws:x", "AWS:x", "aWs:"] {
            let message = "Tag keys beginning with aws: are reserved for system use.";
            assert_eq!(refused(&[tag(key, "1")]), Error::invalid_input(message), "{key}");
        }
        let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        assert_eq!(refused(&[tag("a", "1"), tag("A", "2")]), Error::invalid_input(message));
        assert_eq!(refused(&[]).code, "InvalidInput");
        add(&mut start(), &[tag("k", "aws:v")], true).unwrap();
    }

    #[test]
    fn an_entity_has_at_most_fifty_tags_old_and_new_together() {
        let mut tags = start();
        let added: Vec<_> = (0..49).map(|n| tag(&format!("k{n}"), "")).collect();
        add(&mut tags, &added, true).unwrap();
        assert_eq!(tags.len(), 50);
        add(&mut tags, &[tag("K0", "again")], true).unwrap();
        let error = add(&mut tags, &[tag("one-more", "")], true).unwrap_err();
        assert_eq!(error, Error::limit_exceeded("The number of tags has reached the maximum limit."));
    }
}
