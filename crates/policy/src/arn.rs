//! Patterns of ARNs: six fields divided by the first five colons, each matched on its own.
//!
//! A `*` never crosses one of the first five colons; in the sixth field it crosses `/` and `:` freely (IAM
//! User Guide, "Amazon Resource Names in policies"). It answers for `Resource` elements, where only the
//! sixth field may hold variables, and for the Arn condition operators, where any field may.

use crate::context::Context;
use crate::glob::{self, Piece};
use crate::variable::{self, Match, Template, Token};

/// An ARN of a request, split once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arn<'a>(pub(crate) [&'a str; 6]);

impl<'a> Arn<'a> {
    /// `arn:partition:service:region:account:resource`; `None` when the text is no ARN.
    pub(crate) fn parse(text: &'a str) -> Option<Arn<'a>> {
        fields(text).filter(|[first, ..]| *first == "arn").map(Arn)
    }

    pub(crate) fn service(&self) -> &'a str {
        let [_, _, service, ..] = self.0;
        service
    }

    pub(crate) fn resource(&self) -> &'a str {
        let [.., resource] = self.0;
        resource
    }
}

fn fields(text: &str) -> Option<[&str; 6]> {
    let mut fields = text.splitn(6, ':');
    Some([fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?])
}

/// One entry of `Resource` or `NotResource`.
#[derive(Debug)]
pub(crate) enum ResourcePattern {
    /// A lone `*`: every resource, and the only pattern that reaches actions without one.
    Everything,
    Arn(Box<[Template; 6]>),
}

impl ResourcePattern {
    /// Variables count only in the sixth field. An ARN with fewer fields (refused when IAM policies are
    /// written) is read as if `*` stood in the missing ones.
    pub(crate) fn new(text: &str, variables: bool) -> ResourcePattern {
        if text == "*" {
            return ResourcePattern::Everything;
        }
        let mut fields = text.splitn(6, ':');
        let mut field = |variables| Template::like(fields.next().unwrap_or("*"), variables);
        let head = [field(false), field(false), field(false), field(false), field(false)];
        let [a, b, c, d, e] = head;
        ResourcePattern::Arn(Box::new([a, b, c, d, e, field(variables)]))
    }

    pub(crate) fn matches(&self, resource: Option<&Arn<'_>>, context: &Context) -> Match {
        let patterns = match self {
            ResourcePattern::Everything => return Match::Yes,
            ResourcePattern::Arn(patterns) => patterns,
        };
        let Some(arn) = resource else { return Match::No };
        for (pattern, field) in patterns.iter().zip(arn.0) {
            match pattern.matches(field, context) {
                Match::Yes => {}
                other => return other,
            }
        }
        Match::Yes
    }
}

/// A value of ArnEquals, ArnLike and their negations.
#[derive(Debug)]
pub(crate) enum ArnPattern {
    Fixed(Box<[Template; 6]>),
    /// With variables the colons are known only once the values are put in.
    Variables(Box<[Token]>),
    /// Not an ARN. Kept by session policies only; see the condition module for what it does.
    Unparsable,
}

impl ArnPattern {
    pub(crate) fn new(text: &str, variables: bool) -> ArnPattern {
        let tokens = variable::tokens(text, true, variables);
        if tokens.iter().any(|token| matches!(token, Token::Variable { .. })) {
            return ArnPattern::Variables(tokens.into());
        }
        // No escape (`${*}` and its like) holds a colon, so the text itself can be cut.
        match fields(text) {
            Some(fields) => ArnPattern::Fixed(Box::new(fields.map(|field| Template::like(field, variables)))),
            None => ArnPattern::Unparsable,
        }
    }

    pub(crate) fn is_unparsable(&self) -> bool {
        matches!(self, ArnPattern::Unparsable)
    }

    pub(crate) fn matches(&self, arn: &Arn<'_>, context: &Context) -> Match {
        match self {
            ArnPattern::Fixed(patterns) => patterns
                .iter()
                .zip(arn.0)
                .all(|(pattern, field)| pattern.matches(field, context) == Match::Yes)
                .into(),
            ArnPattern::Variables(tokens) => match variable::resolve(tokens, context) {
                Some(pieces) => matches_pieces(&pieces, arn).into(),
                None => Match::Unresolved,
            },
            ArnPattern::Unparsable => Match::No,
        }
    }
}

