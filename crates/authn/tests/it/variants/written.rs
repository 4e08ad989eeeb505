//! Credentials that are written in another way than AWS defines.

use super::{
    ANY, After, BOTH, Before, CREDENTIAL, DATE, HEADER, IN_HEADER, IN_URL, NAMES, On, SYNTAX, Table, URL, V4,
    V4A, drop_part, push, remove, set, signature, swap,
};

pub(super) fn of_the_form(table: &mut Table) {
    const REQUIRES: &str = "IncompleteSignature";
    table.row(
        "no credential",
        IN_HEADER,
        After,
        (REQUIRES, "Authorization header requires 'Credential' parameter. (*"),
        |r| drop_part(r, "Credential"),
    );
    table.row(
        "no signature",
        IN_HEADER,
        After,
        (REQUIRES, "Authorization header requires 'Signature' parameter. (*"),
        |r| drop_part(r, "Signature"),
    );
    table.row(
        "no list of fields",
        IN_HEADER,
        After,
        (REQUIRES, "Authorization header requires 'SignedHeaders' parameter. (*"),
        |r| drop_part(r, "SignedHeaders"),
    );
    table.row(
        "no date",
        IN_HEADER,
        After,
        (REQUIRES, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (*"),
        |r| remove(r, "x-amz-date"),
    );
    const AGAIN: &str = " Re-examine the query-string parameters.";
    for (row, part) in [
        ("no credential", "Credential"),
        ("no signature", "Signature"),
        ("no list of fields", "SignedHeaders"),
        ("no date", "Date"),
        ("no algorithm", "Algorithm"),
    ] {
        let text = format!("AWS query-string parameters must include 'X-Amz-{part}'.{AGAIN}").leak();
        table.row(row, IN_URL, After, (REQUIRES, text), move |r| drop_part(r, part));
    }
    table.row("nothing but the session token", IN_HEADER, After, (REQUIRES, "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' *"), |r| remove(r, "authorization"));
    table.row(
        "nothing but the algorithm",
        IN_HEADER,
        After,
        (REQUIRES, "Authorization header requires 'Credential' parameter. *"),
        |r| {
            let value = r.header_text("authorization").unwrap().split(' ').next().unwrap().to_owned();
            set(r, "authorization", &value);
        },
    );
    table.texts(
        "a part without its equals sign",
        IN_HEADER,
        After,
        SYNTAX,
        &[("Signature=", "Signature"), ("SignedHeaders=", "SignedHeaders")],
    );
    table.texts(
        "a part of another name",
        IN_HEADER,
        After,
        SYNTAX,
        &[("Signature=", "Signed="), ("Credential=", "credential=")],
    );
    table.texts("a part more", IN_HEADER, After, SYNTAX, &[(", Signature", ", Extra=1, Signature")]);
    table.texts(
        "a part twice",
        IN_HEADER,
        After,
        SYNTAX,
        &[
            (", Signature", ", Signature=00, Signature"),
            ("Credential=", "Credential=A/20260115/r/sts/aws4_request, Credential="),
        ],
    );
    table.texts(
        "no comma between parts",
        IN_HEADER,
        After,
        SYNTAX,
        &[(", SignedHeaders", ",, SignedHeaders")],
    );
    table.row("a comma at the end", IN_HEADER, After, SYNTAX, |r| signature(r, |s| format!("{s},")));
    table.row("bytes that are no text", IN_HEADER, After, SYNTAX, |r| {
        r.headers.iter_mut().find(|(name, _)| name == "authorization").unwrap().1.push(0xff);
    });
    const UNSUPPORTED: (&str, &str) = ("IncompleteSignature", "Unsupported AWS 'algorithm': '*");
    table.texts(
        "another algorithm",
        ANY,
        After,
        UNSUPPORTED,
        &[
            ("AWS4-", "AWS5-"),
            ("-SHA256", "-SHA512"),
            ("AWS4-", ""),
            ("AWS4-", "Bearer-"),
            ("AWS4-", "aws4-"),
        ],
    );
    table.texts(
        "the other algorithm",
        On(HEADER, V4, "sts"),
        After,
        ("IncompleteSignature", "AWS4-ECDSA-P256-SHA256 requires 'X-Amz-Region-Set'."),
        &[(
            "HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260115/us-east-1/",
            "ECDSA-P256-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260115/",
        )],
    );
    table.texts(
        "the other algorithm",
        On(URL, V4, "sts"),
        After,
        CREDENTIAL,
        &[("HMAC-SHA256", "ECDSA-P256-SHA256")],
    );
    table.texts(
        "the other algorithm",
        On(BOTH, V4A, "sts"),
        After,
        CREDENTIAL,
        &[("ECDSA-P256-SHA256", "HMAC-SHA256")],
    );
    table.texts(
        "a credential with a part less",
        ANY,
        After,
        CREDENTIAL,
        &[("/aws4_request", ""), ("AKIAIOSFODNN7EXAMPLE/", "")],
    );
    table.texts(
        "a credential with an empty part",
        ANY,
        After,
        CREDENTIAL,
        &[("AKIAIOSFODNN7EXAMPLE", ""), ("/sts/", "//"), ("20260115/", "/")],
    );
    table.texts(
        "a credential with a region",
        On(BOTH, V4A, "sts"),
        After,
        CREDENTIAL,
        &[("/sts/", "/us-east-1/sts/")],
    );
    table.texts(
        "a credential that is no word",
        ANY,
        After,
        CREDENTIAL,
        &[("AKIAI", "AK AI"), ("/sts/", "/s s/"), ("20260115/", "2026 115/")],
    );
    table.row("an access key id without end", ANY, After, CREDENTIAL, |r| swap(r, "AKIA", &"A".repeat(200)));
    table.texts("another date in the scope", ANY, Before, ("SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '2026011*"), &[("/20260115/", "/20260114/"), ("/20260115/", "/20260116/")]);
    table.texts(
        "another service",
        ANY,
        Before,
        ("SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. "),
        &[("/sts/", "/iam/"), ("/sts/", "/STS/"), ("/sts/", "/daypass/")],
    );
    table.texts(
        "another terminator",
        ANY,
        Before,
        (
            "SignatureDoesNotMatch",
            "Credential should be scoped with a valid terminator: 'aws4_request', not '*",
        ),
        &[("aws4_request", "aws5_request"), ("aws4_request", "AWS4_REQUEST")],
    );
    table.texts(
        "a list of fields out of order",
        IN_HEADER,
        Before,
        NAMES,
        &[("content-type;host", "host;content-type")],
    );
    table.texts(
        "a list of fields with one twice",
        ANY,
        Before,
        NAMES,
        &[("Headers=host", "Headers=host;host"), ("host;x-amz-date", "host;host;x-amz-date")],
    );
    table.texts(
        "a list of fields in capitals",
        ANY,
        Before,
        NAMES,
        &[("Headers=host", "Headers=Host"), (";host", ";Host")],
    );
    table.texts("a list of fields with an empty one", ANY, Before, NAMES, &[("Headers=", "Headers=;")]);
    table.texts(
        "a list of fields with a blank",
        ANY,
        Before,
        NAMES,
        &[("Headers=host", "Headers= host"), (";host", "; host")],
    );
    table.texts(
        "a list of fields without the host",
        ANY,
        Before,
        (
            "SignatureDoesNotMatch",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        &[("Headers=host", "Headers=user-agent"), (";host;", ";")],
    );
    table.texts(
        "a date in another form",
        ANY,
        After,
        DATE,
        &[
            ("T120000Z", "T120000.000Z"),
            ("T120000Z", "T12:00:00Z"),
            ("20260115T", "2026-01-15T"),
            ("T120000Z", "T120000"),
            ("T120000Z", ""),
            ("T120000Z", "T240000Z"),
            ("20260115T", "20261315T"),
            ("T120000Z", "T120000z"),
        ],
    );
    table.row("a Date field in no form", IN_HEADER, After, DATE, |r| {
        remove(r, "x-amz-date");
        push(r, "date", "yesterday");
    });
    table.texts("too old", ANY, Before, ("SignatureDoesNotMatch", "Signature expired: 20260115T114459Z is now earlier than 20260115T114500Z (20260115T120000Z - 15 min.)"), &[("T120000Z", "T114459Z")]);
    table.texts("too new", ANY, Before, ("SignatureDoesNotMatch", "Signature not yet current: 20260115T121501Z is still later than 20260115T121500Z (20260115T120000Z + 15 min.)"), &[("T120000Z", "T121501Z")]);
    table.row(
        "an enormous head",
        ANY,
        After,
        ("RequestEntityTooLargeException", "The request line and headers are too large."),
        |r| push(r, "x", &"x".repeat(70_000)),
    );
}
