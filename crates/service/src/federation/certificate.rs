//! A certificate vouches for whoever holds its key: every rule between a signed request and a question to a trust policy.
//!
//! In this order, as AWS has it: the signature, the certificate and its way to the trust anchor, anchor and profile, revocation,
//! what the profile asks for. The role's trust policy comes after all of it.
//!
//! What was signed can be sent again while its time is near (fifteen minutes either way), as on AWS: what comes of it is another
//! session for the same certificate.

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_authn::sigv4::{AuthError, Presented, Rules};
use daypass_authn::x509::{self, Certificate, FIELDS, Field, Untrusted};
use daypass_directory::anywhere::record::MappingRecord;
use daypass_directory::anywhere::{AnywhereKind, ByCertificate, Profile, TrustAnchor};
use daypass_directory::{AccountView, Caller, Operation, Scope, Value, View, Vouched};
use daypass_model::{Arn, Tag, is_source_identity, rfc3339_seconds};
use jiff::Timestamp;

use super::refused;
use crate::actions::passed_role;
use crate::audit::names_of_certificate;
use crate::authenticate::signed_for_us;
use crate::error::{Error, ProviderAsked};
use crate::house::House;
use crate::request::Request;
use crate::services::OwnService;

/// What a call by certificate asks for.
pub(crate) struct Asked<'a> {
    pub(crate) profile_arn: &'a str,
    pub(crate) role_arn: &'a str,
    pub(crate) trust_anchor_arn: &'a str,
    pub(crate) role_session_name: Option<&'a str>,
    pub(crate) has_instance_properties: bool,
}

/// Whoever came by a certificate that leads to an enabled trust anchor.
pub(crate) struct Came {
    pub(crate) view: Arc<View>,
    pub(crate) anchor: Arn,
    pub(crate) certificate: Certificate,
    /// Whether it is revoked, or an authority above it is.
    pub(crate) is_revoked: bool,
}

/// Why nobody is vouched for.
pub(crate) struct NotVouched {
    pub(crate) error: Error,
    /// Who came, where that is certain.
    pub(crate) came: Option<Came>,
}

impl From<Error> for Box<NotVouched> {
    fn from(error: Error) -> Self {
        Self::new(NotVouched { error, came: None })
    }
}

/// What a call by certificate is about, once it was vouched for.
pub(crate) fn claim_of(scope: &Scope) -> Option<&ByCertificate> {
    scope.principal().vouched()?.by_certificate.as_ref()
}

/// Verify a request that the key of a certificate signed, and follow the certificate to the trust anchor that it names.
///
/// # Errors
/// AccessDenied, NoSuchEntity, ValidationError.
pub(crate) fn vouch_by_certificate(
    op: &Operation,
    house: &House,
    request: &Request,
    presented: &Presented,
    asked: &Asked<'_>,
) -> Result<(Arc<View>, Caller), Box<NotVouched>> {
    let Presented::Certificate(proof) = presented else {
        return Err(Error::from(AuthError::MissingAuthenticationToken).into());
    };
    let denied = |error: AuthError| Error::access_denied(error.to_string());
    signed_for_us(house, request).map_err(|error| Error::access_denied(error.message))?;
    let tolerated: Vec<&str> = house.settings.tolerated_unsigned_headers.iter().map(String::as_str).collect();
    let rules = Rules { tolerated_unsigned: &tolerated, ..Rules::for_service(request.service) };
    proof.verify(&request.http, &rules, op.now).map_err(denied)?;

    let view = house.directory.snapshot();
    let arn: Arn = asked.trust_anchor_arn.parse().map_err(|_| not_found("Trust anchor"))?;
    let (account, anchor) = view.trust_anchor(&arn).ok_or_else(|| not_found("Trust anchor"))?;
    let told = |error: Error, verified: Vec<_>| {
        let (name, account) = (anchor.arn.clone(), Some(account.id()));
        error.of_provider(ProviderAsked { name, account, is_alarm: false, verified })
    };
    let call = Call { op, asked, account, anchor, certificate: &proof.certificate };
    let path = call.path(&proof.chain).map_err(|why| {
        let provider = refused::Asked { name: &anchor.arn, account: Some(account.id()) };
        let error = refused::refused(house, op, provider, why.error(), Some(&why.detail));
        told(error, if why.is_of_anchor { vec![("detail", why.detail)] } else { Vec::new() })
    })?;
    call.check_anchor(proof.region()).map_err(|error| told(error, Vec::new()))?;
    let is_revoked = call.is_revoked(&path);
    let vouched = call.vouched(is_revoked, proof.region()).map_err(|error| {
        let certificate = proof.certificate.clone();
        let came = Came { view: view.clone(), anchor: arn.clone(), certificate, is_revoked };
        let verified = names_of_certificate(&proof.certificate).into();
        Box::new(NotVouched { error: told(error, verified), came: Some(came) })
    })?;
    let caller = Caller::vouched(account.id(), vouched);
    Ok((view, caller))
}

