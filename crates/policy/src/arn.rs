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
pub(crate) struct Arn<'a> {
    text: &'a str,
    pub(crate) fields: [&'a str; 6],
}

impl<'a> Arn<'a> {
    /// `arn:partition:service:region:account:resource`; `None` when the text is no ARN.
    pub(crate) fn parse(text: &'a str) -> Option<Arn<'a>> {
        let fields = fields(text).filter(|[first, ..]| *first == "arn")?;
        Some(Arn { text, fields })
    }

    pub(crate) fn service(&self) -> &'a str {
        let [_, _, service, ..] = self.fields;
        service
    }

    pub(crate) fn resource(&self) -> &'a str {
        let [.., resource] = self.fields;
        resource
    }
}

fn fields(text: &str) -> Option<[&str; 6]> {
    let mut rest = text;
    // The fields are short: nothing that is set up for a search pays.
    let mut field = || {
        let colon = rest.bytes().position(|byte| byte == b':')?;
        let field = rest.get(..colon)?;
        rest = rest.get(colon + 1..)?;
        Some(field)
    };
    let [a, b, c, d, e] = [field()?, field()?, field()?, field()?, field()?];
    Some([a, b, c, d, e, rest])
}

/// One entry of `Resource` or `NotResource`.
#[derive(Debug)]
pub(crate) enum ResourcePattern {
    /// A lone `*`: every resource, and the only pattern that reaches actions without one.
    Everything,
    Arn(Fields),
}

impl ResourcePattern {
    /// Variables count only in the sixth field. An ARN with fewer fields (refused when IAM policies are
    /// written) is read as if `*` stood in the missing ones.
    pub(crate) fn new(text: &str, variables: bool) -> ResourcePattern {
        if text == "*" {
            ResourcePattern::Everything
        } else {
            ResourcePattern::Arn(Fields::new(text, false, variables))
        }
    }

    /// Whether a pattern could match any resource here: there is one partition.
    pub(crate) fn is_of_arns(text: &str) -> bool {
        let fits = |(pattern, field): (&str, &str)| {
            Template::like(pattern, false).matches(field, &Context::new()) == Match::Yes
        };
        text == "*" || text.split(':').zip(["arn", "aws"]).all(fits)
    }

    pub(crate) fn matches(&self, resource: Option<&Arn<'_>>, context: &Context) -> Match {
        match (self, resource) {
            (ResourcePattern::Everything, _) => Match::Yes,
            (ResourcePattern::Arn(fields), Some(arn)) => fields.matches(arn, context),
            (ResourcePattern::Arn(_), None) => Match::No,
        }
    }
}

/// The six fields of a pattern.
#[derive(Debug)]
pub(crate) enum Fields {
    /// Nothing is special in the first five, as in almost every pattern: then the whole text is compared at once.
    Whole(Template),
    /// The same with variables in the sixth, which is not looked at where what comes before it differs.
    Headed(Box<(Box<str>, Template)>),
    Each(Box<[Template; 6]>),
}

impl Fields {
    fn new(text: &str, variables_in_head: bool, variables: bool) -> Fields {
        if let Some([.., resource]) = fields(text) {
            let (head, _) = text.split_at(text.len() - resource.len());
            if !head.contains(['*', '?', '$']) {
                let tokens = variable::tokens(resource, true, variables);
                return if tokens.iter().any(|token| matches!(token, Token::Variable { .. })) {
                    Fields::Headed(Box::new((head.into(), Template::like(resource, variables))))
                } else {
                    Fields::Whole(Template::like_behind(head, tokens))
                };
            }
        }
        let mut fields = text.splitn(6, ':');
        let mut field = |variables| Template::like(fields.next().unwrap_or("*"), variables);
        let mut head = || field(variables_in_head);
        let [a, b, c, d, e] = [head(), head(), head(), head(), head()];
        Fields::Each(Box::new([a, b, c, d, e, field(variables)]))
    }

    fn matches(&self, arn: &Arn<'_>, context: &Context) -> Match {
        match self {
            Fields::Whole(whole) => whole.matches(arn.text, context),
            Fields::Headed(pattern) => match arn.text.strip_prefix(&*pattern.0) {
                Some(resource) => pattern.1.matches(resource, context),
                None => Match::No,
            },
            Fields::Each(patterns) => patterns
                .iter()
                .zip(arn.fields)
                .map(|(pattern, field)| pattern.matches(field, context))
                .find(|matched| *matched != Match::Yes)
                .unwrap_or(Match::Yes),
        }
    }
}

