//! The public API models as data: which operations exist, what their parameters are, and which
//! limits those have.
//!
//! The tables are generated (`cargo xtask codegen`) from `api/input-shapes.json` for STS and IAM, from
//! `api/rest-shapes.json` for services whose operations are told by method and path, and from `api/daypass/2026-11-01/service-2.json` for daypass's own API. [`validate`] is the only
//! reader of the limits. This module knows nothing of requests, callers or permissions.

mod letters;
mod pattern;
#[rustfmt::skip]
mod table;
mod validate;

pub use pattern::Pattern;
pub use table::{OPERATIONS, SERVICES};

pub(crate) use validate::{check, lower_first};

/// One of the APIs that daypass serves.
#[derive(Debug)]
pub struct Service {
    /// The signing name: `sts`, `iam`, `daypass`, `eks`, `eks-auth`, `rolesanywhere`.
    pub name: &'static str,
    /// What clients send as `Version`.
    pub version: &'static str,
    /// The XML namespace of its answers; empty for an API that speaks JSON only.
    pub namespace: &'static str,
    /// Its operations are told by method and path ([`Http`]), and its errors by the header `x-amzn-errortype`.
    pub rest: bool,
    /// The errors its model declares.
    pub errors: &'static [ErrorShape],
}

/// An error that the model of a service declares.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorShape {
    /// The name in the model, which is what CloudTrail prints: `NoSuchEntityException`.
    pub name: &'static str,
    /// The code on the wire: `NoSuchEntity`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
}

impl Service {
    /// The declared error that has this code on the wire.
    #[must_use]
    pub fn error(&self, code: &str) -> Option<&'static ErrorShape> {
        self.errors.iter().find(|error| error.code == code)
    }
}

/// An operation of a public model, built here or not.
#[derive(Debug)]
pub struct Operation {
    /// The API it belongs to.
    pub service: &'static Service,
    /// The name clients send as `Action`.
    pub name: &'static str,
    /// Its parameters.
    pub input: &'static Structure,
    /// The element that wraps its result; `None` when the answer carries no result (a void reply,
    /// or an API that speaks JSON only).
    pub wrap: Option<&'static str>,
    /// It is called without a signature.
    pub unsigned: bool,
    /// Its request, where method and path tell it.
    pub http: Option<Http>,
}

/// The request of an operation that is told by method and path (the `restJson1` protocol of Smithy). Members of the
/// input that are neither in the path nor in the query are in the body.
#[derive(Debug)]
pub struct Http {
    /// `POST`
    pub method: &'static str,
    /// `/profile/{profileId}`: what stands in braces is a member of the input.
    pub path: &'static str,
    /// The status of a good answer.
    pub status: u16,
    /// Members of the input that are parameters of the query.
    pub query: &'static [&'static str],
}

/// The operation of a service (by signing name) that clients call by this name.
#[must_use]
pub fn operation(service: &str, action: &str) -> Option<&'static Operation> {
    let index =
        OPERATIONS.binary_search_by(|row| (row.service.name, row.name).cmp(&(service, action))).ok()?;
    OPERATIONS.get(index)
}

/// The API with this signing name.
#[must_use]
pub fn service(name: &str) -> Option<&'static Service> {
    SERVICES.iter().copied().find(|service| service.name == name)
}

/// A set of named members, in the order of the model.
#[derive(Debug)]
pub struct Structure {
    /// The members.
    pub members: &'static [Member],
    /// Exactly one of the members must be present.
    pub union: bool,
}

/// A member of a [`Structure`].
#[derive(Debug)]
pub struct Member {
    /// The name on the wire.
    pub name: &'static str,
    /// It must be present.
    pub required: bool,
    /// What it holds.
    pub shape: &'static Shape,
}

/// What a member, a list element or a map entry may hold.
#[derive(Debug)]
pub struct Shape {
    /// The name in the model.
    pub name: &'static str,
    /// The form, with its limits.
    pub kind: Kind,
    /// The model calls the value sensitive; see [`Shape::is_secret`].
    pub sensitive: bool,
}

/// Not sensitive in the models, but worth something while they are fresh: one-time codes.
const ONE_TIME_CODES: [&str; 2] = ["tokenCodeType", "authenticationCodeType"];

impl Shape {
    /// Whether the value must not be repeated in messages or logs: the model says so, or it is a one-time code.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.sensitive || ONE_TIME_CODES.contains(&self.name)
    }
}

/// The form of a value.
#[derive(Debug)]
pub enum Kind {
    /// Named members.
    Structure(&'static Structure),
    /// A sequence; the bounds are those of its size.
    List(&'static Shape, Bounds),
    /// Key and value; the bounds are those of its size.
    Map(&'static Shape, &'static Shape, Bounds),
    /// Text.
    String(Text),
    /// A whole number of 32 bits.
    Integer(Bounds),
    /// A whole number of 64 bits.
    Long(Bounds),
    /// `true` or `false`.
    Boolean,
    /// A moment: ISO 8601 in Query, seconds since 1970 in JSON.
    Timestamp,
    /// Bytes, base64 on the wire; the bounds are those of its size.
    Blob(Bounds),
}

/// The limits of a text.
#[derive(Debug)]
pub struct Text {
    /// Its length, in characters.
    pub length: Bounds,
    /// What the whole of it must match.
    pub pattern: Option<&'static Pattern>,
    /// The values it may have; empty for any.
    pub values: &'static [&'static str],
}

/// An inclusive range with open ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds(pub Option<i64>, pub Option<i64>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_public_models_is_found_by_name() {
        let count = |name| OPERATIONS.iter().filter(|row| row.service.name == name).count();
        assert_eq!((count("sts"), count("iam"), count("daypass")), (12, 181, 28));
        // The public model has no CreateSession.
        assert_eq!(count("rolesanywhere"), 30 + 1);
        // Of EKS those on Pod Identity associations and their tags.
        assert_eq!((count("eks"), count("eks-auth")), (8, 1));
        for row in OPERATIONS {
            assert!(std::ptr::eq(operation(row.service.name, row.name).unwrap(), row), "{}", row.name);
        }
        assert!(operation("iam", "AssumeRole").is_none());
        assert!(operation("sts", "assumeRole").is_none());
    }

    #[test]
    fn void_replies_have_no_wrapper_and_empty_ones_do() {
        assert_eq!(operation("iam", "DeleteUser").unwrap().wrap, None);
        assert_eq!(operation("iam", "UpdateRole").unwrap().wrap, Some("UpdateRoleResult"));
    }

    #[test]
    fn only_the_calls_that_bring_their_own_proof_are_unsigned() {
        let unsigned: Vec<_> = OPERATIONS.iter().filter(|row| row.unsigned).map(|row| row.name).collect();
        assert_eq!(
            unsigned,
            [
                "GetInstanceCredentials",
                "GetInstanceMetadata",
                "GetTaskCredentials",
                "JoinInstance",
                "CreateSession",
                "AssumeRoleWithSAML",
                "AssumeRoleWithWebIdentity"
            ]
        );
    }

    #[test]
    fn an_error_is_found_by_its_code_on_the_wire() {
        let error = service("iam").unwrap().error("NoSuchEntity").unwrap();
        assert_eq!((error.name, error.status), ("NoSuchEntityException", 404));
    }
}
