//! Who asked for sessions by certificates of a trust anchor: a record for each distinguished name, for people to look at. Nothing
//! is decided on it.
//!
//! Its id is made of account and name, so that an answer needs no look into the store, and a subject that comes often is
//! written down now and then and not at every call. Whoever has no certificate that leads to an enabled trust anchor leaves
//! nothing here.
//!
//! Source: IAM Roles Anywhere API Reference, SubjectDetail, CredentialSummary and InstanceProperty.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use daypass_authn::x509::{Certificate, Field};
use daypass_directory::anywhere::record::{InstancePropertiesRecord, SubjectCredentialRecord, SubjectRecord};
use daypass_directory::anywhere::{AnywhereKind, Subject, subject_id};
use daypass_directory::record::Unknown;
use daypass_directory::{AccountView, Authorized, Change, Operation, View, key};
use daypass_model::TagSet;

use super::rules;
use crate::house::House;

/// What comes again so soon is not written again, in seconds.
const WRITTEN_EVERY: i64 = 300;
/// Certificates of a subject that are remembered, and properties of machines: so many that got a session, and so many that did
/// not.
const REMEMBERED_MAX: usize = 10;
/// Subjects of an account that are remembered: the others get sessions all the same.
const SUBJECTS_MAX: usize = 10_000;

/// One call by a certificate that leads to an enabled trust anchor of the account.
pub(super) struct Attempt<'a> {
    pub(super) account: AccountView<'a>,
    pub(super) certificate: &'a Certificate,
    pub(super) properties: &'a BTreeMap<String, String>,
    /// Whether a subject that nobody saw before is written down.
    pub(super) may_be_new: bool,
}

/// Write down that a subject got a session, unless that was done lately. It gets the session all the same where that cannot be
/// written. The answer is the subject's ARN.
pub(super) async fn seen<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    certificate: &Certificate,
    properties: &BTreeMap<String, String>,
) -> String {
    let attempt = Attempt { account: call.account(), certificate, properties, may_be_new: true };
    Note::of(&attempt, false).take(op, house, call.change(op)).await
}

/// Write down that a subject got none.
pub(super) async fn refused(op: &Operation, house: &House, view: &View, attempt: &Attempt<'_>) {
    Note::of(attempt, true).take(op, house, Change::new(&op.request_id, view)).await;
}

/// An attempt and what came of it.
struct Note<'a> {
    attempt: &'a Attempt<'a>,
    properties: Vec<(String, String)>,
    failed: bool,
}

impl<'a> Note<'a> {
    fn of(attempt: &'a Attempt<'a>, failed: bool) -> Self {
        Self { attempt, properties: attempt.properties.clone().into_iter().collect(), failed }
    }

    async fn take(&self, op: &Operation, house: &House, mut change: Change) -> String {
        let Attempt { account: view, certificate, may_be_new, .. } = self.attempt;
        let (account, now) = (view.id(), op.now.as_second());
        let subject = certificate.shown(Field::Subject);
        let id = subject_id(account, &subject);
        let known = view.x509_subject(&id);
        let region = known.map_or_else(|| rules::region(op), |known| known.record.region.as_str());
        let arn = AnywhereKind::Subject.arn(region, account, &id);
        let has_room = || *may_be_new && view.x509_subject_count() < SUBJECTS_MAX;
        if !known.map_or_else(has_room, |known| self.is_news(known, now)) {
            return arn;
        }
        let mut record = known.map_or_else(
            || SubjectRecord {
                written: change.written(),
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
        self.remember(&mut record, now);
        record.written = change.written();
        let place = key::anywhere(account, AnywhereKind::Subject, &id);
        // Its tags are somebody's, and were answered for.
        match known {
            Some(known) => change.unchanged(place.clone(), known.revision),
            None => change.absent(place.clone()),
        }
        change.put(place, &record);
        if let Err(error) = house.directory.commit(change).await {
            tracing::debug!(%error, "a subject of Roles Anywhere was not written down");
        }
        arn
    }

    fn is_news(&self, known: &Subject, now: i64) -> bool {
        let record = &known.record;
        let lately = |seen: i64| now - seen < WRITTEN_EVERY;
        let known = record.credentials.iter().any(|one| self.is_of(one) && lately(one.seen));
        let said = self.properties.is_empty()
            || record.instance_properties.iter().any(|one| self.is_said_by(one) && lately(one.seen));
        !known || !said
    }

    fn is_of(&self, one: &SubjectCredentialRecord) -> bool {
        one.failed == self.failed
            && one.serial == self.attempt.certificate.serial_decimal()
            && one.issuer == self.attempt.certificate.shown(Field::Issuer)
    }

    fn is_said_by(&self, one: &InstancePropertiesRecord) -> bool {
        one.failed == self.failed && one.values == self.properties
    }

    fn remember(&self, record: &mut SubjectRecord, now: i64) {
        record.last_seen = now;
        let same = record.credentials.iter().find(|one| self.is_of(one));
        let unknown = same.map_or_else(Unknown::new, |one| one.unknown.clone());
        record.credentials.retain(|one| !self.is_of(one));
        let credential = SubjectCredentialRecord {
            seen: now,
            serial: self.attempt.certificate.serial_decimal(),
            issuer: self.attempt.certificate.shown(Field::Issuer),
            certificate: BASE64.encode(self.attempt.certificate.der()),
            failed: self.failed,
            unknown,
        };
        record.credentials.insert(0, credential);
        keep_some(&mut record.credentials, |one| one.failed);
        if !self.properties.is_empty() {
            record.instance_properties.retain(|one| !self.is_said_by(one));
            let said = InstancePropertiesRecord {
                seen: now,
                values: self.properties.clone(),
                failed: self.failed,
                unknown: Unknown::new(),
            };
            record.instance_properties.insert(0, said);
            keep_some(&mut record.instance_properties, |one| one.failed);
        }
    }
}

/// The latest of either kind: what is refused again and again puts out nothing that was not.
fn keep_some<T>(all: &mut Vec<T>, failed: impl Fn(&T) -> bool) {
    let mut kept = [0; 2];
    all.retain(|one| {
        let [good, bad] = &mut kept;
        let count = if failed(one) { bad } else { good };
        *count += 1;
        *count <= REMEMBERED_MAX
    });
}
