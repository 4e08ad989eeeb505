//! What answers show of trust anchors, profiles, lists of revocations and subjects, under the public model's names.

use std::collections::BTreeMap;

use data_encoding::{BASE64, BASE64_MIME};
use daypass_directory::AccountView;
use daypass_directory::anywhere::AnywhereKind;
use daypass_directory::anywhere::record::{
    CrlRecord, MappingRecord, ProfileRecord, SubjectRecord, TrustAnchorRecord,
};
use daypass_model::{Tag, rfc3339_seconds};
use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

/// A moment in an answer of this service, in Unix seconds: ISO 8601.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(pub(super) i64);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = Timestamp::from_second(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        serializer.serialize_str(&rfc3339_seconds(time))
    }
}

/// An answer that is one thing under a name.
pub(super) struct Wrapped<T> {
    pub(super) name: &'static str,
    pub(super) of: T,
}

impl<T: Serialize> Serialize for Wrapped<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.name, &self.of)?;
        map.end()
    }
}

/// A tag as this service writes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagShape {
    key: String,
    value: String,
}

impl From<TagShape> for Tag {
    fn from(TagShape { key, value }: TagShape) -> Self {
        Self { key, value }
    }
}

impl From<&Tag> for TagShape {
    fn from(Tag { key, value }: &Tag) -> Self {
        Self { key: key.clone(), value: value.clone() }
    }
}

/// `TrustAnchorDetail`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrustAnchorDetail {
    created_at: Moment,
    enabled: bool,
    name: String,
    /// Nobody sends any.
    notification_settings: [(); 0],
    source: Source,
    trust_anchor_arn: String,
    trust_anchor_id: String,
    updated_at: Moment,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    source_data: SourceData,
    source_type: &'static str,
}

#[derive(Serialize)]
struct SourceData {
    #[serde(rename = "x509CertificateData")]
    certificates: String,
}

impl TrustAnchorDetail {
    pub(super) fn of(_: &AccountView<'_>, record: &TrustAnchorRecord, arn: &str, _: bool) -> Self {
        let common = &record.common;
        Self {
            created_at: Moment(common.created),
            enabled: common.enabled,
            name: common.name.clone(),
            notification_settings: [],
            source: Source {
                source_data: SourceData { certificates: record.certificates.clone() },
                source_type: super::trust_anchor::CERTIFICATE_BUNDLE,
            },
            trust_anchor_arn: arn.to_owned(),
            trust_anchor_id: common.id.clone(),
            updated_at: Moment(common.updated),
        }
    }
}

/// `ProfileDetail`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileDetail {
    accept_role_session_name: bool,
    attribute_mappings: Vec<MappingShape>,
    created_at: Moment,
    created_by: String,
    duration_seconds: i64,
    enabled: bool,
    managed_policy_arns: Vec<String>,
    name: String,
    profile_arn: String,
    profile_id: String,
    require_instance_properties: bool,
    role_arns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_policy: Option<String>,
    updated_at: Moment,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MappingShape {
    certificate_field: String,
    mapping_rules: Vec<RuleShape>,
}

/// `MappingRule`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleShape {
    pub(super) specifier: String,
}

impl From<&MappingRecord> for MappingShape {
    fn from(mapping: &MappingRecord) -> Self {
        let rules = mapping.specifiers.iter().map(|specifier| RuleShape { specifier: specifier.clone() });
        Self { certificate_field: mapping.field.clone(), mapping_rules: rules.collect() }
    }
}

impl ProfileDetail {
    pub(super) fn of(_: &AccountView<'_>, record: &ProfileRecord, arn: &str, _: bool) -> Self {
        let common = &record.common;
        Self {
            accept_role_session_name: record.accept_role_session_name,
            attribute_mappings: record.mappings.iter().map(MappingShape::from).collect(),
            created_at: Moment(common.created),
            created_by: record.created_by.clone(),
            duration_seconds: record.duration,
            enabled: common.enabled,
            managed_policy_arns: record.managed_policies.clone(),
            name: common.name.clone(),
            profile_arn: arn.to_owned(),
            profile_id: common.id.clone(),
            require_instance_properties: record.require_instance_properties,
            role_arns: record.roles.iter().map(|role| role.arn.clone()).collect(),
            session_policy: record.session_policy.clone(),
            updated_at: Moment(common.updated),
        }
    }
}

/// `CrlDetail`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CrlDetail {
    created_at: Moment,
    crl_arn: String,
    crl_data: String,
    crl_id: String,
    enabled: bool,
    name: String,
    trust_anchor_arn: String,
    updated_at: Moment,
}

impl CrlDetail {
    pub(super) fn of(account: &AccountView<'_>, record: &CrlRecord, arn: &str, _: bool) -> Self {
        let common = &record.common;
        // One that is gone keeps its id.
        let anchor = account.trust_anchor(&record.trust_anchor).map(|anchor| anchor.arn.clone());
        let gone = || AnywhereKind::TrustAnchor.arn(&common.region, account.id(), &record.trust_anchor);
        Self {
            created_at: Moment(common.created),
            crl_arn: arn.to_owned(),
            crl_data: BASE64.encode(record.list.as_bytes()),
            crl_id: common.id.clone(),
            enabled: common.enabled,
            name: common.name.clone(),
            trust_anchor_arn: anchor.unwrap_or_else(gone),
            updated_at: Moment(common.updated),
        }
    }
}

/// `SubjectDetail`, and `SubjectSummary`, which is less of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubjectDetail {
    created_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<Vec<CredentialSummary>>,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_properties: Option<Vec<InstanceProperty>>,
    last_seen_at: Moment,
    subject_arn: String,
    subject_id: String,
    updated_at: Moment,
    #[serde(rename = "x509Subject")]
    x509_subject: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CredentialSummary {
    enabled: bool,
    failed: bool,
    issuer: String,
    seen_at: Moment,
    serial_number: String,
    #[serde(rename = "x509CertificateData")]
    certificate: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceProperty {
    failed: bool,
    properties: BTreeMap<String, String>,
    seen_at: Moment,
}

impl SubjectDetail {
    pub(super) fn of(_: &AccountView<'_>, record: &SubjectRecord, arn: &str, in_list: bool) -> Self {
        let credentials = record.credentials.iter().map(|credential| CredentialSummary {
            enabled: true,
            failed: credential.failed,
            issuer: credential.issuer.clone(),
            seen_at: Moment(credential.seen),
            serial_number: credential.serial.clone(),
            certificate: pem(&credential.certificate),
        });
        let properties = record.instance_properties.iter().map(|one| InstanceProperty {
            failed: one.failed,
            properties: one.values.iter().cloned().collect(),
            seen_at: Moment(one.seen),
        });
        Self {
            created_at: Moment(record.created),
            credentials: (!in_list).then(|| credentials.collect()),
            enabled: true,
            instance_properties: (!in_list).then(|| properties.collect()),
            last_seen_at: Moment(record.last_seen),
            subject_arn: arn.to_owned(),
            subject_id: record.id.clone(),
            updated_at: Moment(record.last_seen),
            x509_subject: record.subject.clone(),
        }
    }
}

/// The certificate, in lines.
fn pem(base64: &str) -> String {
    let der = BASE64.decode(base64.as_bytes()).unwrap_or_default();
    let lines = BASE64_MIME.encode(&der).replace('\r', "");
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.trim_end())
}
