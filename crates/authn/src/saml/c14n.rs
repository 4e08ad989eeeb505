//! Exclusive canonicalization: the text of an element that its digest is taken of.
//!
//! Without comments, with an `InclusiveNamespaces` list, and without one child (the signature that is enveloped).
//! Processing instructions do not occur (see [`super::xml`]).
//!
//! Governing documents: Exclusive XML Canonicalization 1.0, section 3; Canonical XML 1.0, sections 2.3 and 4.8.

use roxmltree::{Node, NodeId};

use super::xml::{Element, Fault, prefix};

/// The canonical form of `apex` and what is below it, without the element `omitted`. `inclusive` are the prefixes whose
/// declarations count wherever they are in scope, whether used or not; the empty one is `#default`.
pub(super) fn canonical(
    apex: Element<'_>,
    omitted: Option<NodeId>,
    inclusive: &[&str],
) -> Result<String, Fault> {
    let mut writer = Writer { text: String::new(), rendered: Vec::new(), omitted, inclusive };
    writer.element(apex.node())?;
    Ok(writer.text)
}

struct Writer<'t, 'p> {
    text: String,
    /// Prefix and namespace of the declarations that the elements around have in the output, the nearest last.
    rendered: Vec<(&'t str, &'t str)>,
    omitted: Option<NodeId>,
    inclusive: &'p [&'p str],
}

impl<'t> Writer<'t, '_> {
    /// Calls itself for every level; documents are bounded in depth.
    fn element(&mut self, node: Node<'t, 't>) -> Result<(), Fault> {
        let source = node.document().input_text();
        let local = node.tag_name().name();
        let own = name(source, node.range().start + 1, local)?;
        let around = self.rendered.len();

        // In order of namespace and local name, those without a namespace first (Canonical XML 1.0 section 2.2).
        let mut attributes = Vec::new();
        for attribute in node.attributes() {
            let of = name(source, attribute.range().start, attribute.name())?;
            attributes.push((
                attribute.namespace().unwrap_or_default(),
                attribute.name(),
                of,
                attribute.value(),
            ));
        }
        attributes.sort_unstable();

        // What the element or one of its attributes uses. Attributes without a prefix have no namespace.
        let mut used: Vec<&str> =
            attributes.iter().map(|attribute| attribute.2).filter(|it| !it.is_empty()).collect();
        used.push(own);
        used.extend(self.inclusive.iter().filter_map(|listed| in_scope(node, listed)));
        used.sort_unstable();
        used.dedup();

        self.text.push('<');
        self.name(own, local);
        for used in used.into_iter().filter(|used| *used != "xml") {
            self.declaration(used, namespace(node, used));
        }
        for (_, local, of, value) in attributes {
            self.text.push(' ');
            self.name(of, local);
            self.text.push_str("=\"");
            self.value(value);
            self.text.push('"');
        }
        self.text.push('>');
        let omitted = self.omitted;
        for child in node.children().filter(|child| Some(child.id()) != omitted) {
            if child.is_element() {
                self.element(child)?;
            } else if child.is_text() {
                self.characters(child.text().unwrap_or_default());
            }
        }
        self.text.push_str("</");
        self.name(own, local);
        self.text.push('>');
        self.rendered.truncate(around);
        Ok(())
    }

    /// A declaration, unless the nearest element around that has one for the prefix says the same. An empty namespace
    /// is that of no declaration at all, so it is written only to undo a default.
    fn declaration(&mut self, prefix: &'t str, uri: &'t str) {
        let around = self.rendered.iter().rev().find(|(of, _)| *of == prefix).map_or("", |(_, uri)| uri);
        if uri == around {
            return;
        }
        self.rendered.push((prefix, uri));
        self.text.push_str(" xmlns");
        if !prefix.is_empty() {
            self.text.push(':');
            self.text.push_str(prefix);
        }
        self.text.push_str("=\"");
        self.value(uri);
        self.text.push('"');
    }

    fn name(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.text.push_str(prefix);
            self.text.push(':');
        }
        self.text.push_str(local);
    }

    fn value(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '"' => self.text.push_str("&quot;"),
                '\t' => self.text.push_str("&#x9;"),
                '\n' => self.text.push_str("&#xA;"),
                '\r' => self.text.push_str("&#xD;"),
                other => self.text.push(other),
            }
        }
    }

    fn characters(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '\r' => self.text.push_str("&#xD;"),
                other => self.text.push(other),
            }
        }
    }
}

