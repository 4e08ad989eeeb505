//! The operator's door: a Unix socket in the data directory, for whoever owns that directory.
//!
//! One JSON object per line in each direction. It makes, lists and closes accounts, gives an account's root a new key,
//! rotates the keyring and the master key, lists and ends sessions, says what a token says and makes backups, all while the server runs; it
//! never answers with key material (a root key goes to a file beside it), and with no other secret than the code of a sign-in,
//! which is good once and for ten minutes. Only the server's own user, or root, may connect: the socket is 0600 in a 0700 directory, and the peer's
//! uid is checked as well.

mod messages;
mod sessions;

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use daypass_authn::token::{KeyringKey, KeyringKeys};
use daypass_directory::{NotCommitted, NotRotated, Rotation};
use daypass_model::{AccountId, Authority, rfc3339_seconds};
use daypass_service::House;
use daypass_service::doors::{ROOT_CODE_SECONDS, SIGN_IN_ROOT_PATH, root_code};
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use crate::accept::Entrance;
use crate::accounts::{Opened, open_account, random_account};
use crate::assemble::Assembled;
use crate::closing;
use crate::data_dir::{KeySource, names};
use crate::failure::Failure;
use crate::root_credentials::KeyFile;
use crate::{master_rotation, preflight, root_key};

pub(crate) use messages::{Answer, Ask, Hidden, Key, WebIdentityKey};
pub(crate) use sessions::{Ended, Listed, Wanted};

/// Longest request.
const LINE_BYTES_MAX: u64 = 16 * 1024;
/// Longest answer: the numbers of a million accounts. Root asks in directories of others, too.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How long a peer may take to send its request, and to take the answer.
const LINE_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a server may keep an operator waiting. It answers sooner even where its disk does not.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);
/// Connections at once.
const CONNECTIONS_MAX: usize = 16;

