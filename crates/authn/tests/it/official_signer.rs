//! Both directions against the signer of the AWS SDK for Rust (`aws-sigv4`).

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode,
};
use aws_sigv4::sign::{v4, v4a};
use daypass_authn::sigv4::{AuthError, Credentials, HttpRequest, SignatureForm, explain, sign};
use proptest::prelude::*;

use crate::support::{SECRET, check_other, check_sts, noon, secret};

/// One request, described so that both signers can be given it.
#[derive(Debug, Clone)]
struct Case {
    method: &'static str,
    host: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    service: &'static str,
    token: Option<String>,
    presign: Option<u32>,
    /// What is signed in place of the body's hash.
    payload: Option<&'static str>,
}

impl Case {
    fn is_s3(&self) -> bool {
        self.service == "s3"
    }

    fn unsigned(&self) -> HttpRequest {
        let request =
            HttpRequest::new(self.method, &self.target, self.body.clone()).with_header("host", self.host);
        self.headers.iter().fold(request, |request, (name, value)| request.with_header(name, value.as_str()))
    }

    fn access_key_id(&self) -> &'static str {
        if self.token.is_some() { "ASIAIOSFODNN7EXAMPLE" } else { "AKIAIOSFODNN7EXAMPLE" }
    }

    /// Signed by ours.
    fn ours(&self) -> HttpRequest {
        let secret = secret();
        let credentials = Credentials {
            access_key_id: self.access_key_id(),
            secret_access_key: &secret,
            session_token: self.token.as_deref(),
        };
        let form = self
            .presign
            .map_or(SignatureForm::Header, |expires_seconds| SignatureForm::Presigned { expires_seconds });
        let mut request = self.unsigned();
        sign(&mut request, &credentials, "eu-west-1", self.service, form, noon()).unwrap();
        request
    }

    /// Signed by the SDK's signer: the request and the signature.
    fn theirs(&self) -> (HttpRequest, String) {
        self.theirs_for(None)
    }

    /// The same; with Signature Version 4A if there is a set of regions.
    fn theirs_for(&self, regions: Option<&str>) -> (HttpRequest, String) {
        let mut settings = SigningSettings::default();
        if self.is_s3() {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            if self.presign.is_none() {
                settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            }
        }
        if let Some(seconds) = self.presign {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(seconds.into()));
            settings.excluded_headers.get_or_insert_default().push(Cow::Borrowed("content-type"));
        }
        let token = self.token.clone();
        let identity =
            aws_credential_types::Credentials::new(self.access_key_id(), SECRET, token, None, "test").into();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(noon().as_second().cast_unsigned());
        let params = match regions {
            None => v4::SigningParams::builder()
                .identity(&identity)
                .region("eu-west-1")
                .name(self.service)
                .time(time)
                .settings(settings)
                .build()
                .unwrap()
                .into(),
            Some(regions) => v4a::SigningParams::builder()
                .identity(&identity)
                .region_set(regions)
                .name(self.service)
                .time(time)
                .settings(settings)
                .build()
                .unwrap()
                .into(),
        };
        let body = if let Some(word) = self.payload {
            SignableBody::Precomputed(word.to_owned())
        } else if self.is_s3() && self.presign.is_some() {
            SignableBody::UnsignedPayload
        } else {
            SignableBody::Bytes(&self.body)
        };
        let uri = format!("http://{}{}", self.host, self.target);
        let headers = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request = SignableRequest::new(self.method, uri, headers, body).unwrap();
        let (instructions, signature) = aws_sigv4::http_request::sign(request, &params).unwrap().into_parts();
        let (new_headers, new_params) = instructions.into_parts();
        let mut out = self.unsigned();
        for header in new_headers {
            out = out.with_header(header.name(), header.value());
        }
        for (name, value) in new_params {
            if !out.query.is_empty() {
                out.query.push('&');
            }
            out.query.push_str(&format!("{name}={}", encoded(&value)));
        }
        (out, signature)
    }

    /// Signed by theirs with Signature Version 4A, it verifies; and not when a bit of anything is another.
    fn check_4a(&self, regions: &str) {
        let (request, signature) = self.theirs_for(Some(regions));
        let check = |request: &HttpRequest| {
            if self.service == "sts" { check_sts(request) } else { check_other(request) }
        };
        let verified = check(&request);
        assert!(verified.is_ok(), "{self:?}: {verified:?}");
        assert!(explain(&request, &secret()).unwrap().matches);
        let mut changed = request.clone();
        changed.method.push('X');
        assert_eq!(check(&changed).unwrap_err(), AuthError::SignatureDoesNotMatch);
        let flipped =
            signature.replacen(&signature[20..21], if &signature[20..21] == "0" { "1" } else { "0" }, 1);
        let mut changed = request;
        changed.query = changed.query.replace(&signature, &flipped);
        for (_, value) in &mut changed.headers {
            *value = String::from_utf8_lossy(value).replace(&signature, &flipped).into_bytes();
        }
        assert_eq!(check(&changed).unwrap_err(), AuthError::SignatureDoesNotMatch);
    }

    fn check_both_directions(&self) {
        let ours = self.ours();
        let (theirs, signature) = self.theirs();
        let of = |request: &HttpRequest| {
            let place = if self.presign.is_some() {
                request.query.split("X-Amz-Signature=").nth(1).map(str::to_owned)
            } else {
                request.header_text("authorization").unwrap().split("Signature=").nth(1).map(str::to_owned)
            };
            place.unwrap()
        };
        assert_eq!(of(&ours), signature, "ours differs for {self:?}");
        for request in [&ours, &theirs] {
            let verified = if self.service == "sts" { check_sts(request) } else { check_other(request) };
            assert!(verified.is_ok(), "{self:?}: {verified:?}");
        }
    }
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn sts_case() -> Case {
    Case {
        method: "POST",
        host: "sts.eu-west-1.amazonaws.com",
        target: "/".into(),
        headers: vec![("content-type", "application/x-www-form-urlencoded".into())],
        body: b"Action=GetCallerIdentity&Version=2011-06-15".to_vec(),
        service: "sts",
        token: None,
        presign: None,
        payload: None,
    }
}

