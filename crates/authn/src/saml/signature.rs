//! Which element an identity provider signed.
//!
//! XML Signature can sign anything anywhere; one form of it is accepted: a `Signature` directly inside the element that
//! it signs, with one reference, to that element's own id. Nothing is looked up by id, so there is no other element to
//! mistake for the signed one. The result is [`Verified`], which no other code can make, and which leads to nothing
//! that the signature does not cover.
//!
//! INVARIANT (verified-only): what is said about a subject is read through a [`Verified`].
//!
//! Governing documents: XML Signature Syntax and Processing 1.1; SAML 2.0 Core, section 5.4; Exclusive XML
//! Canonicalization 1.0; RFC 6931.

use aws_lc_rs::digest;

use super::c14n::canonical;
use super::key::{Hash, Scheme, SigningKey};
use super::xml::{Element, Fault, at_most_one, base64};

/// XML Signature.
pub(super) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Prefixes in one `PrefixList`; more than are ever in scope.
const PREFIXES_MAX: usize = 32;

/// Whose signatures count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trusted<'k> {
    /// Keys out of the metadata. What a message says about keys is not read.
    pub(super) keys: &'k [SigningKey],
    /// Whether SHA-1 will do, for providers that cannot be changed.
    pub(super) sha1: bool,
}

/// An element that is as the identity provider signed it, without the signature itself, which signs nothing of itself.
#[derive(Clone, Copy)]
pub(super) struct Verified<'t> {
    element: Element<'t>,
    signature: Element<'t>,
}

impl<'t> Verified<'t> {
    /// The value of an attribute without a namespace.
    pub(super) fn attribute(&self, name: &str) -> Option<&'t str> {
        self.element.attribute(name)
    }

    /// The elements directly inside that are `name` of `namespace`.
    pub(super) fn all<'n>(
        &self,
        namespace: &'n str,
        name: &'n str,
    ) -> impl Iterator<Item = Element<'t>> + use<'t, 'n> {
        let signature = self.signature;
        self.element.all(namespace, name).filter(move |element| !element.is_same(signature))
    }

    /// The only such element directly inside, if there is one.
    pub(super) fn only(&self, namespace: &str, name: &str) -> Result<Option<Element<'t>>, Fault> {
        at_most_one(self.all(namespace, name))
    }
}

/// What of `element` is signed by a trusted key: `None` when it holds no signature.
///
/// # Errors
/// The signature is not one, not of this element, or of none of the keys.
pub(super) fn verify<'t>(element: Element<'t>, trusted: Trusted<'_>) -> Result<Option<Verified<'t>>, Fault> {
    let Some(signature) = element.only(DS, "Signature")? else { return Ok(None) };
    let [info, value] = parts(signature)?;
    let signed = SignedInfo::read(info)?;
    if (signed.method.1 == Hash::Sha1 || signed.digest == Hash::Sha1) && !trusted.sha1 {
        return Err(Fault("signed with SHA-1, which is switched off"));
    }
    if !element
        .attribute("ID")
        .is_some_and(|id| !id.is_empty() && signed.reference.strip_prefix('#') == Some(id))
    {
        return Err(Fault("the reference is not to the element around the signature"));
    }
    let value = base64(value.text()?)?;
    let message = canonical(info, None, &signed.info_prefixes)?;
    let (scheme, hash) = signed.method;
    if !trusted.keys.iter().any(|key| key.verifies(scheme, hash, message.as_bytes(), &value)) {
        return Err(Fault("the signature is of none of the keys in the metadata"));
    }
    let content = canonical(element, Some(signature.id()), &signed.content_prefixes)?;
    if signed.digest.of(content.as_bytes()).as_ref() != signed.digest_value {
        return Err(Fault("the content was changed after it was signed"));
    }
    Ok(Some(Verified { element, signature }))
}

/// `SignedInfo` and `SignatureValue`. A `KeyInfo` may follow and is not looked into; an `Object` may not.
fn parts(signature: Element<'_>) -> Result<[Element<'_>; 2], Fault> {
    let mut inside = signature.elements();
    let parts = (inside.next(), inside.next(), inside.next(), inside.next());
    match parts {
        (Some(info), Some(value), key, None)
            if info.is(DS, "SignedInfo")
                && value.is(DS, "SignatureValue")
                && key.is_none_or(|key| key.is(DS, "KeyInfo")) =>
        {
            Ok([info, value])
        }
        _ => Err(Fault("a signature with other parts than SignedInfo, SignatureValue and KeyInfo")),
    }
}

