//! OpenID Connect providers: registered, shown, changed, deleted. Their tags are with those of the other kinds.

mod client_ids;
mod create;
mod delete;
mod get;
mod list;
mod rules;
mod thumbprints;

pub(super) use client_ids::{AddClientId, RemoveClientId};
pub(super) use create::CreateOidcProvider;
pub(super) use delete::DeleteOidcProvider;
pub(super) use get::GetOidcProvider;
pub(super) use list::ListOidcProviders;
pub(super) use thumbprints::UpdateThumbprints;
