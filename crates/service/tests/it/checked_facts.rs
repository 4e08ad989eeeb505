//! The facts that a CheckRequest is decided on: what daypass knows of the caller and the signature it says itself,
//! and nobody says it in its place.

use daypass_authn::sigv4::HttpRequest;
use serde_json::{Value, json};

use crate::checking::{Shop, get, hex, with};
use crate::world::asking;

impl Shop {
    /// The caller of the world may do everything, on this condition.
    async fn permit_if(&self, condition: Value) {
        let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
        self.world.permit(&json!({"Version": "2012-10-17", "Statement": [allow]}).to_string()).await;
    }

    /// A question about a request that the caller signed.
    fn callers(&self, http: HttpRequest) -> Value {
        asking(&self.world.house.signed(&self.world.caller, "s3", http))
    }
}

#[tokio::test]
async fn no_action_has_a_prefix_whose_keys_say_who_the_caller_is() {
    let shop = Shop::new().await;
    for (action, key) in [
        ("aws:x", "aws:MultiFactorAuthPresent"),
        ("AWS:x", "aws:PrincipalArn"),
        ("aws:x", "aws:PrincipalTag/x"),
        ("saml:x", "saml:aud"),
        ("Saml:x", "SAML:sub"),
        ("accounts.google.com:x", "accounts.google.com:aud"),
        ("cognito-identity:x", "cognito-identity:amr"),
        ("cognito-identity.amazonaws.com:x", "cognito-identity.amazonaws.com:aud"),
        ("signin:x", "signin:y"),
    ] {
        let question = with(&shop.callers(get()), "/Action", json!(action));
        shop.validation_error(&question).await;
        shop.validation_error(&with(&question, "/Context", json!({key: ["true"]}))).await;
    }
}

#[tokio::test]
async fn the_region_is_where_the_service_says_it_is_and_not_what_the_client_signed_for() {
    let shop = Shop::new().await;
    // The test signs for eu-west-1.
    let question = shop.callers(get());
    let said = with(&question, "/Context", json!({"aws:RequestedRegion": ["eu-west-1"]}));
    shop.permit_if(json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})).await;
    assert_eq!(shop.answer(&question).await["Decision"], "ImplicitlyDenied");
    assert_eq!(shop.answer(&said).await["Decision"], "Allowed");
    let elsewhere = with(&question, "/Context", json!({"aws:RequestedRegion": ["us-east-1"]}));
    assert_eq!(shop.answer(&elsewhere).await["Decision"], "ImplicitlyDenied");
}

