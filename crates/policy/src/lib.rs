//! The policy language of AWS IAM: parse, validate, compile, evaluate, explain.
//!
//! Values in, a decision out. This crate knows no clock, no network and no store, and depends on nothing but
//! the standard library: who calls, which policies take part and what the request context holds is told to
//! it. What it cannot understand never allows.
//!
//! # Writing
//!
//! [`validate`] checks a document of a given [`Kind`] before it is stored and speaks AWS's texts.
//! [`size_without_white_space`] is what counts against quotas, [`check_size`] whether one document is within its own. [`rewrite_principals`] puts unique ids in the
//! place of ARNs, and back, without touching anything else. [`escape`] makes a name safe to put into a policy.
//!
//! ```
//! use daypass_policy::{Kind, rewrite_principals, validate};
//!
//! let trust = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
//!   "Principal": {"AWS": "arn:aws:iam::111122223333:user/alice"}}]}"#;
//! validate(Kind::Trust, trust)?;
//! let stored = rewrite_principals(trust, |arn| arn.ends_with("/alice").then(|| "AIDAF7DORIUOBAMH7UJK2".into()))?;
//! assert!(stored.contains(r#""Principal": {"AWS": "AIDAF7DORIUOBAMH7UJK2"}"#));
//!
//! let error = validate(Kind::Trust, r#"{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}}"#).unwrap_err();
//! assert_eq!(error.message, "Missing required field Principal");
//! # Ok::<(), daypass_policy::Malformed>(())
//! ```
//!
//! # Deciding
//!
//! [`Policy::parse`] compiles a stored document once; [`evaluate`] decides a [`Request`] over all
//! [`Policies`] that take part.
//!
//! ```
//! use daypass_policy::{Context, Named, Policies, Policy, PolicyType, Principal, Request, evaluate};
//!
//! let own = Policy::parse(r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Home", "Effect": "Allow",
//!   "Action": "s3:*Object", "Resource": "arn:aws:s3:::corp/${aws:PrincipalTag/team}/*"}]}"#)?;
//! let session = Policy::parse(r#"{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}"#)?;
//!
//! let mut context = Context::new();
//! context.insert("aws:PrincipalTag/team", "blue");
//! let request = |action, resource| Request {
//!     principal: Principal::Role {
//!         account: "111122223333",
//!         session_arn: "arn:aws:sts::111122223333:assumed-role/Dev/build-7",
//!         role_arn: "arn:aws:iam::111122223333:role/Dev",
//!         role_id: None,
//!         service_linked: false,
//!     },
//!     action,
//!     resource,
//!     resource_account: Some("111122223333"),
//!     context: &context,
//! };
//! let identity = [Named { id: "TeamHome", policy: &own }];
//! let inline = [Named { id: "inline", policy: &session }];
//! let policies = Policies { identity: &identity, session: &[&inline], ..Policies::default() };
//!
//! let read = evaluate(&request("s3:GetObject", "arn:aws:s3:::corp/blue/plan"), &policies);
//! assert!(read.is_allowed());
//! assert_eq!(read.statements[0].sid.as_deref(), Some("Home"));
//!
//! // The role may write, this session may not.
//! let write = evaluate(&request("s3:PutObject", "arn:aws:s3:::corp/blue/plan"), &policies);
//! assert_eq!(write.decided_by, PolicyType::Session);
//! assert_eq!(
//!     write.denial_reason("s3:PutObject"),
//!     "because no session policy allows the s3:PutObject action"
//! );
//! # Ok::<(), daypass_policy::Malformed>(())
//! ```
//!
//! # Explaining
//!
//! [`explain`] is the same evaluation with a recorder: for every statement whether it matched, or the first
//! part of it that did not. [`case`] reads a whole question, policies included, from one line of JSON.
//!
//! # Reviewing
//!
//! [`findings`] goes beyond what writing refuses: what gives too much, what can never match, what is probably a
//! mistake, each with its place and a stable code. Which actions and condition keys there are, a [`Catalog`] tells it.
//!
//! ```
//! use daypass_policy::{Catalog, Kind, findings};
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": [
//!   {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}]}"#;
//! let found = findings(Kind::Inline, text, &Catalog::default());
//! assert_eq!(found[0].code.as_str(), "PASS_ROLE_WITH_STAR_IN_RESOURCE");
//! assert_eq!((found[0].line, found[0].path.as_str()), (2, "$.Statement[0].Resource"));
//! ```

#![forbid(unsafe_code)]

mod action;
mod arn;
pub mod case;
mod claims;
mod code;
mod condition;
mod context;
mod decision;
mod document;
mod evaluate;
mod explain;
mod findings;
mod glob;
mod index;
mod issuers;
mod json;
mod outline;
mod policy;
mod principal;
mod rcp;
mod request;
mod search;
mod text;
mod validate;
mod variable;
mod work;

pub use claims::claims_of_issuer;
pub use code::{Code, Severity};
pub use context::Context;
pub use decision::{Decision, DecisionEffect, Determining, PolicyType, Statements};
pub use document::{Effect, Malformed};
pub use evaluate::{Level, Named, Policies, evaluate};
pub use explain::{Explanation, Outcome, StatementReport, explain};
pub use findings::{Catalog, FINDINGS_MAX, Finding, findings};
pub use outline::{StatementOutline, context_keys, outline};
pub use policy::{Policy, PrincipalEntry};
pub use request::{Issuer, Principal, Request};
pub use text::{escape, rewrite_principals, size_without_white_space};
pub use validate::{Kind, TooLong, check_size, validate};
