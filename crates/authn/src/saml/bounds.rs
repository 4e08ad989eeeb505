//! What a document may cost, checked in one pass over its text before any tree is built.
//!
//! The tree builder keeps a copy of the namespaces in scope for every element that declares one, and compares every
//! attribute of an element with the others: within the bounds here both are small constants, without them they are
//! cubic and quadratic in what a stranger sends. The scan knows just enough of XML's lexical structure to count; what is
//! well-formed is the builder's to say.
//!
//! Governing document: Extensible Markup Language (XML) 1.0, sections 2.4 to 2.8 and 3.1.

use super::xml::Fault;

/// Elements inside one another.
const DEPTH_MAX: usize = 32;
/// Attributes of one element, namespace declarations included.
const ATTRIBUTES_MAX: usize = 64;
/// Namespace declarations of an element and those around it.
const NAMESPACES_IN_SCOPE_MAX: usize = 32;

/// How large a document may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Characters.
    pub(super) characters_max: usize,
    /// `<` of every kind: start tags, end tags, comments. The builder sets aside room for each.
    pub(super) markup_max: usize,
    /// `=`, for the same reason.
    pub(super) equals_max: usize,
}

/// An authentication response. Its size is bounded as base64 already.
pub(super) const RESPONSE: Bounds =
    Bounds { characters_max: 100_000, markup_max: 20_000, equals_max: 20_000 };

/// Metadata of an identity provider, perhaps among others'.
pub(super) const METADATA: Bounds =
    Bounds { characters_max: 10_000_000, markup_max: 400_000, equals_max: 800_000 };

/// Refuses what is larger than `bounds`, and document type declarations and processing instructions with it.
pub(super) fn check(text: &str, bounds: &Bounds) -> Result<(), Fault> {
    // Bytes first: it is a comparison, while characters have to be counted.
    if text.len() > 4 * bounds.characters_max || text.chars().count() > bounds.characters_max {
        return Err(Fault("the document is too large"));
    }
    let count = |wanted: u8| text.bytes().filter(|byte| *byte == wanted).count();
    if count(b'<') > bounds.markup_max || count(b'=') > bounds.equals_max {
        return Err(Fault("the document has too many parts"));
    }
    elements(text)
}

/// Walks from tag to tag, with the namespaces in scope of every open element.
fn elements(text: &str) -> Result<(), Fault> {
    let unfinished = Fault("markup that does not end");
    let mut scopes: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some((_, markup)) = rest.split_once('<') {
        rest = if let Some(comment) = markup.strip_prefix("!--") {
            comment.split_once("-->").ok_or(unfinished)?.1
        } else if let Some(section) = markup.strip_prefix("![CDATA[") {
            section.split_once("]]>").ok_or(unfinished)?.1
        } else if markup.starts_with('!') {
            return Err(Fault("a document type declaration"));
        } else if markup.starts_with('?') {
            return Err(Fault("a processing instruction"));
        } else if let Some(end_tag) = markup.strip_prefix('/') {
            scopes.pop().ok_or(Fault("an end tag without its start tag"))?;
            end_tag.split_once('>').ok_or(unfinished)?.1
        } else {
            let tag = start_tag(markup).ok_or(unfinished)?;
            let in_scope = scopes.last().unwrap_or(&0) + tag.declarations;
            if scopes.len() >= DEPTH_MAX {
                return Err(Fault("elements are nested too deeply"));
            }
            if tag.attributes > ATTRIBUTES_MAX || in_scope > NAMESPACES_IN_SCOPE_MAX {
                return Err(Fault("an element has too many attributes or namespaces"));
            }
            if !tag.is_empty {
                scopes.push(in_scope);
            }
            tag.rest
        };
    }
    Ok(())
}

struct StartTag<'a> {
    attributes: usize,
    declarations: usize,
    is_empty: bool,
    rest: &'a str,
}

/// Reads a start tag from behind its `<`; `None` when it does not end.
fn start_tag(text: &str) -> Option<StartTag<'_>> {
    let (mut attributes, mut declarations) = (0, 0);
    let mut rest = text;
    loop {
        let at = rest.find(['"', '\'', '>'])?;
        let (before, from) = rest.split_at(at);
        let quote = from.chars().next()?;
        let after = from.get(1..)?;
        if quote == '>' {
            return Some(StartTag { attributes, declarations, is_empty: before.ends_with('/'), rest: after });
        }
        attributes += 1;
        let name = before.trim_end().trim_end_matches('=').trim_end();
        if name.rsplit(char::is_whitespace).next()?.starts_with("xmlns") {
            declarations += 1;
        }
        rest = after.split_once(quote)?.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Bounds = Bounds { characters_max: 10_000, markup_max: 2_000, equals_max: 2_000 };

    fn nested(depth: usize, inside: &str) -> String {
        format!("{}{inside}{}", "<a>".repeat(depth), "</a>".repeat(depth))
    }

    fn fault(text: &str) -> &'static str {
        check(text, &SMALL).unwrap_err().0
    }

    #[test]
    fn depth_is_bounded_and_siblings_are_not_depth() {
        assert_eq!(check(&nested(DEPTH_MAX, "x"), &SMALL), Ok(()));
        assert_eq!(fault(&nested(DEPTH_MAX + 1, "x")), "elements are nested too deeply");
        assert_eq!(check(&nested(1, &"<b c='>'/><d></d>".repeat(100)), &SMALL), Ok(()));
        assert_eq!(check(&nested(DEPTH_MAX, "<!-- <a><a> --><![CDATA[<a><a>]]>"), &SMALL), Ok(()));
        assert_eq!(fault(&nested(DEPTH_MAX, "<a/>")), "elements are nested too deeply");
    }

    #[test]
    fn attributes_and_namespaces_are_bounded() {
        let attributes = |count: usize| -> String {
            format!("<a{}/>", (0..count).map(|n| format!(" b{n} = \"xmlns:c='>'\"")).collect::<String>())
        };
        let declared = |count: usize, inside: &str| -> String {
            format!(
                "<a{}>{inside}</a>",
                (0..count).map(|n| format!(" xmlns:b{n} = 'urn:{n}'")).collect::<String>()
            )
        };
        let too_many = "an element has too many attributes or namespaces";
        assert_eq!(check(&attributes(ATTRIBUTES_MAX), &SMALL), Ok(()));
        assert_eq!(fault(&attributes(ATTRIBUTES_MAX + 1)), too_many);
        let half = NAMESPACES_IN_SCOPE_MAX / 2;
        assert_eq!(check(&declared(half, &declared(half, "").repeat(3)), &SMALL), Ok(()));
        assert_eq!(fault(&declared(half, &declared(half, "<a xmlns='urn:x'/>"))), too_many);
    }

    #[test]
    fn size_is_bounded_in_characters_and_parts() {
        assert_eq!(check(&"ä".repeat(10_000), &SMALL), Ok(()));
        assert_eq!(fault(&"a".repeat(10_001)), "the document is too large");
        assert_eq!(fault(&"<".repeat(2_001)), "the document has too many parts");
        assert_eq!(fault(&"=".repeat(2_001)), "the document has too many parts");
    }

    #[test]
    fn what_no_document_of_ours_has_is_refused_by_name() {
        assert_eq!(fault("<!DOCTYPE a><a/>"), "a document type declaration");
        assert_eq!(fault("<a><?b c?></a>"), "a processing instruction");
        for open in ["<a", "<a b='", "<a b='>", "<!-- ", "<![CDATA[", "</a"] {
            check(&format!("<a>{open}"), &SMALL).unwrap_err();
        }
        assert_eq!(fault("</a>"), "an end tag without its start tag");
    }
}
