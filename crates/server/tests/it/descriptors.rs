//! How many files the server may open, and what it says when that is few.

use daypass_server::http::CONNECTIONS_MAX;

use crate::binary::{Scratch, Server, daypass_after};
use crate::client::Client;
use crate::command_line::{SERVE, one_line};

/// The soft and the hard bound of open files of a server that a call has reached, which it raises before.
fn bounds(server: &Server, data: &std::path::Path) -> [u64; 2] {
    let root = Client::root(server, data);
    assert_eq!(root.call("sts", "Action=GetCallerIdentity&Version=2011-06-15").0, 200);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let mut numbers = line.split_whitespace().map(|number| number.parse().unwrap_or(u64::MAX));
    [(); 2].map(|()| numbers.next().unwrap())
}

#[test]
fn a_low_soft_bound_of_open_files_is_raised() {
    let dir = Scratch::new("soft");
    let data = dir.join("data");
    let server = Server::start_with(daypass_after(dir.path(), "ulimit -S -n 128").arg("serve"), &data);
    let [soft, hard] = bounds(&server, &data);
    let wanted = u64::try_from(CONNECTIONS_MAX).unwrap();
    assert!(hard > wanted, "this machine's hard bound of {hard} is too low for the test");
    assert!(soft > wanted, "{soft}");
    let (_, log) = server.stop();
    assert!(!log.contains(" WARN "), "{log}");
}

#[test]
fn a_low_hard_bound_is_used_to_the_full_and_warned_of() {
    let dir = Scratch::new("hard");
    let data = dir.join("data");
    // -H alone would leave the soft bound above it; both, and then the soft one lower.
    let script = "ulimit -n 300; ulimit -S -n 128";
    let server = Server::start_with(daypass_after(dir.path(), script).arg("serve"), &data);
    assert_eq!(bounds(&server, &data), [300, 300]);
    let (_, log) = server.stop();
    let warned: Vec<_> = log.lines().filter(|line| line.contains(" WARN ")).collect();
    let [line] = warned[..] else { panic!("{log}") };
    assert!(line.contains("few files may be open") && line.contains("descriptors=300"), "{line}");
}

#[test]
fn a_bound_too_low_to_start_is_named_with_what_is_needed_and_the_lowest_one_does() {
    let dir = Scratch::new("lowest");
    for bound in [20, 63] {
        let refused = daypass_after(dir.path(), &format!("ulimit -n {bound}")).args(SERVE).output().unwrap();
        let line = one_line(&refused);
        let told = format!("only {bound} files may be open, and a server needs 64 at least: raise");
        assert!(line.contains(&told) && line.contains("LimitNOFILE="), "{line}");
        assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "nothing was made");
    }
    let data = dir.join("data");
    let server = Server::start_with(daypass_after(dir.path(), "ulimit -n 64").arg("serve"), &data);
    assert_eq!(bounds(&server, &data), [64, 64]);
    assert!(server.admin("/readyz").contains("200 OK"));
    server.stop();
}
