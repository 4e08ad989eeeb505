//! Searching a text for a stretch with `?` inside, in time that grows with the text and the stretch apart.
//!
//! The stretch is cut into blocks: each long literal is one, what stands between them is cut every 64 units.
//! Each block has an automaton that reads the text once; the stretch matches where all of them agree. Trying
//! it at every place instead would let `*?a?a…b*` take minutes, and a single automaton over all of it the
//! product of a long text and a variable with a long value.

use std::collections::BTreeMap;

use crate::glob::Piece;

/// The length of blocks, in UTF-16 units: the bits of a machine word.
const WORD: usize = 64;

/// A run of units of the part; `None` stands for any unit.
type Block = Vec<Option<u16>>;

/// Where the leftmost match of `part` in the units of `text` ends. `part` holds no `*`.
pub(crate) fn end_of_first<S, U>(part: &[Piece<S>], text: &U) -> Option<usize>
where
    S: AsRef<str>,
    U: Iterator<Item = u16> + Clone,
{
    let mut length = 0;
    let mut finders: Vec<Finder<U>> = Vec::new();
    for block in blocks(part) {
        length += block.len();
        let automaton = Automaton::new(&block);
        finders.push(Finder { automaton, end: length, text: text.clone(), read: 0, place: None });
    }
    let mut place = 0;
    loop {
        // No finder goes back, so each reads the text once however often they disagree.
        let agreed = finders.iter_mut().try_fold(place, |place, finder| finder.seek(place))?;
        if agreed == place {
            return Some(place + length);
        }
        place = agreed;
    }
}

/// Cuts a part: a longer literal stays whole, all else makes blocks of a word.
fn blocks<S: AsRef<str>>(part: &[Piece<S>]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for pieces in part.chunk_by(|a, b| a.text().is_some() && b.text().is_some()) {
        let units = pieces.iter().flat_map(|piece| {
            let any = piece.text().is_none().then_some(None);
            piece.text().unwrap_or_default().encode_utf16().map(Some).chain(any)
        });
        let units: Block = units.collect();
        if units.len() > WORD {
            blocks.push(units);
            continue;
        }
        for unit in units {
            match blocks.last_mut() {
                Some(last) if last.len() < WORD => last.push(unit),
                _ => blocks.push(vec![unit]),
            }
        }
    }
    blocks
}

/// Finds the places of one block.
struct Finder<U> {
    automaton: Automaton,
    /// Where the block ends within the part.
    end: usize,
    text: U,
    /// How many units of the text were read.
    read: usize,
    /// Where the part would begin by the last match of the block.
    place: Option<usize>,
}

impl<U: Iterator<Item = u16>> Finder<U> {
    /// The first place from `from` on where this block lets the part begin. `from` never goes back.
    fn seek(&mut self, from: usize) -> Option<usize> {
        while self.place.is_none_or(|place| place < from) {
            let before_match = match &mut self.automaton {
                Automaton::Short(short) => self.text.position(|unit| short.step(unit)),
                Automaton::Literal(literal) => self.text.position(|unit| literal.step(unit)),
            };
            self.read += before_match? + 1;
            self.place = self.read.checked_sub(self.end);
        }
        self.place
    }
}

/// Reads a text unit by unit and tells after which of them a block has matched.
enum Automaton {
    Short(Box<Short>),
    Literal(Literal),
}

impl Automaton {
    fn new(block: &[Option<u16>]) -> Automaton {
        if block.len() > WORD {
            Automaton::Literal(Literal::new(block.iter().flatten().copied().collect()))
        } else {
            Automaton::Short(Box::new(Short::new(block)))
        }
    }
}

/// At most 64 units, bit-parallel (Baeza-Yates and Gonnet's shift-and): bit i of the state says that the units
/// just read end a match of the first i + 1 of the block.
struct Short {
    /// Which places of the block a unit fits.
    ascii: [u64; 128],
    others: BTreeMap<u16, u64>,
    /// The places that any unit fits.
    any: u64,
    last: u64,
    state: u64,
}

