//! Roles Anywhere: trust anchors, profiles, lists of revocations and subjects of an account, as the rest of daypass reads
//! them. Certificates and lists are parsed once, when their record arrives.

pub mod record;

use std::sync::Arc;

use data_encoding::HEXLOWER;
use daypass_authn::x509::{Certificate, Crl as RevocationList, blocks};
use daypass_model::{AccountId, Arn, TagSet};
use daypass_store::{Record, Revision};
use rpds::RedBlackTreeMapSync;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::account_view::AccountView;
use crate::change::Change;
use crate::entity::Unreadable;
use crate::key;
use crate::record::Written;
use crate::view::{View, read, unreadable};
use record::{CrlRecord, ProfileRecord, ResourceRecord, SubjectRecord, TrustAnchorRecord};

/// Certificates in one trust anchor.
pub const ANCHOR_CERTIFICATES_MAX: usize = 64;

/// Which of them a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnywhereKind {
    /// A trust anchor.
    TrustAnchor,
    /// A profile.
    Profile,
    /// A list of revocations.
    Crl,
    /// A subject.
    Subject,
}

impl AnywhereKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::TrustAnchor, Self::Profile, Self::Crl, Self::Subject];

    /// As ARNs write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TrustAnchor => "trust-anchor",
            Self::Profile => "profile",
            Self::Crl => "crl",
            Self::Subject => "subject",
        }
    }

    /// As keys write it.
    pub(crate) const fn key_word(self) -> &'static str {
        match self {
            Self::TrustAnchor => "trust-anchor",
            Self::Profile => "anywhere-profile",
            Self::Crl => "crl",
            Self::Subject => "x509-subject",
        }
    }

    /// The ARN of one.
    #[must_use]
    pub fn arn(self, region: &str, account: AccountId, id: &str) -> String {
        format!("arn:aws:rolesanywhere:{region}:{account}:{}/{id}", self.word())
    }
}

/// A record with its parts read.
#[derive(Debug)]
pub struct Kept<R, P> {
    /// As stored.
    pub record: R,
    /// When the record was last written.
    pub revision: Revision,
    /// `arn:aws:rolesanywhere:<region>:<account>:<kind>/<uuid>`
    pub arn: String,
    /// What it holds, read.
    pub read: P,
}

/// Authorities whose certificates are a proof of identity.
pub type TrustAnchor = Kept<TrustAnchorRecord, Vec<Certificate>>;
/// Which roles holders of certificates may ask for.
pub type Profile = Kept<ProfileRecord, ()>;
/// Certificates that were revoked.
pub type Crl = Kept<CrlRecord, RevocationList>;
/// Somebody who got sessions by certificates.
pub type Subject = Kept<SubjectRecord, ()>;

/// Who comes with a certificate that leads to a trust anchor, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByCertificate {
    /// The ARN of the trust anchor.
    pub anchor: String,
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// The id of the profile.
    pub profile: String,
    /// The name of the session.
    pub session_name: String,
}

/// A record of Roles Anywhere.
pub trait AnywhereRecord: Serialize {
    /// Which.
    const KIND: AnywhereKind;
    /// Its UUID.
    fn id(&self) -> &str;
    /// Its bookkeeping.
    fn written(&mut self) -> &mut Written;
    /// Its tags.
    fn tags(&mut self) -> &mut TagSet;
    /// What it has in common with most of the others.
    fn common(&mut self) -> Option<&mut ResourceRecord>;
}

macro_rules! anywhere {
    ($record:ty, $kind:ident) => {
        impl AnywhereRecord for $record {
            const KIND: AnywhereKind = AnywhereKind::$kind;
            fn id(&self) -> &str {
                &self.common.id
            }
            fn written(&mut self) -> &mut Written {
                &mut self.written
            }
            fn tags(&mut self) -> &mut TagSet {
                &mut self.common.tags
            }
            fn common(&mut self) -> Option<&mut ResourceRecord> {
                Some(&mut self.common)
            }
        }
    };
}
anywhere!(TrustAnchorRecord, TrustAnchor);
anywhere!(ProfileRecord, Profile);
anywhere!(CrlRecord, Crl);

