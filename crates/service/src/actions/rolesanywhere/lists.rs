//! Lists in pages: `nextToken`, `pageSize`.

use daypass_directory::Scope;
use serde::Deserialize;

use crate::actions::paging::{self, Page, Selection};
use crate::error::Error;
use crate::house::House;

/// `ListRequest` of the model.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListInput {
    next_token: Option<String>,
    page_size: Option<i64>,
}

/// The page that a call asks for, of items that come by their sort key.
///
/// # Errors
/// A token of another list, or none; a size below 1.
pub(super) fn page<T>(
    house: &House,
    scope: &Scope,
    action: &'static str,
    input: &ListInput,
    items: impl Iterator<Item = (String, T)>,
    size: impl Fn(&T) -> usize,
) -> Result<Page<T>, Error> {
    if input.page_size.is_some_and(|size| size < 1) {
        return Err(Error::validation("pageSize must be 1 or more."));
    }
    let marker = input.next_token.as_deref();
    let selection = Selection { of: action.to_owned(), marker, max_items: input.page_size };
    paging::page_of_size(house, scope, &selection, items, size).map_err(|error| match marker {
        Some(_) if error.why().is_none() => Error::validation("Invalid nextToken."),
        _ => error,
    })
}
