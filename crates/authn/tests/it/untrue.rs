//! Well-formed proofs that are not true, with AWS's code and message.

use daypass_authn::sigv4::{
    AuthError, BodyHash, HttpRequest, Rules, ServiceRule, SignatureForm, VerifyingKey, explain, presented,
    verify,
};

use crate::support::{
    ACCESS_KEY_ID, BODY, REFUSED, SECRET, STS_HOST, check, check_other, check_sts, complete, later, noon,
    presigned, proof, replace, signed, signed_for, sts_get, sts_post,
};

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your \
                        AWS Secret Access Key and signing method. Consult the service documentation for details.";

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
fn the_scope_must_be_that_of_the_endpoint() {
    let request = signed_for(sts_post(), "us-west-2", "sts", SignatureForm::Header);
    let strict = Rules { region: Some("us-east-1"), ..Rules::for_service("sts") };
    assert_eq!(
        code_and_text(&check(&request, &strict, noon()).unwrap_err()),
        ("SignatureDoesNotMatch", "Credential should be scoped to a valid region. ".to_owned())
    );
    check_sts(&request).expect("any region by default");
    let neither = signed_for(sts_post(), "us-west-2", "s3", SignatureForm::Header);
    assert_eq!(
        code_and_text(&check(&neither, &strict, noon()).unwrap_err()),
        (
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region. Credential should be scoped to correct service: 'sts'. "
                .to_owned()
        )
    );

    let other = signed_for(sts_post(), "us-east-1", "iam", SignatureForm::Header);
    assert_eq!(
        code_and_text(&refused(&other)),
        ("SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. ".to_owned())
    );
    let either = Rules { service: ServiceRule::OneOf(&["iam", "sts"]), ..Rules::for_service("sts") };
    check(&other, &either, noon()).unwrap();

    let terminator = with_authorization(|text| text.replace("aws4_request", "aws5_request"));
    assert_eq!(
        code_and_text(&refused(&terminator)),
        (
            "SignatureDoesNotMatch",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."
                .to_owned()
        )
    );
    let date = with_authorization(|text| text.replace("/20260115/", "/20260114/"));
    assert_eq!(
        code_and_text(&refused(&date)),
        (
            "SignatureDoesNotMatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260114' \
             != '20260115', from '20260115T120000Z'."
                .to_owned()
        )
    );
}

#[test]
fn our_own_services_are_never_checked_for_others() {
    for service in ["sts", "iam", "daypass", "signin", "STS", "Iam"] {
        let request = signed_for(sts_get(), "us-east-1", service, SignatureForm::Header);
        let refusal = check_other(&request).unwrap_err();
        assert_eq!(refusal, AuthError::ScopeElsewhere { given: service.into() });
    }
    for service in ["s3", "execute-api", "sqs"] {
        check_other(&signed_for(sts_get(), "mars-1", service, SignatureForm::Header)).unwrap();
    }
}

#[test]
fn a_request_lives_fifteen_minutes_either_way() {
    let rules = Rules::for_service("sts");
    for request in [signed(sts_post()), presigned(sts_get())] {
        for seconds in [-900, -1, 0, 60, 61, 899, 900] {
            let verified = check(&request, &rules, later(seconds));
            assert_eq!(verified.unwrap().expires, later(900), "{seconds}");
        }
        assert_eq!(
            code_and_text(&check(&request, &rules, later(901)).unwrap_err()),
            (
                "SignatureDoesNotMatch",
                "Signature expired: 20260115T120000Z is now earlier than 20260115T120001Z (20260115T121501Z - 15 min.)"
                    .to_owned()
            )
        );
        assert_eq!(
            code_and_text(&check(&request, &rules, later(-901)).unwrap_err()),
            (
                "SignatureDoesNotMatch",
                "Signature not yet current: 20260115T120000Z is still later than 20260115T115959Z (20260115T114459Z \
                 + 15 min.)"
                    .to_owned()
            )
        );
    }
}

