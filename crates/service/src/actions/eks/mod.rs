//! Amazon EKS, API version 2017-11-01: of its operations those on Pod Identity associations, which say whose role the pods of a
//! service account get. What else EKS does, nobody does here.

mod create;
mod delete;
mod describe;
mod list;
mod rules;
mod shape;
mod tags;
mod target;
mod update;

use crate::action::Row;
pub(super) use rules::external_id;
pub(super) use target::{check_cluster, no_cluster, region};

/// The table of EKS.
pub(super) static ROWS: &[Row] = &[
    Row::of::<create::CreatePodIdentityAssociation>(),
    Row::of::<delete::DeletePodIdentityAssociation>(),
    Row::of::<describe::DescribePodIdentityAssociation>(),
    Row::of::<list::ListPodIdentityAssociations>(),
    Row::of::<tags::ListTagsForResource>(),
    Row::of::<tags::TagResource>(),
    Row::of::<tags::UntagResource>(),
    Row::of::<update::UpdatePodIdentityAssociation>(),
];
