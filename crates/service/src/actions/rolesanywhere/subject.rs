//! Who got sessions by certificates: a record for each distinguished name, for people to look at. Nothing is decided on it.
//!
//! Its id is made of account and name, so that an answer needs no look into the store, and a subject that comes often is
//! written down now and then and not at every call.

use data_encoding::BASE64;
use daypass_authn::x509::{Certificate, Field};
use daypass_directory::anywhere::record::{InstancePropertiesRecord, SubjectCredentialRecord, SubjectRecord};
use daypass_directory::anywhere::{AnywhereKind, Subject, subject_id};
use daypass_directory::record::Unknown;
use daypass_directory::{Authorized, Operation, key};
use daypass_model::TagSet;

use super::rules;
use crate::house::House;

/// A subject that comes again so soon is not written again, in seconds.
const WRITTEN_EVERY: i64 = 300;
/// Certificates of a subject that are remembered, and properties of machines.
const REMEMBERED_MAX: usize = 10;
/// Subjects of an account that are remembered: the others get sessions all the same.
const SUBJECTS_MAX: usize = 10_000;

/// Write down that a subject got a session, unless that was done lately. Its session does not wait on it: what cannot be
/// written is told to the operator.
pub(super) async fn seen<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    certificate: &Certificate,
    properties: &[(String, String)],
) -> String {
    let (account, now) = (call.account(), op.now.as_second());
    let subject = certificate.shown(Field::Subject);
    let id = subject_id(account.id(), &subject);
    let known = account.x509_subject(&id);
    let region = known.map_or_else(|| rules::region(op), |known| known.record.region.as_str());
    let arn = AnywhereKind::Subject.arn(region, account.id(), &id);
    let is_news = known.is_none_or(|known| is_news(known, certificate, properties, now));
    if !is_news || known.is_none() && account.x509_subject_count() >= SUBJECTS_MAX {
        return arn;
    }
    let mut record = known.map_or_else(
        || SubjectRecord {
            written: call.change(op).written(),
            id: id.clone(),
            region: region.to_owned(),
            subject,
            created: now,
            last_seen: now,
            credentials: Vec::new(),
            instance_properties: Vec::new(),
            tags: TagSet::new(),
            unknown: Unknown::new(),
        },
        |known| known.record.clone(),
    );
    remember(&mut record, certificate, properties, now);
    let mut change = call.change(op);
    record.written = change.written();
    change.put(key::anywhere(account.id(), AnywhereKind::Subject, &id), &record);
    if let Err(error) = house.directory.commit(change).await {
        tracing::debug!(%error, "a subject of Roles Anywhere was not written down");
    }
    arn
}

fn is_news(known: &Subject, certificate: &Certificate, properties: &[(String, String)], now: i64) -> bool {
    let record = &known.record;
    let of = |serial: &str, issuer: &str| {
        record.credentials.iter().any(|one| one.serial == serial && one.issuer == issuer)
    };
    let is_known = of(&certificate.serial_decimal(), &certificate.shown(Field::Issuer));
    let said = properties.is_empty() || record.instance_properties.iter().any(|one| one.values == properties);
    !is_known || !said || now - record.last_seen >= WRITTEN_EVERY
}

fn remember(
    record: &mut SubjectRecord,
    certificate: &Certificate,
    properties: &[(String, String)],
    now: i64,
) {
    record.last_seen = now;
    let (serial, issuer) = (certificate.serial_decimal(), certificate.shown(Field::Issuer));
    let same = record.credentials.iter().find(|one| one.serial == serial && one.issuer == issuer);
    let unknown = same.map_or_else(Unknown::new, |one| one.unknown.clone());
    record.credentials.retain(|one| one.serial != serial || one.issuer != issuer);
    let credential = SubjectCredentialRecord {
        seen: now,
        serial,
        issuer,
        certificate: BASE64.encode(certificate.der()),
        unknown,
    };
    record.credentials.insert(0, credential);
    record.credentials.truncate(REMEMBERED_MAX);
    if !properties.is_empty() {
        record.instance_properties.retain(|one| one.values != properties);
        let said =
            InstancePropertiesRecord { seen: now, values: properties.to_vec(), unknown: Unknown::new() };
        record.instance_properties.insert(0, said);
        record.instance_properties.truncate(REMEMBERED_MAX);
    }
}
