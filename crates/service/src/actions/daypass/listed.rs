//! The answer of a list: its page under a name, and whether and where it goes on.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::actions::paging::{Page, Selection};

/// `Marker` and `MaxItems`, of a list that nothing selects.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Whole {
    marker: Option<String>,
    max_items: Option<i64>,
}

impl Whole {
    /// Which list, and where in it.
    pub(super) fn of(&self, operation: &str) -> Selection<'_> {
        Selection { of: operation.into(), marker: self.marker.as_deref(), max_items: self.max_items }
    }
}

/// `Instances`, `IsTruncated`, `Marker`, and so on.
pub(super) struct Listed<T> {
    pub(super) name: &'static str,
    pub(super) page: Page<T>,
}

impl<T: Serialize> Serialize for Listed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Page { items, is_truncated, marker } = &self.page;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.name, items)?;
        map.serialize_entry("IsTruncated", is_truncated)?;
        if let Some(marker) = marker {
            map.serialize_entry("Marker", marker)?;
        }
        map.end()
    }
}
