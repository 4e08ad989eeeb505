//! Which statements of a policy can speak of an action at all, so that a request asks no others.
//!
//! A shortcut, not an answer: whoever is found here is still asked whether the action matches. What must not
//! happen is that a statement is missed, so whatever is not plainly bound to the services and actions that it
//! lists is always found.

use crate::action::{Action, ActionSet, Listed};

/// The places of statements, by what they speak of.
#[derive(Debug)]
pub(crate) struct Index {
    /// `NotAction`, and actions with a wildcard for the service.
    everywhere: Vec<usize>,
    /// By service: names with wildcards.
    services: Table,
    /// By `service:name`: names without.
    actions: Table,
}

impl Index {
    /// Statements in their order, each with the actions that it lists, or `None` if it speaks of others.
    pub(crate) fn new<'a>(statements: impl Iterator<Item = Option<&'a ActionSet>>) -> Index {
        let (mut everywhere, mut services, mut actions) = (Vec::new(), Vec::new(), Vec::new());
        for (place, listed) in statements.enumerate() {
            let Some(entries) = listed.and_then(ActionSet::entries) else {
                everywhere.push(place);
                continue;
            };
            for entry in entries {
                match entry {
                    Listed::Action(action) => actions.push((action, place)),
                    Listed::Service(service) => services.push((service, place)),
                }
            }
        }
        Index { everywhere, services: Table::new(services), actions: Table::new(actions) }
    }

    /// The statements to ask, in the order of the document.
    pub(crate) fn candidates(&self, action: Action<'_>) -> impl Iterator<Item = usize> + use<'_> {
        let mut lists = [&self.everywhere, self.services.get(action.service), self.actions.get(action.whole)];
        std::iter::from_fn(move || {
            let next = *lists.iter().filter_map(|places| places.first()).min()?;
            // A statement may stand in several lists.
            for places in &mut lists {
                if let Some((first, rest)) = places.split_first()
                    && *first == next
                {
                    *places = rest;
                }
            }
            Some(next)
        })
    }
}

/// Places by a text in lower case, sorted by both.
#[derive(Debug)]
struct Table(Vec<(Box<str>, Vec<usize>)>);

impl Table {
    fn new(mut entries: Vec<(&str, usize)>) -> Table {
        entries.sort();
        entries.dedup();
        let groups = entries.chunk_by(|a, b| a.0 == b.0);
        let rows = groups.filter_map(|group| {
            let (key, _) = group.first()?;
            Some(((*key).into(), group.iter().map(|(_, place)| *place).collect()))
        });
        Table(rows.collect())
    }

    fn get(&self, text: &str) -> &[usize] {
        self.0
            .binary_search_by(|(key, _)| (**key).cmp(text))
            .ok()
            .and_then(|at| self.0.get(at))
            .map_or(&[], |(_, places)| places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidates(statements: &[Option<&[&str]>], action: &str) -> Vec<usize> {
        let sets: Vec<Option<ActionSet>> = statements
            .iter()
            .map(|listed| listed.map(|patterns| ActionSet::new(patterns.iter().copied())))
            .collect();
        Index::new(sets.iter().map(Option::as_ref))
            .candidates(Action::new(&action.to_ascii_lowercase()))
            .collect()
    }

    #[test]
    fn only_statements_that_may_speak_of_the_action_are_found_each_once_and_in_order() {
        let statements: &[Option<&[&str]>] = &[
            Some(&["s3:GetObject"]),
            Some(&["s3:PutObject", "sqs:*"]),
            Some(&["S3:Get*", "s3:getobject", "s3:GetObject"]),
            None,
            Some(&["iam:*"]),
            Some(&["*"]),
            Some(&["*:Get*"]),
            Some(&["s3:GETOBJECT", "s3:GetObjectAcl"]),
        ];
        assert_eq!(candidates(statements, "s3:GetObject"), [0, 2, 3, 5, 6, 7]);
        assert_eq!(candidates(statements, "S3:PUTOBJECT"), [1, 2, 3, 5, 6]);
        assert_eq!(candidates(statements, "sqs:SendMessage"), [1, 3, 5, 6]);
        assert_eq!(candidates(statements, "ec2:RunInstances"), [3, 5, 6]);
        assert_eq!(candidates(&[], "s3:GetObject"), [0; 0]);
    }

    proptest! {
        #[test]
        fn no_statement_that_matches_is_missed(
            statements in prop::collection::vec(prop::collection::vec("([aA:]|[ab]{1,2}:)?[abA*?:]{0,3}", 0..4), 0..6),
            action in "[abA:]{0,5}",
        ) {
            let patterns: Vec<Vec<&str>> =
                statements.iter().map(|list| list.iter().map(String::as_str).collect()).collect();
            let listed: Vec<Option<&[&str]>> = patterns.iter().map(|list| Some(list.as_slice())).collect();
            let found = candidates(&listed, &action);
            prop_assert!(found.is_sorted_by(|a, b| a < b));
            for (place, list) in patterns.iter().enumerate() {
                let matches = ActionSet::new(list.iter().copied()).contains(Action::new(&action.to_lowercase()));
                prop_assert!(!matches || found.contains(&place), "{:?}", list);
            }
        }
    }
}
