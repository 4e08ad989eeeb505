//! What temporary credentials carry: tags, source identity, session policies; and how large that makes the token.
//!
//! Sources: AWS STS API Reference (AssumeRole, GetFederationToken); IAM User Guide, "Pass session tags in AWS STS",
//! "Monitor and control actions taken with assumed roles", "Session policies".

use daypass_authn::sigv4::HttpRequest;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::sessions::{
    GET_ROLE, GET_USER, Params, TRUST, assume, assumed, get_user, role, start, told, who_is,
};
use crate::support::{ACCOUNT, Keys};
use crate::world::asking;

/// `Tags.member.N` of a call.
fn tags(pairs: Params<'_>) -> Vec<(String, String)> {
    let tag = |(n, (key, value)): (usize, &(&str, &str))| {
        let name = |part: &str| format!("Tags.member.{}.{part}", n + 1);
        [(name("Key"), (*key).to_owned()), (name("Value"), (*value).to_owned())]
    };
    pairs.iter().enumerate().flat_map(tag).collect()
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Allows GetUser when these condition keys have these values.
fn get_user_if(keys: Params<'_>) -> String {
    let condition: serde_json::Map<_, _> =
        keys.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:GetUser", "Resource": "*", "Condition": {"StringEquals": condition},
    }, {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]})
    .to_string()
}

#[tokio::test]
async fn a_session_tag_takes_the_place_of_the_roles_tag_in_any_case() {
    let (house, ada) = start().await;
    let red = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red")];
    role(&house, "Reds", TRUST, &get_user_if(&[("aws:PrincipalTag/Team", "red")]), &red).await;
    role(&house, "Blues", TRUST, &get_user_if(&[("aws:PrincipalTag/Team", "blue")]), &red).await;
    let blue = tags(&[("TEAM", "blue")]);
    for (role, passed, allowed) in
        [("Reds", &[][..], true), ("Reds", &blue, false), ("Blues", &[], false), ("Blues", &blue, true)]
    {
        let session = assumed(&house, &ada, role, &borrowed(passed)).await;
        assert_eq!(get_user(&house, &session).await.is_ok(), allowed, "{role} {passed:?}");
    }
}

#[tokio::test]
async fn transitive_tags_are_inherited_through_the_whole_chain_and_other_tags_are_not() {
    let (house, ada) = start().await;
    let both = get_user_if(&[("aws:PrincipalTag/Project", "x")]);
    let other = get_user_if(&[("aws:PrincipalTag/Once", "y")]);
    let of_role = get_user_if(&[("aws:PrincipalTag/Home", "z")]);
    let home = [("Tags.member.1.Key", "Home"), ("Tags.member.1.Value", "z")];
    role(&house, "First", TRUST, ALLOW_ALL, &home).await;
    for (name, policy) in [("Project", &both), ("Once", &other), ("Home", &of_role)] {
        role(&house, name, TRUST, policy, &[]).await;
    }
    let mut passed = tags(&[("Project", "x"), ("Once", "y")]);
    passed.push(("TransitiveTagKeys.member.1".into(), "PROJECT".into()));
    let first = assumed(&house, &ada, "First", &borrowed(&passed)).await;
    let second = assumed(&house, &first, "Crew", &[]).await;
    for (role, inherited) in [("Project", true), ("Once", false), ("Home", false)] {
        for caller in [&first, &second] {
            let last = assumed(&house, caller, role, &[]).await;
            assert_eq!(get_user(&house, &last).await.is_ok(), inherited, "{role}");
        }
    }
}

