//! Whatever is done to a signed response: it is refused, or it says what it said. Nothing panics.

use std::sync::LazyLock;

use daypass_authn::saml::{Encryption, Expected, Metadata};
use proptest::prelude::*;

use super::document::{ASSERTION, IDP, check, edited, expected, metadata_of, signed};
use super::vectors::{self, decryption_key, file};

/// What attackers of parsers write.
const SNIPPETS: &[&str] = &[
    "<!---->",
    "<!-- x -->",
    "<![CDATA[]]>",
    "<![CDATA[x]]>",
    "&#13;",
    "&#x61;",
    "&amp;",
    "&lol;",
    "\r",
    "\n",
    " ",
    "\t",
    "<x/>",
    "<x>",
    "</x>",
    "<?x?>",
    "<!DOCTYPE x>",
    " xmlns=\"\"",
    " xmlns=\"urn:x\"",
    " saml:xmlns=\"urn:x\"",
    " xmlns:saml=\"urn:x\"",
    " xmlns:ds=\"urn:x\"",
    " ID=\"_a\"",
    " Id=\"_a\"",
    " xml:id=\"_b\"",
    "saml:",
    "ds:",
    ":",
    "\"",
    "'",
    "=",
    ">",
    "<",
    "/",
    "\u{feff}",
    "\u{0}",
    "ä",
    "]]>",
    "alice",
    "admin",
    "#_a",
    "<saml:NameID Format=\"x\">admin</saml:NameID>",
    "<saml:Assertion ID=\"_b\"></saml:Assertion>",
    "<ds:Signature></ds:Signature>",
    "<ds:Object></ds:Object>",
];

#[derive(Debug, Clone)]
enum Mutation {
    Insert(usize, usize),
    Replace(usize, usize, usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    /// A piece moved elsewhere.
    Move(usize, usize, usize),
}

/// An assertion with more attributes than AWS's: what is empty, blank or structured in them is signed too.
static TALKATIVE: LazyLock<String> = LazyLock::new(|| {
    let values = "<saml:AttributeValue></saml:AttributeValue><saml:AttributeValue> </saml:AttributeValue>\
                  <saml:AttributeValue><saml:NameID>x</saml:NameID></saml:AttributeValue>\
                  <saml:AttributeValue>staff</saml:AttributeValue>";
    let attribute = format!(
        r#"<saml:Attribute Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.1">{values}</saml:Attribute></saml:AttributeStatement>"#
    );
    edited(ASSERTION, "</saml:AttributeStatement>", &attribute)
});

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = || any::<usize>();
    let length = || prop_oneof![0..8_usize, 0..400_usize];
    prop_oneof![
        (at(), at()).prop_map(|(to, what)| Mutation::Insert(to, what)),
        (at(), length(), at()).prop_map(|(from, length, what)| Mutation::Replace(from, length, what)),
        (at(), length()).prop_map(|(from, length)| Mutation::Remove(from, length)),
        (at(), length()).prop_map(|(from, length)| Mutation::Repeat(from, length)),
        (at(), length(), at()).prop_map(|(from, length, to)| Mutation::Move(from, length, to)),
    ]
}