/// The open door; closes (and its socket goes) when dropped.
#[derive(Debug)]
pub(crate) struct Door {
    path: PathBuf,
    /// Device and number of the socket.
    socket: (u64, u64),
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
        // Where the data directory was moved away, another server's may be there by now.
        if std::fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.socket)
        {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// What a conversation needs.
struct Host {
    house: Arc<House>,
    data: PathBuf,
    /// The audit's file.
    audit: PathBuf,
    key_source: KeySource,
    /// Held while the master key is rotated.
    rotation: tokio::sync::Mutex<()>,
    /// Hears of the file of every root key made.
    made: UnboundedSender<KeyFile>,
}

/// Open the door. Only the holder of the data directory's lock gets here, so an old socket is a dead one's.
///
/// # Errors
/// The socket cannot be made.
pub(crate) fn open(assembled: &Assembled, made: UnboundedSender<KeyFile>) -> Result<Door, Failure> {
    let path = assembled.data.file(names::OPERATOR_SOCKET);
    let failed = |error: std::io::Error| {
        Failure::disk(&format!("the operator's socket `{}` cannot be made", path.display()), &error)
    };
    match std::fs::symlink_metadata(&path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(&path).map_err(failed)?,
        Ok(_) => return Err(Failure::new(format!("`{}` is not a socket; remove it", path.display()))),
        Err(_) => {}
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let found = std::fs::metadata(&path).map_err(failed)?;
    let (owner, socket) = (found.uid(), (found.dev(), found.ino()));
    let (house, data) = (assembled.house.clone(), assembled.data.path().to_owned());
    let audit = assembled.audit.path().to_owned();
    let (key_source, rotation) = (assembled.key_source.clone(), tokio::sync::Mutex::default());
    let host = Arc::new(Host { house, data, audit, key_source, rotation, made });
    let mut entrance = Entrance::new("operator", listener, CONNECTIONS_MAX);
    let task = tokio::spawn(async move {
        loop {
            let (stream, place) = entrance.next().await;
            let peer = stream.peer_cred().map(|cred| cred.uid());
            if peer.is_ok_and(|uid| uid == owner || uid == 0) {
                let conversation = converse(host.clone(), stream);
                tokio::spawn(async move {
                    conversation.await;
                    drop(place);
                });
            }
        }
    });
    Ok(Door { path, socket, task })
}

/// Ask the server that holds a data directory. What reads or writes the whole store takes as long as it takes, if only
/// the server answers other questions meanwhile.
///
/// # Errors
/// No server answers there, or not in time.
pub(crate) async fn ask(data: &Path, ask: &Ask) -> Result<Answer, Failure> {
    let mut answer = pin!(converse_with(data, ask));
    loop {
        match timeout(ANSWER_TIME_MAX, &mut answer).await {
            Ok(answer) => return answer,
            Err(_) if takes_long(ask) && is_awake(data).await => {}
            Err(_) => return Err(silent(data)),
        }
    }
}

fn takes_long(ask: &Ask) -> bool {
    matches!(ask, Ask::Backup { .. } | Ask::MasterKeyRotate { .. })
}

async fn is_awake(data: &Path) -> bool {
    matches!(timeout(ANSWER_TIME_MAX, converse_with(data, &Ask::KeyList)).await, Ok(Ok(_)))
}

fn silent(data: &Path) -> Failure {
    Failure::new(format!(
        "the server took the question at `{}` and has not answered for {} seconds; it may still do what was asked: look at its /readyz, its log and the state of its process",
        data.join(names::OPERATOR_SOCKET).display(),
        ANSWER_TIME_MAX.as_secs()
    ))
}

async fn converse_with(data: &Path, ask: &Ask) -> Result<Answer, Failure> {
    let path = data.join(names::OPERATOR_SOCKET);
    let failed = |error: std::io::Error| unanswered(data, &path, &error);
    let mut stream = UnixStream::connect(&path).await.map_err(failed)?;
    let line = serde_json::to_string(ask).map_err(|error| Failure::new(error.to_string()))?;
    stream.write_all(format!("{line}\n").as_bytes()).await.map_err(failed)?;
    let mut answer = String::new();
    let read = BufReader::new(stream.take(ANSWER_BYTES_MAX)).read_line(&mut answer).await;
    match read {
        Ok(bytes) if !answer.ends_with('\n') && (bytes as u64) < ANSWER_BYTES_MAX => Err(broken_off(&path)),
        Ok(_) => serde_json::from_str(&answer).map_err(|_| unreadable()),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(unreadable()),
        Err(_) => Err(broken_off(&path)),
    }
}

/// Between the question and the whole of the answer.
fn broken_off(socket: &Path) -> Failure {
    Failure::new(format!(
        "the server at `{}` ended before it had answered; what was asked may have been done, or not: start it again, and look before you ask once more (a backup's file, `keys list`, `account list`, `sessions list`, the audit)",
        socket.display()
    ))
}

/// Why nobody answers: what is another user's looks the same whether a server runs or not.
fn unanswered(data: &Path, socket: &Path, error: &std::io::Error) -> Failure {
    let socket_shown = socket.display();
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        // Whoever may not enter the directory sees at least whose that is.
        let owner = [socket, data].iter().find_map(|path| path.metadata().ok()).map(|found| found.uid());
        let owner = owner.map_or_else(String::new, |uid| format!(", which is uid {uid}"));
        return Failure::new(format!(
            "`{socket_shown}` may be opened by its owner and by root only: run this as the server's user{owner}"
        ));
    }
    Failure::new(format!(
        "no daypass answers at `{socket_shown}` ({error}): name the directory of the server that runs, with --data or DAYPASS_DATA; if none runs, start `daypass serve --data {}` first",
        data.display()
    ))
}

fn unreadable() -> Failure {
    Failure::new("the server's answer could not be read; is it another version?")
}

async fn converse(host: Arc<Host>, stream: UnixStream) {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(LINE_BYTES_MAX));
    let read = timeout(LINE_TIME_MAX, reader.read_line(&mut line)).await;
    let answer = match read.ok().and_then(Result::ok).and_then(|_| serde_json::from_str(&line).ok()) {
        Some(ask) => {
            let asked = format!("{ask:?}");
            tracing::info!(ask = asked, "the operator asks");
            let answer = act(&host, ask).await;
            if let Answer::Refused { why } = &answer {
                tracing::error!(ask = asked, %why, "what the operator asked for was not done");
            }
            answer
        }
        None => Answer::Refused { why: "the request could not be read".into() },
    };
    let line = serde_json::to_string(&answer).unwrap_or_default();
    let written = timeout(LINE_TIME_MAX, writer.write_all(format!("{line}\n").as_bytes())).await;
    if !matches!(written, Ok(Ok(()))) {
        tracing::debug!("the operator hung up before the answer");
    }
}

