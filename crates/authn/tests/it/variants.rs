//! What an attacker, a proxy or a clumsy client makes of a good request, and AWS's words for each: mutation × place of
//! the credentials × version of the signature. `variants_of_2` has those of Signature Version 2.
//!
//! Every mutation is tried on a request that passes without it. A row names one kind of mutation, however many values it
//! is tried with; its places and versions are variants of their own.

mod elsewhere;
mod readings;
mod signed;
mod written;

use std::collections::BTreeSet;

use daypass_authn::sigv4::{Algorithm, AuthError, BodyHash, HttpRequest, Place, Rules};

use crate::support::{ACCESS_KEY_ID, BODY, REFUSED, SECRET, STS_HOST, check, complete, noon};

pub(crate) const MISMATCH: (&str, &str) = (
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
     and signing method. Consult the service documentation for details.",
);
pub(crate) const TWO: (&str, &str) = (
    "IncompleteSignature",
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the \
     Authorization header should be specified",
);
const SYNTAX: (&str, &str) =
    ("IncompleteSignature", "Invalid key=value pair (missing equal-sign) in Authorization header*");
const CREDENTIAL: (&str, &str) = ("IncompleteSignature", "Credential must have exactly *");
const DATE: (&str, &str) = (
    "IncompleteSignature",
    "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601",
);
const NAMES: (&str, &str) =
    ("IncompleteSignature", "'SignedHeaders' must be a sorted list of distinct lower-case header names.");
const SET: (&str, &str) = (
    "IncompleteSignature",
    "'X-Amz-Region-Set' must be a comma-separated list of regions, or of patterns with '*'.",
);
const LIFETIME: &str = "AuthorizationQueryParametersError";

/// A request as the mutations find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Base {
    version: Algorithm,
    place: Place,
    service: &'static str,
}

const QUERY: &str = "Action=GetCallerIdentity&Version=2011-06-15&Note=a%2Bb";

impl Base {
    /// Whole but for its signature, which is `00`.
    fn draft(self) -> HttpRequest {
        let (algorithm, service) = (self.version.as_str(), self.service);
        let (region, set_name, set) = match self.version {
            Algorithm::SigV4 => ("us-east-1/", "", ""),
            Algorithm::SigV4A => ("", "x-amz-region-set;", "&X-Amz-Region-Set=us-east-1"),
        };
        let credential = format!("{ACCESS_KEY_ID}/20260115/{region}{service}/aws4_request");
        if self.place == Place::Query {
            let credential = credential.replace('/', "%2F");
            let query = format!(
                "{QUERY}&X-Amz-Algorithm={algorithm}&X-Amz-Credential={credential}&X-Amz-Date=20260115T120000Z\
                 &X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=TOKEN{set}&X-Amz-Signature=00"
            );
            return HttpRequest::new("GET", &format!("/?{query}"), "")
                .with_header("host", STS_HOST)
                .with_header("user-agent", "test");
        }
        let names = format!("content-type;host;x-amz-date;{set_name}x-amz-security-token");
        let value = format!("{algorithm} Credential={credential}, SignedHeaders={names}, Signature=00");
        let request = HttpRequest::new("POST", "/", BODY)
            .with_header("host", STS_HOST)
            .with_header("user-agent", "test")
            .with_header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .with_header("x-amz-date", "20260115T120000Z")
            .with_header("x-amz-security-token", "TOKEN")
            .with_header("authorization", value);
        match self.version {
            Algorithm::SigV4 => request,
            Algorithm::SigV4A => request.with_header("x-amz-region-set", "us-east-1"),
        }
    }

    fn signed(self, request: HttpRequest) -> HttpRequest {
        complete(request, SECRET, None)
    }

    fn outcome(self, request: &HttpRequest) -> Result<(), AuthError> {
        let rules = match self.service {
            "s3" => Rules::for_another_service("s3", REFUSED, BodyHash::OfRequest),
            service => Rules::for_service(service),
        };
        check(request, &Rules { region: Some("us-east-1"), ..rules }, noon()).map(|_| ())
    }
}

/// When a request is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// The signature is over what was changed.
    Before,
    After,
}
use When::{After, Before};

/// On which requests: places, versions, and the service.
#[derive(Clone, Copy)]
struct On(&'static [Place], &'static [Algorithm], &'static str);

const HEADER: &[Place] = &[Place::Header];
const URL: &[Place] = &[Place::Query];
const BOTH: &[Place] = &[Place::Header, Place::Query];
const ALL: &[Algorithm] = &[Algorithm::SigV4, Algorithm::SigV4A];
const V4: &[Algorithm] = &[Algorithm::SigV4];
const V4A: &[Algorithm] = &[Algorithm::SigV4A];
const ANY: On = On(BOTH, ALL, "sts");
const IN_HEADER: On = On(HEADER, ALL, "sts");
const IN_URL: On = On(URL, ALL, "sts");

type Change = Box<dyn Fn(&mut HttpRequest)>;

struct Row {
    name: &'static str,
    on: On,
    when: When,
    told: (&'static str, &'static str),
    changes: Vec<Change>,
}

/// The rows, and how to write them.
#[derive(Default)]
struct Table(Vec<Row>);

impl Table {
    fn row(
        &mut self,
        name: &'static str,
        on: On,
        when: When,
        told: (&'static str, &'static str),
        change: impl Fn(&mut HttpRequest) + 'static,
    ) {
        self.0.push(Row { name, on, when, told, changes: vec![Box::new(change)] });
    }

    /// Other text in the place of the credentials, one after the other.
    fn texts(
        &mut self,
        name: &'static str,
        on: On,
        when: When,
        told: (&'static str, &'static str),
        pairs: &'static [(&'static str, &'static str)],
    ) {
        let change = |(from, to): &'static (&str, &str)| -> Change {
            Box::new(move |request| swap(request, from, to))
        };
        self.0.push(Row { name, on, when, told, changes: pairs.iter().map(change).collect() });
    }
}

