//! The policies of a simulation: compiled, with the name that answers give them and an outline of their text.

use daypass_directory::{AccountView, AnyPolicy, Scope};
use daypass_model::{Arn, EntityKind};
use daypass_policy::{Named, Policy, StatementOutline, outline};

use crate::actions::iam::holder::Holder;
use crate::actions::iam::kind;
use crate::error::Error;

/// Policies of one kind, in the order in which they are asked. Reports name them by their place, since the inline
/// policies of a user and of its groups may have the same name.
#[derive(Default)]
pub(super) struct Sources(Vec<Source>);

pub(super) struct Source {
    /// The name in answers.
    pub(super) id: String,
    place: String,
    /// The ARN of a managed policy.
    arn: Option<String>,
    policy: Policy,
    pub(super) outline: Vec<StatementOutline>,
}

impl Source {
    /// # Errors
    /// InvalidInput for a text that is no policy.
    pub(super) fn parse(id: impl Into<String>, text: &str) -> Result<Self, Error> {
        Self::shown(id, text, text)
    }

    /// A policy that is evaluated as it is stored, with ids for principals, and has its places in the text that is shown.
    pub(super) fn shown(id: impl Into<String>, stored: &str, shown: &str) -> Result<Self, Error> {
        let id = id.into();
        match (Policy::parse(stored), outline(shown)) {
            (Ok(policy), Ok(outline)) => Ok(Self { id, place: String::new(), arn: None, policy, outline }),
            (Err(why), _) | (_, Err(why)) => {
                Err(Error::invalid_input(format!("Invalid policy input: {id}: {why}")))
            }
        }
    }

    /// The policy of a resource says in each statement whom it is about, any other kind in none.
    ///
    /// # Errors
    /// InvalidInput, with the sentence that writing such a policy is refused with.
    pub(super) fn with_principals(self, wanted: bool) -> Result<Self, Error> {
        let sentence = if wanted {
            "Missing required field Principal"
        } else {
            "Policy document should not specify a principal."
        };
        if self.outline.iter().any(|statement| statement.has_principal != wanted) {
            return Err(Error::invalid_input(format!("Invalid policy input: {}: {sentence}", self.id)));
        }
        Ok(self)
    }

    pub(super) fn named(&self) -> Named<'_> {
        Named { id: &self.place, policy: &self.policy }
    }
}

impl Sources {
    /// Texts of a parameter, which go by its name and their position: `PolicyInputList.1`.
    pub(super) fn of_inputs(parameter: &str, texts: &[String]) -> Result<Self, Error> {
        let parsed = texts.iter().zip(1..).map(|(text, n)| Source::parse(format!("{parameter}.{n}"), text));
        parsed.collect::<Result<_, _>>().map(Self::of)
    }

    /// The same of policies that belong to a principal and not to a resource.
    pub(super) fn of_principal(parameter: &str, texts: &[String]) -> Result<Self, Error> {
        let parsed = Self::of_inputs(parameter, texts)?.0.into_iter();
        Ok(Self(parsed.map(|source| source.with_principals(false)).collect::<Result<_, _>>()?))
    }

    fn of(sources: Vec<Source>) -> Self {
        let mut all = Self::default();
        all.extend(Self(sources));
        all
    }

    /// Add policies; a managed one that is there already counts once.
    pub(super) fn extend(&mut self, more: Self) {
        for mut source in more.0 {
            let again = source.arn.is_some() && self.0.iter().any(|known| known.arn == source.arn);
            if !again {
                source.place = self.0.len().to_string();
                self.0.push(source);
            }
        }
    }

    /// The policy that a report names.
    pub(super) fn at(&self, place: &str) -> Option<&Source> {
        self.0.iter().find(|source| source.place == place)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    pub(super) fn named(&self) -> Vec<Named<'_>> {
        self.0.iter().map(Source::named).collect()
    }

    /// A managed policy in its default version; nothing when it is gone.
    fn managed(account: &AccountView<'_>, arn: &str) -> Result<Option<Source>, Error> {
        let Some(policy) = account.policy(arn) else { return Ok(None) };
        let text = match policy {
            AnyPolicy::Customer(policy) => {
                let default = policy.record.default_version;
                let version = policy.record.versions.iter().find(|version| version.number == default);
                version.map(|version| version.document.as_str())
            }
            AnyPolicy::Aws(policy) => Some(policy.document),
        };
        let source =
            text.map(|text| Source::parse(arn.rsplit('/').next().unwrap_or(arn), text)).transpose()?;
        Ok(source.map(|source| Source { arn: Some(arn.to_owned()), ..source }))
    }

