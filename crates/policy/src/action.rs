//! `Action` and `NotAction`: which actions a statement speaks of.
//!
//! `service:name`, both halves ignoring case, `*` and `?` in the name; a lone `*` is every action (IAM User
//! Guide, "IAM JSON policy elements: Action"). Actions that nobody knows are accepted and never match.

use crate::glob::{self, Piece};

/// The actions of STS that take a role.
pub(crate) const TAKING_A_ROLE: [&str; 3] = ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];

/// The actions of STS that may go with taking a role.
pub(crate) const WITH_A_ROLE: [&str; 3] = ["TagSession", "SetSourceIdentity", "SetContext"];

/// The actions of one statement, grouped by service so that a statement of a thousand actions costs a
/// request only the look at its own service.
#[derive(Debug, Default)]
pub(crate) struct ActionSet {
    /// A lone `*`, or `*:*`.
    everything: bool,
    /// Services in lower case, sorted, with the names listed for each.
    services: Vec<(Box<str>, Vec<Name>)>,
    /// Patterns whose service half is not a plain name, matched against `service:name`.
    others: Vec<Box<[Piece<u8>]>>,
}

#[derive(Debug)]
enum Name {
    Any,
    Literal(Box<str>),
    Glob(Box<[Piece<u8>]>),
}

/// The action of a request, in lower case like the names of a set, split once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action<'a> {
    pub(crate) whole: &'a str,
    pub(crate) service: &'a str,
    pub(crate) name: &'a str,
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
            set.add(pattern);
        }
        set.services.sort_by(|a, b| a.0.cmp(&b.0));
        // One entry per service: the groups were made in the order of the document.
        set.services.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1.append(&mut later.1);
            }
            same
        });
        set
    }

    fn add(&mut self, pattern: &str) {
        if matches!(pattern, "*" | "*:*") {
            self.everything = true;
            return;
        }
        match pattern.split_once(':') {
            Some((service, name)) if !service.is_empty() && !service.contains(['*', '?']) => {
                let service = service.to_ascii_lowercase().into();
                self.services.push((service, vec![Name::new(name)]));
            }
            // Refused when written, except `*:name`; read as what its author plainly meant. Without a service,
            // nothing.
            _ => self.others.push(pieces(pattern)),
        }
    }

    pub(crate) fn contains(&self, action: Action<'_>) -> bool {
        self.everything
            || self.names(action.service).iter().any(|name| name.matches(action.name))
            || self.others.iter().any(|other| glob::matches_ignoring_ascii_case(other, action.whole))
    }

    /// Every service listed with each of its names, or `None` for a name with wildcards. Nothing if the set may
    /// hold actions of services that it does not list.
    pub(crate) fn entries(&self) -> Option<impl Iterator<Item = (&str, Option<&str>)>> {
        let entries = self.services.iter().flat_map(|(service, names)| {
            names.iter().map(|name| match name {
                Name::Literal(name) => (&**service, Some(&**name)),
                Name::Any | Name::Glob(_) => (&**service, None),
            })
        });
        (!self.everything && self.others.is_empty()).then_some(entries)
    }

    fn names(&self, service: &str) -> &[Name] {
        self.services
            .binary_search_by(|(known, _)| (**known).cmp(service))
            .ok()
            .and_then(|at| self.services.get(at))
            .map_or(&[], |(_, names)| names)
    }
}

impl Name {
    fn new(pattern: &str) -> Name {
        if pattern == "*" {
            Name::Any
        } else if pattern.contains(['*', '?']) {
            Name::Glob(pieces(pattern))
        } else {
            Name::Literal(pattern.to_ascii_lowercase().into())
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Name::Any => true,
            Name::Literal(literal) => **literal == *name,
            Name::Glob(pattern) => glob::matches_ignoring_ascii_case(pattern, name),
        }
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