#[test]
fn sts_ignores_the_lifetime_a_presigned_request_names() {
    let rules = Rules::for_service("sts");
    for expires in [
        "&X-Amz-Expires=1",
        "&X-Amz-Expires=604800",
        "&X-Amz-Expires=9999999",
        "&X-Amz-Expires=-5",
        "&X-Amz-Expires=abc",
        "&X-Amz-Expires=",
        "",
    ] {
        let mut request = sts_get();
        request.query.push_str(&format!(
                "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ACCESS_KEY_ID}%2F20260115%2Fus-east-1%2Fsts%2Faws4_request\
                 &X-Amz-Date=20260115T120000Z{expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
            ));
        let request = complete(request, SECRET, None);
        assert_eq!(check(&request, &rules, later(900)).unwrap().expires, later(900), "{expires}");
        assert_eq!(
                code_and_text(&check(&request, &rules, later(901)).unwrap_err()),
                (
                    "SignatureDoesNotMatch",
                    "Signature expired: 20260115T120000Z is now earlier than 20260115T120001Z (20260115T121501Z - 15 min.)"
                        .to_owned()
                ),
                "{expires}"
            );
    }
}

/// Signature Version 4: "the length of time, in seconds, that the request is valid". Only of STS it is known to count for nothing.
#[test]
fn our_other_apis_hold_to_the_lifetime_a_presigned_request_names_and_to_fifteen_minutes() {
    for service in ["iam", "daypass", "rolesanywhere", "eks", "eks-auth"] {
        let rules = Rules::for_service(service);
        let presigned = |expires: &str| {
            let mut request = sts_get();
            request.query.push_str(&format!(
                "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ACCESS_KEY_ID}%2F20260115%2Fus-east-1%2F{service}%2Faws4_request\
                 &X-Amz-Date=20260115T120000Z{expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
            ));
            complete(request, SECRET, None)
        };
        for (said, counts) in [("1", 1), ("60", 60), ("900", 900), ("901", 900), ("604800", 900)] {
            let request = presigned(&format!("&X-Amz-Expires={said}"));
            assert_eq!(
                check(&request, &rules, later(counts)).unwrap().expires,
                later(counts),
                "{service} {said}"
            );
            let (code, text) = code_and_text(&check(&request, &rules, later(counts + 1)).unwrap_err());
            assert_eq!(code, "SignatureDoesNotMatch", "{service} {said}");
            assert!(text.starts_with("Signature expired: 20260115T120000Z is now earlier than "), "{text}");
        }
        for wrong in [
            "",
            "&X-Amz-Expires=",
            "&X-Amz-Expires=0",
            "&X-Amz-Expires=-5",
            "&X-Amz-Expires=x",
            "&X-Amz-Expires=9999999",
        ] {
            let (code, _) = code_and_text(&check(&presigned(wrong), &rules, later(1)).unwrap_err());
            assert_eq!(code, "AuthorizationQueryParametersError", "{service} {wrong}");
        }
    }
}

