//! Parameters from the wire to the input of an action: lists, conversions, and AWS's validation sentences.
//! LONG: one short test for each rule of the wire; together they are the table of those rules.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::shapes::{OPERATIONS, operation};

fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
    text.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn query(text: &[(&str, &str)]) -> Params {
    Params::from_pairs(pairs(text)).unwrap()
}

fn refused(text: &[(&str, &str)]) -> ParamsError {
    let error = Params::from_pairs(pairs(text)).unwrap_err();
    assert_eq!(error.code(), "MalformedInput");
    error
}

/// Check against the model only, into no type.
fn checked(service: &str, action: &str, params: &Params, read_only: bool) -> Result<(), InputError> {
    #[derive(Deserialize)]
    struct Anything {}
    params.read::<Anything>(operation(service, action).unwrap(), read_only).map(|_| ())
}

fn message(service: &str, action: &str, text: &[(&str, &str)]) -> String {
    let error = checked(service, action, &query(text), false).unwrap_err();
    assert_eq!(error.code, "ValidationError", "{error}");
    error.message
}

fn malformed(service: &str, action: &str, text: &[(&str, &str)]) {
    let error = checked(service, action, &query(text), false).unwrap_err();
    assert_eq!(error.code, "MalformedInput", "{error}");
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Descriptor {
    arn: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AssumeRole {
    role_arn: String,
    role_session_name: String,
    policy_arns: Option<Vec<Descriptor>>,
    duration_seconds: Option<i64>,
    #[serde(default)]
    tags: Vec<Tag>,
    transitive_tag_keys: Option<Vec<String>>,
}

const ROLE: (&str, &str) = ("RoleArn", "arn:aws:iam::123456789012:role/demo");
const NAME: (&str, &str) = ("RoleSessionName", "Jill");

fn assume_role(more: &[(&str, &str)]) -> Result<AssumeRole, InputError> {
    query(&[&[ROLE, NAME], more].concat()).read(operation("sts", "AssumeRole").unwrap(), false)
}

mod names {
    use super::*;

    #[test]
    fn lists_and_structures_become_the_input_type() {
        let input = assume_role(&[
            ("DurationSeconds", "+0900"),
            ("Tags.member.2.Key", "b"),
            ("Tags.member.01.Key", "a"),
            ("Tags.member.1.Value", "1"),
            ("Tags.member.2.Value", ""),
            ("PolicyArns.member.1.arn", "=arn:aws:iam::aws:policy/ReadOnlyAccess"),
            ("TransitiveTagKeys", ""),
        ])
        .unwrap();
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        assert_eq!(input.tags, [tag("a", "1"), tag("b", "")]);
        assert_eq!(input.duration_seconds, Some(900));
        assert_eq!(
            input.policy_arns.unwrap()[0].arn.as_deref(),
            Some("=arn:aws:iam::aws:policy/ReadOnlyAccess")
        );
        assert_eq!(input.transitive_tag_keys, Some(vec![]), "a name with an empty value is an empty list");
    }

    #[test]
    fn a_name_twice_is_refused_wherever_it_stands() {
        for twice in [
            [("A", "1"), ("A", "1")],
            [("Tags.member.1.Key", "a"), ("Tags.member.1.Key", "b")],
            [("Tags.member.1.Key", "a"), ("Tags.member.01.Key", "b")],
            [("List.member.1", "a"), ("List.member.001", "a")],
        ] {
            assert!(matches!(refused(&twice), ParamsError::Duplicate(_)), "{twice:?}");
        }
    }

    #[test]
    fn a_name_is_a_value_or_a_structure_but_not_both() {
        for both in [
            [("A", "1"), ("A.b", "1")],
            [("A.b", "1"), ("A", "1")],
            [("Tags", ""), ("Tags.member.1.Key", "a")],
            [("A.member.1", "1"), ("A.b", "1")],
            [("A.b", "1"), ("A.member.1", "1")],
            [("A.member.1", "1"), ("A.member.1.b", "1")],
        ] {
            assert!(matches!(refused(&both), ParamsError::Mixed(_)), "{both:?}");
        }
    }

    #[test]
    fn positions_start_at_one_and_run_at_most_ten_ahead() {
        for name in ["L.member.0", "L.member.-1", "L.member.00", "L.member.99999999999999999999"] {
            assert!(matches!(refused(&[(name, "a")]), ParamsError::Position(_)), "{name}");
        }
        // Captured on AWS: after 1, 11 passes and 12 does not.
        assert!(Params::from_pairs(pairs(&[("L.member.1", "a"), ("L.member.11", "b")])).is_ok());
        refused(&[("L.member.1", "a"), ("L.member.12", "b")]);
        refused(&[("M.entry.1.key", "a"), ("M.entry.12.key", "b")]);
    }

    #[test]
    fn sorted_names_of_a_long_list_are_in_order_enough() {
        // Some clients sort names as text: 1, 10, 11, …, 19, 2, 20, …
        let mut names: Vec<String> = (1..=50).map(|n| format!("Tags.member.{n}.Key")).collect();
        names.sort();
        let pairs = names.into_iter().map(|name| (name, "k".to_owned())).collect();
        assert!(Params::from_pairs(pairs).is_ok());
    }

    #[test]
    fn a_gap_stays_an_empty_element_and_fails_validation() {
        let message = message(
            "sts",
            "AssumeRole",
            &[ROLE, NAME, ("PolicyArns.member.2.arn", "arn:aws:iam::aws:policy/X")],
        );
        assert_eq!(
            message,
            "1 validation error detected: Value null at 'policyArns.1.member' failed to satisfy constraint: \
             Member must not be null"
        );
    }

    #[test]
    fn too_many_and_too_deep_are_refused() {
        let many = (0..2001).map(|n| (format!("A{n}"), String::new())).collect();
        assert_eq!(Params::from_pairs(many), Err(ParamsError::TooMany));
        let deep = vec![(vec!["A"; 33].join("."), String::new())];
        assert_eq!(Params::from_pairs(deep), Err(ParamsError::TooDeep));
    }

    #[test]
    fn the_wrong_form_for_a_member_is_malformed() {
        for wrong in [
            ("Tags", "x"),
            ("Tags.1.Key", "x"),
            ("Tags.member.1", "x"),
            ("Tags.member.Key", "x"),
            ("Policy.member.1", "x"),
            ("Policy.Sid", "x"),
            ("DurationSeconds.x", "900"),
        ] {
            malformed("sts", "AssumeRole", &[ROLE, NAME, wrong]);
        }
    }

    #[test]
    fn maps_are_entries_of_key_and_value() {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Input {
            properties: BTreeMap<String, String>,
        }
        let put = operation("iam", "PutAccountProperties").unwrap();
        let read = |text: &[(&str, &str)]| query(text).read::<Input>(put, false);
        let input = read(&[
            ("Properties.entry.1.key", "B"),
            ("Properties.entry.1.value", "true"),
            ("Properties.entry.2.value", "false"),
            ("Properties.entry.2.key", "A"),
        ]);
        let expected = [("A", "false"), ("B", "true")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(input.unwrap().properties, BTreeMap::from(expected));
        let first = ("Properties.entry.1.key", "A");
        for wrong in [
            &[first][..],
            &[first, ("Properties.entry.1.value", "1"), ("Properties.entry.1.other", "1")],
            &[
                first,
                ("Properties.entry.1.value", "1"),
                ("Properties.entry.2.key", "A"),
                ("Properties.entry.2.value", "1"),
            ],
            &[("Properties.entry.2.key", "A"), ("Properties.entry.2.value", "1")],
            &[("Properties.A", "1")],
        ] {
            assert_eq!(read(wrong).err().unwrap().code, "MalformedInput", "{wrong:?}");
        }
    }
}

mod values {
    use super::*;

    #[test]
    fn integers_are_a_sign_and_digits_within_the_width() {
        for wrong in ["", " 900", "900 ", "900.0", "9e2", "0x10", "+", "--900", "2147483648", "-2147483649"] {
            malformed("sts", "AssumeRole", &[ROLE, NAME, ("DurationSeconds", wrong)]);
        }
        for (right, value) in [("900", 900), ("+900", 900), ("0000000000000000000000900", 900)] {
            assert_eq!(assume_role(&[("DurationSeconds", right)]).unwrap().duration_seconds, Some(value));
        }
    }

    #[test]
    fn booleans_have_four_spellings() {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Input {
            set_as_default: bool,
        }
        let create = operation("iam", "CreatePolicyVersion").unwrap();
        let read = |text| {
            let arn = ("PolicyArn", "arn:aws:iam::123456789012:policy/p");
            query(&[arn, ("PolicyDocument", "{}"), ("SetAsDefault", text)]).read::<Input>(create, false)
        };
        for (text, value) in [("true", true), ("1", true), ("false", false), ("0", false)] {
            assert_eq!(read(text).unwrap().set_as_default, value);
        }
        for text in ["True", "TRUE", "", " true", "yes", "2"] {
            assert_eq!(read(text).err().unwrap().code, "MalformedInput", "{text:?}");
        }
    }

    #[test]
    fn lengths_count_characters_not_bytes() {
        let tag = |value: &str| assume_role(&[("Tags.member.1.Key", "k"), ("Tags.member.1.Value", value)]);
        assert!(tag(&"é".repeat(256)).is_ok());
        assert!(tag(&"é".repeat(257)).is_err());
    }
}

mod sentences {
    use super::*;

    #[test]
    fn sts_prints_the_value_it_refuses() {
        // Captured on AWS.
        assert_eq!(
            message("sts", "AssumeRole", &[ROLE, ("RoleSessionName", "Session1:2")]),
            "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        );
    }

    #[test]
    fn iam_never_prints_the_value() {
        // Captured on AWS.
        assert_eq!(
            message("iam", "GetRole", &[("RoleName", &"r".repeat(65))]),
            "1 validation error detected: Value at 'roleName' failed to satisfy constraint: \
             Member must have length less than or equal to 64"
        );
        assert_eq!(
            message("iam", "DeleteUser", &[]),
            "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null"
        );
    }

    #[test]
    fn iam_says_which_characters_a_name_a_path_or_a_policy_may_have() {
        // As recorded from AWS.
        let name = |at: &str| {
            format!(
                "The specified value for {at} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
            )
        };
        let path = "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.";
        let document = "The specified value for policyDocument is invalid. It must contain only printable ASCII characters.";
        for (action, given, expected) in [
            ("GetRole", &[("RoleName", "arn:aws:iam::123456789012:role/x")][..], name("roleName")),
            ("CreateUser", &[("UserName", "a b")], name("userName")),
            ("GetUser", &[("UserName", "")], name("userName")),
            ("CreateGroup", &[("GroupName", "naïve")], name("groupName")),
            ("DeleteGroupPolicy", &[("GroupName", "g"), ("PolicyName", "a/b")], name("policyName")),
            ("CreateUser", &[("UserName", "x"), ("Path", "bad")], path.to_owned()),
            (
                "CreatePolicy",
                &[("PolicyName", "x"), ("Path", "/bad"), ("PolicyDocument", "{}")],
                path.to_owned(),
            ),
            (
                "PutUserPolicy",
                &[("UserName", "x"), ("PolicyName", "p"), ("PolicyDocument", "😀")],
                document.to_owned(),
            ),
        ] {
            assert_eq!(message("iam", action, given), expected);
        }
    }

    #[test]
    fn of_wrong_characters_the_first_is_told_and_nothing_else() {
        let given = [("RoleName", "a/b"), ("Path", "bad"), ("MaxSessionDuration", "1")];
        assert!(message("iam", "CreateRole", &given).starts_with("The specified value for path is invalid."));
    }

    #[test]
    fn sensitive_values_are_not_printed_by_sts_either() {
        let web_identity = [ROLE, NAME, ("WebIdentityToken", "abc")];
        assert_eq!(
            message("sts", "AssumeRoleWithWebIdentity", &web_identity),
            "1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: \
             Member must have length greater than or equal to 4"
        );
        let saml =
            [ROLE, ("PrincipalArn", "arn:aws:iam::123456789012:saml-provider/p"), ("SAMLAssertion", "abc")];
        assert!(message("sts", "AssumeRoleWithSAML", &saml).contains("Value at 'sAMLAssertion' failed"));
    }

    #[test]
    fn everything_wrong_is_in_one_message_in_the_order_of_the_model() {
        let given = [
            ("TokenCode", "x"),
            ("DurationSeconds", "899"),
            ("Tags.member.1.Value", "v"),
            ("Tags.member.2.Key", ""),
            ("Tags.member.2.Value", "v"),
            ("RoleSessionName", "J"),
        ];
        let expected = [
            "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
            "Value 'J' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
            "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
            "Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null",
            "Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
            "Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
            "Value at 'tokenCode' failed to satisfy constraint: Member must have length greater than or equal to 6",
            "Value at 'tokenCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\d]*",
        ];
        assert_eq!(
            message("sts", "AssumeRole", &given),
            format!("8 validation errors detected: {}", expected.join("; "))
        );
    }

    #[test]
    fn ranges_and_enums_speak_aws_words() {
        assert!(message("sts", "AssumeRole", &[ROLE, NAME, ("DurationSeconds", "43201")]).ends_with(
            "Value '43201' at 'durationSeconds' failed to satisfy constraint: \
                 Member must have value less than or equal to 43200"
        ));
        let update = [("AccessKeyId", "AKIAIOSFODNN7EXAMPLE"), ("Status", "On")];
        assert_eq!(
            message("iam", "UpdateAccessKey", &update),
            "1 validation error detected: Value at 'status' failed to satisfy constraint: \
             Member must satisfy enum value set: [Active, Inactive, Expired]"
        );
    }

    #[test]
    fn a_list_that_is_too_long_is_a_violation_of_its_size() {
        let names: Vec<String> = (1..=51).map(|n| format!("TransitiveTagKeys.member.{n}")).collect();
        let keys: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "k")).collect();
        assert!(
            message("sts", "AssumeRole", &[&[ROLE, NAME], &keys[..]].concat()).contains(
                "at 'transitiveTagKeys' failed to satisfy constraint: Member must have length less than or equal to 50"
            )
        );
    }

    #[test]
    fn a_list_of_texts_is_refused_as_a_whole_with_every_rule_of_its_elements() {
        let all = "Member must satisfy constraint: [Member must have length less than or equal to 128, \
                   Member must have length greater than or equal to 1, \
                   Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+, Member must not be null]";
        let user = ("UserName", "x");
        let long = "k".repeat(129);
        // As recorded from AWS, but for the position left out.
        for keys in [
            &[("TagKeys.member.1", long.as_str())][..],
            &[("TagKeys.member.1", "good"), ("TagKeys.member.2", "bad!"), ("TagKeys.member.3", "")],
            &[("TagKeys.member.2", "good")],
        ] {
            assert_eq!(
                message("iam", "UntagUser", &[&[user], keys].concat()),
                format!(
                    "1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: {all}"
                )
            );
        }
        let keys = [ROLE, NAME, ("TransitiveTagKeys.member.1", "a"), ("TransitiveTagKeys.member.2", "b!")];
        assert_eq!(
            message("sts", "AssumeRole", &keys),
            format!(
                "1 validation error detected: Value '[a, b!]' at 'transitiveTagKeys' failed to satisfy constraint: {all}"
            )
        );
        malformed("iam", "UntagUser", &[user, ("TagKeys.member.1.Key", "k")]);
    }

    #[test]
    fn a_message_is_bounded() {
        let arn = "é".repeat(100_000);
        assert!(message("sts", "AssumeRole", &[("RoleArn", &arn), NAME]).len() < 20_000);
        let names: Vec<String> = (1..=1500).map(|n| format!("Tags.member.{n}.Key")).collect();
        let keys: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        assert!(message("sts", "AssumeRole", &keys).starts_with("100 validation errors detected: "));
        let many = "k".repeat(100_000);
        let keys = [ROLE, NAME, ("TransitiveTagKeys.member.1", &many)];
        assert!(message("sts", "AssumeRole", &keys).len() < 20_000);
    }
}

mod unknown_names {
    use super::*;

    /// The part of a password behind an `&` that nobody encoded looks like a name.
    #[test]
    fn beside_a_password_no_name_is_repeated() {
        let given = [("OldPassword", "Correct-1"), ("NewPassword", "Horse-2"), ("HORSEBATTERY9", "")];
        assert_eq!(
            message("iam", "ChangePassword", &given),
            "1 validation error detected: Value at '…' failed to satisfy constraint: Member is not a parameter of \
             this operation"
        );
    }

    #[test]
    fn calls_that_write_or_issue_refuse_a_name_no_model_knows() {
        let message = message("sts", "AssumeRole", &[ROLE, NAME, ("NetworkLock", "on")]);
        assert_eq!(
            message,
            "1 validation error detected: Value at 'NetworkLock' failed to satisfy constraint: \
             Member is not a parameter of this operation"
        );
        let nested = [
            ROLE,
            NAME,
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", "v"),
            ("Tags.member.1.Colour", "red"),
        ];
        assert!(super::message("sts", "AssumeRole", &nested).contains("'Tags.1.member.Colour'"));
    }

    #[test]
    fn names_are_case_sensitive() {
        assert!(message("sts", "AssumeRole", &[ROLE, NAME, ("policy", "{}")]).contains("'policy'"));
    }

    #[test]
    fn reads_ignore_a_name_no_model_knows() {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Input {
            role_name: String,
        }
        let given = query(&[("RoleName", "r"), ("Verbose", "yes"), ("More.member.1.X", "y")]);
        let input: Input = given.read(operation("iam", "GetRole").unwrap(), true).unwrap();
        assert_eq!(input.role_name, "r");
    }

    #[test]
    fn a_parameter_of_the_model_that_the_action_lacks_is_refused_even_on_reads() {
        for read_only in [true, false] {
            let given = query(&[ROLE, NAME, ("SourceIdentity", "Admin")]);
            let error =
                given.read::<AssumeRole>(operation("sts", "AssumeRole").unwrap(), read_only).unwrap_err();
            assert_eq!(error.code, "ValidationError");
            assert_eq!(
                error.message,
                "1 validation error detected: Value at 'SourceIdentity' failed to satisfy constraint: \
                 Member is not supported by this server"
            );
        }
    }
}

mod json_bodies {
    use super::*;

    const CHECK: &str = r#"{"Request":{"Method":"GET","Url":"https://h/","Headers":[{"Name":"host","Value":"h"}]},
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::b/k","Context":{"aws:SourceIp":["192.0.2.1"]}}"#;

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct CheckRequest {
        request: Request,
        #[serde(default)]
        context: BTreeMap<String, Vec<String>>,
        action: String,
        resource: String,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Request {
        method: String,
        headers: Vec<Header>,
        #[serde(rename = "Url")]
        _url: String,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Header {
        name: String,
        value: String,
    }

    fn check(body: &str) -> Result<CheckRequest, InputError> {
        Params::from_json(body.as_bytes())?.read(operation("daypass", "CheckRequest").unwrap(), false)
    }

    #[test]
    fn an_object_becomes_the_input_type() {
        let input = check(CHECK).unwrap();
        assert_eq!((input.action.as_str(), input.resource.as_str()), ("s3:GetObject", "arn:aws:s3:::b/k"));
        assert_eq!(input.context["aws:SourceIp"], ["192.0.2.1"]);
        assert_eq!(
            (input.request.headers[0].name.as_str(), input.request.headers[0].value.as_str()),
            ("host", "h")
        );
        assert_eq!(input.request.method, "GET");
    }

    #[test]
    fn what_is_not_one_plain_object_is_a_serialization_exception() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(40), "}".repeat(40));
        let long = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(2001));
        for body in [
            "",
            "[]",
            "1",
            "{",
            "{}{}",
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":null,"b":1}}"#,
            r#"{"a":1.5e300}"#,
            r#"{"a":99999999999999999999}"#,
            r#"{"a":"\ud800"}"#,
            &deep,
            &long,
        ] {
            let error = Params::from_json(body.as_bytes()).unwrap_err();
            assert_eq!(error.code(), "SerializationException", "{body}");
        }
        assert!(Params::from_json(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn types_are_not_converted() {
        for (from, to) in
            [(r#""GET""#, "1"), (r#"["192.0.2.1"]"#, r#""192.0.2.1""#), (r#""s3:GetObject""#, "true")]
        {
            assert_eq!(check(&CHECK.replace(from, to)).err().unwrap().code, "SerializationException", "{to}");
        }
        let list = operation("daypass", "ListResourcePolicies").unwrap();
        let text = Params::from_json(br#"{"MaxItems":"10"}"#).unwrap();
        assert_eq!(
            text.read::<BTreeMap<String, i64>>(list, true).unwrap_err().code,
            "SerializationException"
        );
        let part = Params::from_json(br#"{"MaxItems":10.5}"#).unwrap();
        assert_eq!(
            part.read::<BTreeMap<String, i64>>(list, true).unwrap_err().code,
            "SerializationException"
        );
        let revoke = operation("daypass", "RevokeSession").unwrap();
        for (given, read) in
            [("1.57e9", 1_570_000_000), ("1768478400.25", 1_768_478_401), ("1768478400", 1_768_478_400)]
        {
            let moment = Params::from_json(format!(r#"{{"IssuedBefore":{given}}}"#).as_bytes()).unwrap();
            assert_eq!(moment.read::<BTreeMap<String, i64>>(revoke, false).unwrap()["IssuedBefore"], read);
        }
        let number = Params::from_json(br#"{"MaxItems":10,"Marker":null}"#).unwrap();
        assert_eq!(number.read::<BTreeMap<String, i64>>(list, true).unwrap()["MaxItems"], 10);
    }

    #[test]
    fn limits_and_unknown_names_are_validation_errors_without_values() {
        let error = check(&CHECK.replace("\"GET\"", "\"g t\"")).err().unwrap();
        assert_eq!(error.code, "ValidationError");
        assert!(error.message.contains("Value at 'request.method' failed"), "{error}");
        assert!(!error.message.contains("g t"), "{error}");
        let error = check(&CHECK.replace("\"Method\"", "\"Region\":\"eu\",\"Method\"")).err().unwrap();
        assert!(error.message.contains("'Request.Region'"), "{error}");
    }
}

mod logged {
    use super::*;

    #[test]
    fn names_begin_in_lower_case_and_secrets_are_left_out() {
        let given = query(&[
            ROLE,
            NAME,
            ("DurationSeconds", "900"),
            ("TokenCode", "123456"),
            ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", "v"),
        ]);
        assert_eq!(
            given.logged(operation("sts", "AssumeRole").unwrap()),
            serde_json::json!({
                "roleArn": ROLE.1, "roleSessionName": "Jill", "durationSeconds": 900,
                "policyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
                "tags": [{"key": "k", "value": "v"}],
            })
        );
        let password = query(&[("OldPassword", "hunter2"), ("NewPassword", "hunter3")]);
        assert_eq!(password.logged(operation("iam", "ChangePassword").unwrap()), serde_json::json!({}));
        let bad = query(&[("RoleName", "no spaces")]);
        assert!(bad.logged(operation("iam", "GetRole").unwrap()).is_null());
    }

    #[test]
    fn debug_output_shows_no_value() {
        let text = format!("{:?}", query(&[("NewPassword", "hunter3"), ("Tags.member.1.Key", "k3y")]));
        assert!(!text.contains("hunter3") && !text.contains("k3y"), "{text}");
        assert!(text.contains("NewPassword"), "{text}");
    }
}

proptest! {
    #[test]
    fn no_pairs_cause_a_panic(
        given in prop::collection::vec(("((Tags|A|member|entry|key|-?[0-9]{1,3}|[a-z.]{0,3})\\.?){0,5}", ".{0,8}"), 0..20),
        index in 0..OPERATIONS.len(),
        read_only: bool,
    ) {
        if let Ok(params) = Params::from_pairs(given) {
            let operation = &OPERATIONS[index];
            let _ = params.read::<BTreeMap<String, serde_json::Value>>(operation, read_only);
            let _ = params.logged(operation);
        }
    }

    #[test]
    fn no_members_of_a_real_operation_cause_a_panic(
        names in prop::collection::vec((0..20usize, "(|\\.member\\.[0-9]{1,2}(|\\.Key|\\.Value|\\.arn)|\\.entry\\.1\\.(key|value))", ".{0,8}"), 0..20),
        index in 0..OPERATIONS.len(),
    ) {
        let operation = &OPERATIONS[index];
        let members = operation.input.members;
        let given = names.into_iter().filter_map(|(n, rest, value)| {
            Some((format!("{}{rest}", members.get(n % members.len().max(1))?.name), value))
        });
        if let Ok(params) = Params::from_pairs(given.collect()) {
            let _ = params.read::<BTreeMap<String, serde_json::Value>>(operation, false);
        }
    }

    #[test]
    fn no_body_causes_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Params::from_json(&body);
    }

    #[test]
    fn no_text_that_looks_like_json_causes_a_panic(body in "[\\[\\]{}:,\"a1.e\\\\ -]{0,60}") {
        let _ = Params::from_json(body.as_bytes());
    }
}
