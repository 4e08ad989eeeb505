//! Requests that could be read in two ways.

use daypass_authn::sigv4::HttpRequest;

use super::{ANY, After, HEADER, IN_HEADER, IN_URL, On, TWO, Table, URL, V4A, add, push};
use crate::support::BODY;

pub(super) fn of_two_readings(table: &mut Table) {
    let twice = |name: &str| {
        let text =
            format!("The request signature does not conform to AWS standards: '{name}' appears twice.");
        ("IncompleteSignature", &*text.leak())
    };
    let again = |name: &'static str| {
        move |r: &mut HttpRequest| {
            let value = r.header_text(name).unwrap_or("1").to_owned();
            push(r, &name.to_uppercase(), &value);
        }
    };
    table.row("Authorization twice", IN_HEADER, After, twice("Authorization"), again("authorization"));
    table.row("Host twice", ANY, After, twice("Host"), again("host"));
    table.row("X-Amz-Date twice", IN_HEADER, After, twice("X-Amz-Date"), again("x-amz-date"));
    table.row(
        "X-Amz-Security-Token twice",
        IN_HEADER,
        After,
        twice("X-Amz-Security-Token"),
        again("x-amz-security-token"),
    );
    table.row(
        "X-Amz-Region-Set twice",
        On(HEADER, V4A, "sts"),
        After,
        twice("X-Amz-Region-Set"),
        again("x-amz-region-set"),
    );
    for (row, field, told) in [
        ("Date twice", "date", "Date"),
        ("X-Amz-Content-Sha256 twice", "x-amz-content-sha256", "X-Amz-Content-Sha256"),
    ] {
        table.row(row, ANY, After, twice(told), move |r| {
            push(r, field, "1");
            push(r, field, "1");
        });
    }
    for part in [
        "Algorithm",
        "Credential",
        "Date",
        "Expires",
        "SignedHeaders",
        "Signature",
        "Security-Token",
        "Region-Set",
    ] {
        let on = if part == "Region-Set" { On(URL, V4A, "sts") } else { IN_URL };
        let name = &*format!("X-Amz-{part}").leak();
        let pair =
            move |r: &HttpRequest| r.query.split('&').find(|pair| pair.starts_with(name)).unwrap().to_owned();
        table.row(format!("{name} twice").leak(), on, After, twice(name), move |r| add(r, &pair(r)));
        table.row(format!("{name} twice").leak(), on, After, twice(name), move |r| {
            add(r, &pair(r).replace("X-A", "%58-A"));
        });
        let text = format!(
            "The request signature does not conform to AWS standards: the parameter is spelled '{name}'."
        );
        let told = ("IncompleteSignature", &*text.leak());
        table.row(format!("{name} in another case").leak(), on, After, told, move |r| {
            r.query = r.query.replace(name, &name.to_lowercase());
        });
    }
    table.row("a second credential in the URL", IN_HEADER, After, TWO, |r| add(r, "X-Amz-Signature=00"));
    table.row("a session token in the URL", IN_HEADER, After, TWO, |r| add(r, "X-Amz-Security-Token=TOKEN"));
    table
        .row("a second credential in a header", IN_URL, After, TWO, |r| push(r, "authorization", "Bearer x"));
    table
        .row("a session token in a header", IN_URL, After, TWO, |r| push(r, "x-amz-security-token", "TOKEN"));
    for part in ["AWSAccessKeyId=AKIA", "signature=x", "SIGNATUREVERSION=2", "SecurityToken=x"] {
        table.row("parts of Signature Version 2 in the URL", ANY, After, TWO, move |r| add(r, part));
        table.row("parts of Signature Version 2 in the form", ANY, After, TWO, move |r| {
            r.body = format!("{BODY}&{part}").into();
        });
    }
    table.row(
        "parts of a presigned request in the form",
        ANY,
        After,
        ("IncompleteSignature", "AWS query-string parameters must include 'X-Amz-Signature'. *"),
        |r| r.body = "X-Amz-Credential=x".into(),
    );
    const EXPRESS: (&str, &str) = (
        "IncompleteSignature",
        "The authorization mechanism you have provided (X-Amz-S3session-Token) is not supported. *",
    );
    table.row("a session token of S3 Express in a header", ANY, After, EXPRESS, |r| {
        push(r, "x-amz-s3session-token", "x");
    });
    table.row("a session token of S3 Express in the URL", ANY, After, EXPRESS, |r| {
        add(r, "x-amz-s3session-token=x");
    });
}