    /// What a user, group or role has attached and inside.
    fn of_holder<H: Holder>(account: &AccountView<'_>, record: &H::Record) -> Result<Self, Error> {
        let mut all = Vec::new();
        for inline in H::inline(record) {
            all.push(Source::parse(&inline.name, &inline.document)?);
        }
        for arn in H::attached(record) {
            all.extend(Self::managed(account, arn)?);
        }
        Ok(Self::of(all))
    }
}

/// The user, group or role that `PolicySourceArn` names. AWS finds it by name: the path is not compared.
pub(super) struct Principal {
    pub(super) kind: EntityKind,
    pub(super) arn: String,
    /// Its policies, and those of a user's groups.
    pub(super) identity: Sources,
    /// `None`: it has no boundary. Of a boundary that is gone nothing is left, and nothing is allowed.
    pub(super) boundary: Option<Sources>,
}

/// The kind and name in the ARN of a user, group or role of the caller's account.
pub(super) fn kind_and_name(scope: &Scope, arn: &str) -> Option<(EntityKind, String)> {
    let parsed: Arn = arn.parse().ok()?;
    let (kind, rest) = parsed.resource_parts()?;
    let kind = match kind {
        "user" => EntityKind::User,
        "group" => EntityKind::Group,
        "role" => EntityKind::Role,
        _ => return None,
    };
    let own = parsed.service() == "iam" && parsed.account_id() == Some(scope.account().id());
    let name = rest.rsplit('/').next().filter(|name| own && !name.is_empty())?;
    Some((kind, name.to_owned()))
}

impl Principal {
    /// # Errors
    /// NoSuchEntity, InvalidInput for an ARN of something else.
    pub(super) fn find(scope: &Scope, arn: &str) -> Result<Self, Error> {
        let account = scope.account();
        let Some((kind, name)) = kind_and_name(scope, arn) else {
            return Err(Error::invalid_input(format!(
                "Invalid Entity Arn: {arn} does not clearly define entity type and name."
            )));
        };
        match kind {
            EntityKind::User => Self::user(account, &name),
            EntityKind::Group => Self::group(account, &name),
            _ => Self::role(account, &name),
        }
    }

    /// Whether an ARN is this principal's; as everywhere it is found by name.
    pub(super) fn is(&self, scope: &Scope, arn: &str) -> bool {
        let named = kind_and_name(scope, arn).zip(kind_and_name(scope, &self.arn));
        named.is_some_and(|((kind, name), (own_kind, own_name))| {
            kind == own_kind && name.eq_ignore_ascii_case(&own_name)
        })
    }

    fn user(account: AccountView<'_>, name: &str) -> Result<Self, Error> {
        use crate::actions::iam::kind::Kind as _;
        let user = kind::User::find(&account, name)?;
        let mut identity = Sources::of_holder::<kind::User>(&account, &user.record)?;
        for group in user.record.groups.iter().filter_map(|id| account.group_by_id(id)) {
            identity.extend(Sources::of_holder::<kind::Group>(&account, &group.record)?);
        }
        let boundary = bound(&account, user.record.boundary.as_deref())?;
        Ok(Self { kind: EntityKind::User, arn: user.arn.clone(), identity, boundary })
    }

    fn group(account: AccountView<'_>, name: &str) -> Result<Self, Error> {
        use crate::actions::iam::kind::Kind as _;
        let group = kind::Group::find(&account, name)?;
        let identity = Sources::of_holder::<kind::Group>(&account, &group.record)?;
        Ok(Self { kind: EntityKind::Group, arn: group.arn.clone(), identity, boundary: None })
    }

    fn role(account: AccountView<'_>, name: &str) -> Result<Self, Error> {
        use crate::actions::iam::kind::Kind as _;
        let role = kind::Role::find(&account, name)?;
        let identity = Sources::of_holder::<kind::Role>(&account, &role.record)?;
        let boundary = bound(&account, role.record.boundary.as_deref())?;
        Ok(Self { kind: EntityKind::Role, arn: role.arn.clone(), identity, boundary })
    }
}

fn bound(account: &AccountView<'_>, arn: Option<&str>) -> Result<Option<Sources>, Error> {
    arn.map(|arn| Ok(Sources::of(Sources::managed(account, arn)?.into_iter().collect()))).transpose()
}
