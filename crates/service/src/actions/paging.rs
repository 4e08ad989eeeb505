//! Lists in pages: `Marker`, `MaxItems`, `IsTruncated`.
//!
//! A marker is opaque and sealed: it names the last item shown and works only for the account, action and
//! selection it was made for. A list that changes between pages repeats nothing and skips only what is new.

use daypass_authn::token::Purpose;
use daypass_directory::View;
use daypass_model::AccountId;

use crate::error::Error;
use crate::house::House;

/// Items of a page when the call does not say.
const MAX_ITEMS_DEFAULT: usize = 100;

/// `Marker` and `MaxItems` of a call, and what its list is about.
pub(super) struct Selection<'a> {
    pub(super) account: AccountId,
    /// The operation and whatever selects the items (`ListUsers /div/`), folded where case is ignored.
    pub(super) of: String,
    pub(super) marker: Option<&'a str>,
    pub(super) max_items: Option<i64>,
}

/// One page.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) is_truncated: bool,
    pub(super) marker: Option<String>,
}

/// Cut a page out of `items`, which come with their sort key, in ascending order of it.
pub(super) fn page<T>(
    house: &House,
    view: &View,
    selection: &Selection<'_>,
    items: impl Iterator<Item = (String, T)>,
) -> Result<Page<T>, Error> {
    let bound_to = format!("{} {}", selection.account, selection.of);
    let after = selection.marker.map(|marker| open(view, &bound_to, marker)).transpose()?;
    let max_items = selection.max_items.and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_ITEMS_DEFAULT);
    let mut rest = items.skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after));
    let mut shown = Vec::new();
    let mut last = None;
    for (key, item) in rest.by_ref().take(max_items) {
        last = Some(key);
        shown.push(item);
    }
    let is_truncated = rest.next().is_some();
    let seal = |last: String| {
        let random = house.directory.random();
        view.keyring().seal_message(Purpose::PaginationMarker, bound_to.as_bytes(), last.as_bytes(), random)
    };
    let marker = last.filter(|_| is_truncated).map(seal).transpose().map_err(|_| Error::internal())?;
    Ok(Page { items: shown, is_truncated, marker })
}

fn open(view: &View, bound_to: &str, marker: &str) -> Result<String, Error> {
    let opened = view.keyring().open_message(Purpose::PaginationMarker, bound_to.as_bytes(), marker);
    opened
        .ok()
        .and_then(|key| String::from_utf8(key).ok())
        .ok_or_else(|| Error::validation("Invalid Marker."))
}
