//! Amazon EKS Auth, API version 2023-11-26: what agents of EKS Pod Identity ask for the pods of their node.

mod assume_role_for_pod_identity;
mod role;

use crate::action::Row;

/// The table of EKS Auth.
pub(super) static ROWS: &[Row] = &[Row::of::<assume_role_for_pod_identity::AssumeRoleForPodIdentity>()];