/// A value of ArnEquals, ArnLike and their negations.
#[derive(Debug)]
pub(crate) enum ArnPattern {
    Fixed(Fields),
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
            Some([first, ..]) if first == "arn" || first.contains(['*', '?']) => {
                ArnPattern::Fixed(Fields::new(text, variables, variables))
            }
            _ => ArnPattern::Unparsable,
        }
    }

    pub(crate) fn is_unparsable(&self) -> bool {
        matches!(self, ArnPattern::Unparsable)
    }

    /// Whether it is no ARN, as it stands or with the values of this request in the place of its variables.
    pub(crate) fn is_unreadable(&self, context: &Context) -> bool {
        match self {
            ArnPattern::Fixed(_) => false,
            ArnPattern::Variables(tokens) => {
                variable::resolve(tokens, context, |pieces| !is_arn(&cut(pieces))) == Match::Yes
            }
            ArnPattern::Unparsable => true,
        }
    }

    pub(crate) fn matches(&self, arn: &Arn<'_>, context: &Context) -> Match {
        match self {
            ArnPattern::Fixed(fields) => fields.matches(arn, context),
            ArnPattern::Variables(tokens) => {
                variable::resolve(tokens, context, |pieces| matches_pieces(pieces, arn))
            }
            ArnPattern::Unparsable => Match::No,
        }
    }
}

/// Matches field by field.
fn matches_pieces(pieces: &[Piece<&str>], arn: &Arn<'_>) -> bool {
    let parts = cut(pieces);
    is_arn(&parts) && parts.iter().zip(arn.fields).all(|(part, field)| glob::matches(part, field))
}

/// Six fields, of which the first is `arn` or has a wildcard.
fn is_arn(parts: &[Vec<Piece<&str>>]) -> bool {
    let arn = |first: &Vec<Piece<&str>>| {
        let wild = first.iter().any(|piece| piece.text().is_none());
        wild || first.iter().filter_map(Piece::text).collect::<String>() == "arn"
    };
    parts.len() == 6 && parts.first().is_some_and(arn)
}

/// Cuts the pattern at its first five literal colons.
fn cut<'a>(pieces: &[Piece<&'a str>]) -> Vec<Vec<Piece<&'a str>>> {
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
            push(*piece, false);
            continue;
        };
        let mut first = true;
        for segment in text.splitn(6 - colons, ':') {
            push(Piece::Text(segment), !first);
            colons += usize::from(!first);
            first = false;
        }
    }
    parts
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
        // Colons behind the fifth are text, in whichever piece they stand.
        let sixth = "arn:aws:sns:${aws:username}:1:t:s:${aws:username}";
        assert!(arn_like(sixth, "arn:aws:sns:alice:1:t:s:alice"));
        assert!(!arn_like("arn:aws:${aws:username}", "arn:aws:alice:eu:1:t"));
        assert!(arn_like("arn:*:sns:*:*:*", "arn:aws:sns:eu:1:t"));
        assert!(!arn_like("arn:aws:sns:*", "arn:aws:sns:eu:1:t"));
        assert!(ArnPattern::new("not an arn", true).is_unparsable());
    }

    #[test]
    fn what_variables_make_is_an_arn_or_none() {
        let unreadable = |pattern: &str| ArnPattern::new(pattern, true).is_unreadable(&context());
        for text in [
            "${aws:username}",
            "x${aws:PrincipalArn}",
            "arn:aws:iam::${aws:username}",
            "x",
            "${aws:nope, 'x'}",
        ] {
            assert!(unreadable(text), "{text}");
        }
        for text in [
            "${aws:PrincipalArn}",
            "arn:aws:iam::1:user/${aws:username}",
            "*:aws:iam::1:${aws:username}",
            "a*n:aws:iam::1:x",
        ] {
            assert!(!unreadable(text), "{text}");
        }
        assert!(!unreadable("${aws:nope}"), "without a value there is nothing to read");
    }

    proptest::proptest! {
        /// However a pattern is compiled, it means what its six fields mean.
        #[test]
        fn patterns_are_matched_field_by_field(
            head in "arn:(aws|[a$*?]{0,2}):s3:[e*]?:[1?]?", resource in "([ab/:*?]|\\$\\{aws:(username|nope|x)\\}|\\$\\{\\*\\}|\\$){0,6}",
            text_head in "arn:(aws|[a$*]{0,2}):s3:e?:1?", text in "[ab/:*$]{0,4}(alice)?[ab/]{0,2}",
        ) {
            let text = format!("{text_head}:{text}");
            let arn = Arn::parse(&text).unwrap();
            let mut context = context();
            context.insert("aws:x", "a*");
            for in_head in [false, true] {
                let pattern = format!("{head}:{resource}");
                let whole = Fields::new(&pattern, in_head, true);
                let [a, b, c, d, e, f] = fields(&pattern).unwrap();
                let [a, b, c, d, e] = [a, b, c, d, e].map(|field| Template::like(field, in_head));
                let each = Fields::Each(Box::new([a, b, c, d, e, Template::like(f, true)]));
                proptest::prop_assert_eq!(whole.matches(&arn, &context), each.matches(&arn, &context));
            }
        }
    }
}
