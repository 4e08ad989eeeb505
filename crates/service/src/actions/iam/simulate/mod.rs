//! The policy simulators: what would be decided, without doing it.
//!
//! The evaluation is the one that decides calls, with a recorder (`daypass_policy::explain`). A simulation is asked about
//! texts: where a matched statement stands in them is part of the answer. IAM User Guide, "IAM policy testing with the IAM
//! policy simulator".

mod answer;
mod caller;
mod context_keys;
mod custom;
mod principal;
mod question;
mod sources;

pub(super) use context_keys::{GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy};
pub(super) use custom::SimulateCustomPolicy;
pub(super) use principal::SimulatePrincipalPolicy;
