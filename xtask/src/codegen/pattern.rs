//! From the patterns of the models to the data that `service`'s shapes match with.
//!
//! The models write Java regular expressions. Those they use are classes, any character, groups, alternatives,
//! repetition and one negative look-ahead of a class; anything else is an error here, so that it
//! is noticed when a model is updated and not when a request comes. `\w` and `\d` are ASCII, as in Java.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, anyhow, bail, ensure};

/// All patterns and classes met, each written once.
#[derive(Default)]
pub(super) struct Patterns {
    classes: Vec<Class>,
    ids: BTreeMap<String, usize>,
    rows: Vec<String>,
}

impl Patterns {
    /// The name of the static for this pattern.
    pub(super) fn name(&mut self, text: &str) -> Result<String> {
        if let Some(id) = self.ids.get(text) {
            return Ok(format!("P{id}"));
        }
        let node = parse(text).with_context(|| format!("the pattern {text}"))?;
        let matcher = self.matcher(&node)?;
        let id = self.rows.len();
        self.rows
            .push(format!("static P{id}: Pattern = Pattern {{ text: {text:?}, matcher: {matcher} }};\n"));
        self.ids.insert(text.to_owned(), id);
        Ok(format!("P{id}"))
    }

    /// The statics, as Rust.
    pub(super) fn source(&self) -> Result<String> {
        let mut out = String::new();
        for (id, class) in self.classes.iter().enumerate() {
            writeln!(out, "static C{id}: Class = {};", class.source()?)?;
        }
        out.extend(self.rows.iter().map(String::as_str));
        Ok(out)
    }

    fn matcher(&mut self, node: &Node) -> Result<String> {
        if let Node::Repeat(inner, min @ (0 | 1), None) = node
            && let Node::Class(class) = &**inner
        {
            let form = if *min == 0 { "Star" } else { "Plus" };
            return Ok(format!("Matcher::{form}(&C{})", self.class(class)));
        }
        let mut steps = Vec::new();
        self.steps(node, &mut steps)?;
        steps.push("Step::Accept".to_owned());
        Ok(format!("Matcher::Program(&[{}])", steps.join(", ")))
    }

    fn class(&mut self, class: &Class) -> usize {
        self.classes.iter().position(|known| known == class).unwrap_or_else(|| {
            self.classes.push(class.clone());
            self.classes.len() - 1
        })
    }

    fn steps(&mut self, node: &Node, out: &mut Vec<String>) -> Result<()> {
        match node {
            Node::Class(class) => out.push(format!("Step::Take(&C{})", self.class(class))),
            Node::NotNext(class) => out.push(format!("Step::NotNext(&C{})", self.class(class))),
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.steps(node, out))?,
            Node::Either(nodes) => self.either(nodes, out)?,
            Node::Repeat(inner, min, max) => {
                for _ in 0..*min {
                    self.steps(inner, out)?;
                }
                match max {
                    None => {
                        let split = reserve(out);
                        self.steps(inner, out)?;
                        out.push(format!("Step::Jump({split})"));
                        let end = out.len();
                        set(out, split, format!("Step::Split({}, {end})", split + 1))?;
                    }
                    Some(max) => {
                        let mut splits = Vec::new();
                        for _ in *min..*max {
                            splits.push(reserve(out));
                            self.steps(inner, out)?;
                        }
                        let end = out.len();
                        for split in splits {
                            set(out, split, format!("Step::Split({}, {end})", split + 1))?;
                        }
                    }
                }
            }
        }
        ensure!(out.len() < 4096, "the program is too long");
        Ok(())
    }

    fn either(&mut self, nodes: &[Node], out: &mut Vec<String>) -> Result<()> {
        let mut jumps = Vec::new();
        let Some((last, others)) = nodes.split_last() else { return Ok(()) };
        for node in others {
            let split = reserve(out);
            self.steps(node, out)?;
            jumps.push(reserve(out));
            let end = out.len();
            set(out, split, format!("Step::Split({}, {end})", split + 1))?;
        }
        self.steps(last, out)?;
        let end = out.len();
        jumps.into_iter().try_for_each(|jump| set(out, jump, format!("Step::Jump({end})")))
    }
}

fn reserve(out: &mut Vec<String>) -> usize {
    out.push(String::new());
    out.len() - 1
}

fn set(out: &mut [String], index: usize, step: String) -> Result<()> {
    *out.get_mut(index).context("a reserved step")? = step;
    Ok(())
}

/// A set of characters: inclusive ranges, sorted and merged; `words` = every letter, separator, number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Class {
    ranges: Vec<(u32, u32)>,
    words: bool,
}

