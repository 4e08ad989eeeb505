//! Texts of a policy that may hold wildcards and policy variables, split once when the policy is compiled.
//!
//! It answers for `${key}`, `${key, 'default'}` and the escapes `${*}`, `${?}`, `${$}` (IAM User Guide,
//! "Policy elements: variables and tags"), and for matching the result. Where variables are allowed is
//! decided by the callers: never in documents older than 2012-10-17.

use crate::context::{Context, Entry, Key};
use crate::glob::{self, Parts, Piece};

/// A compiled text. The plain forms come first because almost every text is one of them.
#[derive(Debug)]
pub(crate) enum Template {
    /// A lone `*`.
    Any,
    /// No wildcard, no variable.
    Literal(Box<str>),
    /// `text*`
    Prefix(Box<str>),
    /// Other wildcards `*`, no variable.
    Parts(Parts),
    /// Wildcards with `?` among them, no variable.
    Glob(Box<[Piece<Box<str>>]>),
    /// At least one variable.
    Variables(Box<[Token]>),
}

/// A piece of a template with variables.
#[derive(Debug)]
pub(crate) enum Token {
    Fixed(Piece<Box<str>>),
    Variable { key: Key, default: Option<Box<str>> },
}

/// What matching a template gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// A variable has no value: the text stands for nothing, so it neither matches nor can be compared.
    Unresolved,
}

impl From<bool> for Match {
    fn from(yes: bool) -> Match {
        if yes { Match::Yes } else { Match::No }
    }
}

impl Template {
    /// A text in which `*` and `?` are wildcards.
    pub(crate) fn like(text: &str, variables: bool) -> Template {
        Template::from_tokens(tokens(text, true, variables))
    }

    /// A text in which `*` and `?` are themselves.
    pub(crate) fn exact(text: &str, variables: bool) -> Template {
        Template::from_tokens(tokens(text, false, variables))
    }

    /// A text in which `*` and `?` are wildcards and variables are none, behind one in which nothing is special.
    pub(crate) fn like_behind(head: &str, tokens: Vec<Token>) -> Template {
        let mut tokens = tokens;
        match tokens.first_mut() {
            Some(Token::Fixed(Piece::Text(text))) => *text = format!("{head}{text}").into(),
            _ => tokens.insert(0, Token::Fixed(Piece::Text(head.into()))),
        }
        Template::from_tokens(tokens)
    }

    fn from_tokens(tokens: Vec<Token>) -> Template {
        let mut pieces = Vec::with_capacity(tokens.len());
        let mut rest = tokens.into_iter();
        while let Some(token) = rest.next() {
            match token {
                Token::Fixed(piece) => pieces.push(piece),
                variable @ Token::Variable { .. } => {
                    let before = pieces.into_iter().map(Token::Fixed);
                    return Template::Variables(before.chain([variable]).chain(rest).collect());
                }
            }
        }
        match pieces.as_mut_slice() {
            [] => Template::Literal(Box::default()),
            [Piece::Text(text)] => Template::Literal(std::mem::take(text)),
            [Piece::Many] => Template::Any,
            [Piece::Text(text), Piece::Many] => Template::Prefix(std::mem::take(text)),
            _ => match Parts::of(&pieces) {
                Some(parts) => Template::Parts(parts),
                None => Template::Glob(pieces.into()),
            },
        }
    }

    /// Whether `text` fits, case-sensitively.
    pub(crate) fn matches(&self, text: &str, context: &Context) -> Match {
        match self {
            Template::Any => Match::Yes,
            Template::Literal(literal) => (**literal == *text).into(),
            Template::Prefix(prefix) => text.starts_with(&**prefix).into(),
            Template::Parts(parts) => parts.matches(text).into(),
            Template::Glob(pieces) => glob::matches(pieces, text).into(),
            Template::Variables(tokens) => resolve(tokens, context, |pieces| glob::matches(pieces, text)),
        }
    }

    /// Whether `text` is the same apart from case. Both sides are put into lower case, without Unicode case
    /// folding or normalisation. For templates made by [`Template::exact`].
    pub(crate) fn matches_ignoring_case(&self, text: &str, context: &Context) -> Match {
        match self {
            Template::Literal(literal) => same_ignoring_case(literal, text).into(),
            Template::Variables(tokens) => resolve(tokens, context, |pieces| {
                let texts = || pieces.iter().filter_map(Piece::text);
                // A variable may stand in a text hundreds of times: what cannot be the same is not built.
                let length = texts().map(str::len).sum();
                may_be_same(length, text.len()) && same_ignoring_case(&texts().collect::<String>(), text)
            }),
            Template::Any | Template::Prefix(_) | Template::Parts(_) | Template::Glob(_) => Match::No,
        }
    }
}

fn same_ignoring_case(a: &str, b: &str) -> bool {
    if !may_be_same(a.len(), b.len()) {
        false
    } else if a.is_ascii() && b.is_ascii() {
        a.eq_ignore_ascii_case(b)
    } else {
        a.to_lowercase() == b.to_lowercase()
    }
}

