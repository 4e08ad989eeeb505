//! XML, read strictly into one tree that nobody can change.
//!
//! A document is refused, rather than read around, for what has no place in one of ours and what parsers are known to
//! disagree about: document type and entity declarations, processing instructions, comments inside text, another
//! encoding than UTF-8, another version than 1.0, relative namespace names, an id that two elements have. Whoever reads
//! gets an [`Element`], which leads down into the tree and nowhere else.
//!
//! Governing documents: Extensible Markup Language (XML) 1.0; Namespaces in XML 1.0; Canonical XML 1.0, section 1.3
//! (relative namespace names).

use std::collections::HashSet;
use std::ops::Range;

use data_encoding::BASE64;
use roxmltree::{Document, Node, NodeId, ParsingOptions};

use super::bounds::{self, Bounds};

/// Longest name of a namespace, in bytes; those of the standards have fewer than 100. Names are compared and written
/// again for every element that uses them.
const NAMESPACE_LENGTH_MAX: usize = 1024;

/// Why a document or a part of it is refused: a fragment for the operator, never with anything of the document in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault(pub(super) &'static str);

/// The text of a document within its bounds, line ends as XML 1.0 section 2.11 has them.
#[derive(Debug)]
pub(super) struct Source {
    text: String,
    bounds: &'static Bounds,
}

impl Source {
    pub(super) fn new(text: String, bounds: &'static Bounds) -> Result<Self, Fault> {
        // Before parsing, as the standard says, so that the tree never sees a carriage return that was not written as
        // a reference.
        let text = normalised_line_ends(text);
        let body = declared(&text)?;
        bounds::check(body, bounds)?;
        references(body)?;
        // The tree builder takes `<:a` and `</:a` for `<a` and `</a`, and an attribute `a:xmlns` for `xmlns`.
        if body.contains("<:") || body.contains("</:") || body.contains(":xmlns") {
            return Err(Fault("a name that starts with a colon, or a prefixed `xmlns`"));
        }
        Ok(Self { text, bounds })
    }

    /// The document with `plain` in the place of `range`, and where `plain` is in it.
    pub(super) fn spliced(&self, range: Range<usize>, plain: &str) -> Result<(Self, Range<usize>), Fault> {
        let plain = normalised_line_ends(plain.to_owned());
        let (before, after) = self
            .text
            .get(..range.start)
            .zip(self.text.get(range.end..))
            .ok_or(Fault("a range outside the document"))?;
        let place = range.start..range.start + plain.len();
        let text = [before, &plain, after].concat();
        Ok((Self::new(text, self.bounds)?, place))
    }

    /// The tree.
    pub(super) fn parse(&self) -> Result<Tree<'_>, Fault> {
        let nodes_limit = u32::try_from(2 * self.bounds.markup_max + 2).unwrap_or(u32::MAX);
        let options = ParsingOptions { allow_dtd: false, nodes_limit, entity_resolver: None };
        let document = Document::parse_with_options(&self.text, options)
            .map_err(|_| Fault("the document is not well-formed"))?;
        document.descendants().try_for_each(check)?;
        unique_ids(&document)?;
        Ok(Tree(document))
    }
}

/// Base64 as XML and MIME write it, with white space anywhere; otherwise strict.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, Fault> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !is_space(*byte)).collect();
    BASE64.decode(&packed).map_err(|_| Fault("not base64"))
}

/// A document, parsed.
pub(super) struct Tree<'s>(Document<'s>);

impl Tree<'_> {
    pub(super) fn root(&self) -> Element<'_> {
        Element(self.0.root_element())
    }
}

/// An element and what is below it.
#[derive(Clone, Copy)]
pub(super) struct Element<'t>(Node<'t, 't>);

