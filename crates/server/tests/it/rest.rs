//! Services that speak REST and JSON, over a real socket: what a request is read as, and how it is answered.

use daypass_authn::sigv4::{HttpRequest, SignatureForm};

use crate::wire::{Answer, Running};

fn status(answer: &Answer) -> u16 {
    answer.head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// The value of a header field, or nothing.
fn field<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let lines = answer.head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or("")
}

/// The refusal, by status, code and message.
fn refusal(answer: &Answer) -> (u16, String, String) {
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let message = body["message"].as_str().unwrap().to_owned();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert_eq!(field(answer, "content-type"), "application/json");
    (status(answer), field(answer, "x-amzn-errortype").to_owned(), message)
}

fn request(server: &Running, method: &str, path: &str, query: &str, body: &str) -> HttpRequest {
    let mut request =
        HttpRequest::new(method, path, body.to_owned()).with_header("host", server.address.to_string());
    query.clone_into(&mut request.query);
    request
}

fn signed(server: &Running, service: &str, request: HttpRequest) -> Answer {
    server.raw(&server.sign_for(service, &server.keys, request, SignatureForm::Header))
}

#[test]
fn a_request_is_an_operation_by_its_method_and_path() {
    let server = Running::start();
    let list = request(&server, "GET", "/trustanchors", "pageSize=5", "");
    let answer = signed(&server, "rolesanywhere", list);
    assert_eq!((status(&answer), answer.body.as_str()), (200, r#"{"trustAnchors":[]}"#));
    assert_eq!(field(&answer, "content-type"), "application/json");
    assert_eq!(field(&answer, "x-amzn-requestid").len(), 36);
    // In a presigned form, too.
    let list = request(&server, "GET", "/trustanchors", "pageSize=5", "");
    let list = server.sign_for(
        "rolesanywhere",
        &server.keys,
        list,
        SignatureForm::Presigned { expires_seconds: 60 },
    );
    assert_eq!(status(&server.raw(&list)), 200);
}

#[test]
fn what_is_no_operation_is_told_in_the_words_of_the_service() {
    let server = Running::start();
    let nowhere = "The method and path are those of no operation of this service.";
    for (method, path) in [
        ("GET", "/nowhere"),
        ("PUT", "/trustanchors"),
        ("GET", "/trustanchors/"),
        ("GET", "//trustanchors"),
        ("GET", "/x/../trustanchors"),
        ("GET", "/TrustAnchors"),
    ] {
        let answer = signed(&server, "rolesanywhere", request(&server, method, path, "", ""));
        let expected = (404, "UnknownOperationException".into(), nowhere.into());
        assert_eq!(refusal(&answer), expected, "{method} {path}");
    }
    // An operation of EKS that is not here answers alike.
    let answer = signed(&server, "eks", request(&server, "GET", "/clusters/x", "", ""));
    assert_eq!(refusal(&answer), (404, "UnknownOperationException".into(), nowhere.into()));
    let answer = signed(&server, "s3", request(&server, "GET", "/clusters/x", "", ""));
    assert_eq!(status(&answer), 400, "a service that is not here speaks Query: {}", answer.body);
}

#[test]
fn whoever_proves_nothing_is_refused_in_json() {
    let server = Running::start();
    let list = || request(&server, "GET", "/trustanchors", "", "");
    let unsigned = (
        403,
        "MissingAuthenticationTokenException".to_owned(),
        "Request is missing Authentication Token".to_owned(),
    );
    assert_eq!(refusal(&server.raw(&list())), unsigned);
    let mut other = server.keys.clone();
    other.id = "AKIAIOSFODNN7EXAMPLE".into();
    let unknown = server.sign_for("rolesanywhere", &other, list(), SignatureForm::Header);
    let (status, code, _) = refusal(&server.raw(&unknown));
    assert_eq!((status, code.as_str()), (403, "UnrecognizedClientException"));
    let mut moved = server.sign_for("rolesanywhere", &server.keys, list(), SignatureForm::Header);
    moved.query = "pageSize=1".into();
    let (status, code, _) = refusal(&server.raw(&moved));
    assert_eq!((status, code.as_str()), (403, "InvalidSignatureException"));
}

#[test]
fn the_signature_of_another_service_opens_nothing() {
    let server = Running::start();
    // Scoped to a service that does not speak REST, it is read as that service's, which has no such action.
    for service in ["sts", "iam", "s3"] {
        let answer = signed(&server, service, request(&server, "GET", "/trustanchors", "", ""));
        assert_ne!(status(&answer), 200, "{service}");
        assert!(answer.body.contains("<Code>InvalidAction</Code>"), "{}", answer.body);
    }
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let identity = request(&server, "POST", "/trustanchors", "", form)
        .with_header("content-type", "application/x-www-form-urlencoded");
    let answer = signed(&server, "rolesanywhere", identity);
    let (status, _, _) = refusal(&answer);
    assert_eq!(status, 404.min(status), "{}", answer.body);
    // The action in the query does not make it another's call.
    let both = request(&server, "GET", "/trustanchors", form, "");
    let (status, code, message) = refusal(&signed(&server, "rolesanywhere", both));
    let expected = (400, "ValidationException", "the query has no parameter `Action`");
    assert_eq!((status, code.as_str(), message.as_str()), expected);
}

#[test]
fn bodies_and_queries_that_cannot_be_read_are_validation_errors() {
    let server = Running::start();
    let list = |query: &str, body: &str| {
        let request = request(&server, "GET", "/trustanchors", query, body)
            .with_header("content-type", "application/json");
        refusal(&signed(&server, "rolesanywhere", request))
    };
    for (query, body, wanted) in [
        ("", "{", "the body could not be read as JSON"),
        ("", "[]", "the body could not be read as JSON: it is not an object"),
        ("", r#"{"pageSize":1,"pageSize":1}"#, "a name is given more than once"),
        ("", r#"{"pageSize":"1"}"#, "the parameter `pageSize` must be a whole number"),
        ("pageSize=1", r#"{"pageSize":1}"#, "the parameter `pageSize` is given more than once"),
        ("pageSize=1&pageSize=1", "", "the parameter `pageSize` is given more than once"),
        ("pageSize=one", "", "the parameter `pageSize` must be a whole number"),
        ("PageSize=1", "", "the query has no parameter `PageSize`"),
        ("nextToken=%FF", "", "The query string contains a syntax error."),
    ] {
        let (status, code, message) = list(query, body);
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{query} {body}: {message}");
        assert!(message.contains(wanted), "{message}");
    }
}
