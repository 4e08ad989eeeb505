//! `rolesanywhere:ImportCrl`: certificates that an authority of a trust anchor revoked.

use daypass_authn::x509::{Crl, blocks};
use daypass_directory::anywhere::TrustAnchor;
use daypass_directory::anywhere::record::CrlRecord;
use daypass_directory::record::Unknown;
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::rolesanywhere::kind::{Crls, Resource as _, TrustAnchors};
use crate::actions::rolesanywhere::shape::{CrlDetail, TagShape, Wrapped};
use crate::actions::rolesanywhere::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::rolesanywhere) struct ImportCrl;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::actions::rolesanywhere) struct Input {
    name: String,
    crl_data: Vec<u8>,
    trust_anchor_arn: String,
    enabled: Option<bool>,
    #[serde(default)]
    tags: Vec<TagShape>,
}

impl Action for ImportCrl {
    const NAME: &'static str = "rolesanywhere:ImportCrl";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Wrapped<CrlDetail>;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(scope.check(Self::NAME, "*").with_request_tags(&rules::given(&input.tags)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Self::Output, Error> {
        let (input, account) = (call.input(), call.account());
        let anchor = target::find::<TrustAnchors>(&account, &input.trust_anchor_arn)
            .ok_or_else(|| Error::validation("trustAnchorArn names no trust anchor of this account."))?;
        let (list, _) = read(&input.crl_data, anchor)?;
        let tags = rules::tags(&rules::given(&input.tags))?;
        let count = account.crls().filter(|crl| crl.record.trust_anchor == anchor.record.common.id).count();
        rules::room("CRLs of one trust anchor", count, rules::CRLS_PER_ANCHOR_MAX)?;
        let mut change = call.change(op);
        let record = CrlRecord {
            written: change.written(),
            common: rules::common(op, house, (&input.name, input.enabled, tags))?,
            trust_anchor: anchor.record.common.id.clone(),
            list,
            unknown: Unknown::new(),
        };
        let arn = Crls::KIND.arn(&record.common.region, account.id(), &record.common.id);
        let shown = Crls::detail(&account, &record, &arn, false);
        // What it was compared with must still be there.
        change.unchanged(
            key::anywhere(account.id(), TrustAnchors::KIND, &record.trust_anchor),
            anchor.revision,
        );
        change.create_anywhere(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Wrapped { name: Crls::ONE, of: shown })
    }
}

/// A list that an authority of the anchor signed, and its text.
///
/// # Errors
/// ValidationException.
pub(super) fn read(data: &[u8], anchor: &TrustAnchor) -> Result<(String, Crl), Error> {
    let wrong = |why: &dyn std::fmt::Display| Error::validation(format!("The CRL cannot be used: {why}."));
    let text = std::str::from_utf8(data).map_err(|_| wrong(&"it is not well-formed PEM"))?;
    let der = blocks(text, "X509 CRL", 1).map_err(|error| wrong(&error))?;
    let list = Crl::from_der(&der.concat()).map_err(|error| wrong(&error))?;
    list.check_signature(&anchor.read).map_err(|error| wrong(&error))?;
    Ok((text.to_owned(), list))
}
