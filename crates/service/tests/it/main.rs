//! Service tests: whole calls through the pipeline on a memory store, with a clock that tests move and
//! randomness from a seed. Nothing here knows a wire format.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "helpers of tests fail loudly, and the modules of a test binary share what is public in them"
)]

mod aliases;
mod answers;
mod anywhere_machine;
mod attacks;
mod audit;
mod authorization;
mod bounds;
mod chains;
mod checked_facts;
mod checking;
mod doors;
mod examples;
mod explained;
mod explained_across;
mod golden;
mod golden_errors;
mod iam_access_keys;
mod iam_attached;
mod iam_boundaries;
mod iam_groups;
mod iam_inline;
mod iam_policies;
mod iam_roles;
mod iam_tags;
mod identity;
mod instance_profiles;
mod last_used;
mod log;
mod login_profiles;
mod machines;
mod machines_attacks;
mod matrix;
mod mfa;
mod mfa_devices;
mod mfa_proven;
mod newer_records;
mod oidc_issuer;
mod outbound;
mod password_policy;
mod phone;
mod pod_identity;
mod providers;
mod quotas;
mod race;
mod resource_policies;
mod revocation;
mod revoked;
mod roles_anywhere;
mod roles_untold;
mod saml;
mod saml_encrypted;
mod saml_idp;
mod saml_said;
mod scoped;
mod secrets;
mod service_linked;
mod services;
mod session_contents;
mod session_log;
mod sessions;
mod signatures;
mod simulate;
mod simulated_facts;
mod sizes;
mod stateful;
mod support;
mod web_identity;
mod world;