#[tokio::test]
async fn tags_that_clash_are_refused_in_awss_words() {
    let (house, ada) = start().await;
    let refusal = async |who: &Keys, passed: &[(String, String)]| {
        told(assume(&house, who, "Crew", &borrowed(passed)).await)
    };
    let invalid = |message: &str| ("InvalidParameterValue", message.to_owned());
    let twice = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    assert_eq!(refusal(&ada, &tags(&[("a", "1"), ("A", "2")])).await, invalid(twice));
    let mut unknown = tags(&[("a", "1")]);
    unknown.push(("TransitiveTagKeys.member.1".into(), "b".into()));
    let message = "The specified transitive tag key must be included in the requested tags.";
    assert_eq!(refusal(&ada, &unknown).await, invalid(message));
    let message = "Tag keys and values beginning with aws: are reserved for system use.";
    for reserved in ["aws:a", "AWS:a", "aWs:"] {
        for tag in [(reserved, "1"), ("a", reserved)] {
            assert_eq!(refusal(&ada, &tags(&[tag])).await, invalid(message), "{tag:?}");
        }
    }
    let mut transitive = tags(&[("Project", "x")]);
    transitive.push(("TransitiveTagKeys.member.1".into(), "Project".into()));
    let session = assumed(&house, &ada, "Crew", &borrowed(&transitive)).await;
    let message = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.";
    for key in ["Project", "pROJECT"] {
        assert_eq!(
            refusal(&session, &tags(&[(key, "x")])).await,
            invalid(message),
            "{key}, even with the same value"
        );
    }
    let fifty_one: Vec<_> = (0..51).map(|n| format!("k{n}")).collect();
    let fifty_one: Vec<_> = fifty_one.iter().map(|key| (key.as_str(), "")).collect();
    assert_eq!(refusal(&ada, &tags(&fifty_one)).await.0, "ValidationError");
    let twice_federated = [vec![("Name".into(), "Jill".into())], tags(&[("a", "1"), ("A", "2")])].concat();
    let outcome = house.call(&ada, "sts", "GetFederationToken", &borrowed(&twice_federated)).await;
    assert_eq!(told(outcome), invalid(twice));
}