impl Class {
    fn of(mut ranges: Vec<(u32, u32)>, words: bool) -> Result<Self> {
        if words {
            // What L, Z and N hold of ASCII; the rest is decided at run time.
            ranges.extend([(0x20, 0x20), (0x30, 0x39), (0x41, 0x5a), (0x61, 0x7a)]);
        }
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::new();
        for (first, last) in ranges {
            ensure!(first <= last, "a range that runs backwards");
            match merged.last_mut() {
                Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Ok(Self { ranges: merged, words })
    }

    /// Every character that is not in it. Surrogates are no characters.
    fn inverted(self) -> Result<Self> {
        ensure!(!self.words, "all but letters, separators and numbers");
        let mut next = 0;
        let mut ranges = Vec::new();
        for (first, last) in self.ranges.into_iter().chain([(0x11_0000, 0x11_0000)]) {
            let gap = (next, first.saturating_sub(1));
            ranges.extend([(gap.0, gap.1.min(0xd7ff)), (gap.0.max(0xe000), gap.1)]);
            next = last + 1;
        }
        ranges.retain(|(first, last)| first <= last);
        Self::of(ranges, false)
    }

    fn source(&self) -> Result<String> {
        let mut ascii: u128 = 0;
        let mut above = Vec::new();
        for &(first, last) in &self.ranges {
            for c in first..=last.min(0x7f) {
                ascii |= 1 << c;
            }
            if last > 0x7f {
                let (first, last) = (character(first.max(0x80))?, character(last)?);
                above.push(format!("('{}', '{}')", first.escape_unicode(), last.escape_unicode()));
            }
        }
        let (above, words) = (above.join(", "), self.words);
        Ok(format!("Class {{ ascii: {ascii:#034x}, above: &[{above}], words: {words} }}"))
    }
}

fn character(code: u32) -> Result<char> {
    char::from_u32(code).ok_or_else(|| anyhow!("U+{code:04X} is not a character"))
}

#[derive(Debug)]
enum Node {
    Class(Class),
    NotNext(Class),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, u32, Option<u32>),
}

fn parse(text: &str) -> Result<Node> {
    // Every pattern must match the whole value, so anchors at the ends say nothing.
    let text = text.strip_prefix('^').unwrap_or(text);
    let text = text.strip_suffix('$').unwrap_or(text);
    // The models mean the supplementary characters by this. AWS's matcher reads four digits and takes none of them, as
    // was recorded against it; what else it makes of the letters is nonsense.
    let text = text.replace(r"\u10000-\u10FFFF", "");
    let mut parser = Parser { rest: text.chars().collect::<Vec<_>>().into_iter().peekable() };
    let node = parser.either()?;
    ensure!(parser.rest.next().is_none(), "an unmatched `)`");
    Ok(node)
}

struct Parser {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
}

impl Parser {
    fn either(&mut self) -> Result<Node> {
        let mut branches = vec![self.sequence()?];
        while self.rest.next_if_eq(&'|').is_some() {
            branches.push(self.sequence()?);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Either(branches) })
    }

    fn sequence(&mut self) -> Result<Node> {
        let mut nodes = Vec::new();
        while self.rest.peek().is_some_and(|c| !matches!(c, '|' | ')')) {
            let node = self.atom()?;
            nodes.push(self.repeated(node)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Sequence(nodes) })
    }

    fn atom(&mut self) -> Result<Node> {
        match self.rest.next().context("the pattern ends early")? {
            '(' => {
                if self.rest.next_if_eq(&'?').is_some() {
                    ensure!(self.rest.next() == Some('!'), "a group of an unknown kind");
                    let Node::Class(class) = self.either()? else {
                        bail!("a look-ahead of more than a class")
                    };
                    ensure!(self.rest.next() == Some(')'), "a group without end");
                    return Ok(Node::NotNext(class));
                }
                let node = self.either()?;
                ensure!(self.rest.next() == Some(')'), "a group without end");
                Ok(node)
            }
            '[' => self.class(),
            // No line terminator (java.util.regex.Pattern).
            '.' => {
                let ends = vec![(0x0a, 0x0a), (0x0d, 0x0d), (0x85, 0x85), (0x2028, 0x2029)];
                Ok(Node::Class(Class::of(ends, false)?.inverted()?))
            }
            '\\' => match self.escape()? {
                Escape::One(c) => Ok(Node::Class(Class::of(vec![(c, c)], false)?)),
                Escape::Many(ranges) => Ok(Node::Class(Class::of(ranges, false)?)),
                Escape::Words(_) => bail!("a category outside a class"),
            },
            c @ ('^' | '$' | '*' | '+' | '?' | '{' | '}' | ']') => bail!("`{c}` is not expected here"),
            c => Ok(Node::Class(Class::of(vec![(u32::from(c), u32::from(c))], false)?)),
        }
    }