struct SignedInfo<'t> {
    info_prefixes: Vec<&'t str>,
    method: (Scheme, Hash),
    reference: &'t str,
    content_prefixes: Vec<&'t str>,
    digest: Hash,
    digest_value: Vec<u8>,
}

impl<'t> SignedInfo<'t> {
    fn read(info: Element<'t>) -> Result<Self, Fault> {
        let [canonicalization, method, reference] =
            exactly(info, ["CanonicalizationMethod", "SignatureMethod", "Reference"])?;
        let [transforms, digest, digest_value] =
            exactly(reference, ["Transforms", "DigestMethod", "DigestValue"])?;
        let [enveloped, exclusive] = exactly(transforms, ["Transform", "Transform"])?;
        if enveloped.attribute("Algorithm") != Some(ENVELOPED) {
            return Err(Fault("other transforms than enveloped-signature and exclusive canonicalization"));
        }
        exactly(enveloped, [])?;
        Ok(Self {
            info_prefixes: prefixes(canonicalization)?,
            method: signature_method(method)?,
            reference: reference.attribute("URI").unwrap_or_default(),
            content_prefixes: prefixes(exclusive)?,
            digest: digest_method(digest)?,
            digest_value: base64(digest_value.text()?)?,
        })
    }
}

/// The elements inside `element`, which must be these of XML Signature in this order.
fn exactly<'t, const N: usize>(element: Element<'t>, names: [&str; N]) -> Result<[Element<'t>; N], Fault> {
    let unlike = Fault("a signature of another form than the one accepted");
    let inside: Vec<Element<'t>> = element.elements().take(N + 1).collect();
    let inside: [Element<'t>; N] = inside.try_into().map_err(|_| unlike)?;
    if inside.iter().zip(names).all(|(element, name)| element.is(DS, name)) {
        Ok(inside)
    } else {
        Err(unlike)
    }
}

/// The prefixes that exclusive canonicalization is to treat inclusively, the empty one for `#default`; an error for
/// any other algorithm.
fn prefixes(method: Element<'_>) -> Result<Vec<&str>, Fault> {
    // Its identifier is its namespace.
    if method.attribute("Algorithm") != Some(EXCLUSIVE) {
        return Err(Fault("another canonicalization than exclusive"));
    }
    let list = method.only(EXCLUSIVE, "InclusiveNamespaces")?;
    let inside = method.elements().chain(list.iter().flat_map(Element::elements)).count();
    if inside != usize::from(list.is_some()) {
        return Err(Fault("a canonicalization with unknown parameters"));
    }
    let list = list.and_then(|it| it.attribute("PrefixList")).unwrap_or_default();
    let mut prefixes: Vec<&str> = list.split_ascii_whitespace().take(PREFIXES_MAX + 1).collect();
    if prefixes.len() > PREFIXES_MAX {
        return Err(Fault("too many prefixes in a PrefixList"));
    }
    prefixes.iter_mut().filter(|it| **it == "#default").for_each(|it| *it = "");
    Ok(prefixes)
}

fn signature_method(method: Element<'_>) -> Result<(Scheme, Hash), Fault> {
    exactly(method, [])?;
    Ok(match method.attribute("Algorithm").unwrap_or_default() {
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1" => (Scheme::RsaPkcs1, Hash::Sha1),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => (Scheme::RsaPkcs1, Hash::Sha256),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => (Scheme::RsaPkcs1, Hash::Sha384),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => (Scheme::RsaPkcs1, Hash::Sha512),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" => (Scheme::Ecdsa, Hash::Sha256),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384" => (Scheme::Ecdsa, Hash::Sha384),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512" => (Scheme::Ecdsa, Hash::Sha512),
        _ => return Err(Fault("a signature algorithm that is not accepted")),
    })
}

fn digest_method(method: Element<'_>) -> Result<Hash, Fault> {
    exactly(method, [])?;
    Ok(match method.attribute("Algorithm").unwrap_or_default() {
        "http://www.w3.org/2000/09/xmldsig#sha1" => Hash::Sha1,
        "http://www.w3.org/2001/04/xmlenc#sha256" => Hash::Sha256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => Hash::Sha384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => Hash::Sha512,
        _ => return Err(Fault("a digest algorithm that is not accepted")),
    })
}

impl Hash {
    fn of(self, bytes: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes)
    }
}