#[tokio::test]
async fn inherited_tags_and_source_identity_need_their_permission_again() {
    let (house, ada) = start().await;
    let only = |action: &str| {
        TRUST.replace(r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]"#, action)
    };
    role(&house, "NoTags", &only(r#"["sts:AssumeRole","sts:SetSourceIdentity"]"#), ALLOW_ALL, &[]).await;
    role(&house, "NoNames", &only(r#"["sts:AssumeRole","sts:TagSession"]"#), ALLOW_ALL, &[]).await;
    let mut passed = tags(&[("Project", "x")]);
    passed.push(("TransitiveTagKeys.member.1".into(), "Project".into()));
    let tagged = assumed(&house, &ada, "Crew", &borrowed(&passed)).await;
    let named = assumed(&house, &ada, "Crew", &[("SourceIdentity", "ada")]).await;
    assume(&house, &named, "NoTags", &[]).await.unwrap();
    assume(&house, &tagged, "NoNames", &[]).await.unwrap();
    for (who, role, action) in
        [(&tagged, "NoTags", "sts:TagSession"), (&named, "NoNames", "sts:SetSourceIdentity")]
    {
        let (code, message) = told(assume(&house, who, role, &[]).await);
        let asked =
            format!("is not authorized to perform: {action} on resource: arn:aws:iam::{ACCOUNT}:role/{role}");
        assert!(code == "AccessDenied" && message.contains(&asked), "{message}");
    }
}

#[tokio::test]
async fn the_answer_of_assume_role_stands_in_awss_order() {
    let (house, ada) = start().await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/Crew");
    let pairs = [
        ("RoleArn", arn.as_str()),
        ("RoleSessionName", "s1"),
        ("SourceIdentity", "ada"),
        ("Policy", ALLOW_ALL),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let params =
        daypass_service::params::Params::from_pairs(pairs).map_err(|_| unreachable!("no pair is wrong"));
    let http = HttpRequest::new("POST", "/", "").with_header("host", "daypass.test");
    let http = house.signed(&ada, "sts", http);
    let reply = house.reply(http, "sts", "AssumeRole", "2011-06-15", params).await.unwrap();
    let text = serde_json::to_string(&*reply).unwrap();
    let at = |name: &str| text.find(&format!("\"{name}\":")).unwrap();
    let names = [
        "AssumedRoleUser",
        "AssumedRoleId",
        "Arn",
        "Credentials",
        "AccessKeyId",
        "SecretAccessKey",
        "SessionToken",
        "Expiration",
        "PackedPolicySize",
        "SourceIdentity",
        "SessionTokenSize",
    ];
    assert!(names.iter().map(|name| at(name)).is_sorted(), "{names:?}");
}

#[tokio::test]
async fn a_source_identity_is_set_once_and_follows_the_chain() {
    let (house, ada) = start().await;
    role(&house, "Named", TRUST, &get_user_if(&[("aws:SourceIdentity", "ada")]), &[]).await;
    let answer = assume(&house, &ada, "Crew", &[]).await.unwrap();
    assert_eq!(answer.get("SourceIdentity"), None, "only where one was set");
    let answer = assume(&house, &ada, "Crew", &[("SourceIdentity", "ada")]).await.unwrap();
    assert_eq!(answer["SourceIdentity"], "ada");
    let first = Keys::of(&answer["Credentials"]);
    for more in [&[][..], &[("SourceIdentity", "ada")]] {
        let answer = assume(&house, &first, "Named", more).await.unwrap();
        assert_eq!(answer["SourceIdentity"], "ada", "inherited, and the same one may be said again");
        get_user(&house, &Keys::of(&answer["Credentials"])).await.unwrap();
    }
    for other in ["bob", "Ada"] {
        // Before anybody is asked, so also of a role that is not there.
        for role in ["Named", "Nowhere"] {
            let refused = told(assume(&house, &first, role, &[("SourceIdentity", other)]).await);
            let sentence = "The source identity is already set for this assume role session";
            assert_eq!(refused, ("ValidationError", sentence.to_owned()), "{role} {other}");
        }
    }
    for bad in ["aws:ada", "AWS:ada", "a", "a b"] {
        assert_eq!(
            told(assume(&house, &ada, "Crew", &[("SourceIdentity", bad)]).await).0,
            "ValidationError",
            "{bad}"
        );
    }
    let nameless = assumed(&house, &ada, "Named", &[]).await;
    assert_eq!(told(get_user(&house, &nameless).await).0, "AccessDenied");
}

#[tokio::test]
async fn session_policies_unite_with_each_other_and_only_limit() {
    let (house, ada) = start().await;
    for (name, document) in [("Users", GET_USER), ("Roles", GET_ROLE)] {
        house.root("iam", "CreatePolicy", &[("PolicyName", name), ("PolicyDocument", document)]).await;
    }
    let [users, roles] = ["Users", "Roles"].map(|name| format!("arn:aws:iam::{ACCOUNT}:policy/{name}"));
    let get_role = async |who: &Keys| house.call(who, "iam", "GetRole", &[("RoleName", "Crew")]).await;
    let cases: [(Params<'_>, bool, bool); 5] = [
        (&[], true, true),
        (&[("Policy", GET_USER)], true, false),
        (&[("PolicyArns.member.1.arn", &roles)], false, true),
        (&[("Policy", GET_USER), ("PolicyArns.member.1.arn", &roles)], true, true),
        (&[("PolicyArns.member.1.arn", &users), ("PolicyArns.member.2.arn", &roles)], true, true),
    ];
    for (more, user, of_role) in cases {
        let session = assumed(&house, &ada, "Crew", more).await;
        assert_eq!(get_user(&house, &session).await.is_ok(), user, "{more:?}");
        assert_eq!(get_role(&session).await.is_ok(), of_role, "{more:?}");
    }
    role(&house, "Poor", TRUST, GET_ROLE, &[]).await;
    let session = assumed(&house, &ada, "Poor", &[("Policy", ALLOW_ALL)]).await;
    assert_eq!(told(get_user(&house, &session).await).0, "AccessDenied", "a session policy adds nothing");
}

#[tokio::test]
async fn of_a_managed_session_policy_the_present_default_version_counts() {
    let (house, ada) = start().await;
    house.root("iam", "CreatePolicy", &[("PolicyName", "Now"), ("PolicyDocument", GET_USER)]).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/Now");
    let session = assumed(&house, &ada, "Crew", &[("PolicyArns.member.1.arn", &arn)]).await;
    get_user(&house, &session).await.unwrap();
    let second = [("PolicyArn", arn.as_str()), ("PolicyDocument", GET_ROLE), ("SetAsDefault", "true")];
    house.root("iam", "CreatePolicyVersion", &second).await;
    assert_eq!(told(get_user(&house, &session).await).0, "AccessDenied");
    house.root("iam", "SetDefaultPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")]).await;
    get_user(&house, &session).await.unwrap();
    house.root("iam", "DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v2")]).await;
    house.root("iam", "DeletePolicy", &[("PolicyArn", &arn)]).await;
    for round in ["deleted", "made again"] {
        let (_, message) = told(get_user(&house, &session).await);
        let nothing = "because no session policy allows the iam:GetUser action";
        assert!(message.ends_with(nothing), "{round}: {message}");
        if round == "deleted" {
            house.root("iam", "CreatePolicy", &[("PolicyName", "Now"), ("PolicyDocument", GET_USER)]).await;
        }
    }
    get_user(&house, &assumed(&house, &ada, "Crew", &[("PolicyArns.member.1.arn", &arn)]).await)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_managed_session_policy_that_is_gone_takes_what_was_passed_with_it_along() {
    let (house, ada) = start().await;
    let deny =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}}"#;
    house.root("iam", "CreatePolicy", &[("PolicyName", "Not"), ("PolicyDocument", deny)]).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/Not");
    let passed = [("PolicyArns.member.1.arn", arn.as_str()), ("Policy", ALLOW_ALL)];
    let session = assumed(&house, &ada, "Crew", &passed).await;
    get_user(&house, &session).await.unwrap();
    assert_eq!(told(house.call(&session, "iam", "ListUsers", &[]).await).0, "AccessDenied");
    house.root("iam", "DeletePolicy", &[("PolicyArn", &arn)]).await;
    assert_eq!(
        told(house.call(&session, "iam", "ListUsers", &[]).await).0,
        "AccessDenied",
        "no Deny is dropped"
    );
    assert_eq!(
        told(get_user(&house, &session).await).0,
        "AccessDenied",
        "the safe reading: it allows nothing"
    );
}

#[tokio::test]
async fn what_stays_of_session_policies_denies_whoever_else_allows() {
    let (house, ada) = start().await;
    let named = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/Crew/s1"},"Action":"sts:AssumeRole"}}"#;
    role(&house, "Door", named, ALLOW_ALL, &[]).await;
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"sts:*","Resource":"*"}]}"#;
    let make = async || {
        house.root("iam", "CreatePolicy", &[("PolicyName", "Gone"), ("PolicyDocument", ALLOW_ALL)]).await
    };
    make().await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/Gone");
    for inline in [deny, ALLOW_ALL] {
        let passed = [("PolicyArns.member.1.arn", arn.as_str()), ("Policy", inline)];
        let session = assumed(&house, &ada, "Crew", &passed).await;
        assert_eq!(assume(&house, &session, "Door", &[]).await.is_ok(), inline == ALLOW_ALL);
        house.root("iam", "DeletePolicy", &[("PolicyArn", &arn)]).await;
        let refused = told(assume(&house, &session, "Door", &[]).await);
        assert_eq!(refused.0, "AccessDenied", "named by its own ARN, and bound all the same");
        make().await;
    }
}

