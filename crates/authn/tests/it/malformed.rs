//! Credentials that are not exactly one whole, well-formed one, with AWS's code and message.

use daypass_authn::sigv4::{AuthError, HttpRequest, Presented, presented};

use crate::support::{BODY, check_sts, presigned, replace, signed, sts_get, sts_post, without};

fn refused(request: &HttpRequest) -> AuthError {
    check_sts(request).unwrap_err()
}

fn code_and_text(error: &AuthError) -> (&'static str, String) {
    (error.code(), error.to_string())
}

/// A signed request whose `Authorization` is changed afterwards.
fn with_authorization(change: impl Fn(&str) -> String) -> HttpRequest {
    let mut request = signed(sts_post());
    replace(&mut request, "authorization", change);
    request
}

fn with_query(change: impl Fn(&str) -> String) -> HttpRequest {
    let mut request = presigned(sts_get());
    request.query = change(&request.query);
    request
}

#[test]
fn a_request_without_any_credential_presents_nothing() {
    let plain = [
        sts_post(),
        sts_get(),
        sts_get().with_header("x-amz-date", "20260115T120000Z"),
        HttpRequest::new("GET", "/?x-id=GetObject&Expires=5", ""),
        HttpRequest::new("GET", "/?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", ""),
    ];
    for request in plain {
        assert!(matches!(presented(&request), Ok(Presented::Nothing)), "{request:?}");
    }
    assert_eq!(
        code_and_text(&AuthError::MissingAuthenticationToken),
        ("MissingAuthenticationToken", "Request is missing Authentication Token".to_owned())
    );
}

#[test]
fn half_a_credential_is_never_nothing() {
    for name in [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
        "X-Amz-Region-Set",
    ] {
        for spelling in [name.to_owned(), name.replace('-', "%2D"), name.to_lowercase(), name.to_uppercase()]
        {
            let request = HttpRequest::new("GET", &format!("/?{spelling}=AWS4-HMAC-SHA256"), "");
            let error = presented(&request).unwrap_err();
            assert_eq!(error.code(), "IncompleteSignature", "{spelling}");
        }
        let form = HttpRequest::new("POST", "/", format!("{BODY}&{name}=x"))
            .with_header("content-type", "application/x-www-form-urlencoded");
        let parts_of_a_signature = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"];
        assert_eq!(presented(&form).is_err(), parts_of_a_signature.contains(&name), "{name}");
    }
    for (name, value) in [
        ("authorization", ""),
        ("authorization", "AWS4-HMAC-SHA256"),
        ("authorization", "Bearer abc"),
        ("authorization", "Basic dXNlcjpwYXNz"),
        ("x-amz-security-token", "abc"),
    ] {
        let error = presented(&sts_post().with_header(name, value)).unwrap_err();
        assert_eq!(error.code(), "IncompleteSignature", "{value}");
        assert!(!error.to_string().contains("dXNlcjpwYXNz"));
    }
}