impl<'t> Element<'t> {
    /// Whether it is the element `name` of `namespace`.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.0.tag_name().name() == name && self.namespace() == namespace
    }

    /// The name of its namespace, empty for none.
    pub(super) fn namespace(&self) -> &'t str {
        self.0.tag_name().namespace().unwrap_or_default()
    }

    /// The value of an attribute without a namespace.
    pub(super) fn attribute(&self, name: &str) -> Option<&'t str> {
        self.0
            .attributes()
            .find(|have| have.name() == name && have.namespace().is_none())
            .map(|it| it.value())
    }

    /// The elements directly inside.
    pub(super) fn elements(&self) -> impl Iterator<Item = Self> + use<'t> {
        self.0.children().filter(Node::is_element).map(Self)
    }

    /// Those of them that are the element `name` of `namespace`.
    pub(super) fn all<'n>(
        &self,
        namespace: &'n str,
        name: &'n str,
    ) -> impl Iterator<Item = Self> + use<'t, 'n> {
        self.elements().filter(move |element| element.is(namespace, name))
    }

    /// The only such element directly inside, if there is one.
    pub(super) fn only(&self, namespace: &str, name: &str) -> Result<Option<Self>, Fault> {
        at_most_one(self.all(namespace, name))
    }

    /// The only such element directly inside, which has to be there.
    pub(super) fn the(&self, namespace: &str, name: &str) -> Result<Self, Fault> {
        self.only(namespace, name)?.ok_or(Fault("a required element is missing"))
    }

    /// This element and all below it, in document order.
    pub(super) fn descendants(&self) -> impl Iterator<Item = Self> + use<'t> {
        self.0.descendants().filter(Node::is_element).map(Self)
    }

    /// The text of an element that holds nothing else. INVARIANT (comments-say-nothing): the error is returned by whoever
    /// asks. A comment is not in what was signed, so anybody can put one into an empty or blank text; that may have the
    /// whole refused, and change nothing else. Whoever passes over structured contents looks for [`Element::elements`].
    pub(super) fn text(&self) -> Result<&'t str, Fault> {
        let mut children = self.0.children();
        match (children.next(), children.next()) {
            (None, _) => Ok(""),
            (Some(only), None) if only.is_text() => Ok(only.text().unwrap_or_default()),
            _ => Err(Fault("an element holds more than text")),
        }
    }

    /// Where it stands in the source.
    pub(super) fn range(&self) -> Range<usize> {
        self.0.range()
    }

    /// Whether both are the same element of one tree.
    pub(super) fn is_same(&self, other: Self) -> bool {
        self.0 == other.0
    }

    /// Which node of the tree it is, for canonicalization.
    pub(super) fn node(&self) -> Node<'t, 't> {
        self.0
    }

    /// Its place in the tree.
    pub(super) fn id(&self) -> NodeId {
        self.0.id()
    }
}

/// The only one of `found`, if there is one.
pub(super) fn at_most_one<'t>(
    mut found: impl Iterator<Item = Element<'t>>,
) -> Result<Option<Element<'t>>, Fault> {
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(Fault("an element that may appear once appears twice")),
        (first, None) => Ok(first),
    }
}

/// The prefix of the name that starts at `start` in the source and whose local part is `local`. The tree forgets
/// prefixes, and a signature covers them.
pub(super) fn prefix<'s>(source: &'s str, start: usize, local: &str) -> Option<&'s str> {
    let name = source.get(start..)?;
    let name = name.get(..name.find(['=', '/', '>', ' ', '\t', '\n'])?)?;
    match name.split_once(':') {
        None => (name == local).then_some(""),
        Some((prefix, rest)) => (rest == local && !prefix.is_empty()).then_some(prefix),
    }
}

fn normalised_line_ends(text: String) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

