//! `iam:ListUsers`, `iam:ListGroups`, `iam:ListRoles`, `iam:ListInstanceProfiles`: under a path, by name.

use std::marker::PhantomData;
use std::sync::Arc;

use daypass_directory::{self as directory, AccountView, Authorized, Checks, Entity, Operation, Scope, View};
use daypass_model::fold_name;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::action::Action;
use crate::actions::iam::instance_profile::InstanceProfileShape;
use crate::actions::iam::kind::{Group, InstanceProfile, Kind, Role, User};
use crate::actions::iam::shape::{GroupShape, RoleShape, UserShape};
use crate::actions::iam::target;
use crate::actions::paging::{Page, Selection, page_of_size};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

/// A kind of entity that is listed by path.
pub(super) trait Listed: Kind {
    /// The operation.
    const LIST: &'static str;
    /// The member of the answer that has them.
    const MEMBER: &'static str;
    /// One of them in it.
    type Shape: Serialize + Send + Sync;

    /// All of an account, by name.
    fn all<'v>(account: &AccountView<'v>) -> impl Iterator<Item = &'v Arc<Self::Entity>>;
    /// As the list shows it.
    fn shape(view: &View, account: &AccountView<'_>, entity: &Self::Entity) -> Self::Shape;
    /// What it takes in the answer at most, where that is worth counting.
    fn size_max(_: &AccountView<'_>, _: &Self::Entity) -> usize {
        0
    }
}

pub(super) struct List<K>(PhantomData<K>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

pub(super) struct Output<K: Listed>(Page<K::Shape>);

impl<K: Listed> Serialize for Output<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Output", 3)?;
        out.serialize_field(K::MEMBER, &self.0.items)?;
        out.serialize_field("IsTruncated", &self.0.is_truncated)?;
        match &self.0.marker {
            Some(marker) => out.serialize_field("Marker", marker)?,
            None => out.skip_field("Marker")?,
        }
        out.end()
    }
}

impl<K: Listed> Action for List<K> {
    const NAME: &'static str = K::LIST;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output<K>;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::collection(Self::NAME, scope, K::Record::KIND, input.path_prefix.as_deref()))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output<K>, Error> {
        let (input, account) = (call.input(), call.account());
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        let selection = Selection {
            of: format!("{} {prefix}", Self::NAME),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let found = K::all(&account).map(|entity| (K::record(entity).0, entity));
        let found = found.filter(|(record, _)| record.path().starts_with(prefix));
        let found = found.map(|(record, entity)| (fold_name(record.name()), entity));
        let page =
            page_of_size(house, call.scope(), &selection, found, |entity| K::size_max(&account, entity))?;
        // Only what is shown is worth shaping: a role's trust policy is read back for it.
        Ok(Output(page.map(|entity| K::shape(call.view(), &account, entity))))
    }
}

impl Listed for User {
    const LIST: &'static str = "iam:ListUsers";
    const MEMBER: &'static str = "Users";
    type Shape = UserShape;

    fn all<'v>(account: &AccountView<'v>) -> impl Iterator<Item = &'v Arc<directory::User>> {
        account.users()
    }

    fn shape(_: &View, account: &AccountView<'_>, user: &directory::User) -> UserShape {
        UserShape::listed(&user.arn, &user.record).with_password_of(account, user)
    }
}

impl Listed for Group {
    const LIST: &'static str = "iam:ListGroups";
    const MEMBER: &'static str = "Groups";
    type Shape = GroupShape;

    fn all<'v>(account: &AccountView<'v>) -> impl Iterator<Item = &'v Arc<directory::Group>> {
        account.groups()
    }

    fn shape(_: &View, _: &AccountView<'_>, group: &directory::Group) -> GroupShape {
        GroupShape::of(&group.arn, &group.record)
    }
}

impl Listed for Role {
    const LIST: &'static str = "iam:ListRoles";
    const MEMBER: &'static str = "Roles";
    type Shape = RoleShape;

    fn all<'v>(account: &AccountView<'v>) -> impl Iterator<Item = &'v Arc<directory::Role>> {
        account.roles()
    }

    fn shape(view: &View, _: &AccountView<'_>, role: &directory::Role) -> RoleShape {
        RoleShape::listed(view, &role.arn, &role.record)
    }

    fn size_max(_: &AccountView<'_>, role: &directory::Role) -> usize {
        RoleShape::size_max(role)
    }
}

impl Listed for InstanceProfile {
    const LIST: &'static str = "iam:ListInstanceProfiles";
    const MEMBER: &'static str = "InstanceProfiles";
    type Shape = InstanceProfileShape;

    fn all<'v>(account: &AccountView<'v>) -> impl Iterator<Item = &'v Arc<directory::InstanceProfile>> {
        account.instance_profiles()
    }

    fn shape(view: &View, account: &AccountView<'_>, profile: &directory::InstanceProfile) -> Self::Shape {
        InstanceProfileShape::listed(view, account, profile)
    }

    fn size_max(account: &AccountView<'_>, profile: &directory::InstanceProfile) -> usize {
        InstanceProfileShape::size_max(account, profile)
    }
}
