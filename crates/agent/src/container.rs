//! Credentials of tasks, as containers of ECS ask for them: one path for each task, with the task's token. The server says
//! whose token it is; what it gave is kept for whoever has that token, and for nobody else.
//!
//! Source: Amazon ECS Developer Guide, "Task IAM role"; AWS SDKs and Tools Reference Guide, "Container credential provider".

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::answer::{Answer, json, problem};
use crate::credentials::Credentials;
use crate::machine::Machine;
use crate::shelf::{Shelf, Shown};

/// Tasks, and tokens that are none, that are known at once. The next one takes the place of what was asked for longest ago.
const TASKS_MAX: usize = 256;
const TOKEN_BYTES_MAX: usize = 256;
const TASK_BYTES_MAX: usize = 64;

/// Credentials of the tasks of one machine.
pub(crate) struct Tasks {
    machine: Arc<Machine>,
    known: Mutex<Known>,
}

/// A task, and the SHA-256 of a token.
type Claim = (String, [u8; 32]);

#[derive(Default)]
struct Known {
    /// With the number of the last request for it.
    shelves: BTreeMap<Claim, (Arc<Shelf<Credentials>>, u64)>,
    requests: u64,
}

impl Tasks {
    pub(crate) fn new(machine: Arc<Machine>) -> Self {
        Self { machine, known: Mutex::default() }
    }

    /// `GET` of the credentials of a task.
    pub(crate) async fn get(&self, task: &str, headers: &HeaderMap) -> Answer {
        let mut tokens = headers.get_all(AUTHORIZATION).iter();
        let token = tokens.next().filter(|_| tokens.next().is_none()).and_then(|token| token.to_str().ok());
        let token = token.filter(|token| !token.is_empty() && token.len() <= TOKEN_BYTES_MAX);
        let is_id = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        let is_task = (1..=TASK_BYTES_MAX).contains(&task.len()) && task.bytes().all(is_id);
        let (true, Some(token)) = (is_task, token) else { return denied() };
        let shelf = self.shelf((task.to_owned(), Sha256::digest(token).into()));
        let (machine, task, token) = (self.machine.clone(), task.to_owned(), token.to_owned());
        let shown =
            shelf.get(&self.machine.world, move || async move { machine.of_task(&task, &token).await }).await;
        match shown {
            Shown::Good(credentials, _) => json(StatusCode::OK, &credentials.of_container()),
            Shown::Refused(refusal) if refusal.code == "AccessDenied" => {
                problem(StatusCode::FORBIDDEN, "AccessDenied", &refusal.message)
            }
            Shown::Refused(_) => denied(),
            Shown::Nothing => {
                problem(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "The server does not answer.")
            }
        }
    }

    fn shelf(&self, claim: Claim) -> Arc<Shelf<Credentials>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.requests += 1;
        let request = known.requests;
        if !known.shelves.contains_key(&claim) && known.shelves.len() >= TASKS_MAX {
            known.make_room();
        }
        let name = format!("credentials of task {}", claim.0);
        let found = known.shelves.entry(claim).or_insert_with(|| (Shelf::new(name), request));
        found.1 = request;
        found.0.clone()
    }
}

impl Known {
    /// Whoever guesses tokens takes no room from those who have one.
    fn make_room(&mut self) {
        let oldest = |good: bool| {
            let shelves = self.shelves.iter();
            let of_kind = shelves.filter(|(_, (shelf, _))| matches!(shelf.shown(), Shown::Good(..)) == good);
            of_kind.min_by_key(|(_, (_, request))| *request).map(|(claim, _)| claim.clone())
        };
        if let Some(claim) = oldest(false).or_else(|| oldest(true)) {
            self.shelves.remove(&claim);
        }
    }
}

/// The same whether there is such a task or not.
fn denied() -> Answer {
    let message = "The task is not known here, or the authorization token is not that of the task.";
    problem(StatusCode::UNAUTHORIZED, "InvalidAuthorizationToken", message)
}
