//! `Action` and `NotAction`: which actions a statement speaks of.
//!
//! `service:name`, both halves ignoring case, `*` and `?` in the name; a lone `*` is every action (IAM User
//! Guide, "IAM JSON policy elements: Action"). Actions that nobody knows are accepted and never match.

use std::borrow::Cow;

use crate::glob::{self, Parts, Piece};
use crate::variable::Template;

/// The actions of STS that take a role.
pub(crate) const TAKING_A_ROLE: [&str; 3] = ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];

/// The actions of STS that may go with taking a role.
pub(crate) const WITH_A_ROLE: [&str; 3] = ["TagSession", "SetSourceIdentity", "SetContext"];

/// The actions of one statement. Texts are `service:name` in lower case.
#[derive(Debug, Default)]
pub(crate) struct ActionSet {
    /// A lone `*`, or `*:*`.
    everything: bool,
    /// Without wildcards, sorted.
    literals: Vec<Box<str>>,
    /// What stands before the one `*` at the end.
    prefixes: Vec<Box<str>>,
    /// With other wildcards `*`.
    parts: Vec<Parts>,
    /// With `?`.
    globs: Vec<Glob>,
}

/// What stands before the first wildcard, and the rest.
#[derive(Debug)]
struct Glob {
    head: Box<str>,
    rest: Box<[Piece<u8>]>,
}

/// What a set holds of a service.
pub(crate) enum Listed<'a> {
    /// One action, `service:name`.
    Action(&'a str),
    /// Some actions of this service.
    Service(&'a str),
}

/// The action of a request, in lower case like the names of a set, split once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action<'a> {
    pub(crate) whole: &'a str,
    pub(crate) service: &'a str,
    pub(crate) name: &'a str,
}

/// An action in lower case; the buffer spares the allocation for every action that exists.
pub(crate) fn lower<'a>(action: &'a str, buffer: &'a mut [u8; 128]) -> Cow<'a, str> {
    if let Some(bytes) = buffer.get_mut(..action.len()) {
        bytes.copy_from_slice(action.as_bytes());
        bytes.make_ascii_lowercase();
        if let Ok(lower) = str::from_utf8(bytes) {
            return lower.into();
        }
    }
    action.to_ascii_lowercase().into()
}

impl<'a> Action<'a> {
    /// An action without a colon has an empty service, which no policy can name.
    pub(crate) fn new(lower: &'a str) -> Action<'a> {
        let (service, name) = lower.split_once(':').unwrap_or(("", lower));
        Action { whole: lower, service, name }
    }

    /// Whether this is `service:name`, whatever the case.
    pub(crate) fn is(&self, service: &str, name: &str) -> bool {
        self.service.eq_ignore_ascii_case(service) && self.name.eq_ignore_ascii_case(name)
    }
}

impl ActionSet {
    pub(crate) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> ActionSet {
        let mut set = ActionSet::default();
        for pattern in patterns {
            set.add(&pattern.to_ascii_lowercase());
        }
        set.literals.sort();
        set
    }

    /// Wildcards in the service half are refused when a document is written, except `*:name`; here they are what their
    /// author plainly meant.
    fn add(&mut self, lower: &str) {
        match Template::like(lower, false) {
            Template::Any => self.everything = true,
            _ if lower == "*:*" => self.everything = true,
            Template::Literal(literal) => self.literals.push(literal),
            Template::Prefix(prefix) => self.prefixes.push(prefix),
            Template::Parts(parts) => self.parts.push(parts),
            Template::Glob(_) | Template::Variables(_) => {
                let (head, rest) = lower.split_at(lower.find(['*', '?']).unwrap_or(lower.len()));
                self.globs.push(Glob { head: head.into(), rest: pieces(rest) });
            }
        }
    }

