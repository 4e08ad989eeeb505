//! `kill -9` under write load, at random moments: nothing acknowledged is lost, nothing is there by
//! halves. A process killed, not a power cut: what the kernel was given it still writes.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use daypass_store::conformance::{Dice, wait};
use daypass_store::{Record, Revision, Spent, SqliteStore, Store};

use crate::rules;
use crate::support::TempDir;

const FILES: usize = 8;
const KILLS_PER_FILE: usize = 26;
/// A kill comes after fewer acknowledged lines than this, and a spin.
const LINES_MAX: usize = 60;
const SPIN_MAX: usize = 60_000;

#[test]
fn two_hundred_kills_lose_nothing_acknowledged() {
    let seed = std::env::var("DAYPASS_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(4);
    let mut dice = Dice::new(seed);
    let mut total = Tally::default();
    for _ in 0..FILES {
        let dir = TempDir::new();
        let mut said = Said::default();
        for _ in 0..KILLS_PER_FILE {
            said.begin();
            run_and_kill(&dir.file(), &mut dice, &mut said);
            let tally = check(&dir, &said);
            total.add(&tally);
        }
        total.acknowledged += said.acknowledged();
    }
    println!(
        "seed {seed}: {} acknowledged writes, {} kills, {} hit an open commit \
         (of {} commits open at a kill {} came to be, {} left no trace)",
        total.acknowledged,
        total.kills,
        total.hit_open,
        total.open,
        total.open_done,
        total.open - total.open_done
    );
    assert!(total.kills >= 200);
    assert!(total.acknowledged > 1_000);
    assert!(total.hit_open > 0 && total.open > total.open_done, "no kill met a commit before its end");
}

#[derive(Default)]
struct Tally {
    acknowledged: usize,
    kills: usize,
    /// Kills that came while at least one commit was handed over and not acknowledged.
    hit_open: usize,
    /// Such commits.
    open: usize,
    /// Those of them that the next opening finds whole.
    open_done: usize,
}

impl Tally {
    fn add(&mut self, kill: &Tally) {
        self.kills += kill.kills;
        self.hit_open += kill.hit_open;
        self.open += kill.open;
        self.open_done += kill.open_done;
    }
}

/// What the writers of one file said, over all its kills.
#[derive(Default)]
struct Said {
    /// By writer: (n, revision) of acknowledged commits.
    acks: [Vec<(usize, Revision)>; rules::WRITERS],
    spent: [Vec<usize>; rules::WRITERS],
    /// By writer: the last commit tried, ever.
    tried: [usize; rules::WRITERS],
    /// By writer: the commit tried since the last start and not acknowledged.
    open: [Option<usize>; rules::WRITERS],
}

impl Said {
    fn begin(&mut self) {
        self.open = Default::default();
    }

    fn acknowledged(&self) -> usize {
        self.acks.iter().map(Vec::len).sum::<usize>() + self.spent.iter().map(Vec::len).sum::<usize>()
    }

    fn hear(&mut self, line: &str) {
        let mut words = line.split(' ');
        let verb = words.next().unwrap();
        let mut number = || words.next().unwrap().parse::<usize>().unwrap();
        let (writer, n) = (number(), number());
        match verb {
            "try" => {
                self.open[writer] = Some(n);
                self.tried[writer] = self.tried[writer].max(n);
            }
            "ack" => {
                self.open[writer] = None;
                self.acks[writer].push((n, Revision::new(number() as u64)));
            }
            "spent" => self.spent[writer].push(n),
            other => panic!("the writer said {other}"),
        }
    }
}

/// Starts the writer, listens until some number of lines, spins, kills, and hears the rest.
fn run_and_kill(file: &Path, dice: &mut Dice, said: &mut Said) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_daypass-store-writer"))
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut heard = true;
    for _ in 0..dice.below(LINES_MAX) {
        heard = heard && hear_line(&mut out, said);
    }
    for _ in 0..dice.below(SPIN_MAX) {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(heard && errors.is_empty(), "the writer ended by itself: {errors}");
    while hear_line(&mut out, said) {}
}

/// Hears one whole line; `false` at the end, where half a line may be left.
fn hear_line(out: &mut BufReader<ChildStdout>, said: &mut Said) -> bool {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    match line.strip_suffix('\n') {
        Some(line) => said.hear(line),
        None => return false,
    }
    true
}

/// Opens the file as the next start would, and compares it with all that was ever said.
fn check(dir: &TempDir, said: &Said) -> Tally {
    let store = dir.open();
    let (revision, records) = wait(store.load("")).unwrap();
    let mut tally = Tally { kills: 1, ..Tally::default() };
    let mut expected_len = 0;
    for writer in 0..rules::WRITERS {
        let done = check_writer(&records, said, writer);
        expected_len += if done == 0 { 0 } else { 2 * done + 2 };
        for (_, acknowledged) in &said.acks[writer] {
            assert!(*acknowledged <= revision);
        }
        if let Some(open) = said.open[writer] {
            tally.open += 1;
            tally.open_done += usize::from(done == open);
            tally.hit_open = 1;
        }
        check_spent(&store, said, writer);
    }
    assert_eq!(records.len(), expected_len, "nothing is there that nobody wrote");
    tally
}

/// Answers the number of the writer's last commit that is there, whole.
fn check_writer(records: &[Record], said: &Said, writer: usize) -> usize {
    let find = |key: &str| records.binary_search_by(|r| (*r.key).cmp(key)).ok().map(|at| &records[at]);
    let count = find(&rules::count_key(writer));
    let done = count.map_or(0, |r| std::str::from_utf8(&r.value).unwrap().parse().unwrap());
    let acknowledged = said.acks[writer].last().map_or(0, |(n, _)| *n);
    assert!(done >= acknowledged, "writer {writer}: commit {acknowledged} was acknowledged, {done} is there");
    assert!(done <= said.tried[writer], "writer {writer}: {done} is there, nobody tried it");
    for n in 1..=done {
        let [a, b] = rules::row_keys(writer, n).map(|key| find(&key).expect("each row of a commit is there"));
        let payload = rules::payload(writer, n);
        assert!(a.value == payload && b.value == payload, "writer {writer}: commit {n} has another payload");
        assert_eq!(a.revision, b.revision);
    }
    for (n, revision) in &said.acks[writer] {
        assert_eq!(find(&rules::row_keys(writer, *n)[0]).unwrap().revision, *revision);
    }
    if let Some(count) = count {
        let passing = find(&rules::passing_key(writer, done)).expect("the last commit's passing key");
        assert_eq!(passing.revision, count.revision);
        assert!(find(&rules::passing_key(writer, done - 1)).is_none(), "deleted by the last commit");
    }
    done
}

/// Facts that were acknowledged as spent stay so; none of them may be spent by asking.
fn check_spent(store: &SqliteStore, said: &Said, writer: usize) {
    for n in &said.spent[writer] {
        let again = wait(store.spend(&rules::fact(writer, *n), rules::EXPIRES_AT, rules::NOW)).unwrap();
        assert_eq!(again, Spent::Already, "fact {n} of writer {writer} was spent");
    }
}
