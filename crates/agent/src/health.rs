//! How the agent is, for whoever is on call: nothing secret, and 503 where programs get nothing. What it tells of the machine
//! is metadata: who may not have that hears one word.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::{Answer, json};
use crate::credentials::time;
use crate::machine::Machine;
use crate::shelf::Shown;

/// `GET /healthz`; `whole` for those who may ask for metadata.
pub(crate) async fn health(machine: &Arc<Machine>, whole: bool) -> Answer {
    let (status, mut told) = look(machine).await;
    if !whole {
        told = json!({"status": told.get("status")});
    }
    json(status, &told)
}

async fn look(machine: &Arc<Machine>) -> (StatusCode, Value) {
    if !machine.has_joined() {
        return (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "waiting to join"}));
    }
    let facts = match machine.facts().await {
        Shown::Good(facts, away) => {
            let Some(role) = facts.role() else {
                let told = json!({"status": "no role", "machine": {"instance": facts.instance_id}});
                return (StatusCode::SERVICE_UNAVAILABLE, told);
            };
            json!({"instance": facts.instance_id, "role": role, "server_away_since": away.map(time)})
        }
        Shown::Refused(refusal) => {
            let told = json!({"status": "refused", "code": refusal.code, "message": refusal.message});
            return (StatusCode::SERVICE_UNAVAILABLE, told);
        }
        Shown::Nothing => {
            return (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "the server does not answer"}));
        }
    };
    let (status, credentials) = match machine.at_hand() {
        Shown::Good(credentials, away) => {
            let is_over = credentials.expires_at <= machine.world.now();
            let status = if is_over { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
            let expires = time(credentials.expires_at);
            (status, json!({"expires": expires, "expired": is_over, "server_away_since": away.map(time)}))
        }
        Shown::Refused(refusal) => {
            let told = json!({"refused": refusal.code, "message": refusal.message});
            (StatusCode::SERVICE_UNAVAILABLE, told)
        }
        // A machine without a profile, or one that nobody has asked yet.
        Shown::Nothing => (StatusCode::OK, json!(null)),
    };
    let word = if status == StatusCode::OK { "ok" } else { "failing" };
    (status, json!({"status": word, "machine": facts, "credentials": credentials}))
}