    pub(crate) fn contains(&self, action: Action<'_>) -> bool {
        let whole = action.whole;
        // Most prefixes are of other services, and differ at once.
        let begins =
            |prefix: &str| prefix.bytes().next() == whole.bytes().next() && whole.starts_with(prefix);
        let globs = || {
            self.globs.iter().any(|pattern| {
                let rest = whole.strip_prefix(&*pattern.head);
                rest.is_some_and(|rest| glob::matches_ignoring_ascii_case(&pattern.rest, rest))
            })
        };
        self.everything
            || self.prefixes.iter().any(|prefix| begins(prefix))
            || self.literals.binary_search_by(|literal| (**literal).cmp(whole)).is_ok()
            || self.parts.iter().any(|pattern| pattern.matches(whole))
            || globs()
    }

    /// Everything listed. Nothing if the set may hold actions of services that it does not list.
    pub(crate) fn entries(&self) -> Option<Vec<Listed<'_>>> {
        if self.everything {
            return None;
        }
        let prefixes = self.prefixes.iter().chain(self.globs.iter().map(|pattern| &pattern.head));
        let heads = prefixes.map(|head| &**head).chain(self.parts.iter().map(Parts::head));
        let services = heads.map(|head| {
            let (service, _) = head.split_once(':')?;
            Some(Listed::Service(service))
        });
        self.literals.iter().map(|literal| Some(Listed::Action(literal))).chain(services).collect()
    }
}

fn pieces(pattern: &str) -> Box<[Piece<u8>]> {
    pattern
        .bytes()
        .map(|byte| match byte {
            b'*' => Piece::Many,
            b'?' => Piece::One,
            byte => Piece::Text(byte),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(patterns: &[&str], action: &str) -> bool {
        ActionSet::new(patterns.iter().copied()).contains(Action::new(&action.to_ascii_lowercase()))
    }

    #[test]
    fn both_halves_ignore_case() {
        assert!(matches(&["S3:getobject"], "s3:GetObject"));
        assert!(matches(&["s3:GET*"], "S3:getObject"));
        assert!(!matches(&["s3:GetObject"], "s3:GetObjectAcl"));
        assert!(!matches(&["s3:GetObject"], "s3-object-lambda:GetObject"));
    }

    #[test]
    fn wildcards_stand_in_the_name() {
        assert!(matches(&["s3:Get*"], "s3:Get"));
        assert!(matches(&["s3:?etObject"], "s3:GetObject"));
        assert!(!matches(&["s3:?GetObject"], "s3:GetObject"));
        assert!(matches(&["s3:*"], "s3:Anything"));
        assert!(!matches(&["s3:*"], "sqs:Anything"));
    }

    #[test]
    fn a_lone_star_and_star_colon_star_are_everything() {
        assert!(matches(&["*"], "iam:GetRole"));
        assert!(matches(&["*:*"], "iam:GetRole"));
        assert!(matches(&["*:Get*"], "iam:GetRole"));
        assert!(!matches(&["*:Get*"], "iam:PutRole"));
    }

    #[test]
    fn unknown_names_and_blanks_never_match() {
        for pattern in ["nosuch:Thing", "s3:GetObject ", "GetObject", "", "s3:Get:Object"] {
            assert!(!matches(&[pattern], "s3:GetObject"), "{pattern}");
        }
        assert!(!matches(&[], "s3:GetObject"));
    }

    #[test]
    fn every_pattern_of_a_long_list_counts() {
        let many: Vec<String> = (0..500).map(|i| format!("svc{i}:Do*")).collect();
        let mut list: Vec<&str> = many.iter().map(String::as_str).collect();
        list.extend(["S3:GetObject", "s3:PutObject"]);
        for action in ["svc0:Do", "svc499:DoIt", "s3:GetObject", "s3:PutObject"] {
            assert!(matches(&list, action), "{action}");
        }
        assert!(!matches(&list, "svc7:Go"));
        assert!(!matches(&list, "s3:DeleteObject"));
    }
}