#[tokio::test]
async fn session_policies_that_cannot_be_are_refused() {
    let (house, ada) = start().await;
    let refusal = async |more: Params<'_>| told(assume(&house, &ada, "Crew", more).await).0;
    for bad in [
        "{",
        "[]",
        r#"{"Statement":[{"Effect":"Allow","Action":"s3:*"}]}"#,
        &GET_USER.replace("Allow", "Perhaps"),
    ] {
        assert_eq!(refusal(&[("Policy", bad)]).await, "MalformedPolicyDocument", "{bad}");
    }
    let principal = GET_USER.replace(r#""Action""#, r#""Principal":"*","Action""#);
    assert_eq!(refusal(&[("Policy", &principal)]).await, "MalformedPolicyDocument");
    let missing = format!("arn:aws:iam::{ACCOUNT}:policy/None");
    for arn in [missing.as_str(), "arn:aws:iam::444455556666:policy/Theirs", "arn:aws:iam::aws:policy/None"] {
        assert_eq!(refusal(&[("PolicyArns.member.1.arn", arn)]).await, "MalformedPolicyDocument", "{arn}");
    }
    let names: Vec<_> = (1..=11).map(|n| format!("PolicyArns.member.{n}.arn")).collect();
    let eleven: Vec<_> =
        names.iter().map(|name| (name.as_str(), "arn:aws:iam::aws:policy/ReadOnlyAccess")).collect();
    assert_eq!(refusal(&eleven).await, "ValidationError");
    assume(&house, &ada, "Crew", &eleven[..10]).await.unwrap();
    let of_length = |length: usize| {
        let empty = GET_USER.replace(r#""Effect""#, r#""Sid":"","Effect""#);
        empty.replace(r#""Sid":"""#, &format!(r#""Sid":"{}""#, "a".repeat(length - empty.len())))
    };
    assume(&house, &ada, "Crew", &[("Policy", &of_length(2048))]).await.unwrap();
    let told = told(assume(&house, &ada, "Crew", &[("Policy", &of_length(2049))]).await);
    let message = "Packed policy consumes 101% of allotted space, please use smaller policy.";
    assert_eq!(told, ("PackedPolicyTooLarge", message.to_owned()));
}

#[tokio::test]
async fn without_a_session_policy_a_federated_user_may_nothing() {
    let (house, ada) = start().await;
    let question = asking(&HttpRequest::new("GET", "/shelf/a.txt", "").with_header("host", "store.test"));
    let check = async |params: Params<'_>, who: &Keys| {
        let answer = house.call(who, "sts", "GetFederationToken", params).await.unwrap();
        let session = Keys::of(&answer["Credentials"]);
        let who = house.call(&session, "sts", "GetCallerIdentity", &[]).await.unwrap();
        assert_eq!(who["Arn"], format!("arn:aws:sts::{ACCOUNT}:federated-user/Jill"));
        house.call_json(&session, "CheckRequest", &question).await
    };
    for issuer in [&ada, &house.root.clone()] {
        assert_eq!(told(check(&[("Name", "Jill")], issuer).await).0, "AccessDenied");
        check(&[("Name", "Jill"), ("Policy", ALLOW_ALL)], issuer).await.unwrap();
    }
}

#[tokio::test]
async fn sizes_are_told_and_true() {
    let (house, ada) = start().await;
    let size = |answer: &Value| {
        let length = answer["Credentials"]["SessionToken"].as_str().unwrap().len();
        assert_eq!(answer["SessionTokenSize"], json!(length));
        assert_eq!(answer["SessionTokenUtilization"], json!((length * 100).div_ceil(4096)));
        assert!(length <= 4096);
        length
    };
    let plain = assume(&house, &ada, "Crew", &[]).await.unwrap();
    assert_eq!(plain.get("PackedPolicySize"), None, "nothing was packed");
    assert!(size(&plain) < 1024);
    let session = house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap();
    assert_eq!(session.get("PackedPolicySize"), None, "GetSessionToken takes no policy");
    size(&session);
    let federated = house.call(&ada, "sts", "GetFederationToken", &[("Name", "Jill")]).await.unwrap();
    assert_eq!(federated["PackedPolicySize"], 0, "always there, 0 without a policy");
    size(&federated);

    let tagged = assume(&house, &ada, "Crew", &borrowed(&tags(&[("a", "1")]))).await.unwrap();
    let limited = assume(&house, &ada, "Crew", &[("Policy", GET_USER)]).await.unwrap();
    for answer in [&tagged, &limited] {
        let percent = answer["PackedPolicySize"].as_u64().unwrap();
        assert!((1..=100).contains(&percent), "{percent}");
        assert!(size(answer) > size(&plain));
    }
    for minimum in ["0", "1", "2000", "4095", "4096"] {
        let more = [("MinimumSessionTokenSize", minimum)];
        let answer = assume(&house, &ada, "Crew", &more).await.unwrap();
        assert!(size(&answer) >= minimum.parse().unwrap(), "{minimum}");
        who_is(&house, &Keys::of(&answer["Credentials"])).await.unwrap();
    }
    for bad in ["-1", "4097"] {
        assert_eq!(
            told(assume(&house, &ada, "Crew", &[("MinimumSessionTokenSize", bad)]).await).0,
            "ValidationError"
        );
    }
}

#[tokio::test]
async fn tags_that_do_not_fit_say_how_far_they_are_over() {
    let (house, ada) = start().await;
    let values: Vec<_> = (0..50_u32).map(|n| (format!("key-{n}"), noise(n, 250))).collect();
    let passed = tags(&borrowed(&values));
    assert!(is_over(&told(assume(&house, &ada, "Crew", &borrowed(&passed)).await)));
}

/// Whether a refusal says that a session's tags take more room than there is, and how much.
pub(crate) fn is_over((code, message): &(&'static str, String)) -> bool {
    let percent = message.strip_prefix("Packed size of session tags consumes ");
    let percent = percent.and_then(|text| text.strip_suffix("% of allotted space.")?.parse::<u32>().ok());
    *code == "PackedPolicyTooLarge" && percent.is_some_and(|percent| percent > 100)
}

/// Letters that do not compress.
pub(crate) fn noise(seed: u32, length: usize) -> String {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(
            b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-"[(state >> 24) as usize % 64],
        )
    };
    (0..length).map(|_| next()).collect()
}
