//! The set of regions of Signature Version 4A; and the rules of the family of S3.

use daypass_authn::sigv4::HttpRequest;

use super::{
    ALL, After, BOTH, Before, HEADER, LIFETIME, MISMATCH, On, SET, TWO, Table, URL, V4, V4A, add, drop_part,
    push, remove, swap,
};

pub(super) fn of_the_regions(table: &mut Table) {
    let on = On(BOTH, V4A, "sts");
    table.texts(
        "a set without this region",
        on,
        Before,
        ("SignatureDoesNotMatch", "Credential should be scoped to a valid region. "),
        &[("us-east-1", "eu-*,us-west-2")],
    );
    table.texts(
        "a set that is none",
        on,
        Before,
        SET,
        &[
            ("us-east-1", ""),
            ("us-east-1", ","),
            ("us-east-1", "US-EAST-1"),
            ("us-east-1", "us-east-1?"),
            ("us-east-1", "us-east-1,,*"),
        ],
    );
    table.row(
        "no set",
        On(HEADER, V4A, "sts"),
        Before,
        ("IncompleteSignature", "AWS4-ECDSA-P256-SHA256 requires 'X-Amz-Region-Set'."),
        |r| {
            remove(r, "x-amz-region-set");
            swap(r, "x-amz-region-set;", "");
        },
    );
    table.row(
        "no set",
        On(URL, V4A, "sts"),
        Before,
        ("IncompleteSignature", "AWS4-ECDSA-P256-SHA256 requires 'X-Amz-Region-Set'."),
        |r| drop_part(r, "Region-Set"),
    );
    table.texts(
        "an unsigned set",
        On(HEADER, V4A, "sts"),
        Before,
        ("IncompleteSignature", "'X-Amz-Region-Set' must be a 'SignedHeader' in the AWS Authorization."),
        &[("x-amz-region-set;", "")],
    );
    table.row(
        "a set in the other place",
        On(URL, V4A, "sts"),
        After,
        ("IncompleteSignature", "'X-Amz-Region-Set' of a presigned request is a parameter."),
        |r| push(r, "x-amz-region-set", "us-east-1"),
    );
    table.row("a set in the other place", On(HEADER, V4A, "sts"), After, TWO, |r| {
        add(r, "X-Amz-Region-Set=us-east-1");
    });
    const OF_4A: (&str, &str) =
        ("IncompleteSignature", "'X-Amz-Region-Set' belongs to AWS4-ECDSA-P256-SHA256.");
    table.row("a set with the other version", On(HEADER, V4, "sts"), After, OF_4A, |r| {
        push(r, "x-amz-region-set", "*");
    });
    table.row("a set with the other version", On(URL, V4, "sts"), After, OF_4A, |r| {
        add(r, "X-Amz-Region-Set=*");
    });
}

/// The family of S3 has rules and words of its own, and obeys the lifetime that a presigned request names.
pub(super) fn of_other_services(table: &mut Table) {
    let s3_url = On(URL, ALL, "s3");
    table.texts(
        "S3: no lifetime",
        s3_url,
        Before,
        (LIFETIME, "AWS query-string parameters must include 'X-Amz-Expires'."),
        &[("&X-Amz-Expires=60", "")],
    );
    table.texts(
        "S3: a lifetime of nothing",
        s3_url,
        Before,
        (LIFETIME, "X-Amz-Expires must be at least 1"),
        &[("Expires=60", "Expires=0")],
    );
    table.texts(
        "S3: a lifetime that is no number",
        s3_url,
        Before,
        (LIFETIME, "X-Amz-Expires should be a number"),
        &[("Expires=60", "Expires=-1"), ("Expires=60", "Expires="), ("Expires=60", "Expires=6e1")],
    );
    table.texts(
        "S3: a lifetime of more than a week",
        s3_url,
        Before,
        (LIFETIME, "X-Amz-Expires must be less than a week (in seconds)*"),
        &[("Expires=60", "Expires=604801"), ("Expires=60", "Expires=9999999999999999999")],
    );
    let s3 = On(BOTH, ALL, "s3");
    table.row(
        "S3: an unsigned x-amz- field",
        s3,
        After,
        ("AccessDenied", "There were headers present in the request which were not signed"),
        |r| push(r, "x-amz-acl", "public-read"),
    );
    table.row("S3: an encoded slash", s3, After, MISMATCH, |r| r.path = "/%2F".into());
    table.row("S3: two slashes", s3, After, MISMATCH, |r| r.path = "//".into());
    table.texts(
        "S3: too old",
        On(HEADER, ALL, "s3"),
        Before,
        (
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        &[("T120000Z", "T114459Z")],
    );
    table.texts(
        "S3: too new",
        s3,
        Before,
        (
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        &[("T120000Z", "T121501Z")],
    );
    table.texts(
        "S3: a lifetime that is over",
        s3_url,
        Before,
        ("AccessDenied", "Request has expired"),
        &[("T120000Z", "T115859Z")],
    );
    let declared = |value: &'static str| {
        move |r: &mut HttpRequest| {
            push(r, "x-amz-content-sha256", value);
            swap(r, "Headers=host", "Headers=host;x-amz-content-sha256");
            swap(r, "host;x-amz-date", "host;x-amz-content-sha256;x-amz-date");
        }
    };
    for value in [
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
        "STREAMING-",
    ] {
        table.row(
            "S3: a body in signed chunks",
            s3,
            Before,
            (
                "NotImplemented",
                "A header you provided implies functionality that is not implemented: streaming payload",
            ),
            declared(value),
        );
    }
    for value in ["", "unsigned-payload", "anything"] {
        table.row(
            "S3: a payload hash that is none",
            s3,
            Before,
            ("InvalidArgument", "x-amz-content-sha256 must be *"),
            declared(value),
        );
    }
    let other = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    table.row(
        "S3: the hash of another body",
        s3,
        Before,
        (
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        declared(other),
    );
}
