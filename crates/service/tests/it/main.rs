//! Service tests: whole calls through the pipeline on a memory store, with a clock that tests move and
//! randomness from a seed. Nothing here knows a wire format.

mod answers;
mod authorization;
mod examples;
mod iam_access_keys;
mod iam_attached;
mod iam_boundaries;
mod iam_groups;
mod iam_inline;
mod iam_policies;
mod iam_roles;
mod iam_tags;
mod identity;
mod matrix;
mod race;
mod support;
mod world;