impl AnywhereRecord for SubjectRecord {
    const KIND: AnywhereKind = AnywhereKind::Subject;
    fn id(&self) -> &str {
        &self.id
    }
    fn written(&mut self) -> &mut Written {
        &mut self.written
    }
    fn tags(&mut self) -> &mut TagSet {
        &mut self.tags
    }
    fn common(&mut self) -> Option<&mut ResourceRecord> {
        None
    }
}

impl Change {
    /// Make one: nobody else of its kind may have come since the snapshot, so that quotas hold.
    pub fn create_anywhere<R: AnywhereRecord>(&mut self, account: AccountId, mut record: R) {
        let place = key::anywhere(account, R::KIND, record.id());
        *record.written() = self.written();
        self.absent(place.clone());
        self.quiet(key::all_anywhere(account, R::KIND));
        self.put(place, &record);
    }

    /// Rewrite one as it was at `revision`.
    pub fn update_anywhere<R: AnywhereRecord>(
        &mut self,
        account: AccountId,
        revision: Revision,
        mut record: R,
    ) {
        let place = key::anywhere(account, R::KIND, record.id());
        *record.written() = self.written();
        self.unchanged(place.clone(), revision);
        self.put(place, &record);
    }

    /// Remove one as it was at `revision`.
    pub fn remove_anywhere(&mut self, account: AccountId, kind: AnywhereKind, id: &str, revision: Revision) {
        let place = key::anywhere(account, kind, id);
        self.unchanged(place.clone(), revision);
        self.delete(place);
    }
}

type Of<T> = RedBlackTreeMapSync<String, Arc<T>>;

/// What one account has of Roles Anywhere, by id.
#[derive(Clone, Default)]
pub(crate) struct Anywhere {
    anchors: Of<TrustAnchor>,
    profiles: Of<Profile>,
    crls: Of<Crl>,
    subjects: Of<Subject>,
}

impl Anywhere {
    pub(crate) fn put(
        &mut self,
        account: AccountId,
        kind: AnywhereKind,
        stored: &Record,
    ) -> Result<(), Unreadable> {
        let revision = stored.revision;
        match kind {
            AnywhereKind::TrustAnchor => {
                let record: TrustAnchorRecord = read(stored)?;
                let certificates = blocks(&record.certificates, "CERTIFICATE", ANCHOR_CERTIFICATES_MAX);
                let certificates = certificates.map_err(|error| unreadable(stored, &error))?;
                let certificates = certificates.iter().map(|der| Certificate::from_der(der));
                let certificates =
                    certificates.collect::<Result<_, _>>().map_err(|error| unreadable(stored, &error))?;
                let kept = Kept::of(account, kind, &record.common, &record, revision, certificates);
                self.anchors.insert_mut(record.common.id, Arc::new(kept));
            }
            AnywhereKind::Profile => {
                let record: ProfileRecord = read(stored)?;
                let kept = Kept::of(account, kind, &record.common, &record, revision, ());
                self.profiles.insert_mut(record.common.id, Arc::new(kept));
            }
            AnywhereKind::Crl => {
                let record: CrlRecord = read(stored)?;
                let der = blocks(&record.list, "X509 CRL", 1).map_err(|error| unreadable(stored, &error))?;
                let list =
                    RevocationList::from_der(&der.concat()).map_err(|error| unreadable(stored, &error))?;
                let kept = Kept::of(account, kind, &record.common, &record, revision, list);
                self.crls.insert_mut(record.common.id, Arc::new(kept));
            }
            AnywhereKind::Subject => {
                let record: SubjectRecord = read(stored)?;
                let (id, arn) = (record.id.clone(), kind.arn(&record.region, account, &record.id));
                self.subjects.insert_mut(id, Arc::new(Kept { record, revision, arn, read: () }));
            }
        }
        Ok(())
    }

    pub(crate) fn delete(&mut self, kind: AnywhereKind, id: &str) {
        match kind {
            AnywhereKind::TrustAnchor => _ = self.anchors.remove_mut(id),
            AnywhereKind::Profile => _ = self.profiles.remove_mut(id),
            AnywhereKind::Crl => _ = self.crls.remove_mut(id),
            AnywhereKind::Subject => _ = self.subjects.remove_mut(id),
        }
    }
}

