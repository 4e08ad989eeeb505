//! An identity provider: keys, their documents on a loopback port, tokens and assertions.

use std::convert::Infallible;
use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Outcome;

/// What a token or an assertion is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Signed {
    /// RSA of 2048 bits with SHA-256.
    Rs256,
    /// P-256 with SHA-256.
    Es256,
}

/// A provider with a key of each kind.
pub(crate) struct Issuer {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    /// Base64 of a certificate of the RSA key.
    certificate: String,
    /// Its URL.
    pub(crate) url: String,
}

/// The entity id of its metadata.
pub(crate) const ENTITY: &str = "https://idp.example.com/saml";

impl Issuer {
    /// New keys, and a thread that answers for them until this program ends.
    pub(crate) fn start() -> Outcome<Self> {
        let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
        let certificate =
            rcgen::CertificateParams::new(vec!["idp.example.com".to_owned()])?.self_signed(&pair)?;
        let rsa = RsaKeyPair::from_pkcs8(&pair.serialize_der())?;
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let keys = key_set(&rsa, &ec)?;
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || serve(&keys, &tell));
        let address: SocketAddr = told.recv()?;
        let certificate = BASE64.encode(certificate.der());
        Ok(Self { rsa, ec, certificate, url: format!("http://{address}") })
    }

    /// A token for the audience `app`, good for ten minutes from `now` on.
    pub(crate) fn token(&self, signed: Signed, now: i64) -> Outcome<String> {
        let (alg, kid) = match signed {
            Signed::Rs256 => ("RS256", "rsa"),
            Signed::Es256 => ("ES256", "ec"),
        };
        let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
        let claims = format!(
            r#"{{"iss":"{}","sub":"alice","aud":"app","iat":{},"exp":{}}}"#,
            self.url,
            now - 10,
            now + 600
        );
        let text = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes())).join(".");
        let signature = BASE64URL_NOPAD.encode(&self.sign(signed, text.as_bytes())?);
        Ok(format!("{text}.{signature}"))
    }

    pub(crate) fn sign(&self, signed: Signed, message: &[u8]) -> Outcome<Vec<u8>> {
        let random = SystemRandom::new();
        Ok(match signed {
            Signed::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
            Signed::Es256 => self.ec.sign(&random, message)?.as_ref().to_vec(),
        })
    }

    /// The public key, as the crypto library reads it.
    pub(crate) fn public_key(&self, signed: Signed) -> Vec<u8> {
        match signed {
            Signed::Rs256 => self.rsa.public_key().as_ref().to_vec(),
            Signed::Es256 => self.ec.public_key().as_ref().to_vec(),
        }
    }

    /// Metadata with the RSA key.
    pub(crate) fn metadata(&self) -> String {
        format!(
            r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{ENTITY}"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"></md:SingleSignOnService></md:IDPSSODescriptor></md:EntityDescriptor>"#,
            self.certificate
        )
    }

    /// Base64 of a response with this assertion, which must be in canonical form and have this id.
    pub(crate) fn response(&self, assertion: &str, id: &str) -> Outcome<String> {
        const INFO: &str = concat!(
            r#"<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">"#,
            r#"<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>"#,
            r#"<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>"#,
            r##"<ds:Reference URI="#ID"><ds:Transforms>"##,
            r#"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>"#,
            r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>"#,
            r#"<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>"#,
            r#"<ds:DigestValue>DIGEST</ds:DigestValue></ds:Reference></ds:SignedInfo>"#,
        );
        let value = BASE64.encode(digest(&SHA256, assertion.as_bytes()).as_ref());
        let info = INFO.replace("#ID", &format!("#{id}")).replace("DIGEST", &value);
        let signature = BASE64.encode(&self.sign(Signed::Rs256, info.as_bytes())?);
        let info = info.replacen(r#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#, "", 1);
        let signature = format!(
            r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{info}<ds:SignatureValue>{signature}</ds:SignatureValue></ds:Signature>"#
        );
        let (before, after) =
            assertion.split_once("</saml:Issuer>").ok_or("an assertion without an issuer")?;
        let text = format!(
            r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0"><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>{before}</saml:Issuer>{signature}{after}</samlp:Response>"#
        );
        Ok(BASE64.encode(text.as_bytes()))
    }
}

/// The public halves as a JSON Web Key Set.
fn key_set(rsa: &RsaKeyPair, ec: &EcdsaKeyPair) -> Outcome<String> {
    let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    // RFC 8017, appendix A.1.1: of 2048 bits the modulus stands behind nine bytes, and the exponent is 65,537.
    let modulus = rsa.public_key().as_ref().get(9..265).ok_or("another key than one of 2048 bits")?;
    let (n, e) = (text(modulus), "AQAB");
    let point = ec.public_key().as_ref().get(1..).ok_or("no point")?;
    let (x, y) = point.split_at(32);
    Ok(format!(
        r#"{{"keys":[{{"kty":"RSA","kid":"rsa","n":"{n}","e":"{e}"}},{{"kty":"EC","kid":"ec","crv":"P-256","x":"{}","y":"{}"}}]}}"#,
        text(x),
        text(y)
    ))
}

/// Answers both documents until this program ends.
fn serve(keys: &str, tell: &std::sync::mpsc::Sender<SocketAddr>) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tell.send(address)?;
        let discovery = format!(r#"{{"issuer":"http://{address}","jwks_uri":"http://{address}/keys"}}"#);
        let documents = [Bytes::from(discovery), Bytes::from(keys.to_owned())];
        loop {
            let (stream, _) = listener.accept().await?;
            let documents = documents.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let [discovery, keys] = documents.clone();
                let body = if request.uri().path() == "/keys" { keys } else { discovery };
                std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(body))))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}