/// Whether texts of these lengths in bytes may be the same in lower case, which makes no character longer than
/// half as long again, or shorter than a third.
fn may_be_same(a: usize, b: usize) -> bool {
    a <= b.saturating_mul(5) && b <= a.saturating_mul(5)
}

/// Puts values in the place of variables, as literal text, and asks whether the result matches. Unresolved when a
/// variable has no value.
pub(crate) fn resolve(
    tokens: &[Token],
    context: &Context,
    matches: impl FnOnce(&[Piece<&str>]) -> bool,
) -> Match {
    // Nearly every text is of few pieces, for which nothing is allocated.
    let (mut few, mut many) = ([Piece::One; 8], Vec::new());
    let pieces = match few.get_mut(..tokens.len()) {
        Some(few) => few,
        None => {
            many.resize(tokens.len(), Piece::One);
            many.as_mut_slice()
        }
    };
    for (piece, token) in pieces.iter_mut().zip(tokens) {
        let Some(value) = token.value(context) else { return Match::Unresolved };
        *piece = value;
    }
    matches(pieces).into()
}

impl Token {
    fn value<'a>(&'a self, context: &'a Context) -> Option<Piece<&'a str>> {
        match self {
            Token::Fixed(Piece::Text(text)) => Some(Piece::Text(text)),
            Token::Fixed(Piece::One) => Some(Piece::One),
            Token::Fixed(Piece::Many) => Some(Piece::Many),
            Token::Variable { key, default } => match context.entry(key) {
                Some(Entry::Single([value])) => Some(Piece::Text(value)),
                // A multivalued key never resolves, not even to the default.
                Some(Entry::List(_)) => None,
                None => default.as_deref().map(Piece::Text),
            },
        }
    }
}