/// What follows the XML declaration, which may only say what is so: version 1.0, in UTF-8.
fn declared(text: &str) -> Result<&str, Fault> {
    if text.starts_with('\u{feff}') {
        return Err(Fault("the document starts with a byte order mark"));
    }
    let Some(declaration) = text.strip_prefix("<?xml ") else { return Ok(text) };
    let (declaration, body) = declaration.split_once("?>").ok_or(Fault("markup that does not end"))?;
    let declaration = declaration.replace('\'', "\"").to_ascii_lowercase();
    let known = |part: &str, known: &[&str]| known.contains(&part);
    let mut parts = declaration.split_ascii_whitespace().peekable();
    let version = parts.next() == Some("version=\"1.0\"");
    parts.next_if(|part| known(part, &["encoding=\"utf-8\"", "encoding=\"us-ascii\"", "encoding=\"ascii\""]));
    parts.next_if(|part| known(part, &["standalone=\"yes\"", "standalone=\"no\""]));
    if version && parts.next().is_none() {
        Ok(body)
    } else {
        Err(Fault("another version of XML than 1.0, or another encoding than UTF-8"))
    }
}

/// Refuses references to what is no character, which the tree builder replaces.
fn references(text: &str) -> Result<(), Fault> {
    for reference in text.split("&#").skip(1) {
        let number = reference.split_once(';').map_or(reference, |(number, _)| number);
        let value = match number.strip_prefix('x') {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
            None => number.parse(),
        };
        if value.ok().and_then(char::from_u32).is_none() {
            return Err(Fault("a reference to what is no character"));
        }
    }
    Ok(())
}

/// What the tree builder lets pass and we do not, for one node; linear over all of them.
fn check(node: Node<'_, '_>) -> Result<(), Fault> {
    if node.is_pi() {
        return Err(Fault("a processing instruction"));
    }
    // A comment in text makes two texts of one: where readers differ in which they take, the signed `admin<!---->x`
    // reads `admin`.
    let (mut comment, mut text) = (false, false);
    for child in node.children() {
        comment |= child.is_comment();
        text |= child.is_text() && !child.text().unwrap_or_default().bytes().all(is_space);
    }
    if comment && text {
        return Err(Fault("a comment inside text"));
    }
    if !node.is_element() {
        return Ok(());
    }
    let source = node.document().input_text();
    let named = prefix(source, node.range().start + 1, node.tag_name().name()).is_some()
        && node.attributes().all(|it| prefix(source, it.range().start, it.name()).is_some());
    if !named {
        return Err(Fault("a name that cannot be read"));
    }
    let mut defaults = 0;
    for namespace in node.namespaces() {
        defaults += usize::from(namespace.name().is_none());
        if namespace.uri().len() > NAMESPACE_LENGTH_MAX {
            return Err(Fault("a namespace with too long a name"));
        }
        // A default may be undone, and no prefix. Canonicalization of a relative name is an error that some
        // implementations turn into an empty text, whose digest everybody knows.
        let undone = namespace.uri().is_empty() && namespace.name().is_none();
        if namespace.name() == Some("xmlns") || !(undone || is_uri(namespace.uri())) {
            return Err(Fault("a namespace that must not be declared"));
        }
    }
    if defaults > 1 {
        return Err(Fault("a namespace that is declared twice"));
    }
    Ok(())
}

/// No two elements have one id, under whichever name the standards here give the attribute.
fn unique_ids(document: &Document<'_>) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    let attributes = document.descendants().flat_map(|node| node.attributes());
    let mut ids = attributes.filter(|it| {
        it.name().eq_ignore_ascii_case("id")
            && matches!(it.namespace(), None | Some("http://www.w3.org/XML/1998/namespace"))
    });
    if ids.all(|id| seen.insert(id.value().to_owned())) {
        Ok(())
    } else {
        Err(Fault("an id that appears twice"))
    }
}

/// Whether a namespace name is a URI with a scheme (RFC 3986). `&` could stand in one, but canonicalizations disagree
/// about how it is written.
fn is_uri(name: &str) -> bool {
    let scheme = name.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$'()*+,;=%".contains(&byte))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
