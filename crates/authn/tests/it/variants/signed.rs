//! Changes of what the signature covers, and of the signature.

use super::{
    ANY, After, BOTH, Before, IN_HEADER, IN_URL, MISMATCH, On, Table, URL, V4, V4A, add, drop_part, push,
    remove, set, signature,
};
use crate::support::{SECRET, STS_HOST, complete};

pub(super) fn of_what_was_signed(table: &mut Table) {
    table.row("another method", ANY, After, MISMATCH, |r| r.method = "PUT".into());
    table.row("the method in lower case", ANY, After, MISMATCH, |r| r.method = r.method.to_lowercase());
    table.row("a longer path", ANY, After, MISMATCH, |r| r.path = "/x".into());
    table.row("a parameter more", ANY, After, MISMATCH, |r| add(r, "DurationSeconds=129600"));
    table.row("a parameter doubled", IN_URL, After, MISMATCH, |r| add(r, "Action=GetSessionToken"));
    table.row("a parameter less", IN_URL, After, MISMATCH, |r| r.query = r.query.replace("&Note=a%2Bb", ""));
    table.row("a parameter's other value", IN_URL, After, MISMATCH, |r| {
        r.query = r.query.replace("Caller", "Session");
    });
    table
        .row("a value in lower case", IN_URL, After, MISMATCH, |r| r.query = r.query.replace("GetC", "getc"));
    table.row("a name in lower case", IN_URL, After, MISMATCH, |r| {
        r.query = r.query.replace("Action", "action");
    });
    table.row("a space for a plus", IN_URL, After, MISMATCH, |r| r.query = r.query.replace("a%2Bb", "a+b"));
    table
        .row("an escape escaped", IN_URL, After, MISMATCH, |r| r.query = r.query.replace("a%2Bb", "a%252Bb"));
    table.row("another body", ANY, After, MISMATCH, |r| r.body = "Action=AssumeRole".into());
    table.row("no body", IN_HEADER, After, MISMATCH, |r| r.body = "".into());
    table.row("another host", ANY, After, MISMATCH, |r| set(r, "host", "evil.example"));
    table.row("a host with a port", ANY, After, MISMATCH, |r| set(r, "host", &format!("{STS_HOST}:443")));
    table.row("a host in capitals", ANY, After, MISMATCH, |r| set(r, "host", &STS_HOST.to_uppercase()));
    table.row("no host", ANY, After, MISMATCH, |r| remove(r, "host"));
    table.row("another content type", IN_HEADER, After, MISMATCH, |r| set(r, "content-type", "text/plain"));
    table.row("no content type", IN_HEADER, After, MISMATCH, |r| remove(r, "content-type"));
    table.row("a second content type", IN_HEADER, After, MISMATCH, |r| push(r, "content-type", "text/plain"));
    table.texts("another second", ANY, After, MISMATCH, &[("T120000Z", "T120001Z")]);
    table.texts(
        "another region",
        On(BOTH, V4, "sts"),
        Before,
        ("SignatureDoesNotMatch", "Credential should be scoped to a valid region. "),
        &[("us-east-1", "eu-west-1")],
    );
    table.texts(
        "a wider set of regions",
        On(BOTH, V4A, "sts"),
        After,
        MISMATCH,
        &[("us-east-1", "*"), ("us-east-1", "us-east-1,eu-west-1")],
    );
    table.texts("another access key id", On(URL, V4, "sts"), After, MISMATCH, &[("AKIAIOSF", "AKIAIOSG")]);
    table.texts("another access key id", On(BOTH, V4A, "sts"), After, MISMATCH, &[("AKIAIOSF", "AKIAIOSG")]);
    table.texts("another lifetime", IN_URL, After, MISMATCH, &[("Expires=60", "Expires=600")]);
    table.texts("another session token", ANY, After, MISMATCH, &[("TOKEN", "OTHER")]);
    table
        .row("the session token left out", IN_HEADER, After, MISMATCH, |r| remove(r, "x-amz-security-token"));
    table.row("the session token left out", IN_URL, After, MISMATCH, |r| drop_part(r, "Security-Token"));
    table.texts(
        "a field added to the signed ones",
        ANY,
        After,
        MISMATCH,
        &[("host", "host;user-agent"), ("host;x-amz-date", "host;user-agent;x-amz-date")],
    );
    table.texts(
        "a field taken from the signed ones",
        IN_HEADER,
        After,
        MISMATCH,
        &[("content-type;host", "host")],
    );
    table.texts(
        "a signed field that is not there",
        IN_HEADER,
        Before,
        MISMATCH,
        &[("content-type;host;x-amz", "content-type;host;x-absent;x-amz")],
    );
    table.texts(
        "a signed field that is not there",
        IN_URL,
        Before,
        MISMATCH,
        &[("Headers=host", "Headers=host;x-absent")],
    );
    for (name, value) in [
        ("x-amz-foo", "1"),
        ("X-AMZ-Foo", "1"),
        ("x-amz-target", "Daypass_20261101.CheckRequest"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    ] {
        table.row("an unsigned x-amz- field", ANY, After, MISMATCH, move |r| push(r, name, value));
    }
}

pub(super) fn of_the_signature(table: &mut Table) {
    table.row("a digit of it", ANY, After, MISMATCH, |r| {
        signature(r, |s| format!("{}{}", &s[..s.len() - 1], if s.ends_with('0') { "1" } else { "0" }));
    });
    table.row("in capitals", ANY, After, MISMATCH, |r| signature(r, str::to_uppercase));
    table.row("half of it", ANY, After, MISMATCH, |r| signature(r, |s| s[..s.len() / 2].to_owned()));
    table.row("one digit less", ANY, After, MISMATCH, |r| signature(r, |s| s[1..].to_owned()));
    table.row("more behind it", ANY, After, MISMATCH, |r| signature(r, |s| format!("{s}00")));
    table.row("twice itself", ANY, After, MISMATCH, |r| signature(r, |s| format!("{s}{s}")));
    table.row("none", ANY, After, MISMATCH, |r| signature(r, |_| String::new()));
    for zero in ["0", "3006020100020100", "3006020101020101"] {
        table.row("made up", ANY, After, MISMATCH, move |r| {
            signature(r, |s| zero.repeat(s.len() / zero.len()));
        });
    }
    table.row("no hexadecimal", ANY, After, MISMATCH, |r| signature(r, |s| "g".repeat(s.len())));
    table.row("no ASCII", ANY, After, MISMATCH, |r| signature(r, |s| "\u{e9}".repeat(s.len() / 2)));
    table.row("a blank before it", ANY, After, MISMATCH, |r| signature(r, |s| format!("%20{s}")));
    for other in ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEZ", "", " wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"]
    {
        table.row("of another secret", ANY, Before, MISMATCH, move |r| *r = complete(r.clone(), other, None));
    }
    for payload in
        ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", ""]
    {
        table.row("over another payload", ANY, Before, MISMATCH, move |r| {
            *r = complete(r.clone(), SECRET, Some(payload));
        });
    }
}
