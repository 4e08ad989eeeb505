//! What passwords must be like: by the account's policy, and by AWS's default where it has none.

use serde_json::{Value, json};

use crate::answers::{refusal, refused};
use crate::support::TestHouse;

async fn shown(house: &TestHouse) -> Value {
    house.root("iam", "GetAccountPasswordPolicy", &[]).await["PasswordPolicy"].clone()
}

/// What a new user with this password is told; `None` when it is taken.
async fn told(house: &TestHouse, password: &str) -> Option<String> {
    house.root("iam", "CreateUser", &[("UserName", "Ada-Lovelace-1")]).await;
    let params = [("UserName", "Ada-Lovelace-1"), ("Password", password)];
    let outcome = house.call(&house.root, "iam", "CreateLoginProfile", &params).await;
    if outcome.is_ok() {
        house.root("iam", "DeleteLoginProfile", &[("UserName", "Ada-Lovelace-1")]).await;
    }
    house.root("iam", "DeleteUser", &[("UserName", "Ada-Lovelace-1")]).await;
    let error = outcome.err()?;
    assert_eq!(error.code, "PasswordPolicyViolation", "{error}");
    Some(error.message)
}

#[tokio::test]
async fn a_policy_is_replaced_whole_and_what_is_left_out_falls_to_its_default() {
    let house = TestHouse::new().await;
    let message = "The Password Policy with domain name 111122223333 cannot be found.";
    let missing = refusal("NoSuchEntity", message);
    assert_eq!(refused(&house, "GetAccountPasswordPolicy", &[]).await, missing);
    assert_eq!(refused(&house, "DeleteAccountPasswordPolicy", &[]).await, missing);
    let all = [
        ("MinimumPasswordLength", "20"),
        ("RequireSymbols", "true"),
        ("RequireNumbers", "true"),
        ("RequireUppercaseCharacters", "true"),
        ("RequireLowercaseCharacters", "true"),
        ("AllowUsersToChangePassword", "true"),
        ("MaxPasswordAge", "1095"),
        ("PasswordReusePrevention", "24"),
        ("HardExpiry", "true"),
    ];
    house.root("iam", "UpdateAccountPasswordPolicy", &all).await;
    let whole = json!({
        "MinimumPasswordLength": 20, "RequireSymbols": true, "RequireNumbers": true,
        "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true,
        "AllowUsersToChangePassword": true, "ExpirePasswords": true, "MaxPasswordAge": 1095,
        "PasswordReusePrevention": 24, "HardExpiry": true,
    });
    assert_eq!(shown(&house).await, whole);
    house.root("iam", "UpdateAccountPasswordPolicy", &[]).await;
    let least = json!({
        "MinimumPasswordLength": 6, "RequireSymbols": false, "RequireNumbers": false,
        "RequireUppercaseCharacters": false, "RequireLowercaseCharacters": false,
        "AllowUsersToChangePassword": false, "ExpirePasswords": false, "HardExpiry": false,
    });
    assert_eq!(shown(&house).await, least);
    house.root("iam", "DeleteAccountPasswordPolicy", &[]).await;
    assert_eq!(refused(&house, "GetAccountPasswordPolicy", &[]).await, missing);
}

