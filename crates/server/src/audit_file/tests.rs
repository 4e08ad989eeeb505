//! The audit file on a disk that a test makes full, slow or torn, one turn of the writer at a time.

use std::fs::File;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, Waker};

use super::writer::SLACK;
use super::*;
use crate::scratch::Scratch;

mod others;
mod trouble;

/// How a line begins, or a file would not be rotated or gone on with.
const OURS: &str = "{\"eventVersion\":\"";

/// A directory of the test's own, with an audit in it.
struct Dir(Scratch);

impl Dir {
    fn new(name: &str) -> Self {
        Self(Scratch::new(&format!("audit-{name}")))
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.text("audit.jsonl").lines().map(str::to_owned).collect()
    }

    fn has_reserve(&self) -> bool {
        self.0.join("audit.jsonl.reserve").exists()
    }
}

/// A disk that holds so many bytes in the files of one directory.
#[derive(Clone)]
struct SmallDisk {
    dir: PathBuf,
    bytes: Arc<AtomicU64>,
}

impl SmallDisk {
    fn new(dir: &Dir, bytes: u64) -> Self {
        Self { dir: dir.0.path().to_owned(), bytes: Arc::new(AtomicU64::new(bytes)) }
    }

    fn resize(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::SeqCst);
    }

    fn used(&self) -> u64 {
        let files = std::fs::read_dir(&self.dir).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    }

    /// No byte more than there is.
    fn fill_up(&self) {
        self.resize(self.used());
    }
}

impl Disk for SmallDisk {
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        let free = self.bytes.load(Ordering::SeqCst).saturating_sub(self.used());
        let fits = bytes.len().min(usize::try_from(free).unwrap());
        if fits == 0 {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            io::Write::write(file, &bytes[..fits])
        }
    }
}

/// An audit whose writer runs when the test says so.
struct Stepped {
    audit: AuditFile,
    writer: Writer,
    queue: Receiver<Message>,
}

#[derive(Clone, Default)]
struct Echo(Arc<Mutex<Vec<u8>>>);

impl io::Write for Echo {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn settings(dir: &Path, rotate_bytes: u64) -> AuditSettings {
    AuditSettings { path: dir.join("audit.jsonl"), rotate_bytes, keep: 3, stdout: false, store: None }
}

impl Stepped {
    fn open(dir: &Dir, disk: impl Disk + 'static, rotate_bytes: u64, echo: Option<Echo>) -> Self {
        let echo = echo.map(|echo| Box::new(echo) as Box<dyn io::Write + Send>);
        let settings = settings(dir.0.path(), rotate_bytes);
        let (audit, writer, queue) =
            AuditFile::parts(settings, Box::new(disk), echo, Duration::ZERO).unwrap();
        Self { audit, writer, queue }
    }

    /// Append a line that nobody relies on.
    fn told(&self, text: &str) -> bool {
        self.audit.append(format!("{text}\n"), 0)
    }

    /// Append a line that room was reserved for.
    fn relied_on(&self, text: &str) {
        self.audit.reserve(1000).unwrap();
        assert!(self.audit.append(format!("{text}\n"), 1000));
    }

    /// Let the writer write; it must have something to do, or it waits.
    fn turn(&mut self) {
        assert!(self.writer.turn(&self.queue));
    }