#[tokio::test]
async fn policies_of_s3_see_how_a_request_was_signed() {
    let shop = Shop::new().await;
    let header = shop.callers(get().with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD"));
    let hashed = with(&shop.callers(get()), "/Request/BodySha256", json!(hex(b"")));
    let presigned = asking(&shop.presigned(&shop.world.caller, 3600));
    let url_only = json!({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}});
    let header_only = json!({"StringEquals": {"s3:authType": "REST-HEADER"}});
    let version = json!({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}});
    let signed_body = json!({"StringNotEquals": {"s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, "Null": {"s3:x-amz-content-sha256": "false"}});
    let young = json!({"NumericLessThanEquals": {"s3:signatureAge": "600000"}});
    shop.world.house.clock.advance(600);
    for (condition, decisions) in [
        (url_only, ["ImplicitlyDenied", "ImplicitlyDenied", "Allowed"]),
        (header_only, ["Allowed", "Allowed", "ImplicitlyDenied"]),
        (version, ["Allowed", "Allowed", "Allowed"]),
        (signed_body, ["ImplicitlyDenied", "Allowed", "ImplicitlyDenied"]),
        (young.clone(), ["ImplicitlyDenied", "ImplicitlyDenied", "Allowed"]),
    ] {
        shop.permit_if(condition.clone()).await;
        for (question, decision) in [&header, &hashed, &presigned].into_iter().zip(decisions) {
            assert_eq!(shop.answer(question).await["Decision"], decision, "{condition} {question}");
        }
    }
    shop.permit_if(young).await;
    shop.world.house.clock.advance(1);
    assert_eq!(shop.answer(&presigned).await["Decision"], "ImplicitlyDenied");
}

#[tokio::test]
async fn how_a_request_was_signed_is_not_for_a_service_to_say() {
    let shop = Shop::new().await;
    let question = shop.callers(get());
    for key in
        ["s3:authType", "S3:AUTHTYPE", "s3:signatureAge", "s3:signatureversion", "s3:x-amz-content-sha256"]
    {
        shop.validation_error(&with(&question, "/Context", json!({key: ["x"]}))).await;
    }
    // Other services may have keys of these names, with a meaning of their own.
    shop.permit_if(json!({"StringEquals": {"x:authType": "badge"}})).await;
    let question = with(&with(&question, "/Action", json!("x:Read")), "/Resource", json!("arn:aws:x:::a"));
    assert_eq!(shop.answer(&question).await["Decision"], "ImplicitlyDenied");
    let said = with(&question, "/Context", json!({"x:authType": ["badge"]}));
    assert_eq!(shop.answer(&said).await["Decision"], "Allowed");
}

/// RFC 9113, section 8.3.1: the host stands in `:authority` there, which the service has as its own name.
#[tokio::test]
async fn a_request_of_http_2_has_the_host_of_its_url() {
    let shop = Shop::new().await;
    let without_host = |question: Value| {
        let headers = question["Request"]["Headers"].as_array().unwrap().iter();
        let others: Vec<_> = headers.filter(|header| header["Name"] != "host").cloned().collect();
        with(&question, "/Request/Headers", json!(others))
    };
    assert_eq!(shop.answer(&without_host(asking(&shop.read()))).await["Decision"], "Allowed");
    let elsewhere = HttpRequest::new("GET", "/shelf/a.txt", "").with_header("host", "evil.test");
    let question = without_host(asking(&shop.signed_for("s3", elsewhere)));
    assert_eq!(shop.inner_error(&question).await, "SignatureDoesNotMatch");
}

/// Which machine or function a session was given to.
#[tokio::test]
async fn which_machine_the_caller_is_is_not_for_a_service_to_say() {
    let shop = Shop::new().await;
    for (service, key) in [
        ("ec2", "ec2:SourceInstanceArn"),
        ("ec2", "EC2:SOURCEINSTANCEARN"),
        ("EC2", "ec2:RoleDelivery"),
        ("lambda", "lambda:SourceFunctionArn"),
        ("ssm", "ssm:SourceInstanceArn"),
    ] {
        let question = with(&shop.callers(get()), "/Action", json!(format!("{service}:Read")));
        let question = with(&question, "/Resource", json!(format!("arn:aws:{}:::a", service.to_lowercase())));
        shop.answer(&question).await;
        shop.validation_error(&with(&question, "/Context", json!({key: ["2.0"]}))).await;
    }
}

/// A Deny of what comes from outside asks whether an address is not in a network; of a text that is none it cannot be told.
#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let shop = Shop::new().await;
    let policy = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
         "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]}).to_string()});
    shop.world.house.call_json(&shop.world.admin, "PutResourcePolicy", &policy).await.unwrap();
    let question = asking(&shop.read());
    let from = |ip: &str| with(&question, "/Context", json!({"aws:SourceIp": [ip]}));
    for (ip, decision) in [
        ("10.1.1.1", "Allowed"),
        ("::ffff:10.1.1.1", "Allowed"),
        ("192.0.2.1", "ExplicitlyDenied"),
        ("2001:db8::1", "ExplicitlyDenied"),
    ] {
        assert_eq!(shop.answer(&from(ip)).await["Decision"], decision, "{ip}");
    }
    for ip in [
        "",
        "unix",
        "192.0.2.1:443",
        "[2001:db8::1]:443",
        "192.0.2.1, 10.0.0.1",
        "fe80::1%eth0",
        "192.0.2.1 ",
    ] {
        let message = shop.validation_error(&from(ip)).await;
        assert!(message.contains("aws:SourceIp is one IPv4 or IPv6 address"), "{ip}: {message}");
    }
}

#[tokio::test]
async fn a_header_that_no_wire_carries_is_refused() {
    let shop = Shop::new().await;
    let question = asking(&shop.read());
    for (name, value) in [
        ("x-a", "a\r\nx-amz-foo: b"),
        ("x-a", "a\nb"),
        ("x-a", "a\rb"),
        ("x-a", "a\0b"),
        ("x-a\r\nx-amz-b", "a"),
    ] {
        let mut headers = question["Request"]["Headers"].as_array().unwrap().clone();
        headers.push(json!({"Name": name, "Value": value}));
        shop.validation_error(&with(&question, "/Request/Headers", json!(headers))).await;
    }
    shop.validation_error(&with(&question, "/Request/Method", json!("GET\n/"))).await;
}
