//! The record of a call, member by member ("CloudTrail record contents" in the AWS CloudTrail User Guide).

use std::net::IpAddr;

use daypass_model::AccountId;
use serde::Serialize;
use serde_json::Value;

use super::identity::UserIdentity;

/// A record as CloudTrail writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record<'a> {
    pub(super) event_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_identity: Option<UserIdentity<'a>>,
    pub(super) event_time: &'a str,
    pub(super) event_source: String,
    pub(super) event_name: &'a str,
    pub(super) aws_region: &'a str,
    #[serde(rename = "sourceIPAddress", skip_serializing_if = "Option::is_none")]
    pub(super) source_ip_address: Option<Origin<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_message: Option<&'a str>,
    pub(super) request_parameters: Value,
    pub(super) response_elements: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) additional_event_data: Option<Value>,
    #[serde(rename = "requestID")]
    pub(super) request_id: &'a str,
    #[serde(rename = "eventID")]
    pub(super) event_id: String,
    #[serde(rename = "sharedEventID", skip_serializing_if = "Option::is_none")]
    pub(super) shared_event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) read_only: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) resources: Vec<Resource<'a>>,
    pub(super) event_type: &'static str,
    pub(super) management_event: bool,
    /// `"true"` of what somebody does who is signed in to the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_credential_from_console: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient_account_id: Option<AccountId>,
    pub(super) event_category: &'static str,
}

/// Where a call came from.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Origin<'a> {
    Address(IpAddr),
    /// A service, by its name.
    Service(&'a str),
}

impl<'a> Record<'a> {
    /// Make it the record of a role that a service took: of its own call, and not of whoever asked for it.
    pub(super) fn taken_by(&mut self, service: &'a str) {
        self.event_source = "sts.amazonaws.com".to_owned();
        self.event_name = "AssumeRole";
        self.source_ip_address = Some(Origin::Service(service));
        self.user_agent = Some(service);
        self.user_identity = Some(UserIdentity::service("AWSService", service));
        self.additional_event_data = None;
        self.session_credential_from_console = None;
        if let Some(parameters) = self.request_parameters.as_object_mut() {
            parameters.remove("serviceName");
        }
    }

    pub(super) fn to_line(&self) -> String {
        // Text, numbers and string keys only: serde_json has no way to fail on them.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        one_line(line)
    }
}

/// The same JSON without what some programs take for the end of a line (Unicode Standard, section 5.8): names in certificates
/// and in tokens may have it.
fn one_line(line: String) -> String {
    let ends = [("\u{85}", "\\u0085"), ("\u{2028}", "\\u2028"), ("\u{2029}", "\\u2029")];
    ends.into_iter().fold(line, |line, (end, escaped)| match line.contains(end) {
        true => line.replace(end, escaped),
        false => line,
    })
}

#[cfg(test)]
mod tests {
    //! Lines are lines, whatever reads them.

    use super::*;

    #[test]
    fn no_text_ends_a_line() {
        let said = serde_json::json!({"text": "a\u{85}b\u{2028}c\u{2029}d\ne\u{b}f\u{c}g"});
        let line = one_line(said.to_string());
        assert!(!line.contains(['\u{85}', '\u{2028}', '\u{2029}', '\n', '\u{b}', '\u{c}']), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), said);
        assert_eq!(one_line("plain".into()), "plain");
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource<'a> {
    pub(super) account_id: AccountId,
    pub(super) r#type: &'static str,
    #[serde(rename = "ARN")]
    pub(super) arn: &'a str,
}
