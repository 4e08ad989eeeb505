//! What a certificate says of its holder and of who issued it: parts of distinguished names, and other names.
//!
//! Of several values of one kind the first counts, as on AWS: what stands behind it is nobody's name. Which characters a value
//! may have is for whoever makes something of it.

use std::fmt::Write as _;

use x509_cert::der::asn1::{ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Any, Encode, Tag, Tagged};
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames};
use x509_cert::name::Name;

use super::certificate::Unfit;

/// Where a value stands, as attribute mappings and session tags name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `x509Subject`
    Subject,
    /// `x509Issuer`
    Issuer,
    /// `x509SAN`
    AlternativeName,
}

/// All of them.
pub const FIELDS: [Field; 3] = [Field::Subject, Field::Issuer, Field::AlternativeName];

impl Field {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "x509Subject",
            Self::Issuer => "x509Issuer",
            Self::AlternativeName => "x509SAN",
        }
    }
}

/// Short names of attribute types (RFC 4519; RFC 4514, section 3); another type is named by its dotted OID.
const SHORT: [(&str, &str); 17] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
    ("2.5.4.44", "generationQualifier"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.65", "pseudonym"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];
/// Attributes of one name; more are nobody's.
const ATTRIBUTES_MAX: usize = 64;

/// The parts of a distinguished name in order, by their short names.
pub(super) fn parts(name: &Name) -> Result<Vec<(String, String)>, Unfit> {
    let mut parts = Vec::new();
    for level in name.iter_rdn() {
        let start = parts.len();
        for attribute in level.iter() {
            let kind = short(&attribute.oid);
            // One of a type in each level (X.501, section 9.3).
            let is_twin = parts.iter().skip(start).any(|(known, _)| *known == kind);
            if is_twin || parts.len() == ATTRIBUTES_MAX {
                return Err(Unfit::Names);
            }
            parts.push((kind, text(&attribute.value)?));
        }
    }
    Ok(parts)
}

/// Whether what was read is what stands there. A SET OF that is out of order (X.690, section 11.6) is put in order by the reader:
/// the first value would be another one than everybody else sees.
pub(super) fn is_as_written(read: &impl Encode, der: &[u8]) -> bool {
    read.to_der().is_ok_and(|written| written == der)
}

fn short(oid: &ObjectIdentifier) -> String {
    let dotted = oid.to_string();
    SHORT.iter().find(|(known, _)| *known == dotted).map_or(dotted, |(_, short)| (*short).to_owned())
}

/// The text of an attribute. Teletex strings mean different things to different readers.
fn text(value: &Any) -> Result<String, Unfit> {
    let bytes = value.value();
    let text = match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.as_str().to_owned()),
        Tag::PrintableString => {
            value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.as_str().to_owned())
        }
        Tag::Ia5String | Tag::NumericString if bytes.is_ascii() => {
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
        Tag::BmpString => {
            let units = bytes.chunks(2).map(|two| match two {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0xd800, // half a unit, which is none
            });
            char::decode_utf16(units).collect::<Result<String, _>>().ok()
        }
        _ => None,
    };
    text.ok_or(Unfit::Names)
}

/// The other names: `DNS`, `URI` and `Name/<part>`.
pub(super) fn alternative(names: &GeneralNames) -> Result<Vec<(String, String)>, Unfit> {
    if names.len() > ATTRIBUTES_MAX {
        return Err(Unfit::Names);
    }
    let mut found = Vec::new();
    for name in names {
        match name {
            GeneralName::DnsName(name) => found.push(("DNS".to_owned(), name.as_str().to_owned())),
            GeneralName::UniformResourceIdentifier(uri) => {
                found.push(("URI".to_owned(), uri.as_str().to_owned()));
            }
            GeneralName::DirectoryName(name) => {
                found.extend(parts(name)?.into_iter().map(|(part, text)| (format!("Name/{part}"), text)));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// A distinguished name as people read it, its parts in order (RFC 4514, but for their order).
pub(super) fn shown(parts: &[(String, String)]) -> String {
    let mut out = String::new();
    for (part, text) in parts {
        if !out.is_empty() {
            out.push(',');
        }
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => escaped.extend(['\\', c]),
                c if c.is_control() => _ = write!(escaped, "\\{:02x}", u32::from(c)),
                c => escaped.push(c),
            }
        }
        _ = write!(out, "{part}={escaped}");
    }
    out
}