impl<R: Clone, P> Kept<R, P> {
    fn of(
        account: AccountId,
        kind: AnywhereKind,
        common: &ResourceRecord,
        record: &R,
        revision: Revision,
        read: P,
    ) -> Self {
        let arn = kind.arn(&common.region, account, &common.id);
        Self { record: record.clone(), revision, arn, read }
    }
}

impl<'v> AccountView<'v> {
    /// A trust anchor by its id.
    #[must_use]
    pub fn trust_anchor(&self, id: &str) -> Option<&'v Arc<TrustAnchor>> {
        self.account.anywhere.anchors.get(id)
    }

    /// A profile by its id.
    #[must_use]
    pub fn anywhere_profile(&self, id: &str) -> Option<&'v Arc<Profile>> {
        self.account.anywhere.profiles.get(id)
    }

    /// A list of revocations by its id.
    #[must_use]
    pub fn crl(&self, id: &str) -> Option<&'v Arc<Crl>> {
        self.account.anywhere.crls.get(id)
    }

    /// A subject by its id.
    #[must_use]
    pub fn x509_subject(&self, id: &str) -> Option<&'v Arc<Subject>> {
        self.account.anywhere.subjects.get(id)
    }

    /// All trust anchors, by id.
    pub fn trust_anchors(&self) -> impl Iterator<Item = &'v Arc<TrustAnchor>> + use<'v> {
        self.account.anywhere.anchors.values()
    }

    /// All profiles, by id.
    pub fn anywhere_profiles(&self) -> impl Iterator<Item = &'v Arc<Profile>> + use<'v> {
        self.account.anywhere.profiles.values()
    }

    /// All lists of revocations, by id.
    pub fn crls(&self) -> impl Iterator<Item = &'v Arc<Crl>> + use<'v> {
        self.account.anywhere.crls.values()
    }

    /// All subjects, by id.
    pub fn x509_subjects(&self) -> impl Iterator<Item = &'v Arc<Subject>> + use<'v> {
        self.account.anywhere.subjects.values()
    }

    /// How many subjects there are.
    #[must_use]
    pub fn x509_subject_count(&self) -> usize {
        self.account.anywhere.subjects.size()
    }
}

impl View {
    /// A trust anchor by its exact ARN, with the account that it is in. May lead into any account because whoever comes with
    /// a certificate has none to begin with, and names the anchor: a certificate that does not lead to it opens nothing.
    #[must_use]
    pub fn trust_anchor(&self, arn: &Arn) -> Option<(AccountView<'_>, &Arc<TrustAnchor>)> {
        let account = self.account(arn.account_id()?)?;
        let (_, id) = arn.resource_parts().filter(|(kind, _)| *kind == AnywhereKind::TrustAnchor.word())?;
        let anchor = account.trust_anchor(id).filter(|anchor| anchor.arn == arn.as_str())?;
        Some((account, anchor))
    }
}

/// The id of whoever has this distinguished name in the account.
#[must_use]
pub fn subject_id(account: AccountId, subject: &str) -> String {
    let hash = Sha256::digest(format!("x509 subject {account} {subject}"));
    let mut bytes: [u8; 16] = [0; 16];
    bytes.iter_mut().zip(hash).for_each(|(byte, from)| *byte = from);
    // A UUID of version 8 (RFC 9562, section 5.8).
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    (*version, *variant) = (*version & 0x0f | 0x80, *variant & 0x3f | 0x80);
    let hex = HEXLOWER.encode(&bytes);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    //! Ids.

    use super::*;

    #[test]
    fn a_subject_has_one_id_in_each_account() {
        let (a, b): (AccountId, AccountId) =
            ("111122223333".parse().unwrap(), "444455556666".parse().unwrap());
        let one = subject_id(a, "CN=host");
        assert_eq!(one, subject_id(a, "CN=host"));
        assert!(one != subject_id(b, "CN=host") && one != subject_id(a, "CN=host2"));
        assert_eq!((one.len(), one.as_bytes()[14], one.matches('-').count()), (36, b'8', 4));
    }
}