#[test]
fn signatures_agree_for_sts_in_every_form() {
    for token in [None, Some("IQoJb3JpZ2luX2VjE//x+y==".to_owned())] {
        Case { token: token.clone(), ..sts_case() }.check_both_directions();
        Case {
            method: "GET",
            target: "/?Action=GetCallerIdentity&Version=2011-06-15".into(),
            headers: vec![("x-amz-meta-cluster", "c".into())],
            body: Vec::new(),
            token,
            ..sts_case()
        }
        .check_both_directions();
    }
}

#[test]
fn signatures_agree_for_odd_paths_of_s3_and_others() {
    let paths = [
        "/",
        "/a/b",
        "/a//b",
        "/a/./b",
        "/a/../b",
        "/a%20b",
        "/a/b/",
        "/a/b/..",
        "/%C3%A9",
        "/a-b_c.d~e",
        "//",
        "/.hidden",
    ];
    for path in paths {
        for service in ["s3", "execute-api"] {
            for presign in [None, Some(3600)] {
                Case {
                    method: "GET",
                    host: "127.0.0.1:7777",
                    target: path.to_owned(),
                    headers: vec![],
                    body: Vec::new(),
                    service,
                    presign,
                    token: None,
                    payload: None,
                }
                .check_both_directions();
            }
        }
    }
}

#[test]
fn what_the_official_signer_signs_with_version_4a_verifies_in_every_form() {
    for token in [None, Some("IQoJb3JpZ2luX2VjE//x+y==".to_owned())] {
        for regions in ["us-east-1", "*", "us-east-1,eu-*"] {
            Case { token: token.clone(), ..sts_case() }.check_4a(regions);
            for presign in [None, Some(60)] {
                Case {
                    method: "GET",
                    target: "/?Action=GetCallerIdentity&Version=2011-06-15".into(),
                    headers: vec![("x-amz-meta-cluster", "c".into())],
                    body: Vec::new(),
                    token: token.clone(),
                    presign,
                    ..sts_case()
                }
                .check_4a(regions);
            }
        }
    }
    for service in ["s3", "execute-api"] {
        for presign in [None, Some(3600)] {
            for target in ["/", "/a//b", "/a/../b", "/a%20b?x=1&list-type=2", "/%C3%A9"] {
                let host = "127.0.0.1:7777";
                let headers = vec![];
                Case { host, target: target.into(), headers, service, presign, ..sts_case() }
                    .check_4a("eu-*");
            }
        }
    }
}

#[test]
fn a_client_that_signs_another_payload_hash_is_refused_outside_s3() {
    let words = [
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    for word in words {
        for presign in [None, Some(60)] {
            for headers in [vec![], vec![("x-amz-content-sha256", word.to_owned())]] {
                let case = Case { payload: Some(word), presign, headers, ..sts_case() };
                for regions in [None, Some("*")] {
                    let (request, _) = case.theirs_for(regions);
                    assert_eq!(
                        check_sts(&request).unwrap_err(),
                        AuthError::SignatureDoesNotMatch,
                        "{case:?}"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn signatures_agree_for_random_requests(
        method in prop::sample::select(vec!["GET", "PUT", "POST", "DELETE"]),
        segments in prop::collection::vec("[a-zA-Z0-9._~-]{0,6}|%20|%C3%A9|\\.\\.|\\.", 0..5),
        pairs in prop::collection::vec(("[a-zA-Z0-9 +/=é~-]{1,6}", "[a-zA-Z0-9 +/=&é~*-]{0,8}"), 0..5),
        meta in prop::option::of("[!-~]{1,3}( {1,3}[!-~]{1,5}){0,3}"),
        body in prop::collection::vec(any::<u8>(), 0..64),
        service in prop::sample::select(vec!["s3", "execute-api", "sqs"]),
        token in prop::option::of("[A-Za-z0-9+/=]{1,40}"),
        presign in prop::option::of(1u32..604_800),
    ) {
        let query: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
        let separator = if query.is_empty() { "" } else { "?" };
        let case = Case {
            method,
            host: "store.example:9000",
            target: format!("/{}{separator}{}", segments.join("/"), query.join("&")),
            headers: meta.into_iter().map(|value| ("x-amz-meta-note", value)).collect(),
            body,
            service,
            token,
            presign,
            payload: None,
        };
        case.check_both_directions();
        case.check_4a("us-*,eu-west-1");
    }
}
