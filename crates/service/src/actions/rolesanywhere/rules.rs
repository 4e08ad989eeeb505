//! Rules of Roles Anywhere's writes that need more than a parameter's shape.

use daypass_directory::Operation;
use daypass_directory::anywhere::record::ResourceRecord;
use daypass_model::{Tag, TagSet, is_reserved};

use super::shape::TagShape;
use crate::actions::region::region_name;
use crate::error::Error;
use crate::house::House;

/// Tags of one resource.
pub(super) const TAGS_MAX: usize = 200;
/// Trust anchors of one account ("Quotas for IAM Roles Anywhere").
pub(super) const TRUST_ANCHORS_MAX: usize = 50;
/// Profiles of one account.
pub(super) const PROFILES_MAX: usize = 250;
/// Lists of revocations for one trust anchor.
pub(super) const CRLS_PER_ANCHOR_MAX: usize = 2;

/// Tags as a call passes them.
pub(super) fn given(tags: &[TagShape]) -> Vec<Tag> {
    tags.iter().cloned().map(Tag::from).collect()
}

/// The same, checked.
///
/// # Errors
/// ValidationException; TooManyTagsException.
pub(super) fn tags(given: &[Tag]) -> Result<TagSet, Error> {
    if given.iter().any(|tag| is_reserved(&tag.key)) {
        return Err(Error::validation("Tag keys beginning with aws: are reserved for system use."));
    }
    let set: TagSet = given.iter().cloned().collect();
    if set.len() < given.len() {
        return Err(Error::validation(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ));
    }
    within_tags(&set)?;
    Ok(set)
}

/// As many as a resource may have.
///
/// # Errors
/// TooManyTagsException.
pub(super) fn within_tags(tags: &TagSet) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::new("TooManyTagsException", format!("A resource may have {TAGS_MAX} tags.")));
    }
    Ok(())
}

/// As many as an account may have.
///
/// # Errors
/// ValidationException.
pub(super) fn room(what: &str, count: usize, max: usize) -> Result<(), Error> {
    if count >= max {
        return Err(Error::validation(format!("The quota is reached: {max} {what}.")));
    }
    Ok(())
}

/// What a new resource has in common with the others. Its region is the one that was signed for and no other, so that conditions
/// on `aws:RequestedRegion` and the ARN speak of the same.
///
/// # Errors
/// ValidationException.
pub(super) fn common(
    op: &Operation,
    house: &House,
    (name, enabled, tags): (&str, Option<bool>, TagSet),
) -> Result<ResourceRecord, Error> {
    if region(op) != op.region {
        return Err(Error::validation("The region that the request is signed for is no name of one region."));
    }
    let now = op.now.as_second();
    Ok(ResourceRecord {
        id: daypass_model::uuid(house.directory.random()),
        region: region(op).to_owned(),
        name: name.to_owned(),
        enabled: enabled.unwrap_or(false),
        created: now,
        updated: now,
        tags,
    })
}

/// Where a call was signed for. It becomes part of an ARN: what is no name of a region is none.
pub(super) fn region(op: &Operation) -> &str {
    region_name(&op.region)
}
