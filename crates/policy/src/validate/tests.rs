//! Rules of writing, one by one.

use super::*;

fn message(kind: Kind, text: &str) -> String {
    validate(kind, text).err().map(|error| error.message).unwrap_or_default()
}

/// The message for a document with that one statement.
fn statement(kind: Kind, inside: &str) -> String {
    message(kind, &format!(r#"{{"Version":"2012-10-17","Statement":[{{{inside}}}]}}"#))
}

const GOOD: &str = r#""Effect":"Allow","Action":"s3:*","Resource":"*""#;
const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";

#[test]
fn only_managed_policies_need_a_version() {
    for version in ["", r#""Version":"2008-10-17","#] {
        let text = format!(r#"{{{version}"Statement":{{{GOOD}}}}}"#);
        for kind in [Kind::Managed, Kind::Boundary] {
            assert_eq!(message(kind, &text), "Policy document must be version 2012-10-17 or greater.");
        }
        for kind in [Kind::Inline, Kind::Session, Kind::Scp] {
            assert_eq!(message(kind, &text), "");
        }
    }
    let wrong = format!(r#"{{"Version":"2013-10-17","Statement":{{{GOOD}}}}}"#);
    for kind in [Kind::Managed, Kind::Inline, Kind::Session, Kind::Scp, Kind::Resource] {
        assert_eq!(message(kind, &wrong), SYNTAX);
    }
}

#[test]
fn the_first_failing_step_answers() {
    // Each document has the fault of its step and those of all later ones.
    let with = |effect: &str, sid: &str, rest: &str| {
        let one = format!(r#"{{"Sid":"{sid}","Effect":"{effect}",{rest}}}"#);
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{one},{{"Sid":"a","Effect":"Allow","Action":"x","Principal":"*"}}]}}"#
        )
    };
    let bad_resource = r#""Action":"iam:*","Resource":"bucket""#;
    assert_eq!(message(Kind::Managed, &with("Maybe", "a", bad_resource)), SYNTAX);
    assert_eq!(message(Kind::Managed, &with("allow", "a", bad_resource)), LEGACY);
    let unique = "Statement IDs (SID) in a single policy must be unique.";
    assert_eq!(message(Kind::Managed, &with("Allow", "a", bad_resource)), unique);
    let actions = "Policy statement must contain actions.";
    assert_eq!(message(Kind::Managed, &with("Allow", "b", r#""Action":[],"Resource":"bucket""#)), actions);
    let arn = "Resource bucket must be in ARN format or \"*\".";
    assert_eq!(message(Kind::Managed, &with("Allow", "b", bad_resource)), arn);
    let vendor = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
    assert_eq!(message(Kind::Managed, &with("Allow", "b", r#""Action":"iam:*""#)), vendor);
    let resources = "Policy statement must contain resources.";
    let no_resource = r#""Effect":"Allow","Action":"iam:*","Principal":"*""#;
    assert_eq!(statement(Kind::Managed, no_resource), resources);
    let principal = "Policy document should not specify a principal.";
    assert_eq!(statement(Kind::Managed, &format!(r#"{GOOD},"Principal":"*""#)), principal);
}

#[test]
fn unknown_operators_are_refused_unless_empty() {
    for kind in [Kind::Managed, Kind::Inline, Kind::Session, Kind::Scp] {
        let with = |condition: &str| statement(kind, &format!(r#"{GOOD},"Condition":{{{condition}}}"#));
        assert_eq!(with(r#""StringIs":{"aws:x":"y"}"#), SYNTAX);
        assert_eq!(with(r#""stringequals":{"aws:x":"y"}"#), SYNTAX);
        assert_eq!(with(r#""StringIs":{}"#), "");
        assert_eq!(with(""), "");
        assert_eq!(with(r#""StringEquals":{"aws:x":[]}"#), "");
        assert_eq!(with(r#""NumericEquals":{"aws:x":10},"Bool":{"aws:y":[true,"false"]}"#), "");
    }
}

#[test]
fn bad_literals_are_refused_in_policies_that_iam_stores() {
    let date = format!(r#"{GOOD},"Condition":{{"DateLessThan":{{"aws:CurrentTime":"yesterday"}}}}"#);
    for kind in [Kind::Managed, Kind::Inline, Kind::Boundary] {
        assert_eq!(statement(kind, &date), LEGACY);
    }
    assert_eq!(statement(Kind::Session, &date), "");
    for (text, expected) in [
        ("01T", ""),
        ("2016-12-13t2:00:00.593194+23", ""),
        ("2016-12-13t2:00:00.593194+1", LEGACY),
        ("2016-12-13t2:00:00.1999999999+10:59", LEGACY),
        ("234-13", LEGACY),
    ] {
        assert_eq!(statement(Kind::Managed, &date.replace("yesterday", text)), expected, "{text}");
    }
    let binary = format!(r#"{GOOD},"Condition":{{"BinaryEquals":{{"aws:x":"?"}}}}"#);
    assert_eq!(statement(Kind::Session, &binary), LEGACY);
}

#[test]
fn actions_need_one_colon_and_a_plain_service() {
    let with = |action: &str| {
        statement(Kind::Inline, &format!(r#""Effect":"Allow","Action":"{action}","Resource":"*""#))
    };
    for good in ["*", "*:*", "s3:*", "nosuch:Thing", "s3:GetObject ", "execute-api:Invoke", "S3:GETOBJECT"] {
        assert_eq!(with(good), "", "{good}");
    }
    assert_eq!(with("s3:Get:Object"), "Actions/Condition can contain only one colon.");
    assert_eq!(with("s*:Get"), "Vendor s* is not valid");
    for of_every_service in ["*:Untag*", "*:", "*:**"] {
        let told = "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards.";
        assert_eq!(with(of_every_service), told, "{of_every_service}");
    }
    assert_eq!(with("a b:Get"), "Vendor a b is not valid");
    assert_eq!(with(":Get"), "Vendor  is not valid");
}

#[test]
fn resources_have_a_form() {
    let with = |resource: &str| {
        statement(Kind::Inline, &format!(r#""Effect":"Allow","Action":"*","Resource":["*","{resource}"]"#))
    };
    for good in [
        "arn:aws:s3:::b/*",
        "arn:aws:fdsasf",
        "arn:*:s3:::b",
        "arn:aws:s3:eu-west-1:111122223333:accesspoint/x",
        "arn:aws:iam::*:root",
        "arn:aws:iam::111122223333:*",
        "arn:aws:iam::*:user/a*",
        "arn:aws:sqs:us-east-2:account-id:q",
        "arn:*:kms:*:${aws:PrincipalAccount}:key/*",
        "arn:aws:route53:::hostedzone/*",
        "arn:aws:iam::111122223333:user/${aws:username}",
        "arn:aws:sqs:us-east-2:*:${aws:username}-queue",
    ] {
        assert_eq!(with(good), "", "{good}");
    }
    for (bad, expected) in [
        ("arn:aws:s3::b", LEGACY),
        ("arn:aws::::b", LEGACY),
        ("bucket", "Resource bucket must be in ARN format or \"*\"."),
        ("arn:aws", VENDOR),
        ("arn:wrong:s3", "Partition \"wrong\" is not valid for resource \"arn:wrong:s3:*:*:*\"."),
        ("a:b:c", "Partition \"b\" is not valid for resource \"arn:b:c:*:*:*\"."),
        ("a:b:c:d:e:f:g:h", "Partition \"b\" is not valid for resource \"arn:b:c:d:e:f:g:h\"."),
        ("aws:s3:::x", "Partition \"s3\" is not valid for resource \"arn:s3:::x:*\"."),
        ("arn:error:s3::x", "Partition \"error\" is not valid for resource \"arn:error:s3::x:*\"."),
        ("a:aws:s3:::x", "Resource a:aws:s3:::x must be in ARN format or \"*\"."),
        ("arn:wrong", "Partition \"wrong\" is not valid for resource \"arn:wrong:*:*:*:*\"."),
        ("arn:aws:s3:eu::b", "Resource arn:aws:s3:eu::b can not contain region information."),
        (
            "arn:aws:iam:eu:1:user/a",
            "IAM resource arn:aws:iam:eu:1:user/a cannot contain region information.",
        ),
        // The others as people reported them of AWS.
        ("arn:aws:*:*:*:*nonprod*", VENDOR),
        ("arn:aws:*:*:111122223333:*", VENDOR),
        ("arn:aws:s3*:::b", VENDOR),
        ("arn:aws:*", VENDOR),
        ("arn:aws:iam::111122223333:*/cdk-hnb659fds-*", IAM_PATHS),
        ("arn:aws:iam::*:*name*", IAM_PATHS),
        ("arn:aws:iam::111122223333:${aws:username}", IAM_PATHS),
        ("arn:aws:iam::${aws:PrincipalAccount}:role/x", LEGACY),
        ("arn:aws-cn:s3:::b", "Partition \"aws-cn\" is not valid for resource \"arn:aws-cn:s3:::b\"."),
        (
            "arn:aws:route53:eu-west-1:111122223333:hostedzone/*",
            "Resource arn:aws:route53:eu-west-1:111122223333:hostedzone/* can not contain region information.",
        ),
        (
            "arn:aws:route53::111122223333:hostedzone/*",
            "Resource arn:aws:route53::111122223333:hostedzone/* cannot contain an account id.",
        ),
        ("arn:aws:iam::1:nonsense", IAM_PATHS),
        ("arn:aws:iam::1:user", IAM_PATHS),
    ] {
        assert_eq!(with(bad), expected, "{bad}");
    }
}

const VENDOR: &str = "Resource vendor must be fully qualified and cannot contain regexes.";
const IAM_PATHS: &str = "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, \
     instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, \
     access-report/.";

#[test]
fn characters_beyond_latin_1_are_refused() {
    let text = |c: char| format!(r#"{{"Version":"2012-10-17","Id":"{c}","Statement":{{{GOOD}}}}}"#);
    assert_eq!(message(Kind::Managed, &text('\u{ff}')), "");
    for c in ['\u{100}', '\u{1f600}', '\u{7f}', '\u{0}'] {
        let expected = if c == '\u{7f}' { "" } else { SYNTAX };
        assert_eq!(message(Kind::Managed, &text(c)), expected, "{c:?}");
    }
}

#[test]
fn names_twice_and_oversize_are_refused_in_every_kind() {
    let twice = r#"{"Version":"2012-10-17","Statement":[],"Statement":[]}"#;
    let long = format!(r#"{{"Version":"2012-10-17","Id":"{}","Statement":[]}}"#, "x".repeat(131_072));
    for kind in
        [Kind::Managed, Kind::Inline, Kind::Session, Kind::Trust, Kind::Resource, Kind::Scp, Kind::Rcp]
    {
        assert_ne!(message(kind, twice), "");
        assert_ne!(message(kind, &long), "");
    }
}

/// A trust policy that is fine but for `principal` and `rest`.
fn trust(principal: &str, rest: &str) -> String {
    statement(
        Kind::Trust,
        &format!(r#""Effect":"Allow","Action":"sts:AssumeRole","Principal":{principal}{rest}"#),
    )
}

#[test]
fn trust_policies_name_principals_that_can_be() {
    for good in [
        r#"{"AWS":"*"}"#,
        r#"{"AWS":["111122223333","arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:role/a/b"]}"#,
        r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}"#,
        r#"{"AWS":"AIDAF7DORIUOBAMH7UJK2"}"#,
        r#"{"Service":["ec2.amazonaws.com","states.eu-west-1.amazonaws.com"]}"#,
        r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.example.com/id/X"}"#,
        r#"{"Federated":"accounts.google.com"}"#,
    ] {
        assert_eq!(trust(good, ""), "", "{good}");
    }
    for (bad, expected) in [
        (r#""*""#, "AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\"."),
        ("{}", "Missing required field Principal cannot be empty!"),
        (r#"{"AWS":[]}"#, "Missing required field Principal cannot be empty!"),
        (r#""arn:aws:iam::111122223333:root""#, SYNTAX),
        (r#"{"Group":"x"}"#, SYNTAX),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#,
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:user/*\"",
        ),
        (r#"{"AWS":"alice"}"#, "Invalid principal in policy: \"AWS\":\"alice\""),
        (r#"{"AWS":"arn:aws:iam::1:root"}"#, "Invalid principal in policy: \"AWS\":\"arn:aws:iam::1:root\""),
        (
            r#"{"AWS":"arn:aws-cn:iam::111122223333:root"}"#,
            "Invalid principal in policy: \"AWS\":\"arn:aws-cn:iam::111122223333:root\"",
        ),
        (
            r#"{"AWS":"arn:aws:iam:eu-west-1:111122223333:role/a"}"#,
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam:eu-west-1:111122223333:role/a\"",
        ),
        (r#"{"AWS":"arn:aws:s3:::b"}"#, "Invalid principal in policy: \"AWS\":\"arn:aws:s3:::b\""),
        (r#"{"Service":"x"}"#, "Invalid principal in policy: \"SERVICE\":\"x\""),
        (r#"{"CanonicalUser":"0f"}"#, "Invalid principal in policy: \"CANONICALUSER\":\"0f\""),
        (
            r#"{"Federated":"google"}"#,
            "Federated principals must be valid domain names or SAML metadata ARNs",
        ),
        (
            r#"{"Federated":"arn:aws-cn:iam::111122223333:saml-provider/x"}"#,
            "Federated principals must be valid domain names or SAML metadata ARNs",
        ),
        (
            r#"{"Federated":"cognito-identity.amazonaws.com"}"#,
            "A condition block must be present for the Cognito provider",
        ),
    ] {
        assert_eq!(trust(bad, ""), expected, "{bad}");
    }
}

/// IAM User Guide, "Identity-provider controls for shared OIDC providers".
#[test]
fn trust_in_a_shared_issuer_says_whose_tokens() {
    const GITHUB: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let with = |provider: &str, condition: &str| {
        let text = format!(
            r#""Effect":"Allow","Action":["sts:TagSession","sts:AssumeRoleWithWeb*"],"Principal":{{"Federated":["{provider}"]}},"Condition":{{{condition}}}"#
        );
        statement(Kind::Trust, &text)
    };
    let refused = "Trust in accounts.google.com must be restricted by a condition on accounts.google.com:aud or \
         accounts.google.com:oaud or accounts.google.com:sub";
    assert_eq!(with("accounts.google.com", ""), refused);
    for (provider, open) in [
        ("www.amazon.com", ""),
        ("www.amazon.com", r#""StringLike":{"www.amazon.com:app_id":"a"}"#),
        ("www.amazon.com", r#""ForAllValues:StringEquals":{"www.amazon.com:sub":"a"}"#),
        ("www.amazon.com", r#""ForAllValues:StringEqualsIgnoreCase":{"www.amazon.com:app_id":"a"}"#),
        ("graph.facebook.com", r#""ForAnyValue:StringEquals":{"graph.facebook.com:sub":"a"}"#),
        (
            GITHUB,
            r#""ForAllValues:StringLike":{"token.actions.githubusercontent.com:job_workflow_ref":"o/r/*"}"#,
        ),
        ("cognito-identity.amazonaws.com", r#""Bool":{"aws:SecureTransport":"true"}"#),
        (
            "cognito-identity.amazonaws.com",
            r#""StringEquals":{"cognito-identity.amazonaws.com:aud":["x","*"]}"#,
        ),
        ("accounts.google.com", r#""StringNotEquals":{"accounts.google.com:sub":"a"}"#),
        ("accounts.google.com", r#""StringEqualsIfExists":{"accounts.google.com:sub":"a"}"#),
        ("accounts.google.com", r#""StringEquals":{"accounts.google.com:sub":[]}"#),
        (GITHUB, r#""StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}"#),
        (GITHUB, r#""StringLike":{"token.actions.githubusercontent.com:sub":"*:main"}"#),
        (GITHUB, r#""StringLike":{"token.actions.githubusercontent.com:sub":" "}"#),
        (GITHUB, r#""StringLike":{"token.actions.githubusercontent.com:sub":"?*"}"#),
        (GITHUB, r#""StringLike":{"token.actions.githubusercontent.com:sub":"?*:*"}"#),
        (GITHUB, r#""StringLike":{"token.actions.githubusercontent.com:sub":"?epo:*"}"#),
        // Variables: what the token says of itself, and nothing at all.
        (
            GITHUB,
            r#""StringEquals":{"token.actions.githubusercontent.com:sub":"${token.actions.githubusercontent.com:sub}"}"#,
        ),
        (GITHUB, r#""StringLike":{"token.actions.githubusercontent.com:sub":"${aws:nope, ''}*"}"#),
        ("www.amazon.com", r#""StringEquals":{"www.amazon.com:app_id":"${www.amazon.com:app_id}"}"#),
        ("accounts.google.com", r#""StringLike":{"accounts.google.com:sub":"**"}"#),
        ("Accounts.Google.com", ""),
        ("arn:aws:iam::111122223333:oidc-provider/GitLab.com", ""),
        ("arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com.example.org", ""),
    ] {
        assert!(with(provider, open).starts_with("Trust in "), "{provider} {open}");
    }
    for (provider, closed) in [
        ("www.amazon.com", r#""StringEqualsIgnoreCase":{"www.amazon.com:app_id":"a"}"#),
        (GITHUB, r#""ForAllValues:StringLike":{"token.actions.githubusercontent.com:sub":"repo:o/r:*"}"#),
        (
            GITHUB,
            r#""ForAnyValue:StringLike":{"token.actions.githubusercontent.com:job_workflow_ref":"o/r/*"}"#,
        ),
        (
            "cognito-identity.amazonaws.com",
            r#""StringLike":{"Cognito-identity.amazonaws.com:AUD":"eu-west-1:*"}"#,
        ),
        ("accounts.google.com", r#""ForAnyValue:StringEquals":{"accounts.google.com:oaud":"a"}"#),
        (GITHUB, r#""StringLike":{"token.actions.githubusercontent.com:sub":"repo:*"}"#),
        (GITHUB, r#""StringLike":{"token.actions.githubusercontent.com:sub":"repo:o/r:${*}"}"#),
        (
            "arn:aws:iam::111122223333:oidc-provider/GitLab.com",
            r#""StringLike":{"gitlab.com:sub":"project_path:g/p:*"}"#,
        ),
        (
            GITHUB,
            r#""StringEquals":{"token.actions.githubusercontent.com:job_workflow_ref":"o/r/.github/workflows/w.yml@main"}"#,
        ),
        // Issuers of one's own, and of one customer.
        ("arn:aws:iam::111122223333:oidc-provider/oidc.example.com", ""),
        ("arn:aws:iam::111122223333:oidc-provider/oidc.vercel.com/acme", ""),
        ("arn:aws:iam::111122223333:saml-provider/x", ""),
    ] {
        assert_eq!(with(provider, closed), "", "{provider} {closed}");
    }
    let other = |effect: &str, action: &str| {
        let text =
            format!(r#""Effect":"{effect}","Action":"{action}","Principal":{{"Federated":"{GITHUB}"}}"#);
        statement(Kind::Trust, &text)
    };
    assert_eq!(other("Deny", "sts:AssumeRoleWithWebIdentity"), "");
    assert_eq!(other("Allow", "sts:TagSession"), "");
}

#[test]
fn trust_policies_have_rules_of_their_own() {
    assert_eq!(message(Kind::Trust, "{"), "This policy contains invalid Json");
    assert_eq!(
        message(Kind::Trust, r#"{"Statement":[]}"#),
        "Could not parse the policy: Statement is empty!"
    );
    assert_eq!(statement(Kind::Trust, r#""Action":"sts:AssumeRole""#), "Missing required field Effect");
    let no_principal = r#""Effect":"Allow","Action":"sts:AssumeRole""#;
    assert_eq!(statement(Kind::Trust, no_principal), "Missing required field Principal");
    assert_eq!(trust(r#"{"AWS":"*"}"#, r#","Resource":"*""#), "Has prohibited field Resource");
    for (effect, expected) in [
        ("Deny", "AssumeRole policy must not contain NotPrincipal field."),
        ("Allow", "Allow with NotPrincipal is not allowed."),
    ] {
        let negated =
            format!(r#""Effect":"{effect}","Action":"sts:AssumeRole","NotPrincipal":{{"AWS":"*"}}"#);
        assert_eq!(statement(Kind::Trust, &negated), expected);
    }
    for version in [r#""2013-10-17""#, "2012"] {
        let text = format!(r#"{{"Version":{version},"Statement":[]}}"#);
        assert_eq!(message(Kind::Trust, &text), "The policy must contain a valid version string");
    }
    for action in [
        r#""Action":"*""#,
        r#""Action":["sts:AssumeRole","iam:PassRole"]"#,
        r#""Action":["sts:AssumeRole","sts:TagSessions"]"#,
        r#""Action":"sts:InvalidAction""#,
        r#""Action":"sts:GetCallerIdentity""#,
        r#""Action":"sts:Get*""#,
        r#""Action":["sts:*","sts:Zz*"]"#,
        r#""Action":"sts:TagSession?""#,
        r#""NotAction":"sts:AssumeRole""#,
    ] {
        let text = format!(r#""Effect":"Allow","Principal":{{"AWS":"*"}},{action}"#);
        assert_eq!(
            statement(Kind::Trust, &text),
            "AssumeRole policy may only specify STS AssumeRole actions."
        );
    }
    for action in [
        r#""sts:TagSession""#,
        r#"["STS:assumerole","sts:AssumeRoleWithSAML","sts:AssumeRoleWithWebIdentity"]"#,
        r#"["sts:SetSourceIdentity","sts:SetContext"]"#,
        r#"["sts:*","sts:Assume*","sts:TagSessio?"]"#,
    ] {
        let text = format!(r#""Effect":"Allow","Principal":{{"AWS":"*"}},"Action":{action}"#);
        assert_eq!(statement(Kind::Trust, &text), "", "{action}");
    }
}

#[test]
fn resource_policies_need_a_principal() {
    assert_eq!(statement(Kind::Resource, GOOD), "Missing required field Principal");
    assert_eq!(statement(Kind::Resource, &format!(r#"{GOOD},"Principal":"*""#)), "");
    assert_eq!(
        statement(Kind::Resource, &format!(r#"{GOOD},"NotPrincipal":{{"AWS":"111122223333"}}"#)),
        "Allow with NotPrincipal is not allowed."
    );
    let other_partition = "arn:aws-us-gov:iam::111122223333:root";
    assert_eq!(
        statement(Kind::Resource, &format!(r#"{GOOD},"Principal":{{"AWS":"{other_partition}"}}"#)),
        format!("Invalid principal in policy: \"AWS\":\"{other_partition}\"")
    );
    let no_resource = r#""Effect":"Allow","Action":"s3:*","Principal":"*""#;
    assert_eq!(statement(Kind::Resource, no_resource), "Policy statement must contain resources.");
}

#[test]
fn an_empty_text_names_no_resource() {
    let resources = "Policy statement must contain resources.";
    for element in [r#""Resource":"""#, r#""NotResource":["arn:aws:s3:::b",""]"#] {
        let deny = format!(r#""Effect":"Deny","Action":"s3:*",{element}"#);
        let to_all = format!(r#"{deny},"Principal":"*""#);
        for kind in [Kind::Managed, Kind::Inline, Kind::Session, Kind::Boundary] {
            assert_eq!(
                statement(kind, &deny),
                "Resource  must be in ARN format or \"*\".",
                "{kind:?} {element}"
            );
        }
        assert_eq!(statement(Kind::Scp, &deny), resources, "{element}");
        assert_eq!(statement(Kind::Rcp, &to_all), resources, "{element}");
        assert_eq!(statement(Kind::Resource, &to_all), resources, "{element}");
    }
}

#[test]
fn resource_control_policies_deny_named_actions_to_everybody() {
    let rcp = |effect: &str, principal: &str, action: &str| {
        statement(Kind::Rcp, &format!(r#""Effect":"{effect}",{principal},{action},"Resource":"*""#))
    };
    let star = r#""Principal":"*""#;
    let s3 = r#""Action":"s3:*""#;
    assert_eq!(rcp("Deny", star, s3), "");
    assert_eq!(rcp("Deny", r#""Principal":{"AWS":"*"}"#, s3), "");
    for (effect, principal, action) in [
        ("Allow", star, s3),
        ("Deny", r#""Principal":{"AWS":"111122223333"}"#, s3),
        ("Deny", r#""NotPrincipal":"*""#, s3),
        ("Deny", star, r#""Action":"*""#),
        ("Deny", star, r#""NotAction":"s3:*""#),
    ] {
        assert_eq!(rcp(effect, principal, action), organization::UNFIT, "{effect} {principal} {action}");
    }
}

#[test]
fn the_place_of_a_fault_is_told() {
    let text =
        "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\"Effect\": \"Allow\", \"Nope\": 1}]\n}";
    let error = validate(Kind::Managed, text).unwrap_err();
    assert_eq!((error.line, error.column), (3, 37));
    assert!(text[error.offset..].starts_with("\"Nope\""));
}
