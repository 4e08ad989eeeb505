//! Known signatures. The folders under `tests/vectors` come from `make.py` there, an independent calculation.

use std::path::Path;

use daypass_authn::sigv4::{HttpRequest, Rules, explain};

use crate::support::{
    ACCESS_KEY_ID, check, check_other, check_sts, noon, presigned, proof, secret, signed, sts_get, sts_post,
};

#[test]
fn a_posted_form_has_the_known_signature() {
    let request = signed(sts_post());
    let explained = explain(&request, &secret()).unwrap();
    assert_eq!(explained.given_signature, "26bedae4c6750a6f3ccd2f19d91bf3d4022985970e982971015ace05732b4bb4");
    assert!(
        explained
            .string_to_sign
            .ends_with("\n5beabd2fd818da8224595b0847d587dc63ed84152bdcbf2e733cbe1a682618dd")
    );
    assert_eq!(
        request.header_text("authorization").unwrap(),
        format!(
            "AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260115/us-east-1/sts/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature={}",
            explained.given_signature
        )
    );
    check_sts(&request).unwrap();
}

#[test]
fn a_presigned_request_has_the_known_signature() {
    let request = presigned(sts_get());
    assert!(
        request
            .query
            .ends_with("&X-Amz-Signature=2279988b6f21f5f4fa32bd761b7ee0b4b1f97a6280e71e5926c1b2cb2dc58930"),
        "{}",
        request.query
    );
    check_sts(&request).unwrap();
}

#[test]
fn independent_vectors_verify_and_their_texts_agree() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"));
    let mut count = 0;
    for folder in
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let request = parse(&text("request.txt"));
        let explained = explain(&request, &secret()).unwrap();
        if !name.ends_with("presigned-token-added-after-signing") {
            assert_eq!(explained.canonical_request, text("canonical.txt"), "{name}");
            assert_eq!(explained.string_to_sign, text("string-to-sign.txt"), "{name}");
            assert!(explained.matches, "{name}");
        }
        let verified = if proof(&request).unwrap().scope.service == "sts" {
            check(&request, &Rules::for_service("sts"), noon())
        } else {
            check_other(&request)
        };
        assert!(verified.is_ok(), "{name}: {verified:?}");
        count += 1;
    }
    assert_eq!(count, 20);
}

/// A request as on the wire, with plain line feeds.
fn parse(text: &str) -> HttpRequest {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
    let target = rest.strip_suffix(" HTTP/1.1").unwrap();
    lines.fold(HttpRequest::new(method, target, body.to_owned()), |request, line| {
        let (name, value) = line.split_once(": ").unwrap();
        request.with_header(name, value)
    })
}
