//! Lists in pages: `Marker`, `MaxItems`, `IsTruncated`.
//!
//! A marker is opaque and sealed: it names the last item shown and works only for the account, action and
//! selection it was made for. A list that changes between pages repeats nothing and skips only what is new.

use daypass_authn::token::Purpose;
use daypass_directory::Scope;

use crate::error::Error;
use crate::house::House;

/// Items of a page when the call does not say.
pub(super) const MAX_ITEMS_DEFAULT: usize = 100;
/// Bytes of items after which a page ends, however many more were asked for: a thousand long documents would make
/// one answer of many megabytes. "IAM might return fewer than the MaxItems number of results, even when there are
/// more results available" (IAM API Reference, ListRoles).
const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// `Marker` and `MaxItems` of a call, and what its list is about.
pub(super) struct Selection<'a> {
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

impl<T> Page<T> {
    /// The same page of what is made of its items.
    pub(super) fn map<U>(self, shown: impl FnMut(T) -> U) -> Page<U> {
        let Self { items, is_truncated, marker } = self;
        Page { items: items.into_iter().map(shown).collect(), is_truncated, marker }
    }
}

/// Cut a page out of `items`, which come with their sort key, in ascending order of it. For small items: names,
/// keys, tags.
pub(super) fn page<T>(
    house: &House,
    scope: &Scope,
    selection: &Selection<'_>,
    items: impl Iterator<Item = (String, T)>,
) -> Result<Page<T>, Error> {
    page_of_size(house, scope, selection, items, |_| 0)
}

/// The same of items that hold documents: the page also ends before the item with which it would outgrow
/// [`PAGE_BYTES_MAX`], `size` being what an item takes in the answer. One item is always shown.
pub(super) fn page_of_size<T>(
    house: &House,
    scope: &Scope,
    selection: &Selection<'_>,
    items: impl Iterator<Item = (String, T)>,
    size: impl Fn(&T) -> usize,
) -> Result<Page<T>, Error> {
    let after = selection.marker.map(|marker| open(scope, &selection.of, marker)).transpose()?;
    let max_items = selection.max_items.and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_ITEMS_DEFAULT);
    let rest = items.skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after));
    let mut rest = rest.peekable();
    let mut shown = Vec::new();
    let mut last = None;
    let mut room = PAGE_BYTES_MAX;
    while shown.len() < max_items
        && let Some((key, item)) = rest.next_if(|(_, item)| shown.is_empty() || size(item) <= room)
    {
        room = room.saturating_sub(size(&item));
        last = Some(key);
        shown.push(item);
    }
    let is_truncated = rest.peek().is_some();
    let marker =
        last.filter(|_| is_truncated).map(|last| seal(house, scope, &selection.of, &last)).transpose()?;
    Ok(Page { items: shown, is_truncated, marker })
}

/// A marker that says where a list `of` the caller's account goes on.
pub(super) fn seal(house: &House, scope: &Scope, of: &str, last: &str) -> Result<String, Error> {
    let (keyring, random) = (scope.view().keyring(), house.directory.random());
    let bound_to = bound_to(scope, of);
    let sealed =
        keyring.seal_message(Purpose::PaginationMarker, bound_to.as_bytes(), last.as_bytes(), random);
    sealed.map_err(|_| Error::internal("a marker was not sealed"))
}

fn bound_to(scope: &Scope, of: &str) -> String {
    format!("{} {of}", scope.account().id())
}

/// What a marker that was sealed for the same list says.
pub(super) fn open(scope: &Scope, of: &str, marker: &str) -> Result<String, Error> {
    let bound_to = bound_to(scope, of);
    let keyring = scope.view().keyring();
    let opened = keyring.open_message(Purpose::PaginationMarker, bound_to.as_bytes(), marker);
    opened
        .ok()
        .and_then(|key| String::from_utf8(key).ok())
        .ok_or_else(|| Error::validation("Invalid Marker."))
}