/// Replace text wherever credentials and dates stand; in the query it is encoded as there.
fn swap(request: &mut HttpRequest, from: &str, to: &str) {
    let encoded = |text: &str| text.replace('/', "%2F").replace(';', "%3B").replace(' ', "+");
    request.query = request.query.replace(&encoded(from), &encoded(to));
    for (name, value) in &mut request.headers {
        if ["authorization", "x-amz-date", "x-amz-region-set", "x-amz-security-token"]
            .contains(&name.as_str())
        {
            *value = String::from_utf8_lossy(value).replace(from, to).into_bytes();
        }
    }
}

fn push(request: &mut HttpRequest, name: &str, value: &str) {
    request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
}

fn add(request: &mut HttpRequest, pair: &str) {
    let separator = if request.query.is_empty() { "" } else { "&" };
    request.query.push_str(&format!("{separator}{pair}"));
}

fn set(request: &mut HttpRequest, name: &str, value: &str) {
    remove(request, name);
    push(request, name, value);
}

fn remove(request: &mut HttpRequest, name: &str) {
    request.headers.retain(|(given, _)| given != name);
}

/// Leave out one part of the credentials.
fn drop_part(request: &mut HttpRequest, name: &str) {
    request.query = without_pair(&request.query, &format!("X-Amz-{name}"), '&');
    if let Some((_, value)) = request.headers.iter_mut().find(|(given, _)| given == "authorization") {
        let text = String::from_utf8_lossy(value).into_owned();
        let (algorithm, rest) = text.split_once(' ').unwrap();
        let parts: Vec<&str> =
            rest.split(", ").filter(|part| !part.starts_with(&format!("{name}="))).collect();
        *value = format!("{algorithm} {}", parts.join(", ")).into_bytes();
    }
}

fn without_pair(query: &str, name: &str, separator: char) -> String {
    let kept = query.split(separator).filter(|pair| !pair.starts_with(&format!("{name}=")));
    kept.collect::<Vec<_>>().join("&")
}

/// Change the signature as it stands in the request.
fn signature(request: &mut HttpRequest, change: impl Fn(&str) -> String) {
    let changed = |text: &str| {
        let (head, signature) = text.split_once("Signature=").unwrap();
        format!("{head}Signature={}", change(signature))
    };
    match request.headers.iter_mut().find(|(given, _)| given == "authorization") {
        Some((_, value)) => *value = changed(&String::from_utf8_lossy(value)).into_bytes(),
        None => request.query = changed(&request.query),
    }
}

#[test]
fn every_variant_of_a_good_request_is_refused_in_awss_words() {
    let mut table = Table::default();
    signed::of_what_was_signed(&mut table);
    signed::of_the_signature(&mut table);
    written::of_the_form(&mut table);
    readings::of_two_readings(&mut table);
    elsewhere::of_the_regions(&mut table);
    elsewhere::of_other_services(&mut table);
    let (mut variants, mut tried) = (BTreeSet::new(), 0);
    for Row { name, on: On(places, versions, service), when, told: (code, text), changes } in &table.0 {
        for (&place, &version) in
            places.iter().flat_map(|place| versions.iter().map(move |version| (place, version)))
        {
            let base = Base { version, place, service };
            let good = base.signed(base.draft());
            assert_eq!(base.outcome(&good), Ok(()), "{name}: the request is good without it, {base:?}");
            let mut changed_nothing = true;
            for change in changes {
                let mut request = if *when == Before { base.draft() } else { good.clone() };
                let unchanged = request.clone();
                change(&mut request);
                // Of several spellings some are of one place only.
                if same(&request, &unchanged) {
                    continue;
                }
                changed_nothing = false;
                if *when == Before {
                    request = base.signed(request);
                }
                let error = base.outcome(&request).expect_err(name);
                assert_eq!(error.code(), *code, "{name}, {base:?}: {error}");
                assert!(reads(&error.to_string(), text), "{name}, {base:?}: {error}");
                tried += 1;
            }
            assert!(!changed_nothing, "{name} changed nothing, {base:?}");
            variants.insert((*name, place == Place::Query, version == Algorithm::SigV4A));
        }
    }
    println!("{} variants, {tried} requests", variants.len());
    assert!(variants.len() >= 250, "{}", variants.len());
}

fn same(one: &HttpRequest, other: &HttpRequest) -> bool {
    let parts = |r: &HttpRequest| {
        (r.method.clone(), r.path.clone(), r.query.clone(), r.headers.clone(), r.body.clone())
    };
    parts(one) == parts(other)
}

/// Whether a message is this text, or begins with it where a star stands behind.
pub(crate) fn reads(message: &str, text: &str) -> bool {
    text.strip_suffix('*').map_or(message == text, |start| message.starts_with(start))
}