/// Splits a text of a policy. Neighbouring literals are joined, so that a plain text is one token.
pub(crate) fn tokens(text: &str, wildcards: bool, variables: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    let mut variables = variables;
    while let Some(c) = rest.chars().next() {
        if let Some(inside) = rest.strip_prefix("${").filter(|_| variables) {
            if let Some((content, after)) = inside.split_once('}') {
                rest = after;
                match content {
                    "*" | "?" | "$" => literal.push_str(content),
                    _ => {
                        flush(&mut literal, &mut tokens);
                        tokens.push(named(content));
                    }
                }
                continue;
            }
            // No brace closes from here on: all of it is plain text, and nobody searches for one again.
            variables = false;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let wildcard = match c {
            '*' if wildcards => Piece::Many,
            '?' if wildcards => Piece::One,
            c => {
                literal.push(c);
                continue;
            }
        };
        flush(&mut literal, &mut tokens);
        let repeated = wildcard == Piece::Many && matches!(tokens.last(), Some(Token::Fixed(Piece::Many)));
        if !repeated {
            tokens.push(Token::Fixed(wildcard));
        }
    }
    flush(&mut literal, &mut tokens);
    tokens
}

fn flush(literal: &mut String, tokens: &mut Vec<Token>) {
    if !literal.is_empty() {
        tokens.push(Token::Fixed(Piece::Text(std::mem::take(literal).into())));
    }
}

fn named(content: &str) -> Token {
    let (key, default) = key_and_default(content);
    Token::Variable { key: Key::new(key), default: default.map(Into::into) }
}

/// `key` or `key, 'default'`: comma, one space, single quotes. Any other spelling is a key that no request
/// has, so it never gets a value.
fn key_and_default(content: &str) -> (&str, Option<&str>) {
    let with_default = content
        .split_once(", '")
        .and_then(|(key, rest)| rest.strip_suffix('\'').map(|default| (key, Some(default))));
    with_default.unwrap_or((content, None))
}

/// The keys of the variables in a text, as written.
pub(crate) fn keys(text: &str) -> impl Iterator<Item = &str> {
    let contents =
        text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(content, _)| content);
    contents.filter(|content| !matches!(*content, "*" | "?" | "$")).map(|content| key_and_default(content).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        let mut context = Context::new();
        context.insert("aws:username", "alice");
        context.insert("aws:PrincipalTag/star", "a*");
        context.insert("aws:PrincipalTag/empty", "");
        context.insert_list("aws:TagKeys", vec!["one".into()]);
        context
    }

    fn like(pattern: &str, text: &str) -> Match {
        Template::like(pattern, true).matches(text, &context())
    }

    #[test]
    fn variables_are_replaced_wherever_they_stand() {
        assert_eq!(like("${aws:username}-queue", "alice-queue"), Match::Yes);
        assert_eq!(like("home/${AWS:UserName}/*", "home/alice/x/y"), Match::Yes);
        assert_eq!(like("home/${aws:username}/*", "home/bob/x"), Match::No);
        assert_eq!(like("a${aws:PrincipalTag/empty}b", "ab"), Match::Yes);
    }

    #[test]
    fn substituted_text_is_literal() {
        assert_eq!(like("x/${aws:PrincipalTag/star}", "x/a*"), Match::Yes);
        assert_eq!(like("x/${aws:PrincipalTag/star}", "x/abc"), Match::No);
    }

    #[test]
    fn a_missing_or_multivalued_key_has_no_value() {
        assert_eq!(like("${aws:nope}*", "x"), Match::Unresolved);
        assert_eq!(like("${aws:TagKeys}", "one"), Match::Unresolved);
        assert_eq!(like("${aws:TagKeys, 'd'}", "d"), Match::Unresolved);
    }

    #[test]
    fn defaults_have_one_spelling() {
        assert_eq!(like("x-${aws:nope, 'd*'}", "x-d*"), Match::Yes);
        assert_eq!(like("x-${aws:nope, 'd*'}", "x-dd"), Match::No);
        assert_eq!(like("${aws:username, 'd'}", "alice"), Match::Yes);
        for other in ["${aws:nope,'d'}", "${aws:nope, \"d\"}", "${aws:nope , 'd'}x", "${aws:nope, d}"] {
            assert_ne!(like(other, "d"), Match::Yes, "{other}");
        }
    }

    #[test]
    fn stars_in_a_row_are_one_and_each_question_mark_takes_a_character() {
        for (pattern, fits, other) in [
            ("a**", "a", "b"),
            ("a*?", "ab", "a"),
            ("a?*", "ab", "a"),
            ("a*?*", "ab", "a"),
            ("a*??", "abc", "ab"),
            ("a??*", "abc", "ab"),
            ("*?", "b", ""),
            ("${aws:username}*?", "alice1", "alice"),
        ] {
            assert_eq!(like(pattern, fits), Match::Yes, "{pattern}");
            assert_eq!(like(pattern, other), Match::No, "{pattern}");
        }
    }

    #[test]
    fn texts_are_compared_in_lower_case_only_when_their_lengths_allow_it() {
        assert!(may_be_same(0, 0) && may_be_same(1, 5) && may_be_same(5, 1));
        assert!(!may_be_same(0, 1) && !may_be_same(1, 0) && !may_be_same(1, 6) && !may_be_same(6, 1));
    }

    #[test]
    fn escapes_are_the_characters_also_without_wildcards() {
        assert_eq!(like("a${*}b", "a*b"), Match::Yes);
        assert_eq!(like("a${*}b", "axb"), Match::No);
        assert_eq!(like("a${?}${$}", "a?$"), Match::Yes);
        assert_eq!(Template::exact("a${*}b", true).matches("a*b", &context()), Match::Yes);
    }

    #[test]
    fn without_variables_the_text_is_plain() {
        let template = Template::like("x-${aws:username}", false);
        assert_eq!(template.matches("x-${aws:username}", &context()), Match::Yes);
        assert_eq!(template.matches("x-alice", &context()), Match::No);
        assert_eq!(like("x${aws:username", "x${aws:username"), Match::Yes);
    }

    #[test]
    fn ignoring_case_is_lower_case_on_both_sides() {
        let same =
            |a: &str, b: &str| Template::exact(a, true).matches_ignoring_case(b, &context()) == Match::Yes;
        assert!(same("ALICE", "alice"));
        assert!(same("${aws:username}", "ALICE"));
        assert!(same("STRASSE\u{c9}", "strasse\u{e9}"));
        assert!(same("\u{3a3}\u{3a3}", "\u{3c3}\u{3c2}"));
        assert!(!same("stra\u{df}e", "strasse"));
        assert!(!same("\u{17f}", "s"));
        assert!(!same("a*", "abc"));
        // The character that shrinks most and the one that grows most.
        assert!(same("kkkk", "\u{212a}\u{212a}\u{212a}\u{212a}"));
        assert!(same("\u{23a}\u{23a}", "\u{2c65}\u{2c65}"));
        assert!(same("${aws:username}${aws:username}", "aliceALICE"));
        assert!(!same("${aws:username}${aws:username}", "alice"));
        assert!(same("", ""));
        assert!(!same("", "a"));
    }

    #[test]
    fn lower_case_is_of_about_the_same_length() {
        for character in '\0'..=char::MAX {
            let (upper, lower) =
                (character.len_utf8(), character.to_lowercase().map(char::len_utf8).sum::<usize>());
            assert!(lower * 2 <= upper * 3 && upper <= lower * 3, "{character:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn escaped_text_stands_for_itself(text in "[ab*?${}:']{0,12}", other in "[ab*?${}]{0,12}") {
            let escaped = crate::text::escape(&text);
            for template in [Template::like(&escaped, true), Template::exact(&escaped, true)] {
                proptest::prop_assert_eq!(template.matches(&text, &context()), Match::Yes);
                proptest::prop_assert_eq!(template.matches(&other, &context()) == Match::Yes, text == other);
            }
        }
    }
}