#[test]
fn missing_parts_of_the_authorization_field_are_named() {
    const HEAD: &str = "Authorization header requires";
    for (remove, sentence) in [
        ("Credential=", format!("{HEAD} 'Credential' parameter.")),
        ("Signature=", format!("{HEAD} 'Signature' parameter.")),
        ("SignedHeaders=", format!("{HEAD} 'SignedHeaders' parameter.")),
    ] {
        let request = with_authorization(|text| {
            let (algorithm, rest) = text.split_once(' ').unwrap();
            let kept: Vec<&str> = rest.split(", ").filter(|part| !part.starts_with(remove)).collect();
            format!("{algorithm} {}", kept.join(", "))
        });
        let (code, text) = code_and_text(&refused(&request));
        assert_eq!(code, "IncompleteSignature");
        assert!(text.starts_with(&format!("{sentence} (Hashed with SHA-256")), "{text}");
    }
    let (code, text) = code_and_text(&refused(&without(signed(sts_post()), "x-amz-date")));
    assert_eq!(code, "IncompleteSignature");
    assert!(
        text.starts_with(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    );

    let bare = refused(&sts_post().with_header("authorization", "AWS4-HMAC-SHA256 "));
    assert_eq!(bare.to_string().matches("Authorization header requires").count(), 4);
}

#[test]
fn a_malformed_authorization_field_is_refused() {
    for change in [
        |text: &str| text.replace("Signature=", "Signature"),
        |text: &str| text.replace("Signature=", "Signed="),
        |text: &str| format!("{text}, Signature=00"),
        |text: &str| format!("{text},"),
        |text: &str| format!("{text}, Extra=1"),
        |text: &str| text.replace("Credential=", "credential="),
        |text: &str| text.replace(", SignedHeaders", " SignedHeaders"),
    ] {
        assert_eq!(refused(&with_authorization(change)).code(), "IncompleteSignature");
    }
    let mut request = signed(sts_post());
    request.headers.last_mut().unwrap().1.push(0xff);
    assert_eq!(refused(&request).code(), "IncompleteSignature");
    // AWS also takes commas without a blank.
    check_sts(&with_authorization(|text| text.replace(", ", ","))).unwrap();
}

#[test]
fn missing_query_parameters_are_named() {
    for name in
        ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"]
    {
        let request = with_query(|query| {
            query
                .split('&')
                .filter(|pair| !pair.starts_with(&format!("{name}=")))
                .collect::<Vec<_>>()
                .join("&")
        });
        assert_eq!(
            code_and_text(&refused(&request)),
            (
                "IncompleteSignature",
                format!(
                    "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
                )
            )
        );
    }
}

#[test]
fn other_algorithms_and_versions_are_refused_by_name() {
    let v5 = with_authorization(|text| text.replace("AWS4-HMAC-SHA256", "AWS5-HMAC-SHA256"));
    assert_eq!(refused(&v5).to_string(), "Unsupported AWS 'algorithm': ''.");
    let other = with_query(|query| query.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P384-SHA384"));
    assert_eq!(refused(&other).to_string(), "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P384-SHA384'.");
    for (sent, shown) in [
        ("Bearer", "Bearer"),
        ("basic", "basic"),
        // Somebody's secret, without a scheme before it.
        ("deadbeefcafebabe0123456789abcdef", ""),
        ("hunter2", ""),
    ] {
        let request = with_authorization(|text| text.replace("AWS4-HMAC-SHA256", sent));
        assert_eq!(refused(&request).to_string(), format!("Unsupported AWS 'algorithm': '{shown}'."));
    }

    let version_2 = [
        HttpRequest::new("GET", "/?AWSAccessKeyId=AKIA&SignatureVersion=2&Signature=x", ""),
        HttpRequest::new("POST", "/", "Action=X&AWSAccessKeyId=AKIA&Signature=x")
            .with_header("content-type", "application/x-www-form-urlencoded"),
        HttpRequest::new("POST", "/", "Action=X&%41WSAccessKeyId=AKIA")
            .with_header("content-type", "APPLICATION/x-www-form-urlencoded; charset=utf-8"),
        HttpRequest::new("GET", "/", "")
            .with_header("authorization", "AWS AKIA:frJIUN8DYpKDtOLCwo//yllqDzg="),
        HttpRequest::new("GET", "/b/k?Signature=x&Expires=1&SecurityToken=y", ""),
        HttpRequest::new("GET", "/b/k?awsaccesskeyid=AKIA", ""),
        HttpRequest::new("GET", "/b/k?SECURITYTOKEN=y", ""),
        HttpRequest::new("GET", "/b/k?signature=y", ""),
        HttpRequest::new("POST", "/", "Action=X&SecurityToken=x"),
        HttpRequest::new("POST", "/", "Action=X&Signature=x").with_header("content-type", " ; charset=utf-8"),
    ];
    for request in version_2 {
        assert_eq!(presented(&request).unwrap_err(), AuthError::SignatureVersion2);
    }
}

#[test]
fn the_session_token_of_s3_express_is_refused_by_name() {
    for request in [
        HttpRequest::new("GET", "/b/k", "").with_header("x-amz-s3session-token", "y"),
        HttpRequest::new("GET", "/b/k?X-Amz-S3session-Token=y", ""),
        HttpRequest::new("GET", "/b/k?x-amz-s3session-token", ""),
        signed(sts_post()).with_header("X-Amz-S3session-Token", "y"),
    ] {
        let error = presented(&request).unwrap_err();
        assert_eq!((&error, error.code()), (&AuthError::S3SessionToken, "IncompleteSignature"));
        assert!(error.to_string().contains("X-Amz-S3session-Token"));
    }
}

#[test]
fn what_only_resembles_a_credential_is_none() {
    let target = "Daypass_20261101.CheckRequest";
    for request in [
        HttpRequest::new(
            "GET",
            "/b/k?Expires=1&Timestamp=2&SignatureMethod=x&versionId=3&X-Amz-Policy=p",
            "",
        ),
        HttpRequest::new("POST", "/b/k", "a=b&Signature=x").with_header("content-type", "text/plain"),
        HttpRequest::new("POST", "/", "a=b&Signature=x")
            .with_header("content-type", "application/x-www-form-urlencodedX"),
        HttpRequest::new("POST", "/", r#"{"Url":"https://b/?x&Signature=y"}"#)
            .with_header("x-amz-target", target),
    ] {
        assert!(matches!(presented(&request), Ok(Presented::Nothing)), "{request:?}");
    }
}

#[test]
fn two_credentials_are_one_too_many() {
    let both = |request: HttpRequest, query: &str| {
        let mut request = request;
        request.query =
            if request.query.is_empty() { query.into() } else { format!("{}&{query}", request.query) };
        request
    };
    let requests = [
        both(signed(sts_post()), &presigned(sts_get()).query),
        both(signed(sts_post()), "X-Amz-Signature=00"),
        both(signed(sts_post()), "X-Amz-Security-Token=00"),
        both(signed(sts_post()), "AWSAccessKeyId=AKIA"),
        presigned(sts_get()).with_header("authorization", "Bearer x"),
        presigned(sts_get()).with_header("x-amz-security-token", "x"),
        both(presigned(sts_get()), "SignatureVersion=2"),
    ];
    for request in requests {
        assert_eq!(presented(&request).unwrap_err(), AuthError::TwoCredentials);
    }
}

#[test]
fn fields_and_parameters_of_authentication_come_once() {
    let request = signed(sts_post());
    for name in ["authorization", "host", "x-amz-date"] {
        let value = request.header(name).unwrap().to_vec();
        let twice = request.clone().with_header(name, value);
        assert!(matches!(refused(&twice), AuthError::RepeatedField { .. }), "{name}");
        let mut cased = twice;
        cased.headers.last_mut().unwrap().0 = name.to_uppercase();
        assert!(matches!(refused(&cased), AuthError::RepeatedField { .. }), "{name}");
    }
    for name in ["x-amz-security-token", "x-amz-content-sha256", "date"] {
        let twice = request.clone().with_header(name, "a").with_header(name, "a");
        assert!(matches!(refused(&twice), AuthError::RepeatedField { .. }), "{name}");
    }
    for pair in presigned(sts_get()).query.split('&').filter(|pair| pair.starts_with("X-Amz-")) {
        let twice = with_query(|query| format!("{query}&{pair}"));
        assert!(matches!(refused(&twice), AuthError::RepeatedField { .. }), "{pair}");
        let cased = with_query(|query| format!("{query}&{}", pair.to_lowercase()));
        assert!(matches!(refused(&cased), AuthError::ParameterCase { .. }), "{pair}");
    }
}

#[test]
fn a_malformed_credential_is_refused() {
    for credential in [
        "AKIAIOSFODNN7EXAMPLE",
        "AKIAIOSFODNN7EXAMPLE/20260115/us-east-1/sts",
        "/20260115/us-east-1/sts/aws4_request",
        "AKIA/20260115/us-east-1//aws4_request",
        "AKIA/20260115/us east/sts/aws4_request",
        "AK IA/20260115/us-east-1/sts/aws4_request",
    ] {
        let request = with_authorization(|text| {
            let old = text.split("Credential=").nth(1).unwrap().split(',').next().unwrap();
            text.replace(old, credential)
        });
        assert_eq!(refused(&request), AuthError::MalformedCredential, "{credential}");
    }
    let long = with_authorization(|text| text.replace("AKIAIOSFODNN7EXAMPLE", &"A".repeat(129)));
    assert_eq!(refused(&long), AuthError::MalformedCredential);
}

#[test]
fn a_scope_without_a_region_is_told_so_and_not_that_an_element_is_missing() {
    let request = with_authorization(|text| text.replace("/us-east-1/", "//"));
    let refusal = refused(&request);
    assert_eq!(refusal.code(), "SignatureDoesNotMatch");
    assert_eq!(refusal.to_string(), "Credential should be scoped to a valid region. ");
    let spaced = with_authorization(|text| text.replace("/us-east-1/", "//").replace("AKIAI", "AK AI"));
    assert_eq!(refused(&spaced), AuthError::MalformedCredential);
}

#[test]
fn signed_headers_are_a_sorted_list_with_the_host() {
    for (list, expected) in [
        ("", AuthError::MalformedSignedHeaders),
        ("host;content-type;x-amz-date", AuthError::MalformedSignedHeaders),
        ("content-type;host;host;x-amz-date", AuthError::MalformedSignedHeaders),
        ("content-type;Host;x-amz-date", AuthError::MalformedSignedHeaders),
        ("content-type;;host;x-amz-date", AuthError::MalformedSignedHeaders),
        ("content-type;host;x-amz-date;", AuthError::MalformedSignedHeaders),
        ("content-type; host;x-amz-date", AuthError::MalformedSignedHeaders),
        ("content-type;x-amz-date", AuthError::HostNotSigned),
        ("content-type;host;x-absent;x-amz-date", AuthError::SignatureDoesNotMatch),
    ] {
        let request = with_authorization(|text| text.replace("content-type;host;x-amz-date", list));
        assert_eq!(refused(&request), expected, "{list}");
    }
    assert_eq!(AuthError::HostNotSigned.code(), "SignatureDoesNotMatch");
}

#[test]
fn dates_in_another_form_are_refused() {
    for date in [
        "2026-01-15T12:00:00Z",
        "20260115T120000.000Z",
        "20260115T120000",
        "",
        "Thu, 15 Jan 2026 12:00:00 GMT",
    ] {
        let mut request = signed(sts_post());
        replace(&mut request, "x-amz-date", |_| date.to_owned());
        assert_eq!(refused(&request), AuthError::MalformedDate, "{date}");
        let request = with_query(|query| query.replace("20260115T120000Z", &date.replace(' ', "+")));
        assert_eq!(refused(&request), AuthError::MalformedDate, "{date}");
    }
    assert!(AuthError::MalformedDate.to_string().starts_with("Date must be in ISO-8601 'basic format'."));
}