async fn act(host: &Host, ask: Ask) -> Answer {
    let house = &host.house;
    let id = daypass_model::uuid(house.directory.random());
    let Some(name) = ask.audited_as() else {
        return perform(host, ask, &id).await.map_or_else(refused, |(_, answer)| answer);
    };
    if let Err(error) = house.audit.reserve_operator() {
        return Answer::Refused { why: error.message };
    }
    let done = perform(host, ask, &id).await;
    let why = done.as_ref().err().map(ToString::to_string).unwrap_or_default();
    let told = done.as_ref().map(|(told, _)| told.as_str()).map_err(|_| why.as_str());
    house.audit.operator(&id, house.now(), name, told).await;
    done.map_or_else(refused, |(_, answer)| answer)
}

/// What the audit is told of it, and the answer.
async fn perform(host: &Host, ask: Ask, id: &str) -> Result<(String, Answer), Failure> {
    let house = &host.house;
    Ok(match ask {
        Ask::AccountList => {
            let ids = house.directory.snapshot().account_ids();
            let account_ids = ids.iter().map(ToString::to_string).collect();
            (String::new(), Answer::Accounts { account_ids })
        }
        Ask::AccountCreate { account_id } => {
            let (account_id, credentials) = create(host, account_id, id).await?;
            (account_id.clone(), Answer::AccountCreated { account_id, credentials })
        }
        Ask::AccountRootKey { account_id, replace } => {
            let made = root_key::make(house, &host.data, &account_id, replace, id).await?;
            let others = if replace { ", in the place of all others" } else { "" };
            let told = format!("{account_id}: {}{others}", made.key);
            let (access_key_id, credentials) = (made.key.to_string(), made.path.clone());
            drop(host.made.send(made));
            (told, Answer::RootKeyMade { access_key_id, credentials })
        }
        Ask::AccountSignIn { account_id } => sign_in(house, &account_id)?,
        Ask::AccountClose { account_id, confirm } => {
            let told = closing::close(house, &account_id, confirm.as_deref(), id).await?;
            (told, Answer::AccountClosed { account_id })
        }
        Ask::KeyList => (String::new(), all_keys(house)),
        Ask::KeyRotate { compromised } => {
            let rotation = if compromised { Rotation::Compromised } else { Rotation::Ordinary };
            rotate_keyring(house, id, rotation).await.map_err(not_rotated)?;
            let ended = if compromised { ", every session ended" } else { "" };
            let keys = keys(house);
            let active = keys.iter().find(|key| key.role == "active").map_or(0, |key| key.id);
            (format!("active: {active}{ended}"), all_keys(house))
        }
        Ask::MasterKeyRotate { new_key_file } => {
            let Ok(_one) = host.rotation.try_lock() else {
                return Err(Failure::new("the master key is being rotated already; wait for that to end"));
            };
            let rotated =
                master_rotation::rotate(house, &host.data, &host.key_source, new_key_file, id).await?;
            (
                rotated.told(),
                Answer::MasterKeyRotated {
                    kept: rotated.kept,
                    put: rotated.put,
                    is_earlier: rotated.is_earlier,
                },
            )
        }
        Ask::SessionList { wanted } => (String::new(), sessions::list(house, &wanted).await?),
        Ask::SessionRevoke { ended } => sessions::revoke(house, &ended, id).await?,
        Ask::TokenInspect { access_key_id, token } => {
            (String::new(), sessions::inspect(house, &access_key_id, &token)?)
        }
        Ask::Backup { file } => {
            let revision = back_up(host, &file).await?;
            (format!("revision {revision}: {}", file.display()), Answer::BackedUp { revision })
        }
    })
}

