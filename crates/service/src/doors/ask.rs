//! Calls of the API that a page makes for whoever is signed in to it: everything but the signature is as ever, and each has one
//! event of its own. There is nothing here that a command line could not ask.

use daypass_directory::{Operation, Scope};
use daypass_model::SessionId;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::console::{Visitor, visitor};
use crate::audit::Event;
use crate::error::Error;
use crate::house::House;
use crate::params::{Params, ParamsError};
use crate::pipeline::{self, Tries};
use crate::request::Request;

/// A call of daypass's own API.
pub(super) async fn ask_daypass<T: DeserializeOwned>(
    house: &House,
    op: &Operation,
    visit: &Request,
    visitor: &Visitor,
    action: &str,
    asked: &Value,
) -> Result<T, Error> {
    ask(house, op, visit, visitor, ("daypass", action), Params::from_json(asked.to_string().as_bytes())).await
}

/// A call of STS or IAM.
pub(super) async fn ask_aws<T: DeserializeOwned>(
    house: &House,
    op: &Operation,
    visit: &Request,
    visitor: &Visitor,
    name: (&'static str, &str),
    asked: &[(&str, &str)],
) -> Result<T, Error> {
    let pairs = asked.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ask(house, op, visit, visitor, name, Params::from_pairs(pairs)).await
}

async fn ask<T: DeserializeOwned>(
    house: &House,
    op: &Operation,
    visit: &Request,
    visitor: &Visitor,
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
    let mut tries = Tries::default();
    let mut outcome = pipeline::in_scope(house, op, &call, row, visitor.scope.clone(), &mut event).await;
    while tries.again(house, &mut event, outcome.as_ref().err()).await {
        outcome = match still(house, op, visit, visitor.id) {
            Ok(scope) => pipeline::in_scope(house, op, &call, row, scope, &mut event).await,
            Err(error) => Err(error),
        };
    }
    let reply = event.finish(outcome).await?;
    let read = serde_json::to_value(&*reply).and_then(serde_json::from_value);
    read.map_err(|_| Error::internal("an answer of our own API could not be read"))
}

/// Who it is whose page asks, where the call is decided again: they may have been signed out meanwhile.
fn still(house: &House, op: &Operation, visit: &Request, id: SessionId) -> Result<Scope, Error> {
    let visitor = visitor(house, op, visit, id);
    visitor.map(|visitor| visitor.scope).map_err(|_| Error::invalid_client_token())
}
