//! `iam:UntagUser`, `iam:UntagRole`, `iam:UntagPolicy`, `iam:UntagMFADevice`. Keys that are not there do not matter.

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::TagSet;
use serde::Deserialize;

use super::Taggable;
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct Untag<K>(PhantomData<K>);

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
    #[serde(rename = "TagKeys")]
    keys: Vec<String>,
}

impl<K: Taggable> Action for Untag<K> {
    const NAME: &'static str = K::UNTAG;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = K::check(Self::NAME, scope, &input.name);
        let keys = (!input.keys.is_empty()).then(|| input.keys.clone());
        K::writing(check.with_some("aws:TagKeys", keys))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (input, account) = (call.input(), call.account());
        if K::UNTAGS_SOMETHING && input.keys.is_empty() {
            return Err(Error::invalid_input("At least one tag key must be given."));
        }
        let (record, revision) = K::record(K::find(&account, &input.name)?);
        let mut record = record.clone();
        if !remove(K::tags(&mut record), &input.keys, K::KEYS_IGNORE_CASE) {
            return Ok(());
        }
        let mut change = call.change(op);
        change.update(account.id(), revision, record);
        Ok(house.directory.commit(change).await?)
    }
}

/// Whether anything was removed.
fn remove(tags: &mut TagSet, keys: &[String], keys_ignore_case: bool) -> bool {
    let before = tags.len();
    for key in keys {
        if keys_ignore_case || tags.iter().any(|tag| tag.key == *key) {
            tags.remove(key);
        }
    }
    tags.len() < before
}

#[cfg(test)]
mod tests {
    use daypass_model::Tag;

    use super::*;

    #[test]
    fn case_decides_only_where_keys_are_told_apart_by_it() {
        let start: TagSet = [Tag { key: "Env".into(), value: String::new() }].into_iter().collect();
        for (key, keys_ignore_case, removed) in
            [("env", true, true), ("env", false, false), ("Env", false, true), ("other", true, false)]
        {
            let mut tags = start.clone();
            assert_eq!(remove(&mut tags, &[key.to_owned()], keys_ignore_case), removed, "{key}");
            assert_eq!(tags.is_empty(), removed, "{key}");
        }
    }
}