/// `text` after the mutation. Half the time it happens at the edge of markup, where it means something.
fn mutated(text: &str, mutation: &Mutation) -> String {
    let edges: Vec<usize> = text.match_indices(['<', '>', '"', ' ']).map(|(at, _)| at).collect();
    let place = |at: usize| match at % 2 {
        0 if !edges.is_empty() => edges[at / 2 % edges.len()],
        _ => (0..=at / 2 % (text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap(),
    };
    let range = |from: usize, length: usize| {
        let from = place(from);
        let to = (from + length).min(text.len());
        from..(to..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap()
    };
    let snippet = |what: usize| SNIPPETS[what % SNIPPETS.len()];
    let spliced = |range: std::ops::Range<usize>, with: &str| {
        format!("{}{with}{}", &text[..range.start], &text[range.end..])
    };
    match *mutation {
        Mutation::Insert(to, what) => spliced(place(to)..place(to), snippet(what)),
        Mutation::Replace(from, length, what) => spliced(range(from, length), snippet(what)),
        Mutation::Remove(from, length) => spliced(range(from, length), ""),
        Mutation::Repeat(from, length) => {
            let range = range(from, length);
            spliced(range.end..range.end, &text[range])
        }
        Mutation::Move(from, length, to) => {
            let (range, to) = (range(from, length), place(to));
            let piece = text[range.clone()].to_owned();
            if to <= range.start {
                format!("{}{piece}{}{}", &text[..to], &text[to..range.start], &text[range.end..])
            } else if to >= range.end {
                format!("{}{}{piece}{}", &text[..range.start], &text[range.end..to], &text[to..])
            } else {
                text.to_owned()
            }
        }
    }
}

fn all_mutated(text: &str, mutations: &[Mutation]) -> String {
    mutations.iter().fold(text.to_owned(), |text, mutation| mutated(&text, mutation))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn a_signed_response_says_what_it_said_or_is_refused(mutations in prop::collection::vec(mutation(), 1..4)) {
        let xml = signed(&TALKATIVE);
        if let Ok(read) = check(&all_mutated(&xml, &mutations)) {
            prop_assert_eq!(read, check(&xml).unwrap());
        }
    }

    #[test]
    fn so_does_one_with_both_signatures(mutations in prop::collection::vec(mutation(), 1..4)) {
        let xml = IDP.sign(&signed(&TALKATIVE));
        if let Ok(read) = check(&all_mutated(&xml, &mutations)) {
            prop_assert_eq!(read, check(&xml).unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn so_does_an_encrypted_one(mutations in prop::collection::vec(mutation(), 1..3)) {
        let (key, name) = (decryption_key(), "encrypted.aes256-cbc.mgf1p.rsa2048");
        let expected = Expected { encryption: Encryption { keys: &[&key], required: false }, ..expected() };
        let xml = file(&format!("{name}.xml"));
        if let Ok(read) = vectors::check(name, &all_mutated(&xml, &mutations), &expected) {
            prop_assert_eq!(read, vectors::check(name, &xml, &expected).unwrap());
        }
    }

    #[test]
    fn metadata_is_read_or_refused(mutations in prop::collection::vec(mutation(), 1..4)) {
        let _ = Metadata::parse(&all_mutated(&metadata_of(&IDP.certificate), &mutations));
    }

    #[test]
    fn anything_at_all_is_refused(text in any::<String>(), markup in "[<>/a:=\"' &;#x!\\[\\]-]{0,200}") {
        prop_assert!(check(&text).is_err());
        prop_assert!(check(&markup).is_err());
    }
}

/// What no signature covers, wherever it is put.
#[test]
fn so_does_one_with_a_comment_or_a_section_anywhere() {
    let xml = signed(&TALKATIVE);
    let said = check(&xml).unwrap();
    assert_eq!(said.attributes["urn:oid:1.3.6.1.4.1.5923.1.1.1.1"], ["", " ", "staff"]);
    let mut taken = 0;
    for (at, _) in xml.match_indices(['<', '>', ' ']) {
        for inside in ["<!---->", "<![CDATA[]]>", " "] {
            for at in [at, at + 1] {
                if let Ok(read) = check(&format!("{}{inside}{}", &xml[..at], &xml[at..])) {
                    assert_eq!(read, said, "{inside} at {at}");
                    taken += 1;
                }
            }
        }
    }
    assert!(taken > 20, "{taken}");
}

/// The mutations do find what a careless reader lets pass: some of them leave the document as valid as it was.
#[test]
fn some_mutations_change_nothing() {
    let xml = signed(ASSERTION);
    let at = |needle: &str| {
        xml.match_indices(['<', '>', '"', ' ']).position(|(at, _)| xml[at..].starts_with(needle)).unwrap() * 2
    };
    let snippet = |wanted: &str| SNIPPETS.iter().position(|snippet| *snippet == wanted).unwrap();
    let insert =
        |needle: &str, what: &str| check(&mutated(&xml, &Mutation::Insert(at(needle), snippet(what))));
    insert("<saml:Conditions", "<!---->").unwrap();
    insert("</saml:NameID", "<![CDATA[]]>").unwrap();
    insert("<samlp:Status", "<x/>").unwrap();
    insert("<saml:Conditions", "<x/>").unwrap_err();
    insert("</saml:NameID", "<!---->").unwrap_err();
}
