//! The event of a request that never became a call: too large, too late, or not to be read.

use std::net::IpAddr;

use daypass_authn::sigv4::HttpRequest;
use daypass_directory::{Operation, SpentByCall};

use super::Event;
use crate::error::Error;
use crate::house::House;
use crate::request::Request;

/// What is known of such a request.
#[derive(Debug)]
pub struct Refused<'a> {
    /// UUID, the answer's `x-amzn-RequestId`.
    pub id: &'a str,
    /// The peer's address.
    pub source_ip: IpAddr,
    /// What the client calls itself.
    pub user_agent: Option<&'a str>,
    /// Why it was refused.
    pub error: &'a Error,
}

/// Leave one audit line, rationed like those of all who proved nothing. It names no service and no action:
/// what a request says of itself counts once the whole of it could be read.
pub fn refused(house: &House, refused: &Refused<'_>) {
    let Refused { id, source_ip, user_agent, error } = refused;
    let op = Operation {
        request_id: (*id).to_owned(),
        now: house.now(),
        source_ip: Some(*source_ip),
        secure: None,
        region: String::new(),
        user_agent: user_agent.map(str::to_owned),
        referer: None,
        spent: SpentByCall::default(),
    };
    let request = Request {
        id: (*id).to_owned(),
        source_ip: Some(*source_ip),
        secure: None,
        http: HttpRequest::new("", "", Vec::new()),
        service: "",
        action: String::new(),
        version: None,
        params: Err((*error).clone()),
    };
    Event::open(house, &op, &request).tell(error);
}