#[tokio::test]
async fn a_password_is_told_everything_that_the_policy_misses_in_it() {
    let house = TestHouse::new().await;
    let (upper, lower, number, symbol) = ("uppercase letter", "lowercase letter", "number", "symbol");
    let at_least = |kinds: &[&str]| {
        let kinds = kinds.iter().map(|kind| format!("Password should have at least one {kind}"));
        Some(kinds.collect::<Vec<_>>().join(", "))
    };
    house.root("iam", "UpdateAccountPasswordPolicy", &[]).await;
    assert_eq!(told(&house, "five5").await.unwrap(), "Password should have a minimum length of 6");
    assert_eq!(told(&house, "aaaaaa").await, None, "whoever asks for nothing gets nothing");
    assert_eq!(told(&house, "Ada-Lovelace-1").await, None, "nor does a policy forbid the name");
    for (required, without, kind) in [
        ("RequireSymbols", "Passw0rd?<>.,", symbol),
        ("RequireNumbers", "Pass-word", number),
        ("RequireUppercaseCharacters", "passw0rd-É", upper),
        ("RequireLowercaseCharacters", "PASSW0RD-é", lower),
    ] {
        house.root("iam", "UpdateAccountPasswordPolicy", &[(required, "true")]).await;
        assert_eq!(told(&house, without).await, at_least(&[kind]), "{required}");
        assert_eq!(told(&house, "Passw0rd-").await, None, "{required}");
    }
    let all =
        ["RequireSymbols", "RequireNumbers", "RequireUppercaseCharacters", "RequireLowercaseCharacters"];
    house.root("iam", "UpdateAccountPasswordPolicy", &all.map(|name| (name, "true"))).await;
    assert_eq!(told(&house, "éééééé").await, at_least(&[upper, lower, number, symbol]));
    // Characters are counted, not bytes.
    house.root("iam", "UpdateAccountPasswordPolicy", &[("MinimumPasswordLength", "12")]).await;
    assert!(told(&house, "ééééééééééé").await.is_some());
    assert_eq!(told(&house, "éééééééééééé").await, None);
}

#[tokio::test]
async fn every_symbol_of_aws_is_one() {
    let house = TestHouse::new().await;
    house.root("iam", "UpdateAccountPasswordPolicy", &[("RequireSymbols", "true")]).await;
    for symbol in "!@#$%^&*()_+-=[]{}|'".chars() {
        assert_eq!(told(&house, &format!("aaaaaa{symbol}")).await, None, "{symbol}");
    }
}

#[tokio::test]
async fn where_the_account_has_no_policy_a_password_has_eight_characters_of_three_kinds_and_is_no_name() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateAccountAlias", &[("AccountAlias", "corp-42-north")]).await;
    let short = Some("Password should have a minimum length of 8".to_owned());
    let more = |count: u8, kinds: &[&str]| {
        let kinds = kinds.iter().map(|kind| format!("Password should have at least one {kind}"));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        Some(format!("Password should meet {count} more of the following requirements: {kinds}"))
    };
    let name = Some("Password should not be the name of the user or of the account".to_owned());
    for (password, expected) in [
        ("Aa1-567", short),
        ("alllowercase1", more(1, &["uppercase letter", "symbol"])),
        ("ALLUPPERCASE-", more(1, &["lowercase letter", "number"])),
        ("aaaaaaaa", more(2, &["uppercase letter", "number", "symbol"])),
        ("éééééééé", more(3, &["uppercase letter", "lowercase letter", "number", "symbol"])),
        ("ada-lovelace-1", name.clone()),
        ("Corp-42-North", name),
        ("Corp-42-North!", None),
        ("Passw0rds", None),
        ("Passwords-", None),
        ("passw0rds-", None),
        ("PASSW0RDS-", None),
    ] {
        assert_eq!(told(&house, password).await, expected, "{password}");
    }
}

#[tokio::test]
async fn a_password_that_there_is_stays_whatever_a_new_policy_asks_for() {
    let house = TestHouse::new().await;
    house.root("iam", "CreateUser", &[("UserName", "Ada")]).await;
    house.root("iam", "CreateLoginProfile", &[("UserName", "Ada"), ("Password", "Passw0rds")]).await;
    house.root("iam", "UpdateAccountPasswordPolicy", &[("MinimumPasswordLength", "20")]).await;
    // Nothing but the flag is changed.
    house.root("iam", "UpdateLoginProfile", &[("UserName", "Ada"), ("PasswordResetRequired", "true")]).await;
    let shown = house.root("iam", "GetLoginProfile", &[("UserName", "Ada")]).await;
    assert_eq!(shown["LoginProfile"]["PasswordResetRequired"], true);
    let too_short = refusal("PasswordPolicyViolation", "Password should have a minimum length of 20");
    let params = [("UserName", "Ada"), ("Password", "Passw0rds2")];
    assert_eq!(refused(&house, "UpdateLoginProfile", &params).await, too_short);
}