    fn repeated(&mut self, node: Node) -> Result<Node> {
        let (min, max) = match self.rest.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                let text: String = std::iter::from_fn(|| self.rest.next_if(|c| *c != '}')).skip(1).collect();
                let (min, max) = text.split_once(',').unwrap_or((&text, &text));
                (min.parse()?, Some(max.parse()?))
            }
            _ => return Ok(node),
        };
        self.rest.next();
        ensure!(!matches!(self.rest.peek(), Some('*' | '+' | '?' | '{')), "a repetition of a repetition");
        Ok(Node::Repeat(Box::new(node), min, max))
    }

    fn class(&mut self) -> Result<Node> {
        let mut ranges = Vec::new();
        let mut categories = String::new();
        let others = self.rest.next_if_eq(&'^').is_some();
        loop {
            let first = match self.rest.next().context("a class without end")? {
                ']' => break,
                '[' => bail!("a class within a class"),
                '&' if self.rest.peek() == Some(&'&') => bail!("what two classes share"),
                '\\' => match self.escape()? {
                    Escape::One(c) => c,
                    Escape::Many(many) => {
                        ranges.extend(many);
                        continue;
                    }
                    Escape::Words(category) => {
                        categories.push(category);
                        continue;
                    }
                },
                c => u32::from(c),
            };
            ranges.push((first, self.range_end(first)?));
        }
        ensure!(matches!(categories.as_str(), "" | "LZN"), "the categories {categories}");
        let class = Class::of(ranges, !categories.is_empty())?;
        Ok(Node::Class(if others { class.inverted()? } else { class }))
    }

    /// The last character of a range that begins with `first`; `first` itself when no range follows.
    fn range_end(&mut self, first: u32) -> Result<u32> {
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || ahead.next() == Some(']') {
            return Ok(first);
        }
        self.rest.next();
        match self.rest.next().context("a class without end")? {
            '\\' => match self.escape()? {
                Escape::One(c) => Ok(c),
                _ => bail!("a range that ends in a class"),
            },
            c => Ok(u32::from(c)),
        }
    }

    fn escape(&mut self) -> Result<Escape> {
        Ok(match self.rest.next().context("the pattern ends in a backslash")? {
            'w' => Escape::Many(vec![(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)]),
            'd' => Escape::Many(vec![(0x30, 0x39)]),
            'x' => Escape::One(self.hexadecimal(2)?),
            'u' => Escape::One(self.hexadecimal(4)?),
            'p' => {
                let name: String = self.rest.by_ref().take(3).collect();
                match name.as_str() {
                    "{L}" => Escape::Words('L'),
                    "{Z}" => Escape::Words('Z'),
                    "{N}" => Escape::Words('N'),
                    _ => bail!("the category {name}"),
                }
            }
            c if c.is_ascii_punctuation() => Escape::One(u32::from(c)),
            c => bail!("the escape \\{c}"),
        })
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<u32> {
        let text: String = self.rest.by_ref().take(digits).collect();
        ensure!(text.len() == digits, "a short escape");
        Ok(u32::from_str_radix(&text, 16)?)
    }
}

enum Escape {
    One(u32),
    Many(Vec<(u32, u32)>),
    Words(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Result<String> {
        let mut patterns = Patterns::default();
        patterns.name(text)?;
        patterns.source()
    }

    #[test]
    fn a_repeated_class_needs_no_program() {
        let source = compiled("[A-C]*").unwrap();
        assert!(
            source.contains("ascii: 0x0000000000000000000000000000000e, ") || source.contains("0e00000000"),
            "{source}"
        );
        assert!(source.contains("Matcher::Star(&C0)"), "{source}");
    }

    #[test]
    fn no_pattern_takes_supplementary_characters_whatever_the_models_mean() {
        let source = compiled(r"[\uE000-\uFFFD\u10000-\u10FFFF]+").unwrap();
        assert!(source.contains(r"&[('\u{e000}', '\u{fffd}')]"), "{source}");
    }

    #[test]
    fn what_the_matcher_does_not_know_is_an_error() {
        for text in
            [r"[^\p{L}\p{Z}\p{N}]", "(?:a)", "a**", r"\s", r"[\p{Lu}]+", "(a", "a)", "[a-z&&[^b]]", "(?!ab)"]
        {
            assert!(compiled(text).is_err(), "{text}");
        }
    }
}
