//! Calls of the API that a page makes for whoever is signed in to it: everything but the signature is as ever, and each has its
//! own event. There is nothing here that a command line could not ask.

use daypass_directory::{Operation, Scope};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::audit::Event;
use crate::error::Error;
use crate::house::House;
use crate::params::{Params, ParamsError};
use crate::pipeline;
use crate::request::Request;

/// A call of daypass's own API.
pub(super) async fn ask_daypass<T: DeserializeOwned>(
    house: &House,
    op: &Operation,
    visit: &Request,
    scope: &Scope,
    action: &str,
    asked: &Value,
) -> Result<T, Error> {
    ask(house, op, visit, scope, ("daypass", action), Params::from_json(asked.to_string().as_bytes())).await
}

/// A call of STS or IAM.
pub(super) async fn ask_aws<T: DeserializeOwned>(
    house: &House,
    op: &Operation,
    visit: &Request,
    scope: &Scope,
    name: (&'static str, &str),
    asked: &[(&str, &str)],
) -> Result<T, Error> {
    let pairs = asked.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ask(house, op, visit, scope, name, Params::from_pairs(pairs)).await
}

async fn ask<T: DeserializeOwned>(
    house: &House,
    op: &Operation,
    visit: &Request,
    scope: &Scope,
    (service, action): (&'static str, &str),
    params: Result<Params, ParamsError>,
) -> Result<T, Error> {
    let call = Request {
        id: visit.id.clone(),
        source_ip: visit.source_ip,
        secure: visit.secure,
        http: visit.http.clone(),
        service,
        action: action.to_owned(),
        version: None,
        params: params.map_err(|error| Error::new(error.code(), error.to_string())),
    };
    let row = house.find(&call)?;
    let mut event = Event::open(house, op, &call);
    event.found(row);
    let outcome = pipeline::in_scope(house, op, &call, row, scope.clone(), &mut event).await;
    let reply = event.finish(outcome).await?;
    let read = serde_json::to_value(&*reply).and_then(serde_json::from_value);
    read.map_err(|_| Error::internal("an answer of our own API could not be read"))
}
