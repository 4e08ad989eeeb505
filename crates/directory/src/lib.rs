//! What is known: record types, the in-memory snapshot, who a caller is, and whether it may.
//!
//! This room answers four questions: what does the store hold ([`record`], [`Change`]), what is known
//! right now ([`View`]), who is behind a verified credential ([`Principal`]), and may that principal
//! do this ([`authorize()`]). It knows no HTTP, no wire format and no API action; how policies are
//! evaluated is `daypass-policy`'s, how signatures and tokens are checked `daypass-authn`'s.

mod account;
mod account_view;
pub mod anywhere;
mod authorize;
mod change;
mod check;
mod console;
mod context;
mod credential;
mod directory;
mod documents;
mod entity;
mod error;
mod grounds;
pub mod key;
mod last_used;
mod machine;
pub mod managed;
mod master;
mod mfa;
pub mod pods;
mod principal;
pub mod record;
mod revocation;
mod scope;
mod service_role;
mod session;
mod turns;
mod view;
mod vouched;

pub use account_view::{AccountView, AnyPolicy, TrustingRole};
pub use authorize::{Authorized, Denied, Facts, authorize, decide, decide_anonymous, explain};
pub use change::{Change, Entity};
pub use check::{Check, Checks, Grantor};
pub use console::ConsoleSession;
pub use context::{Operation, Value};
pub use credential::{BadCredential, Caller, Credential};
pub use directory::{
    AssertionUse, Directory, Hashed, MasterNotRotated, NotClosed, NotRotated, Rotation, SignInTry,
    SpentByCall, is_of_master,
};
pub use documents::document_of;
pub use entity::{
    AccessKey, AccountAlias, AccountEntity, Group, InstanceProfile, LoginProfile, ManagedPolicy, MfaDevice,
    NamedPolicy, OidcProvider, PasswordPolicy, ResourcePolicy, Role, SamlProvider, Unreadable, User,
    WebIdentityIssuer,
};
pub use error::{NotCommitted, OpenError};
pub use last_used::{LastUsed, Used};
pub use machine::{Instance, Task, instance_arn};
pub use mfa::{NotProven, OneTimeCode};
pub use principal::{
    AHEAD_SECONDS_MAX, Identity, Issuer, NoPrincipal, Principal, SessionIssuer, assumed_role_arn,
    federated_user_arn,
};
pub use revocation::{Descent, NotRevoked, Revocation, RevocationFailed, SessionRules};
pub use scope::Scope;
pub use session::Session;
pub use turns::Turn;
pub use view::{Operator, View};
pub use vouched::{Assertion, TokenNames, Vouched, VouchedBy};