    fn outstanding(&self) -> u64 {
        self.audit.shared.outstanding.load(Ordering::SeqCst)
    }
}

#[test]
fn a_running_audit_writes_everything_before_it_closes_and_goes_on_where_it_was() {
    let dir = Dir::new("running");
    for n in 0..2 {
        let audit = AuditFile::open(settings(dir.0.path(), 1 << 20)).unwrap();
        assert!(audit.append(format!("{OURS}{n}\n"), 0));
        audit.reserve(1000).unwrap();
        assert!(audit.append(format!("write {n}\n"), 1000));
        assert_eq!(audit.health(), Ok(()));
        audit.close();
        audit.reserve(1000).unwrap();
        assert!(!audit.append("too late\n".into(), 1000), "a closed audit keeps nothing");
    }
    let lines = [format!("{OURS}0"), "write 0".into(), format!("{OURS}1"), "write 1".into()];
    assert_eq!(dir.lines(), lines);
}

#[tokio::test]
async fn a_call_that_relies_on_its_line_waits_until_it_is_written() {
    let dir = Dir::new("relied-on");
    let disk = SmallDisk::new(&dir, 2 * ROOM);
    let mut stepped = Stepped::open(&dir, disk.clone(), 1 << 30, None);
    for (n, line) in ["one", "two, where the reserve was"].into_iter().enumerate() {
        stepped.audit.reserve(1000).unwrap();
        if n == 1 {
            disk.fill_up();
        }
        let mut written = pin!(stepped.audit.write(format!("{line}\n"), 1000));
        assert!(matches!(poll(written.as_mut()), Poll::Pending));
        assert!(stepped.writer.turn(&stepped.queue));
        assert!(matches!(poll(written.as_mut()), Poll::Ready(true)));
        assert_eq!(dir.lines().last().unwrap(), line);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_line_is_not_written_is_not_answered_as_done() {
    let dir = Dir::new("not-written");
    let stepped = Stepped::open(&dir, RealDisk, 1 << 30, None);
    stepped.audit.reserve(1000).unwrap();
    assert!(!stepped.audit.write("nobody writes this\n".into(), 1000).await);
    drop((stepped.writer, stepped.queue));
    assert!(!stepped.audit.write("nor this\n".into(), 0).await);
}

/// While its disk hangs, nothing is begun that could not be told.
#[test]
fn nothing_is_promised_while_lines_wait_too_long() {
    let dir = Dir::new("hangs");
    let stepped = Stepped::open(&dir, RealDisk, 1 << 30, None);
    let waits = |time: Option<Duration>| {
        *lock(&stepped.audit.shared.waiting_since) = time.map(|time| now().checked_sub(time).unwrap());
        stepped.audit.reserve(1).map_err(|error| error.code)
    };
    assert_eq!(waits(Some(SLOW_AFTER)), Err("ServiceUnavailable"));
    assert_eq!(stepped.outstanding(), 0, "its room is given back");
    assert_eq!((waits(Some(SLOW_AFTER / 2)), waits(None)), (Ok(()), Ok(())));
}

fn poll(call: Pin<&mut impl Future<Output = bool>>) -> Poll<bool> {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn files_rotate_between_lines_and_the_oldest_goes() {
    let dir = Dir::new("rotate");
    let mut stepped = Stepped::open(&dir, RealDisk, 100, None);
    // Two lines of 40 bytes fit, a third does not; 40 bytes beyond the limit have a file of their own.
    let line = |n: usize| format!("{OURS}{n:022}\n");
    for n in 0..9 {
        assert!(stepped.told(line(n).trim()));
    }
    assert!(stepped.told(&"x".repeat(139)));
    stepped.turn();
    assert_eq!(dir.text("audit.jsonl"), format!("{}\n", "x".repeat(139)));
    assert_eq!(dir.text("audit.jsonl.1"), line(8));
    assert_eq!(dir.text("audit.jsonl.2"), line(6) + &line(7));
    assert_eq!(dir.text("audit.jsonl.3"), line(4) + &line(5));
    assert!(!dir.0.join("audit.jsonl.4").exists());
    assert_eq!(stepped.outstanding(), 0);
}

#[test]
fn a_full_disk_refuses_writes_keeps_what_was_promised_and_recovers_by_itself() {
    let dir = Dir::new("full");
    let disk = SmallDisk::new(&dir, 2 * ROOM);
    let mut stepped = Stepped::open(&dir, disk.clone(), 1 << 30, None);
    assert!(dir.has_reserve());
    // This call is under way when the disk fills up.
    stepped.audit.reserve(500_000).unwrap();
    disk.fill_up();
    assert!(stepped.told("read 1"));
    stepped.turn();
    assert!(stepped.audit.health().is_err());
    assert!(!dir.has_reserve(), "its room is what the promised lines go into");
    assert_eq!(stepped.audit.reserve(1).unwrap_err().code, "ServiceUnavailable");
    // Reads go on; the one that was promised is written, they wait.
    assert!(stepped.told("read 2"));
    let large = "w".repeat(499_999);
    assert!(stepped.audit.append(format!("{large}\n"), 500_000));
    stepped.turn();
    assert_eq!(dir.lines(), std::slice::from_ref(&large));
    assert_eq!(stepped.audit.reserve(1).unwrap_err().code, "ServiceUnavailable");
    // Room for some lines is not yet room to promise anything.
    disk.resize(disk.used() + ROOM / 2);
    stepped.turn();
    assert!(stepped.audit.reserve(1).is_err());
    disk.resize(2 * ROOM + SLACK);
    stepped.turn();
    assert_eq!(stepped.audit.health(), Ok(()));
    assert!(dir.has_reserve());
    stepped.relied_on("write");
    stepped.turn();
    assert_eq!(dir.lines(), [large, "read 1".into(), "read 2".into(), "write".into()]);
    assert_eq!(stepped.outstanding(), 0);
}

#[test]
fn all_that_can_be_promised_fits_where_the_reserve_was() {
    let dir = Dir::new("promised");
    let disk = SmallDisk::new(&dir, 2 * ROOM);
    let mut stepped = Stepped::open(&dir, disk.clone(), 1 << 30, None);
    const LINE: u64 = 256 * 1024;
    let mut promised = 0;
    while stepped.audit.reserve(LINE).is_ok() {
        promised += 1;
    }
    assert_eq!(promised, (ROOM - ROOM_OF_OPERATOR) / LINE);
    // Whatever calls have promised, the operator's line has its room.
    while stepped.audit.reserve_for_operator(LINE).is_ok() {
        promised += 1;
    }
    assert_eq!(promised, ROOM / LINE);
    assert!(!stepped.told("no room is left for a line that nobody relies on"));
    disk.fill_up();
    let line = format!("{}\n", "p".repeat(usize::try_from(LINE).unwrap() - 1));
    for _ in 0..promised {
        assert!(stepped.audit.append(line.clone(), LINE));
    }
    stepped.turn();
    assert_eq!(dir.lines().len() as u64, promised);
    assert_eq!(stepped.outstanding(), 0);
    assert!(stepped.audit.reserve(LINE).is_err(), "and no more is promised after that");
}

#[test]
fn a_line_that_did_not_fit_is_neither_torn_nor_repeated() {
    let dir = Dir::new("torn");
    let (disk, echo) = (SmallDisk::new(&dir, 2 * ROOM), Echo::default());
    let mut stepped = Stepped::open(&dir, disk.clone(), 1 << 30, Some(echo.clone()));
    assert!(stepped.told("first"));
    stepped.turn();
    // Room for half of the next line only, not even in the place of the reserve.
    std::fs::remove_file(dir.0.join("audit.jsonl.reserve")).unwrap();
    disk.resize(disk.used() + 3);
    stepped.relied_on("second");
    stepped.turn();
    assert_eq!(dir.text("audit.jsonl"), "first\n");
    stepped.turn();
    disk.resize(2 * ROOM);
    stepped.turn();
    assert_eq!(dir.lines(), ["first", "second"]);
    stepped.writer.end();
    assert_eq!(*echo.0.lock().unwrap(), b"first\nsecond\n");
}

#[test]
fn a_line_torn_by_a_crash_is_cut_off_at_the_next_start() {
    let dir = Dir::new("crash");
    std::fs::write(dir.0.join("audit.jsonl"), format!("{OURS}1\"}}\n{{\"eventVer")).unwrap();
    let mut stepped = Stepped::open(&dir, RealDisk, 1 << 20, None);
    assert!(stepped.told("next"));
    stepped.turn();
    assert_eq!(dir.lines(), [format!("{OURS}1\"}}"), "next".into()]);
}

#[test]
fn a_server_starts_on_a_full_disk_for_reads_only() {
    let dir = Dir::new("start");
    let disk = SmallDisk::new(&dir, 1000);
    let mut stepped = Stepped::open(&dir, disk.clone(), 1 << 20, None);
    assert!(stepped.audit.health().is_err());
    assert!(!dir.has_reserve(), "half a reserve would only be in the way");
    assert!(stepped.audit.reserve(1).is_err());
    assert!(stepped.told("read"));
    disk.resize(2 * ROOM);
    stepped.turn();
    assert_eq!(stepped.audit.health(), Ok(()));
    assert_eq!(dir.lines(), ["read"]);
}

#[test]
fn a_file_that_is_moved_removed_or_cut_by_another_program_is_begun_anew() {
    let dir = Dir::new("moved");
    let mut stepped = Stepped::open(&dir, RealDisk, 1 << 20, None);
    let audit = dir.0.join("audit.jsonl");
    let mut told = |text: &str| {
        assert!(stepped.told(text));
        stepped.turn();
    };
    told("first");
    std::fs::rename(&audit, dir.0.join("old")).unwrap();
    told("second");
    assert_eq!((dir.text("old").as_str(), dir.lines()), ("first\n", vec!["second".to_owned()]));
    std::fs::remove_file(&audit).unwrap();
    told("third");
    assert_eq!(dir.lines(), ["third"]);
    File::options().write(true).open(&audit).unwrap().set_len(0).unwrap();
    told("fourth");
    assert_eq!(dir.text("audit.jsonl"), "fourth\n");
}

#[test]
fn a_full_disk_is_not_filled_and_emptied_again_for_every_line() {
    let dir = Dir::new("patient");
    let disk = SmallDisk::new(&dir, 1000);
    let settings = settings(dir.0.path(), 1 << 20);
    let writes = Arc::new(AtomicU64::new(0));
    let counted = Counted { disk, writes: writes.clone() };
    let (audit, mut writer, queue) =
        AuditFile::parts(settings, Box::new(counted), None, Duration::from_secs(3600)).unwrap();
    let after_start = writes.load(Ordering::SeqCst);
    assert!(after_start > 0, "it was tried once");
    for _ in 0..10 {
        assert!(audit.append("read\n".into(), 0));
        assert!(writer.turn(&queue));
    }
    assert_eq!(writes.load(Ordering::SeqCst), after_start);
}

/// A disk that counts what is tried on it.
struct Counted {
    disk: SmallDisk,
    writes: Arc<AtomicU64>,
}

impl Disk for Counted {
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.disk.write(file, bytes)
    }
}
