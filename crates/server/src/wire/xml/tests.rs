//! What the XML writer makes of answers, errors and characters that XML cannot carry.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::Serialize;

use super::*;

/// As `daypass_service` writes moments.
struct Time(i64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct("Time", &self.0)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    credentials: Credentials,
    packed_policy_size: Option<u32>,
    source_identity: Option<&'static str>,
    is_truncated: bool,
    tags: Vec<Tag>,
    arns: Vec<&'static str>,
    #[serde(rename = "arn")]
    lower_case: &'static str,
    summary: BTreeMap<&'static str, i64>,
    status: Status,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    expiration: Time,
    secret_access_key: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: &'static str,
    value: &'static str,
}

#[derive(Serialize)]
enum Status {
    Active,
}

#[derive(Serialize)]
struct Empty {}

fn text<T: Serialize + ?Sized>(action: &str, output: &T) -> String {
    String::from_utf8(reply("iam", action, "r-1", output).unwrap()).unwrap()
}

/// The text of an element that stands once in a document, read by another implementation.
fn read(document: &[u8], element: &str) -> String {
    let mut reader = Reader::from_reader(document);
    let mut inside = false;
    let mut found = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) if start.name().as_ref() == element => inside = true,
            Event::End(end) if end.name().as_ref() == element => inside = false,
            Event::Text(text) if inside => found.push_str(&text.xml10_content()),
            Event::GeneralRef(name) if inside => match name.resolve_char_ref().unwrap() {
                Some(c) => found.push(c),
                None => found.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap()),
            },
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn every_form_of_output_is_written_as_aws_writes_it() {
    let output = Output {
        credentials: Credentials { expiration: Time(1_573_306_481), secret_access_key: "a/b+c=" },
        packed_policy_size: Some(6),
        source_identity: None,
        is_truncated: false,
        tags: vec![Tag { key: "a", value: "" }, Tag { key: "b", value: "<&>" }],
        arns: vec![],
        lower_case: "x",
        summary: BTreeMap::from([("Groups", 1), ("Users", 27)]),
        status: Status::Active,
    };
    // 1573306481 is 2019-11-09T13:34:41Z.
    let expected = "<XResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><XResult>\
        <Credentials><Expiration>2019-11-09T13:34:41Z</Expiration><SecretAccessKey>a/b+c=</SecretAccessKey></Credentials>\
        <PackedPolicySize>6</PackedPolicySize><IsTruncated>false</IsTruncated>\
        <Tags><member><Key>a</Key><Value></Value></member><member><Key>b</Key><Value>&lt;&amp;&gt;</Value></member></Tags>\
        <Arns/><arn>x</arn>\
        <Summary><entry><key>Groups</key><value>1</value></entry><entry><key>Users</key><value>27</value></entry></Summary>\
        <Status>Active</Status>\
        </XResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></XResponse>";
    assert_eq!(text("X", &output), expected);
}

#[test]
fn a_void_reply_has_no_result_element_and_an_empty_one_has() {
    let metadata = "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>";
    let start = "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">";
    assert_eq!(
        text("DeleteUser", &()),
        format!("<DeleteUserResponse {start}{metadata}</DeleteUserResponse>")
    );
    assert_eq!(
        text("UpdateRole", &Empty {}),
        format!("<UpdateRoleResponse {start}<UpdateRoleResult/>{metadata}</UpdateRoleResponse>")
    );
}

#[test]
fn the_models_call_every_result_by_the_name_of_its_action() {
    for operation in shapes::OPERATIONS {
        if let Some(wrap) = operation.wrap {
            assert_eq!(wrap, format!("{}Result", operation.name));
        }
    }
}

#[test]
fn an_error_names_who_is_to_blame() {
    let document = error("sts", "r-1", "AccessDenied", "no & never", true);
    let expected = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no &amp; never</Message></Error>\
        <RequestId>r-1</RequestId></ErrorResponse>";
    assert_eq!(String::from_utf8(document).unwrap(), expected);
    assert_eq!(read(&error("", "r-1", "InternalFailure", "x", false), "Type"), "Receiver");
}

#[test]
fn an_unknown_action_is_of_no_service_and_an_error_without_a_message_has_none() {
    for service in ["sts", "iam", ""] {
        let document = String::from_utf8(error(service, "r-1", "InvalidAction", "x", true)).unwrap();
        let start = "<ErrorResponse xmlns=\"http://webservices.amazon.com/AWSFault/2005-15-09\"><Error>";
        assert!(document.starts_with(start), "{document}");
    }
    let document = error("sts", "r-1", "MalformedInput", "", true);
    let expected = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <Error><Type>Sender</Type><Code>MalformedInput</Code></Error><RequestId>r-1</RequestId></ErrorResponse>";
    assert_eq!(String::from_utf8(document).unwrap(), expected);
}

#[test]
fn characters_that_xml_cannot_carry_are_replaced() {
    let document =
        error("sts", "r-1", "ValidationError", "a\0b\x0b\x1f\u{fffe}\u{ffff}c\td\ne\rf\u{85}", true);
    assert_eq!(read(&document, "Message"), "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}\u{fffd}c\td\ne\rf\u{85}");
}

#[test]
fn an_output_without_a_form_is_an_error_and_no_document() {
    #[derive(Serialize)]
    enum Odd {
        Pair(i32, i32),
        One(i32),
        Named { a: i32 },
    }
    for odd in [Odd::Pair(1, 2), Odd::One(1), Odd::Named { a: 1 }] {
        assert!(reply("iam", "X", "r-1", &odd).is_err());
    }
    assert!(reply("iam", "X", "r-1", &Time(i64::MAX)).is_err());
}

proptest! {
    #[test]
    fn any_text_comes_back_but_for_what_xml_cannot_carry(message in any::<String>()) {
        let document = error("sts", "r-1", "C", &message, true);
        let carried: String = message
            .chars()
            .map(|c| match u32::from(c) {
                0x9 | 0xa | 0xd | 0x20..=0xd7ff | 0xe000..=0xfffd | 0x1_0000..=0x10_ffff => c,
                _ => '\u{fffd}',
            })
            .collect();
        prop_assert_eq!(read(&document, "Message"), carried);
    }
}
