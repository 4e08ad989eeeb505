//! `rolesanywhere:PutAttributeMapping` and `DeleteAttributeMapping`: which values of a certificate become session tags. What
//! is not mapped is no tag, and a trust policy that asks for it lets nobody in.

use daypass_directory::anywhere::record::{MappingRecord, ProfileRecord};
use daypass_directory::record::Unknown;
use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::rolesanywhere::kind::{Profiles, Resource as _};
use crate::actions::rolesanywhere::shape::{ProfileDetail, RuleShape, Wrapped};
use crate::actions::rolesanywhere::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

/// Specifiers of one field.
const SPECIFIERS_MAX: usize = 50;

pub(in crate::actions::rolesanywhere) struct PutAttributeMapping;
pub(in crate::actions::rolesanywhere) struct DeleteAttributeMapping;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::actions::rolesanywhere) struct PutInput {
    profile_id: String,
    certificate_field: String,
    mapping_rules: Vec<RuleShape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::actions::rolesanywhere) struct DeleteInput {
    profile_id: String,
    certificate_field: String,
    #[serde(default)]
    specifiers: Vec<String>,
}

impl Action for PutAttributeMapping {
    const NAME: &'static str = "rolesanywhere:PutAttributeMapping";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = PutInput;
    type Output = Wrapped<ProfileDetail>;

    fn checks(scope: &Scope, input: &PutInput) -> Checks {
        Checks::one(target::check::<Profiles>(Self::NAME, scope, &input.profile_id))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<PutInput>) -> Result<Self::Output, Error> {
        let input = call.input();
        let mut specifiers: Vec<String> = Vec::new();
        for rule in &input.mapping_rules {
            if !is_specifier(&rule.specifier) {
                return Err(Error::validation("A specifier is a name, or ends in *."));
            }
            if !specifiers.contains(&rule.specifier) {
                specifiers.push(rule.specifier.clone());
            }
        }
        if specifiers.is_empty() || specifiers.len() > SPECIFIERS_MAX {
            let message = format!("mappingRules must hold between 1 and {SPECIFIERS_MAX} specifiers.");
            return Err(Error::validation(message));
        }
        let field = input.certificate_field.clone();
        rewrite(op, house, &call, &input.profile_id, |record| {
            let same = record.mappings.iter().find(|mapping| mapping.field == field);
            let unknown = same.map_or_else(Unknown::new, |mapping| mapping.unknown.clone());
            record.mappings.retain(|mapping| mapping.field != field);
            record.mappings.push(MappingRecord {
                field: field.clone(),
                specifiers: specifiers.clone(),
                unknown,
            });
            Ok(())
        })
        .await
    }
}

impl Action for DeleteAttributeMapping {
    const NAME: &'static str = "rolesanywhere:DeleteAttributeMapping";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = DeleteInput;
    type Output = Wrapped<ProfileDetail>;

    fn checks(scope: &Scope, input: &DeleteInput) -> Checks {
        Checks::one(target::check::<Profiles>(Self::NAME, scope, &input.profile_id))
    }

    async fn act(
        op: &Operation,
        house: &House,
        call: Authorized<DeleteInput>,
    ) -> Result<Self::Output, Error> {
        let input = call.input();
        rewrite(op, house, &call, &input.profile_id, |record| delete(record, input)).await
    }
}

/// A name, or how names begin. A `*` elsewhere would be no pattern but a name that nothing has, and a Deny by its tag silent.
fn is_specifier(text: &str) -> bool {
    let name = text.strip_suffix('*').unwrap_or(text);
    !text.is_empty() && !name.contains('*')
}

/// All of a field, or some of its specifiers. One that is not there was meant to be: nothing is done.
fn delete(record: &mut ProfileRecord, input: &DeleteInput) -> Result<(), Error> {
    let mapping = record.mappings.iter_mut().find(|mapping| mapping.field == input.certificate_field);
    let not_there = |what: &str| {
        Error::validation(format!("The profile has no mapping {}/{what}.", input.certificate_field))
    };
    let mapping = mapping.ok_or_else(|| not_there("*"))?;
    if let Some(missing) = input.specifiers.iter().find(|one| !mapping.specifiers.contains(one)) {
        return Err(not_there(missing));
    }
    let all = input.specifiers.is_empty();
    mapping.specifiers.retain(|known| !all && !input.specifiers.contains(known));
    record.mappings.retain(|mapping| !mapping.specifiers.is_empty());
    Ok(())
}

async fn rewrite<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    profile: &str,
    edit: impl Fn(&mut ProfileRecord) -> Result<(), Error>,
) -> Result<Wrapped<ProfileDetail>, Error> {
    let account = call.account();
    let found = target::existing::<Profiles>(&account, profile)?;
    let mut record = found.record.clone();
    edit(&mut record)?;
    record.common.updated = op.now.as_second();
    let shown = Profiles::detail(&account, &record, &found.arn, false);
    let mut change = call.change(op);
    change.update_anywhere(account.id(), found.revision, record);
    house.directory.commit(change).await?;
    Ok(Wrapped { name: Profiles::ONE, of: shown })
}