#[test]
fn other_services_obey_the_lifetime_a_presigned_request_names() {
    let get = || HttpRequest::new("GET", "/b.txt", "").with_header("host", "store:9000");
    let presigned_for =
        |seconds| signed_for(get(), "eu-west-1", "s3", SignatureForm::Presigned { expires_seconds: seconds });
    let rules = Rules::for_another_service("s3", REFUSED, BodyHash::OfRequest);
    let request = presigned_for(3600);
    assert_eq!(check(&request, &rules, later(3600)).unwrap().expires, later(3600));
    assert_eq!(
        code_and_text(&check(&request, &rules, later(3601)).unwrap_err()),
        ("AccessDenied", "Request has expired".to_owned())
    );
    assert!(matches!(check(&request, &rules, later(-901)), Err(AuthError::RequestTimeTooSkewed)));
    check(&presigned_for(604_800), &rules, later(604_800)).unwrap();
    for bad in [0, 604_801] {
        let error = check(&presigned_for(bad), &rules, noon()).unwrap_err();
        assert_eq!(error.code(), "AuthorizationQueryParametersError", "{bad}");
    }
    for (from, to) in [
        ("X-Amz-Expires=3600", "X-Amz-Expires=abc"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=-1"),
        ("X-Amz-Expires=3600", "X-Amz-Expires="),
        ("&X-Amz-Expires=3600", ""),
    ] {
        let mut request = presigned_for(3600);
        request.query = request.query.replace(from, to);
        let error = check(&request, &rules, noon()).unwrap_err();
        assert_eq!(error.code(), "AuthorizationQueryParametersError", "{to}");
    }
    let header = signed_for(get(), "eu-west-1", "s3", SignatureForm::Header);
    assert_eq!(check(&header, &rules, later(901)).unwrap_err(), AuthError::RequestTimeTooSkewed);
}

#[test]
fn every_x_amz_field_is_signed_but_the_session_token() {
    for name in ["x-amz-foo", "X-AMZ-Foo", "x-amz-cf-id", "x-amz-content-sha256", "x-amz-meta-a"] {
        let mut request = signed(sts_post());
        request.headers.push((name.to_owned(), b"1".to_vec()));
        assert_eq!(
            code_and_text(&refused(&request)),
            ("SignatureDoesNotMatch", MISMATCH.to_owned()),
            "{name}"
        );
        let mut request = presigned(sts_get());
        request.headers.push((name.to_owned(), b"1".to_vec()));
        assert_eq!(refused(&request), AuthError::SignatureDoesNotMatch, "{name}");

        let get = HttpRequest::new("GET", "/", "").with_header("host", "store");
        let form = SignatureForm::Presigned { expires_seconds: 5 };
        let mut request = signed_for(get, "r", "s3", form);
        request.headers.push((name.to_owned(), b"1".to_vec()));
        assert_eq!(
            code_and_text(&check_other(&request).unwrap_err()),
            ("AccessDenied", "There were headers present in the request which were not signed".to_owned())
        );
    }
    check_sts(&signed(sts_post()).with_header("x-amz-security-token", "late")).unwrap();
    check_sts(&signed(sts_post()).with_header("x-amzn-trace-id", "1").with_header("amz-sdk-request", "2"))
        .unwrap();
    let tolerant = Rules { tolerated_unsigned: &["x-amz-cf-id"], ..Rules::for_service("sts") };
    let through_a_cdn = signed(sts_post()).with_header("x-amz-cf-id", "abc");
    assert!(!check(&through_a_cdn, &tolerant, noon()).unwrap().signs("x-amz-cf-id"));
    let other = signed(sts_post()).with_header("x-amz-cf-is", "abc");
    assert!(check(&other, &tolerant, noon()).is_err());
}

#[test]
fn a_tolerated_payload_hash_still_means_nothing() {
    let tolerant = Rules { tolerated_unsigned: &["x-amz-content-sha256"], ..Rules::for_service("sts") };
    let request = signed(sts_post()).with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    check(&request, &tolerant, noon()).unwrap();
    let mut changed = request;
    changed.body = "Action=AssumeRole".into();
    assert_eq!(check(&changed, &tolerant, noon()).unwrap_err(), AuthError::SignatureDoesNotMatch);
}

#[test]
fn whatever_is_signed_cannot_be_changed() {
    let changes: [fn(&mut HttpRequest); 9] = [
        |r| r.method = "GET".into(),
        |r| r.method = "post".into(),
        |r| r.path = "/x".into(),
        |r| r.query = "Action=AssumeRole".into(),
        |r| r.body = format!("{BODY}&Extra=1").into(),
        |r| r.body = "".into(),
        |r| replace(r, "host", |_| "evil.example".into()),
        |r| replace(r, "content-type", |_| "text/plain".into()),
        |r| replace(r, "x-amz-date", |_| "20260115T120001Z".into()),
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut request = signed(sts_post());
        change(&mut request);
        assert_eq!(code_and_text(&refused(&request)), ("SignatureDoesNotMatch", MISMATCH.to_owned()), "{at}");
    }
    for (from, to) in [
        ("GetCallerIdentity", "GetSessionToken"),
        ("Expires=60", "Expires=61"),
        ("20260115T120000Z", "20260115T120001Z"),
        ("us-east-1", "us-east-2"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLF"),
    ] {
        assert_eq!(
            refused(&with_query(|query| query.replace(from, to))),
            AuthError::SignatureDoesNotMatch,
            "{to}"
        );
    }
    // A presigned GET that is replayed with a body.
    let mut request = presigned(sts_get());
    request.body = "Action=AssumeRole".into();
    assert_eq!(refused(&request), AuthError::SignatureDoesNotMatch);
}

#[test]
fn a_fabricated_signature_is_refused_whatever_its_form() {
    for signature in
        ["", "0", "00", &"0".repeat(64), &"0".repeat(63), &"0".repeat(128), &"g".repeat(64), &"é".repeat(32)]
    {
        let request = with_authorization(|text| {
            format!("{}Signature={signature}", text.split("Signature=").next().unwrap())
        });
        assert_eq!(refused(&request).code(), "SignatureDoesNotMatch", "{signature}");
    }
    let request = with_authorization(|text| {
        let (head, signature) = text.split_once("Signature=").unwrap();
        format!("{head}Signature={}", signature.to_uppercase())
    });
    assert_eq!(refused(&request), AuthError::SignatureDoesNotMatch, "AWS writes lower-case hex");
    let request = with_authorization(|text| {
        let (head, signature) = text.split_once("Signature=").unwrap();
        format!("{head}Signature={}", &signature[..32])
    });
    assert_eq!(refused(&request), AuthError::SignatureDoesNotMatch);
}

#[test]
fn scope_and_time_are_checked_before_the_signature_and_before_a_key_is_asked_for() {
    let mut request = signed(sts_post());
    request.body = "changed".into();
    let proof = proof(&request).unwrap();
    let rules = Rules::for_service("sts");
    let no_key = || -> VerifyingKey { panic!("a key was asked for") };
    let late = verify(&request, &proof, &rules, no_key, later(901));
    assert!(matches!(late, Err(AuthError::SignatureExpired { .. })));
    let elsewhere = verify(&request, &proof, &Rules::for_service("iam"), no_key, later(901));
    assert!(matches!(elsewhere, Err(AuthError::Scope { region: false, service: Some(_) })));
    assert_eq!(check(&request, &rules, noon()).unwrap_err(), AuthError::SignatureDoesNotMatch);
}

#[test]
fn an_enormous_head_is_not_looked_at() {
    let request = signed(sts_post()).with_header("x", vec![b'a'; 70_000]);
    assert_eq!(presented(&request).unwrap_err(), AuthError::HeadTooLarge);
}

#[test]
fn an_encoded_slash_is_not_a_slash() {
    let get = |path: &str| HttpRequest::new("GET", path, "").with_header("host", "store");
    let mut request = signed_for(get("/a/b"), "r", "s3", SignatureForm::Header);
    request.path = "/a%2Fb".into();
    assert_eq!(check_other(&request).unwrap_err(), AuthError::SignatureDoesNotMatch);
    check_other(&signed_for(get("/a%2fb"), "r", "s3", SignatureForm::Header)).unwrap();
}

#[test]
fn a_proof_and_a_request_print_no_credential() {
    let mut request = signed(sts_post()).with_header("x-amz-security-token", "TOKENTOKEN");
    request.query = "secret=QUERYQUERY".into();
    let printed =
        format!("{request:?} {:?} {:?}", proof(&request).unwrap(), check_sts(&signed(sts_post())).unwrap());
    let signature = explain(&request, &crate::support::secret()).unwrap().given_signature;
    for secret in ["TOKENTOKEN", "QUERYQUERY", signature.as_str(), SECRET] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains(STS_HOST) || printed.contains("host"));
}

#[test]
fn usual_mistakes_are_named() {
    let secret = crate::support::secret();
    let difference = |request: &HttpRequest| explain(request, &secret).unwrap().difference;
    assert_eq!(difference(&signed(sts_post())), None);
    let mut host = signed(sts_post());
    replace(&mut host, "host", |host| format!("{host}:443"));
    assert!(difference(&host).unwrap().contains("the host was signed as `sts.us-east-1.amazonaws.com`"));
    let mut body = presigned(sts_get());
    body.body = "x".into();
    assert!(difference(&body).unwrap().contains("signed as empty"));
    let mut method = signed(sts_post());
    method.method = "GET".into();
    assert!(difference(&method).unwrap().contains("POST"));
    let late = with_query(|query| format!("{query}&X-Amz-Security-Token=late"));
    assert!(difference(&late).unwrap().contains("after signing"));
    let mut unknown = signed(sts_post());
    unknown.body = "something else".into();
    let explained = explain(&unknown, &secret).unwrap();
    assert_eq!((explained.matches, explained.difference), (false, None));
}
