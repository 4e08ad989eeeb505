//! `rolesanywhere:CreateTrustAnchor`: whose certificates are a proof of identity in this account.

use daypass_directory::anywhere::record::TrustAnchorRecord;
use daypass_directory::record::Unknown;
use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::source::Source;
use crate::action::Action;
use crate::actions::rolesanywhere::kind::{Resource as _, TrustAnchors};
use crate::actions::rolesanywhere::shape::{TagShape, TrustAnchorDetail, Wrapped};
use crate::actions::rolesanywhere::{notifications, rules};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::rolesanywhere) struct CreateTrustAnchor;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::actions::rolesanywhere) struct Input {
    name: String,
    source: Source,
    enabled: Option<bool>,
    #[serde(default)]
    tags: Vec<TagShape>,
    #[serde(default)]
    crl_dp_revocation_enabled: bool,
    #[serde(default)]
    notification_settings: Vec<IgnoredAny>,
}

/// Nobody fetches lists of revocations from where certificates say that there are some.
pub(super) fn refuse_distribution_points(asked: bool) -> Result<(), Error> {
    if asked {
        let message =
            "crlDpRevocationEnabled is not supported by this server: it fetches no revocation lists.";
        return Err(Error::validation(message));
    }
    Ok(())
}

impl Action for CreateTrustAnchor {
    const NAME: &'static str = "rolesanywhere:CreateTrustAnchor";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Wrapped<TrustAnchorDetail>;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*").with_request_tags(&rules::given(&input.tags)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Self::Output, Error> {
        let (input, account) = (call.input(), call.account());
        refuse_distribution_points(input.crl_dp_revocation_enabled)?;
        if !input.notification_settings.is_empty() {
            return Err(notifications::refused());
        }
        let certificates = input.source.bundle(op.now)?.to_owned();
        let tags = rules::tags(&rules::given(&input.tags))?;
        rules::room("trust anchors", account.trust_anchors().count(), rules::TRUST_ANCHORS_MAX)?;
        let mut change = call.change(op);
        let common = rules::common(op, house, (&input.name, input.enabled, tags))?;
        let record =
            TrustAnchorRecord { written: change.written(), common, certificates, unknown: Unknown::new() };
        let arn = TrustAnchors::KIND.arn(&record.common.region, account.id(), &record.common.id);
        let shown = TrustAnchors::detail(&account, &record, &arn, false);
        change.create_anywhere(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Wrapped { name: TrustAnchors::ONE, of: shown })
    }
}