fn name<'s>(source: &'s str, start: usize, local: &str) -> Result<&'s str, Fault> {
    prefix(source, start, local).ok_or(Fault("a name that cannot be read"))
}

/// What a prefix stands for at an element; empty for a default that is not there or undone.
fn namespace<'t>(node: Node<'t, 't>, prefix: &str) -> &'t str {
    let prefix = (!prefix.is_empty()).then_some(prefix);
    node.lookup_namespace_uri(prefix).unwrap_or_default()
}

/// A listed prefix as the document has it, if it is declared here. The default always counts: it may be undone here.
fn in_scope<'t>(node: Node<'t, 't>, listed: &str) -> Option<&'t str> {
    if listed.is_empty() {
        return Some("");
    }
    node.namespaces().filter_map(|namespace| namespace.name()).find(|name| *name == listed)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use aws_lc_rs::digest::{SHA256, digest};
    use data_encoding::HEXLOWER;

    use super::super::bounds::RESPONSE;
    use super::super::xml::Source;
    use super::*;

    fn canonical_of(document: &str, prefixes: &[&str]) -> String {
        let source = Source::new(document.to_owned(), &RESPONSE).unwrap();
        let tree = source.parse().unwrap();
        let apex = tree.root().descendants().find(|element| element.attribute("ID") == Some("x")).unwrap();
        canonical(apex, None, prefixes).unwrap()
    }

    /// Documents and their forms by libxml2 and libxmlsec1; `make_c14n.py` beside them says how.
    #[test]
    fn the_canonical_form_is_the_one_that_others_calculate() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/saml/vectors/c14n"));
        let read = |name: String| std::fs::read_to_string(folder.join(name));
        let (mut forms, mut digests) = (0, 0);
        for line in read("index.txt".to_owned()).unwrap().lines() {
            let (name, listed) = line.split_once('\t').unwrap();
            let prefixes: Vec<&str> =
                listed.split_whitespace().map(|it| if it == "#default" { "" } else { it }).collect();
            let form = canonical_of(&read(format!("{name}.xml")).unwrap(), &prefixes);
            if prefixes.is_empty() {
                assert_eq!(canonical_of(&form, &[]), form, "{name}: a canonical form is its own");
            }
            if let Ok(theirs) = read(format!("{name}.c14n")) {
                assert_eq!(form, theirs, "{name}");
                forms += 1;
            } else {
                let theirs = read(format!("{name}.sha256")).unwrap();
                assert_eq!(
                    HEXLOWER.encode(digest(&SHA256, form.as_bytes()).as_ref()),
                    theirs,
                    "{name}: {form}"
                );
                digests += 1;
            }
        }
        assert_eq!((forms, digests), (87, 13));
    }

    #[test]
    fn text_values_and_names_are_written_one_way() {
        let document = r#"<o xmlns="urn:1"><a:b xmlns:a="urn:2" ID="x" z="&#13;" a:y='"'>&gt;<c/><![CDATA[<]]></a:b></o>"#;
        let form = canonical_of(document, &[]);
        assert_eq!(
            form,
            r#"<a:b xmlns:a="urn:2" ID="x" z="&#xD;" a:y="&quot;">&gt;<c xmlns="urn:1"></c>&lt;</a:b>"#
        );
        assert_eq!(canonical_of(&form, &[]), form);
    }

    #[test]
    fn one_child_is_left_out() {
        let source = Source::new("<a> <b>1</b> <b>2</b> </a>".to_owned(), &RESPONSE).unwrap();
        let tree = source.parse().unwrap();
        let omitted = tree.root().elements().nth(1).unwrap();
        assert_eq!(canonical(tree.root(), Some(omitted.id()), &[]).unwrap(), "<a> <b>1</b>  </a>");
    }
}
