//! REST in: which operation a method and a path mean, and which parts of the path are its parameters.
//!
//! A request is for a service that speaks REST if its signature is scoped to it, or, where nothing is signed, if method and
//! path are those of one of its operations. Nobody is believed by that: what is signed for one service is no proof to another.
//! Paths are compared as they come, segment by segment: one that a signature covers in another form than it is read in
//! (dot segments, empty ones) means nothing.
//!
//! Governing document: the `restJson1` protocol of Smithy (HTTP bindings).

use daypass_service::shapes::{self, Http, OPERATIONS, Operation};
use percent_encoding::percent_decode_str;

/// What a request means that is for a service which speaks REST.
#[derive(Debug)]
pub enum Route {
    /// An operation, and what stands in the path for each of its members there.
    To(&'static Operation, Vec<(&'static str, String)>),
    /// None of this service.
    Nowhere(&'static str),
}

impl Route {
    /// The service's signing name.
    #[must_use]
    pub fn service(&self) -> &'static str {
        match self {
            Self::To(operation, _) => operation.service.name,
            Self::Nowhere(service) => service,
        }
    }
}

/// Where a request leads; `None` when it is for a service that speaks otherwise. `authorization` is the header field of that
/// name, if there is exactly one.
#[must_use]
pub fn route(method: &str, path: &str, query: &str, authorization: Option<&[u8]>) -> Option<Route> {
    // Where all requests of the Query protocol go.
    if path == "/" {
        return None;
    }
    let of = |service: Option<&str>| {
        let rows = OPERATIONS.iter().filter(|row| service.is_none_or(|service| row.service.name == service));
        let mut rows = rows.filter_map(|row| Some((row, row.http.as_ref()?)));
        rows.find_map(|(row, http)| Some(Route::To(row, labels(http, method, path)?)))
    };
    match signed_for(query, authorization) {
        None => of(None),
        Some(service) => {
            let service = shapes::service(&service).filter(|service| service.rest)?;
            Some(of(Some(service.name)).unwrap_or(Route::Nowhere(service.name)))
        }
    }
}

/// The service in the scope of a request's signature: the last part but one of its credential.
fn signed_for(query: &str, authorization: Option<&[u8]>) -> Option<String> {
    let of_scope = |credential: &str| credential.rsplit('/').nth(1).map(str::to_owned);
    if let Some(field) = authorization {
        let (_, rest) = std::str::from_utf8(field).ok()?.split_once("Credential=")?;
        return of_scope(rest.split(',').next().unwrap_or_default().trim());
    }
    let credential = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    of_scope(&percent_decode_str(credential).decode_utf8().ok()?)
}

/// What stands in the path in the place of each member, if method and path are the operation's.
fn labels(http: &'static Http, method: &str, path: &str) -> Option<Vec<(&'static str, String)>> {
    if http.method != method {
        return None;
    }
    let mut given = path.split('/');
    let mut found = Vec::new();
    for wanted in http.path.split('/') {
        let segment = given.next()?;
        match wanted.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
            None if wanted == segment => {}
            None => return None,
            Some(_) if matches!(segment, "" | "." | "..") => return None,
            Some(label) => {
                found.push((label, percent_decode_str(segment).decode_utf8().ok()?.into_owned()));
            }
        }
    }
    given.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    //! Paths of the model, and others that look like them.

    use super::*;

    fn to(method: &str, path: &str) -> Option<(String, Vec<(&'static str, String)>)> {
        match route(method, path, "", None)? {
            Route::To(operation, labels) => Some((operation.name.to_owned(), labels)),
            Route::Nowhere(_) => None,
        }
    }

    #[test]
    fn every_operation_is_reached_by_its_method_and_path_and_no_other_is() {
        for operation in OPERATIONS {
            let Some(http) = &operation.http else { continue };
            let path = http.path.replace('{', "x%2F").replace('}', "");
            let (name, labels) = to(http.method, &path).expect(operation.name);
            assert_eq!(name, operation.name);
            assert!(labels.iter().all(|(label, value)| *value == format!("x/{label}")), "{labels:?}");
            for other in [format!("{path}/"), format!("/{path}"), format!("{path}/x"), path.to_uppercase()] {
                assert!(to(http.method, &other).is_none_or(|(name, _)| name != operation.name), "{other}");
            }
        }
    }

    #[test]
    fn a_path_that_is_signed_in_another_form_leads_nowhere() {
        for path in [
            "/profile/..",
            "/profile/.",
            "/profile/",
            "/profile//enable",
            "/crl/../profile/x",
            "/profile/%FF",
        ] {
            for method in ["GET", "POST"] {
                assert!(to(method, path).is_none(), "{path}");
            }
        }
        // What is encoded is signed as it stands.
        let labels = vec![("profileId", "..".to_owned())];
        assert_eq!(to("GET", "/profile/%2e%2e"), Some(("GetProfile".into(), labels)));
    }

    #[test]
    fn the_scope_of_the_signature_says_for_which_service_a_request_is() {
        let scoped = |service: &str| {
            let field = format!(
                "AWS4-HMAC-SHA256 Credential=AKIA/20260115/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
            );
            route("GET", "/profiles", "", Some(field.as_bytes()))
        };
        assert!(matches!(scoped("rolesanywhere"), Some(Route::To(..))));
        assert!(scoped("sts").is_none() && scoped("iam").is_none() && scoped("s3").is_none());
        let query =
            "X-Amz-Algorithm=x&X-Amz-Credential=AKIA%2F20260115%2Feu-west-1%2Frolesanywhere%2Faws4_request";
        assert_eq!(route("GET", "/x", query, None).map(|route| route.service()), Some("rolesanywhere"));
        assert_eq!(route("GET", "/", query, None).map(|route| route.service()), None);
        // By a certificate, with a serial number in the key's place.
        let field = b"AWS4-X509-RSA-SHA256 Credential=1234/20260115/eu-west-1/rolesanywhere/aws4_request, SignedHeaders=host, Signature=0";
        let session = route("POST", "/sessions", "", Some(field));
        assert!(matches!(session, Some(Route::To(operation, _)) if operation.name == "CreateSession"));
    }
}
