//! Authorities and machines: certificates as `rcgen` makes them, and requests that a certificate's key signs. Written after
//! "The IAM Roles Anywhere authentication signing process" in the IAM Roles Anywhere User Guide, apart from the verifier.

use data_encoding::{BASE64, HEXLOWER};
use daypass_authn::sigv4::HttpRequest;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, SigningKey as _,
    date_time_ymd,
};
use sha2::{Digest as _, Sha256};

/// Somebody with a certificate: an authority or a machine.
pub(crate) struct Holder {
    pub(crate) params: CertificateParams,
    key: KeyPair,
    pub(crate) der: Vec<u8>,
    pub(crate) pem: String,
}

/// What a certificate is to say.
pub(crate) fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2045, 1, 1);
    params
}

/// The same of an authority.
pub(crate) fn authority_params(common_name: &str, path_len: Option<u8>) -> CertificateParams {
    let mut params = params(common_name);
    params.is_ca = IsCa::Ca(path_len.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// The same of a machine, with a serial number.
pub(crate) fn machine_params(common_name: &str, serial: u64) -> CertificateParams {
    let mut params = params(common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.serial_number = Some(SerialNumber::from(serial));
    params
}

impl Holder {
    /// A root.
    pub(crate) fn root(common_name: &str) -> Self {
        Self::self_signed(authority_params(common_name, None))
    }

    pub(crate) fn self_signed(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().to_vec(), certificate.pem());
        Self { params, key, der, pem }
    }

    /// A certificate of this authority's.
    pub(crate) fn issue(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer()).unwrap();
        let (der, pem) = (certificate.der().to_vec(), certificate.pem());
        Self { params, key, der, pem }
    }

    /// A machine's.
    pub(crate) fn machine(&self, common_name: &str, serial: u64) -> Self {
        self.issue(machine_params(common_name, serial))
    }

    /// A list of these numbers as revoked, in PEM.
    pub(crate) fn revoke(&self, serials: &[u64]) -> String {
        self.list(serials, 1, 1)
    }

    /// The same with a number of its own, of a day of January 2026.
    pub(crate) fn list(&self, serials: &[u64], number: u64, day: u8) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, day),
            next_update: date_time_ymd(2026, 2, 1),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer()).unwrap().pem().unwrap()
    }

    /// A whole signed CreateSession with these certificates between; `stamp` is `yyyymmddThhmmssZ`.
    pub(crate) fn request(&self, serial: &str, region: &str, stamp: &str, chain: &[&Self]) -> HttpRequest {
        let mut fields = vec![
            ("host", "daypass.test".to_owned()),
            ("x-amz-date", stamp.to_owned()),
            ("x-amz-x509", BASE64.encode(&self.der)),
        ];
        if !chain.is_empty() {
            let chain: Vec<_> = chain.iter().map(|one| BASE64.encode(&one.der)).collect();
            fields.push(("x-amz-x509-chain", chain.join(",")));
        }
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        let lines: String = fields.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = names.join(";");
        let hash = |text: &str| HEXLOWER.encode(&Sha256::digest(text));
        let canonical = format!("POST\n/sessions\n\n{lines}\n{names}\n{}", hash(""));
        let scope = format!("{}/{region}/rolesanywhere/aws4_request", &stamp[..8]);
        let text = format!("AWS4-X509-ECDSA-SHA256\n{stamp}\n{scope}\n{}", hash(&canonical));
        let signature = HEXLOWER.encode(&self.key.sign(text.as_bytes()).unwrap());
        let authorization = format!(
            "AWS4-X509-ECDSA-SHA256 Credential={serial}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        let request =
            fields.into_iter().fold(HttpRequest::new("POST", "/sessions", ""), |request, (name, value)| {
                request.with_header(name, value)
            });
        request.with_header("authorization", authorization)
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}
