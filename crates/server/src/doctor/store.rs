//! The store: of a server that runs, by asking it; otherwise by reading the file, which is left as it is.

use daypass_directory::{is_of_master, key};
use daypass_model::Authority;
use daypass_store::{DirLock, Holding, LockError, OpenError, SqliteStore};

use super::probe::{Trust, ask};
use super::{Finding, Patient};
use crate::banner::{shell_word, url_for_clients};
use crate::data_dir::{KeySource, find_master_key, find_next_key, names};
use crate::failure::Failure;

pub(super) fn findings(patient: &Patient) -> Vec<Finding> {
    let data = &patient.config.data;
    let file = data.join(names::STORE);
    if !data.is_dir() {
        return Vec::new();
    }
    // Held while the file is read, so that no server starts meanwhile.
    let _lock = match DirLock::acquire(data) {
        Ok(lock) => lock,
        Err(LockError::Held { .. }) => return vec![running(patient)],
        Err(error) => return vec![Finding::problem("store", error.to_string(), "id")],
    };
    if !file.exists() {
        return vec![absent(patient)];
    }
    let config = &patient.config;
    let master = match find_master_key(data, config.master_key.as_ref(), config.master_key_file.as_deref()) {
        Ok(Some(master)) => master,
        Ok(None) => return vec![absent(patient)],
        Err(failure) => return vec![no_key(&failure, patient)],
    };
    // What a rotation that was cut short left: the next start puts it in its place.
    let next = if config.key_source() == KeySource::Own { find_next_key(data).ok().flatten() } else { None };
    let ours = |check: &[u8]| {
        [Some(&master), next.as_ref()].into_iter().flatten().any(|key| is_of_master(key, check))
    };
    let holding = Holding { prefix: key::ACCOUNTS, known: Some((key::MASTER_KEY_CHECK, &ours)) };
    vec![match SqliteStore::examine(&file, holding) {
        Ok(revision) => {
            Finding::ok("store", format!("whole, at revision {revision}, sealed with this master key"))
        }
        Err(OpenError::Unknown { .. }) => Finding::problem(
            "store",
            format!("`{}` was sealed with another master key", file.display()),
            "daypass serve --master-key-file FILE",
        ),
        Err(error @ (OpenError::Corrupt { .. } | OpenError::Lost { .. })) => Finding::problem(
            "store",
            error.to_string(),
            format!("daypass restore BACKUP --data {}.new", shell_word(&data.to_string_lossy())),
        ),
        Err(error) => Finding::problem("store", error.to_string(), "daypass --version"),
    }]
}

fn absent(patient: &Patient) -> Finding {
    let data = &patient.config.data;
    let master = data.join(names::MASTER_KEY);
    if !master.exists() {
        return Finding::ok("store", "there is none: the first start makes it");
    }
    Finding::problem(
        "store",
        format!("`{}` is there and no store", master.display()),
        format!("daypass restore BACKUP --data {}", shell_word(&data.to_string_lossy())),
    )
}

fn no_key(failure: &Failure, patient: &Patient) -> Finding {
    let place = patient.config.data.join(names::MASTER_KEY);
    let paste = format!("install -m 600 MASTER_KEY {}", shell_word(&place.to_string_lossy()));
    Finding::problem("store", failure.to_string(), paste)
}

/// What the server that runs says on its admin listener.
fn running(patient: &Patient) -> Finding {
    let url = url_for_clients(None, "http", patient.config.admin_listen);
    let paste = format!("curl -s {url}/readyz");
    let answer = url.parse::<Authority>().ok();
    let answer = answer.and_then(|to| ask(&to, "/readyz", &format!("host: {to}\r\n"), &Trust::Anybody).ok());
    match answer {
        Some(answer) if answer.status() == 200 => {
            Finding::ok("store", format!("a server runs on it: {}", answer.body.trim().replace('\n', "; ")))
        }
        Some(answer) if answer.status() == 503 => Finding::problem(
            "store",
            format!("the server that runs on it is not ready: {}", answer.body.trim().replace('\n', "; ")),
            paste,
        ),
        _ => Finding::warning(
            "store",
            format!("a server runs on it, and does not answer at {url}/readyz"),
            paste,
        ),
    }
}
