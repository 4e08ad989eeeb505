//! Credentials of tasks, as containers of ECS ask for them: one path for each task, with the task's token. The server says
//! whose token it is; what it gave is kept for whoever has that token, and for nobody else.
//!
//! Source: Amazon ECS Developer Guide, "Task IAM role"; AWS SDKs and Tools Reference Guide, "Container credential provider".

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};

use crate::answer::{Answer, json, problem};
use crate::credentials::Credentials;
use crate::machine::Machine;
use crate::place::Place;
use crate::rations::{Asker, Who};
use crate::shelf::Shown;
use crate::shelves::{Shelves, TOO_MANY};

const TOKEN_BYTES_MAX: usize = 256;
const TASK_BYTES_MAX: usize = 64;

/// Credentials of the tasks of one machine.
pub(crate) struct Tasks {
    machine: Arc<Machine>,
    shelves: Shelves<Credentials>,
}

impl Tasks {
    pub(crate) fn new(machine: Arc<Machine>) -> Self {
        Self { machine, shelves: Shelves::default() }
    }

    /// `GET` of the credentials of a task, from this place.
    pub(crate) async fn get(&self, task: &str, headers: &HeaderMap, place: Place) -> Answer {
        let mut tokens = headers.get_all(AUTHORIZATION).iter();
        let token = tokens.next().filter(|_| tokens.next().is_none()).and_then(|token| token.to_str().ok());
        let token = token.filter(|token| !token.is_empty() && token.len() <= TOKEN_BYTES_MAX);
        let is_id = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        let is_task = (1..=TASK_BYTES_MAX).contains(&task.len()) && task.bytes().all(is_id);
        let (true, Some(token)) = (is_task, token) else { return denied() };
        let (machine, of_task, with) = (self.machine.clone(), task.to_owned(), token.to_owned());
        let fetch = move || async move { machine.of_task(&of_task, &with).await };
        let asker = Asker { who: Who::Task(task.to_owned()), place };
        let shown = self.shelves.get(&self.machine.world, asker, token, fetch).await;
        match shown {
            Shown::Good(credentials, _) => json(StatusCode::OK, &credentials.of_container()),
            Shown::Refused(refusal) if refusal.code == "AccessDenied" => {
                problem(StatusCode::FORBIDDEN, "AccessDenied", &refusal.message)
            }
            Shown::Refused(refusal) if refusal.code == TOO_MANY => {
                problem(StatusCode::TOO_MANY_REQUESTS, TOO_MANY, &refusal.message)
            }
            Shown::Refused(_) => denied(),
            Shown::Nothing => {
                problem(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "The server does not answer.")
            }
        }
    }
}

/// The same whether there is such a task or not.
fn denied() -> Answer {
    let message = "The task is not known here, or the authorization token is not that of the task.";
    problem(StatusCode::UNAUTHORIZED, "InvalidAuthorizationToken", message)
}