/// Cuts the pattern at its first five literal colons and matches field by field.
fn matches_pieces(pieces: &[Piece<&str>], arn: &Arn<'_>) -> bool {
    let mut parts: Vec<Vec<Piece<&str>>> = vec![Vec::new()];
    let mut push = |piece, new_field: bool| {
        if new_field {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(piece);
        }
    };
    let mut colons = 0;
    for piece in pieces {
        let Piece::Text(text) = piece else {
            push(piece.clone(), false);
            continue;
        };
        let mut first = true;
        for segment in text.splitn(6 - colons, ':') {
            push(Piece::Text(segment), !first);
            colons += usize::from(!first);
            first = false;
        }
    }
    parts.len() == 6 && parts.iter().zip(arn.0).all(|(part, field)| glob::matches(part, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        let mut context = Context::new();
        context.insert("aws:username", "alice");
        context.insert("aws:PrincipalArn", "arn:aws:iam::111122223333:user/a:b");
        context
    }

    fn resource(pattern: &str, text: &str) -> Match {
        ResourcePattern::new(pattern, true).matches(Arn::parse(text).as_ref(), &context())
    }

    fn arn_like(pattern: &str, text: &str) -> bool {
        ArnPattern::new(pattern, true).matches(&Arn::parse(text).unwrap(), &context()) == Match::Yes
    }

    #[test]
    fn a_star_stays_between_the_first_five_colons() {
        assert_eq!(resource("arn:aws:s3:::*", "arn:aws:s3:::b/k:x"), Match::Yes);
        assert_eq!(resource("arn:aws:s3*", "arn:aws:s3:::b"), Match::Yes);
        assert_eq!(resource("arn:aws:sqs:*:q", "arn:aws:sqs:eu:1:q"), Match::No);
        assert_eq!(resource("arn:aws:sqs:*:*:q", "arn:aws:sqs:eu:1:q"), Match::Yes);
        assert_eq!(resource("arn:aws:sqs:*:*:*:c", "arn:aws:sqs:eu:1:a:b:c"), Match::Yes);
    }

    #[test]
    fn only_a_lone_star_reaches_actions_without_a_resource() {
        assert_eq!(resource("*", "*"), Match::Yes);
        for pattern in ["arn:aws:s3:::*", "arn:*", "**", "arn:*:*:*:*:*"] {
            assert_eq!(resource(pattern, "*"), Match::No, "{pattern}");
        }
    }

    #[test]
    fn the_resource_part_is_case_sensitive() {
        assert_eq!(resource("arn:aws:s3:::Bucket/*", "arn:aws:s3:::bucket/x"), Match::No);
    }

    #[test]
    fn variables_count_in_the_sixth_field_only() {
        assert_eq!(resource("arn:aws:sqs:eu:1:${aws:username}-q", "arn:aws:sqs:eu:1:alice-q"), Match::Yes);
        assert_eq!(resource("arn:aws:s3:::b/${aws:nope}/*", "arn:aws:s3:::b/x/y"), Match::Unresolved);
        assert_eq!(resource("arn:aws:s3:::c/${aws:nope}/*", "arn:aws:sqs:::b"), Match::No);
    }

    #[test]
    fn condition_patterns_may_hold_variables_anywhere() {
        assert!(arn_like("${aws:PrincipalArn}", "arn:aws:iam::111122223333:user/a:b"));
        assert!(arn_like("arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/alice"));
        assert!(!arn_like("arn:aws:iam:*:user/${aws:username}", "arn:aws:iam::1:user/alice"));
        assert!(!arn_like("x${aws:PrincipalArn}", "arn:aws:iam::111122223333:user/a:b"));
        assert!(arn_like("arn:*:sns:*:*:*", "arn:aws:sns:eu:1:t"));
        assert!(!arn_like("arn:aws:sns:*", "arn:aws:sns:eu:1:t"));
        assert!(ArnPattern::new("not an arn", true).is_unparsable());
    }
}