/// A code for root of an account.
fn sign_in(house: &House, account_id: &str) -> Result<(String, Answer), Failure> {
    let id: AccountId =
        account_id.parse().map_err(|error| Failure::new(format!("--account-id {account_id}: {error}")))?;
    if !house.directory.snapshot().is_account(id) {
        return Err(Failure::new(format!("there is no account {id}")));
    }
    let code = root_code(house, id).map_err(|error| Failure::new(error.to_string()))?;
    let base = house.settings.public_authority.as_ref().map(Authority::url).unwrap_or_default();
    let (address, code) = (format!("{base}{SIGN_IN_ROOT_PATH}"), Hidden(code.expose_str().to_owned()));
    Ok((id.to_string(), Answer::SignInCode { address, code, minutes: ROOT_CODE_SECONDS / 60 }))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what is done with an error")]
fn refused(failure: Failure) -> Answer {
    Answer::Refused { why: failure.to_string() }
}

fn keys(house: &House) -> Vec<Key> {
    let KeyringKeys { previous, active, next } = house.directory.snapshot().keyring().keys();
    let roles = [("previous", previous), ("active", Some(active)), ("next", Some(next))];
    let key = |(role, key): (&str, Option<KeyringKey>)| {
        let KeyringKey { id, created, .. } = key?;
        let created = rfc3339_seconds(Timestamp::from_second(created).unwrap_or_default());
        Some(Key { role: role.to_owned(), id, created })
    };
    roles.into_iter().filter_map(key).collect()
}

fn all_keys(house: &House) -> Answer {
    let view = house.directory.snapshot();
    let listed = view.web_identity_keys().into_iter().flat_map(|keys| keys.listed());
    let key = |(role, created, kids): (&str, i64, [&str; 2])| WebIdentityKey {
        role: role.to_owned(),
        kids: kids.map(str::to_owned),
        created: rfc3339_seconds(Timestamp::from_second(created).unwrap_or_default()),
    };
    Answer::Keys { keys: keys(house), web_identity: listed.map(key).collect() }
}

/// Whoever replaces every key is not kept from it by another write to the same record.
async fn rotate_keyring(house: &House, id: &str, rotation: Rotation) -> Result<(), NotRotated> {
    let mut tries = 0;
    loop {
        match house.directory.rotate_keyring(id, rotation).await {
            Err(NotRotated::NotCommitted(NotCommitted::Conflict))
                if rotation == Rotation::Compromised && tries < 50 =>
            {
                tries += 1;
            }
            rotated => return rotated,
        }
    }
}

fn not_rotated(error: NotRotated) -> Failure {
    match error {
        NotRotated::TooEarly(_) => Failure::new(format!(
            "{error}: rotate then, or say --compromised if somebody may have a copy of the keyring, which ends every session"
        )),
        NotRotated::NotCommitted(error @ NotCommitted::Unknown(_)) => {
            Failure::new(format!("{error}; it may have been rotated: look with `daypass keys list`"))
        }
        NotRotated::NotCommitted(error) => Failure::new(format!("the keyring was not rotated: {error}")),
    }
}

async fn back_up(host: &Host, file: &Path) -> Result<u64, Failure> {
    if !file.is_absolute() {
        return Err(Failure::new(format!("`{}` is not an absolute path", file.display())));
    }
    // Under a name of ours it would be taken for what has that name.
    if preflight::is_of_directory(&host.data, file) {
        return Err(Failure::new(format!(
            "`{}` is a name of the data directory's own; name another file",
            file.display()
        )));
    }
    if preflight::is_of_audit(&host.audit, file) {
        return Err(Failure::new(format!(
            "`{}` is a name of the audit's files; name another file",
            file.display()
        )));
    }
    let copied = host.house.directory.backup(file).await;
    copied.map(daypass_store::Revision::get).map_err(|error| Failure::new(error.to_string()))
}

async fn create(
    host: &Host,
    account_id: Option<String>,
    request_id: &str,
) -> Result<(String, PathBuf), Failure> {
    let house = &host.house;
    let account: AccountId = match account_id {
        Some(text) => text.parse().map_err(|error| Failure::new(format!("--account-id {text}: {error}")))?,
        None => random_account(house.directory.random())?,
    };
    if house.directory.snapshot().operator().account(account).is_some() {
        return Err(Failure::new(format!("there is an account {account} already")));
    }
    if house.directory.snapshot().operator().is_closed(account) {
        return Err(Failure::new(format!(
            "the account {account} was closed, and its number is nobody's again; give another"
        )));
    }
    let file = host.data.join(names::root_credentials_of(account));
    let Opened { access_key_id: key, credentials, .. } =
        open_account(&house.directory, account, file, request_id).await?;
    // Only now: before, it would be taken for a file that opens nothing.
    drop(host.made.send(KeyFile { path: credentials.clone(), key }));
    Ok((account.to_string(), credentials))
}

#[cfg(test)]
mod tests;