impl Short {
    fn new(block: &[Option<u16>]) -> Short {
        let bits = || block.iter().zip(0..).map(|(unit, at)| (*unit, 1_u64 << at));
        let any = bits().filter(|(unit, _)| unit.is_none()).fold(0, |any, (_, bit)| any | bit);
        let mut ascii = [any; 128];
        let mut others = BTreeMap::new();
        for (unit, bit) in bits() {
            let Some(unit) = unit else { continue };
            match ascii.get_mut(usize::from(unit)) {
                Some(mask) => *mask |= bit,
                None => *others.entry(unit).or_insert(any) |= bit,
            }
        }
        let last = bits().last().map_or(0, |(_, bit)| bit);
        Short { ascii, others, any, last, state: 0 }
    }

    fn step(&mut self, unit: u16) -> bool {
        let mask = self.ascii.get(usize::from(unit)).or_else(|| self.others.get(&unit)).unwrap_or(&self.any);
        self.state = ((self.state << 1) | 1) & mask;
        self.state & self.last != 0
    }
}

/// A long literal (Knuth, Morris and Pratt).
struct Literal {
    units: Vec<u16>,
    /// For each length: how much of so long a beginning stays matched when the next unit does not fit.
    borders: Vec<usize>,
    /// How many units of it were just read.
    matched: usize,
}

impl Literal {
    fn new(units: Vec<u16>) -> Literal {
        let mut literal = Literal { units, borders: vec![0, 0], matched: 0 };
        for at in 1..literal.units.len() {
            let unit = literal.units.get(at).copied().unwrap_or_default();
            literal.step(unit);
            literal.borders.push(literal.matched);
        }
        literal.matched = 0;
        literal
    }

    fn step(&mut self, unit: u16) -> bool {
        while self.units.get(self.matched) != Some(&unit) {
            if self.matched == 0 {
                return false;
            }
            self.matched = self.borders.get(self.matched).copied().unwrap_or_default();
        }
        self.matched += 1;
        self.matched == self.units.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(part: &str, text: &str) -> Option<usize> {
        let pieces: Vec<_> =
            part.chars().map(|c| if c == '?' { Piece::One } else { Piece::Text(c.to_string()) }).collect();
        end_of_first(&pieces, &text.encode_utf16())
    }

    /// By definition: try every place.
    fn expected(part: &str, text: &str) -> Option<usize> {
        let (part, text): (Vec<u16>, Vec<u16>) =
            (part.encode_utf16().collect(), text.encode_utf16().collect());
        let fits = |place: &&[u16]| part.iter().zip(*place).all(|(p, t)| p == t || *p == u16::from(b'?'));
        text.windows(part.len()).position(|place| fits(&place)).map(|at| at + part.len())
    }

    #[test]
    fn blocks_of_every_length_are_found_where_they_stand() {
        let long = "ab".repeat(WORD);
        let odd = "ab".repeat(100) + "b" + &"ab".repeat(100);
        for part in [
            "a?b".to_owned(),
            "a?".repeat(31) + "b",
            "a?".repeat(32) + "b",
            "a?".repeat(33) + "b",
            format!("{long}?{long}"),
            format!("b?{long}?b"),
            format!("{}?{long}b?a", "b?".repeat(40)),
            format!("{long}\u{1f600}?\u{e9}"),
        ] {
            let fitting = part.replace('?', "a");
            for text in [&odd, &fitting, &format!("{odd}{fitting}{odd}"), &fitting.replacen('a', "b", 1)] {
                assert_eq!(found(&part, text), expected(&part, text), "{part} {text}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn long_literals_are_found_like_short_ones(
            head in "[ab?\u{e9}]{0,3}", period in "[ab]{1,3}", times in 20_usize..80, tail in "[ab?\u{1f600}]{0,70}",
            before in "[ab]{0,9}", more in 0_usize..90, after in "[ab\u{e9}\u{1f600}]{0,90}",
        ) {
            let part = format!("{head}{}?{tail}", period.repeat(times));
            let text = format!("{before}{}{after}{}", period.repeat(times + more), part.replace('?', "b"));
            proptest::prop_assert_eq!(found(&part, &text), expected(&part, &text));
        }
    }
}
