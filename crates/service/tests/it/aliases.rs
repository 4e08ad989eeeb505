//! Aliases of accounts: one for each, and none for two.

use serde_json::json;

use crate::answers::{refusal, refused, refused_to};
use crate::race::Gate;
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};

async fn listed(house: &TestHouse, who: &Keys) -> serde_json::Value {
    house.call(who, "iam", "ListAccountAliases", &[]).await.unwrap()["AccountAliases"].clone()
}

async fn create(house: &TestHouse, who: &Keys, alias: &str) {
    house.call(who, "iam", "CreateAccountAlias", &[("AccountAlias", alias)]).await.unwrap();
}

#[tokio::test]
async fn an_account_has_one_alias_and_another_takes_its_place() {
    let house = TestHouse::new().await;
    assert_eq!(listed(&house, &house.root).await, json!([]));
    create(&house, &house.root, "example-corp").await;
    // What it is called already it may be called again.
    create(&house, &house.root, "example-corp").await;
    assert_eq!(listed(&house, &house.root).await, json!(["example-corp"]));
    create(&house, &house.root, "example-2").await;
    assert_eq!(listed(&house, &house.root).await, json!(["example-2"]));
    let view = house.house.directory.snapshot();
    assert_eq!(view.account_of_alias("example-2").map(|id| id.to_string()).as_deref(), Some(ACCOUNT));
    assert_eq!(view.account_of_alias("example-corp"), None);
    let missing =
        |alias: &str| refusal("NoSuchEntity", &format!("The account alias {alias} cannot be found."));
    let gone = [("AccountAlias", "example-corp")];
    assert_eq!(refused(&house, "DeleteAccountAlias", &gone).await, missing("example-corp"));
    house.root("iam", "DeleteAccountAlias", &[("AccountAlias", "example-2")]).await;
    assert_eq!(listed(&house, &house.root).await, json!([]));
    assert_eq!(house.house.directory.snapshot().account_of_alias("example-2"), None);
}

#[tokio::test]
async fn an_alias_is_one_accounts_only() {
    let house = TestHouse::new().await;
    let other = house.account(OTHER).await;
    create(&house, &house.root, "example-corp").await;
    let alias = [("AccountAlias", "example-corp")];
    let taken = refusal("EntityAlreadyExists", "The account alias example-corp already exists.");
    assert_eq!(refused_to(&house, &other, "CreateAccountAlias", &alias).await, taken);
    let missing = refusal("NoSuchEntity", "The account alias example-corp cannot be found.");
    assert_eq!(
        refused_to(&house, &other, "DeleteAccountAlias", &alias).await,
        missing,
        "another's is as none"
    );
    assert_eq!(listed(&house, &other).await, json!([]));
    // Who gives it up leaves it to others.
    create(&house, &house.root, "example-2").await;
    create(&house, &other, "example-corp").await;
    assert_eq!(listed(&house, &other).await, json!(["example-corp"]));
    house.root("iam", "DeleteAccountAlias", &[("AccountAlias", "example-2")]).await;
    let view = house.house.directory.snapshot();
    assert_eq!(view.account_of_alias("example-corp").map(|id| id.to_string()).as_deref(), Some(OTHER));
    // A house that reads the store from its beginning knows the same.
    let view = house.copy().await.house.directory.snapshot();
    assert_eq!(view.account_of_alias("example-corp").map(|id| id.to_string()).as_deref(), Some(OTHER));
}

#[tokio::test]
async fn two_accounts_that_want_one_alias_at_once_do_not_both_get_it() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    let other = house.account(OTHER).await;
    let alias = [("AccountAlias", "example-corp")];
    gate.arm();
    let (a, b) = tokio::join!(
        house.call(&house.root, "iam", "CreateAccountAlias", &alias),
        house.call(&other, "iam", "CreateAccountAlias", &alias)
    );
    assert_eq!(crate::race::one_wins([a, b]), "EntityAlreadyExists");
}

/// Whoever looks for the account that is no more must not come to another.
#[tokio::test]
async fn the_alias_of_a_closed_account_leads_nowhere_and_stays_taken() {
    let house = TestHouse::new().await;
    let other = house.account(OTHER).await;
    create(&house, &other, "example-corp").await;
    house.house.directory.close_account(OTHER.parse().unwrap(), "test").await.unwrap();
    assert_eq!(house.house.directory.snapshot().account_of_alias("example-corp"), None);
    let taken = refusal("EntityAlreadyExists", "The account alias example-corp already exists.");
    let alias = [("AccountAlias", "example-corp")];
    assert_eq!(refused(&house, "CreateAccountAlias", &alias).await, taken);
    assert_eq!(refused(&house.copy().await, "CreateAccountAlias", &alias).await, taken);
}

#[tokio::test]
async fn no_alias_looks_like_the_number_of_an_account() {
    let house = TestHouse::new().await;
    house.account(OTHER).await;
    let message = "An account alias cannot have the form of an account number.";
    for number in [OTHER, ACCOUNT, "000000000000"] {
        let alias = [("AccountAlias", number)];
        assert_eq!(refused(&house, "CreateAccountAlias", &alias).await, refusal("InvalidInput", message));
    }
    create(&house, &house.root, "4444555566667").await;
}
