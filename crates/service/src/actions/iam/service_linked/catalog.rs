//! Which service has which role. AWS's services are listed in `roles.tsv`: facts of their public documentation ("AWS services that
//! work with IAM" in the IAM User Guide leads to the page of each). A service that the operator registered has one that is called
//! after it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const ROLES: &str = include_str!("roles.tsv");

/// The role of one of AWS's services.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// Its name, without a suffix.
    pub(super) role: &'static str,
    /// The managed policy that AWS attaches to it.
    pub(super) policy: &'static str,
    /// Whether there may be several, told apart by a suffix. Where that is not known, there is one.
    pub(super) takes_suffix: bool,
}

/// What one of AWS's services has.
pub(super) fn of(service: &str) -> Option<Known> {
    static KNOWN: LazyLock<BTreeMap<&str, Known>> =
        LazyLock::new(|| ROLES.lines().skip(1).filter_map(row).collect());
    KNOWN.get(service).copied()
}

fn row(line: &'static str) -> Option<(&'static str, Known)> {
    let mut fields = line.split('\t');
    let mut next = || fields.next();
    let (service, role, policy, suffix) = (next()?, next()?, next()?, next()?);
    Some((service, Known { role, policy, takes_suffix: suffix == "yes" }))
}

/// The name of a service's role: AWS's, or `AWSServiceRoleForSchedulerInternal` for `scheduler.internal`.
pub(super) fn role_name(service: &str, suffix: Option<&str>) -> String {
    let name = match of(service) {
        Some(known) => known.role.to_owned(),
        None => format!("AWSServiceRoleFor{}", camel_case(service)),
    };
    match suffix {
        Some(suffix) => format!("{name}_{suffix}"),
        None => name,
    }
}

fn camel_case(service: &str) -> String {
    let words = service.split(|letter: char| !letter.is_ascii_alphanumeric());
    words
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_names_a_service_a_role_a_policy_and_whether_it_takes_a_suffix() {
        assert_eq!(ROLES.lines().next(), Some("service\trole\tpolicy\tcustom_suffix"));
        let rows: Vec<Vec<&str>> = ROLES.lines().skip(1).map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows.len(), 184);
        let mut seen = BTreeSet::new();
        for row in &rows {
            let &[service, role, policy, suffix] = row.as_slice() else { panic!("four fields: {row:?}") };
            assert!(seen.insert(service), "{service} twice");
            assert!(service.ends_with(".amazonaws.com"), "{service}");
            assert!(role.starts_with("AWSServiceRoleFor") && role.len() <= 64, "{role}");
            assert!(!policy.is_empty() && ["yes", "no", "-"].contains(&suffix), "{row:?}");
        }
        let suffixed = rows.iter().filter(|row| of(row[0]).unwrap().takes_suffix).count();
        assert_eq!(suffixed, 3, "Auto Scaling, Connect and Lex V2");
    }

    #[test]
    fn a_role_is_called_after_its_service() {
        assert_eq!(role_name("autoscaling.amazonaws.com", None), "AWSServiceRoleForAutoScaling");
        assert_eq!(role_name("autoscaling.amazonaws.com", Some("x")), "AWSServiceRoleForAutoScaling_x");
        assert_eq!(role_name("job-queue.eu.internal", None), "AWSServiceRoleForJobQueueEuInternal");
        assert_eq!(role_name("--", None), "AWSServiceRoleFor");
    }
}