/// Why a certificate leads to no anchor.
struct NoPath {
    why: Untrusted,
    /// What the caller is not told.
    detail: String,
    /// Whether that is of the anchor, and nothing that somebody brought.
    is_of_anchor: bool,
}

impl NoPath {
    fn error(&self) -> Error {
        Error::access_denied(match self.why {
            Untrusted::Unfit(_) => "Insufficient certificate.",
            Untrusted::NoPath => "Untrusted signing certificate.",
        })
    }
}

fn told_of_ended(anchor: &Certificate) -> String {
    let ended = rfc3339_seconds(Timestamp::from_second(anchor.not_after()).unwrap_or_default());
    format!("the trust anchor's certificate {} ended at {ended}", anchor.shown(Field::Subject))
}

fn not_found(what: &str) -> Error {
    Error::no_such_entity(format!("{what} not found."))
}

struct Call<'a> {
    op: &'a Operation,
    asked: &'a Asked<'a>,
    account: AccountView<'a>,
    anchor: &'a Arc<TrustAnchor>,
    certificate: &'a Certificate,
}

impl<'a> Call<'a> {
    /// The certificates up to one of the trust anchor.
    fn path(&self, chain: &'a [Certificate]) -> Result<Vec<&'a Certificate>, NoPath> {
        let Self { op, anchor, certificate, .. } = self;
        x509::path(certificate, chain, &anchor.read, op.now).map_err(|why| {
            let ended = x509::ended_anchor(certificate, chain, &anchor.read, op.now);
            let ended = ended.filter(|_| why == Untrusted::NoPath).map(told_of_ended);
            NoPath { why, is_of_anchor: ended.is_some(), detail: ended.unwrap_or_else(|| why.to_string()) }
        })
    }

    /// That it counts, and was signed for its region.
    fn check_anchor(&self, region: &str) -> Result<(), Error> {
        let anchor = self.anchor;
        if anchor.record.common.region != region {
            return Err(Error::access_denied("The trust anchor is in another region."));
        }
        if !anchor.record.common.enabled {
            return Err(Error::access_denied("The trust anchor is disabled."));
        }
        Ok(())
    }

    fn is_revoked(&self, path: &[&Certificate]) -> bool {
        self.account.crls().any(|crl| {
            crl.record.common.enabled
                && crl.record.trust_anchor == self.anchor.record.common.id
                && path.iter().any(|one| crl.read.revokes(one))
        })
    }

    fn vouched(&self, is_revoked: bool, region: &str) -> Result<Vouched, Error> {
        let Self { asked, account, anchor, certificate, .. } = self;
        let profile = self.profile()?;
        self.check_profile(profile, region)?;
        if is_revoked {
            return Err(Error::access_denied("Certificate revoked."));
        }
        if asked.role_session_name.is_some() && !profile.record.accept_role_session_name {
            return Err(Error::access_denied("Not authorized to set roleSessionName."));
        }
        if profile.record.require_instance_properties && !asked.has_instance_properties {
            return Err(Error::access_denied("The profile requires instance properties."));
        }
        let tags = tags(certificate, &profile.record.mappings);
        let session_name = asked.role_session_name.map_or_else(|| certificate.serial_hex(), str::to_owned);
        let common_name = certificate.values(Field::Subject).find(|(kind, _)| *kind == "CN");
        let source_identity = common_name.map(|(_, name)| format!("CN={name}"));
        if source_identity.as_ref().is_some_and(|name| !is_source_identity(name)) {
            let message =
                "The common name of the certificate cannot be a source identity: [a-zA-Z_0-9+=,.@-]{1,61}.";
            return Err(Error::validation(message));
        }
        Ok(Vouched {
            keys: keys(account, &anchor.arn, &tags),
            tags,
            source_identity,
            by_certificate: Some(ByCertificate {
                anchor: anchor.arn.clone(),
                certificate: Arc::new((*certificate).clone()),
                profile: profile.record.common.id.clone(),
                session_name,
            }),
            ..Vouched::service(OwnService::RolesAnywhere.name())
        })
    }

    /// The profile that the call names, of the anchor's account and no other.
    fn profile(&self) -> Result<&Arc<Profile>, Error> {
        let arn: Option<Arn> = self.asked.profile_arn.parse().ok();
        let id = arn
            .as_ref()
            .and_then(Arn::resource_parts)
            .filter(|(kind, _)| *kind == AnywhereKind::Profile.word());
        let profile = id.and_then(|(_, id)| self.account.anywhere_profile(id));
        profile.filter(|profile| profile.arn == self.asked.profile_arn).ok_or_else(|| not_found("Profile"))
    }

    fn check_profile(&self, profile: &Profile, region: &str) -> Result<(), Error> {
        let record = &profile.record;
        if record.common.region != region {
            return Err(Error::access_denied("The profile is in another region."));
        }
        if !record.common.enabled {
            return Err(Error::access_denied("The profile is disabled."));
        }
        // The very role that was passed to the profile, and not another one of its name.
        let role = passed_role(&self.account, self.asked.role_arn);
        let is_listed = |id| record.roles.iter().any(|role| role.arn == self.asked.role_arn && role.id == id);
        if !role.is_some_and(|role| is_listed(role.record.id.clone())) {
            let message = format!("Unable to assume role for {}", self.asked.role_arn);
            return Err(Error::access_denied(message));
        }
        Ok(())
    }
}

/// What trust policies may ask. AWS's examples ask for the tags as those of the principal, which it has not got yet.
fn keys(account: &AccountView<'_>, anchor_arn: &str, tags: &[Tag]) -> Vec<(String, Value)> {
    let mut keys = vec![
        ("aws:SourceArn".to_owned(), Value::from(anchor_arn)),
        ("aws:SourceAccount".to_owned(), Value::from(account.id().as_str())),
    ];
    keys.extend(
        tags.iter().map(|tag| (format!("aws:PrincipalTag/{}", tag.key), Value::from(tag.value.as_str()))),
    );
    keys
}

/// The session tags that the profile makes of the certificate.
fn tags(certificate: &Certificate, mappings: &[MappingRecord]) -> Vec<Tag> {
    let by_field: BTreeMap<&str, &MappingRecord> =
        mappings.iter().map(|mapping| (mapping.field.as_str(), mapping)).collect();
    let mut tags = Vec::new();
    for field in FIELDS {
        let Some(mapping) = by_field.get(field.as_str()) else { continue };
        for (kind, text) in certificate.values(field) {
            let is_meant = |specifier: &String| match specifier.strip_suffix('*') {
                Some(start) => kind.starts_with(start),
                None => kind == specifier,
            };
            if mapping.specifiers.iter().any(is_meant) {
                tags.push(Tag { key: format!("{}/{kind}", field.as_str()), value: text.to_owned() });
            }
        }
    }
    tags
}
