//! SAML providers: registered, shown, changed, deleted. Their tags are with those of the other kinds.

mod create;
mod delete;
mod get;
mod list;
mod rules;
mod update;

pub(super) use create::CreateSamlProvider;
pub(super) use delete::DeleteSamlProvider;
pub(super) use get::GetSamlProvider;
pub(super) use list::ListSamlProviders;
pub(super) use update::UpdateSamlProvider;
