//! A daypass that says what a test wants it to, and holds every proof against the key that joined.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use daypass_authn::machine::{MachineProof, MachinePublicKey, Purpose};
use daypass_model::Clock;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::INSTANCE;

/// What the server holds, and what it was asked.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    key: Option<MachinePublicKey>,
    secret: String,
    role: Option<String>,
    /// How often it was made again.
    role_made: u32,
    /// How many proofs it says were used before.
    seen_before: u32,
    seconds: i64,
    /// What it says to everything instead.
    trouble: Option<(u16, Value)>,
    /// What it says to those who want credentials instead.
    refusal: Option<(u16, Value)>,
    asked: Vec<(String, Value)>,
    given: u32,
    of_pods: Option<(u16, &'static str)>,
    /// The access key id of a session that was ended.
    ended: Option<String>,
}

impl Stub {
    pub(crate) async fn start(clock: Arc<dyn Clock>, secret: &str) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State {
            key: None,
            secret: secret.into(),
            role: Some("Worker".into()),
            role_made: 1,
            seen_before: 0,
            seconds: 21_600,
            trouble: None,
            refusal: None,
            asked: Vec::new(),
            given: 0,
            of_pods: None,
            ended: None,
        };
        let stub = Arc::new(Self { address: listener.local_addr().unwrap(), clock, state: state.into() });
        let serving = stub.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let stub = serving.clone();
                let service = service_fn(move |request| {
                    let stub = stub.clone();
                    async move { Ok::<_, Infallible>(stub.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        stub
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The actions that were called, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.iter().map(|(action, _)| action.clone()).collect()
    }

    pub(crate) fn params_of_last(&self, action: &str) -> Value {
        let state = self.state.lock().unwrap();
        state.asked.iter().rev().find(|(called, _)| called == action).unwrap().1.clone()
    }

    pub(crate) fn role_is(&self, role: Option<&str>) {
        self.state.lock().unwrap().role = role.map(str::to_owned);
    }

    /// The role is deleted, and another made under its name.
    pub(crate) fn role_is_made_again(&self) {
        self.state.lock().unwrap().role_made += 1;
    }

    /// As when something on the way sends a call again: of the next proofs it says that they were used before.
    pub(crate) fn saw_before(&self, proofs: u32) {
        self.state.lock().unwrap().seen_before = proofs;
    }

    pub(crate) fn credentials_live(&self, seconds: i64) {
        self.state.lock().unwrap().seconds = seconds;
    }

    /// To everything it says 503 from now on, or does not.
    pub(crate) fn is_away(&self, away: bool) {
        let told = json!({"__type": "ServiceUnavailable", "message": ""});
        self.state.lock().unwrap().trouble = away.then_some((503, told));
    }

    /// To those who want credentials it says this.
    pub(crate) fn refuses(&self, code: Option<&str>) {
        let told = |code: &str| (403, json!({"__type": code, "message": "no"}));
        self.state.lock().unwrap().refusal = code.map(told);
    }

    pub(crate) fn forgets_the_machine(&self) {
        self.state.lock().unwrap().key = None;
    }

    pub(crate) fn secret_is(&self, secret: &str) {
        let mut state = self.state.lock().unwrap();
        state.secret = secret.into();
        state.key = None;
    }

    /// Of whoever asks for a pod's role it says this, status and error; or gives it.
    pub(crate) fn pods_hear(&self, error: Option<(u16, &'static str)>) {
        self.state.lock().unwrap().of_pods = error;
    }

    /// The session with this key is revoked.
    pub(crate) fn ends(&self, access_key_id: &str) {
        self.state.lock().unwrap().ended = Some(access_key_id.to_owned());
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path().starts_with("/clusters/") {
            return self.answer_of_pods(&request);
        }
        let target = request.headers()["x-amz-target"].to_str().unwrap().to_owned();
        let action = target.strip_prefix("Daypass_20261101.").unwrap().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let (status, answer) = self.say(&action, &serde_json::from_slice(&body).unwrap());
        let mut response = Response::new(Full::new(answer.to_string().into()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response
    }

    /// AssumeRoleForPodIdentity, in REST and JSON.
    fn answer_of_pods(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        assert_eq!(request.uri().path(), "/clusters/shop/assume-role-for-pod-identity");
        let signed = request.headers()["authorization"].to_str().unwrap();
        assert!(signed.contains("/eu-central-1/eks-auth/aws4_request"), "{signed}");
        let mut state = self.state.lock().unwrap();
        state.asked.push(("AssumeRoleForPodIdentity".into(), json!({"Authorization": signed})));
        let now = self.clock.now().as_second();
        let is_over = state.ended.as_ref().is_some_and(|ended| signed.contains(ended));
        let (status, body) = match state.of_pods {
            _ if is_over => (
                400,
                json!({
                    "__type": "ExpiredTokenException",
                    "message": "The security token included in the request is expired",
                }),
            ),
            Some((status, code)) => (status, json!({"__type": code, "message": "no"})),
            None => {
                state.given += 1;
                let credentials = json!({
                    "accessKeyId": format!("ASIAPOD{:013}", state.given), "secretAccessKey": "secret",
                    "sessionToken": "token", "expiration": (now + state.seconds) as f64,
                });
                let arn = "arn:aws:sts::111122223333:assumed-role/Till/eks-shop-till-0-x";
                (
                    200,
                    json!({"credentials": credentials, "assumedRoleUser": {"arn": arn, "assumeRoleId": "x"}}),
                )
            }
        };
        let response = Response::builder().status(status).header("x-amzn-requestid", "id-1");
        response.body(Full::new(body.to_string().into())).unwrap()
    }

    fn say(&self, action: &str, params: &Value) -> (u16, Value) {
        let mut state = self.state.lock().unwrap();
        state.asked.push((action.to_owned(), params.clone()));
        if let Some(trouble) = &state.trouble {
            return trouble.clone();
        }
        let invalid = (400, json!({"__type": "InvalidIdentityToken", "message": "not this machine"}));
        let text = |name: &str| params[name].as_str().unwrap_or_default();
        let names: &[&str] = match action {
            "JoinInstance" => &["PublicKey", "JoinSecret"],
            "GetInstanceCredentials" => &["RoleDelivery"],
            "GetTaskCredentials" => &["TaskId", "AuthorizationToken"],
            _ => &[],
        };
        let of_proof: Vec<(&str, &str)> = names.iter().map(|name| (*name, text(name))).collect();
        let joins = action == "JoinInstance";
        let key = if joins { MachinePublicKey::parse(text("PublicKey")) } else { state.key.clone() };
        let Some(key) = key else { return invalid };
        let purpose = Purpose { instance: INSTANCE, action, params: &of_proof };
        let now = self.clock.now().as_second();
        let proof = MachineProof::verify(text("Proof"), &key, &purpose, now);
        if proof.map(|proof| proof.server) != Ok(self.url()) || text("InstanceArn") != INSTANCE {
            return invalid;
        }
        let invalid_as = |message: &str| (400, json!({"__type": "InvalidIdentityToken", "message": message}));
        if state.seen_before > 0 {
            state.seen_before -= 1;
            return invalid_as("The proof was used before.");
        }
        match action {
            "JoinInstance" => {
                if text("JoinSecret") != state.secret {
                    return invalid_as("The join secret is not that of the instance, or its time is over.");
                }
                if state.key.as_ref().is_some_and(|known| *known != key) {
                    return invalid_as("The join secret was used before, by another machine.");
                }
                state.key = Some(key);
                (200, json!({}))
            }
            "GetInstanceMetadata" => (200, facts(&state)),
            "GetTaskCredentials" if text("AuthorizationToken") != "task-token" => {
                (403, json!({"__type": "AccessDenied", "message": "not the token"}))
            }
            _ => match &state.refusal {
                Some(refusal) => refusal.clone(),
                None => {
                    state.given += 1;
                    (200, given(&state, now))
                }
            },
        }
    }
}

fn facts(state: &State) -> Value {
    json!({
        "InstanceId": "i-0123456789abcdef0",
        "AccountId": "111122223333",
        "Region": "eu-central-1",
        "InstanceProfileArn": "arn:aws:iam::111122223333:instance-profile/Fleet",
        "InstanceProfileId": "AIPAIOSFODNN7EXAMPLE1",
        "RoleName": state.role,
        "RoleId": state.role.as_ref().map(|role| format!("AROA{}{}", role.to_uppercase(), state.role_made)),
    })
}

fn given(state: &State, now: i64) -> Value {
    json!({
        "RoleArn": format!("arn:aws:iam::111122223333:role/fleet/{}", state.role.as_deref().unwrap_or("Task")),
        "Credentials": {
            "AccessKeyId": format!("ASIAEXAMPLE{:09}", state.given),
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": now + state.seconds,
        },
    })
}
