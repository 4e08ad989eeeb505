//! What goes down a chain of sessions and what does not, beside tags and source identity (`session_contents`).
//!
//! Sources: IAM User Guide, "Pass session tags in AWS STS" (chaining), "Compare AWS STS credentials"; AWS global
//! condition context keys, `aws:MultiFactorAuthPresent`.

use daypass_authn::token::SessionKind;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::sessions::{TRUST, assume, assumed, get_user, role, start, told};
use crate::support::{ACCOUNT, Keys};
use crate::world::{World, claims};

fn get_user_if(operator: &str, condition: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*",
        "Condition": {operator: condition}}]})
    .to_string()
}

#[tokio::test]
async fn an_inherited_tag_takes_the_place_of_the_roles_own_in_its_trust_policy_and_in_its_session() {
    let (house, ada) = start().await;
    let if_red = |key: &str| {
        TRUST.replace(r#""Action""#, &format!(r#""Condition":{{"StringEquals":{{"{key}":"red"}}}},"Action""#))
    };
    let blue = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "blue")];
    let session_is_red = get_user_if("StringEquals", &json!({"aws:PrincipalTag/team": "red"}));
    for (name, key) in [("Aws", "aws:ResourceTag/Team"), ("Iam", "iam:ResourceTag/Team")] {
        role(&house, name, &if_red(key), &session_is_red, &blue).await;
        assert_eq!(told(assume(&house, &ada, name, &[]).await).0, "AccessDenied", "the role's own is blue");
        let red = [
            ("Tags.member.1.Key", "TEAM"),
            ("Tags.member.1.Value", "red"),
            ("TransitiveTagKeys.member.1", "team"),
        ];
        let parent = assumed(&house, &ada, "Crew", &red).await;
        let child = assumed(&house, &parent, name, &[]).await;
        get_user(&house, &child).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_of_a_user_has_the_users_tags_and_a_federated_one_can_hand_on_none() {
    let (house, ada) = start().await;
    house
        .root(
            "iam",
            "TagUser",
            &[("UserName", "Ada"), ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red")],
        )
        .await;
    let if_red = TRUST
        .replace(r#""Action""#, r#""Condition":{"StringEquals":{"aws:PrincipalTag/Team":"red"}},"Action""#);
    role(&house, "Red", &if_red, ALLOW_ALL, &[]).await;
    let session = house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap();
    assume(&house, &Keys::of(&session["Credentials"]), "Red", &[]).await.unwrap();
    let params = [
        ("Name", "Jill"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "x"),
        ("TransitiveTagKeys.member.1", "Team"),
    ];
    let refused = told(house.call(&ada, "sts", "GetFederationToken", &params).await);
    assert_eq!(refused.0, "ValidationError", "{}", refused.1);
}

#[tokio::test]
async fn mfa_of_the_calling_session_lets_it_take_a_role_and_does_not_become_the_roles() {
    let world = World::new().await;
    let house = &world.house;
    let with_mfa = TRUST.replace(
        r#""Action""#,
        r#""Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}},"Action""#,
    );
    let if_false = get_user_if("Bool", &json!({"aws:MultiFactorAuthPresent": "false"}));
    role(house, "Vault", &with_mfa, &if_false, &[]).await;
    let (with, without) =
        (world.mint(SessionKind::User, 0, 3600, true), world.mint(SessionKind::User, 0, 3600, false));
    assert_eq!(told(assume(house, &without, "Vault", &[]).await).0, "AccessDenied");
    let inside = assumed(house, &with, "Vault", &[]).await;
    assert_eq!(claims(house, &inside).mfa_authenticated_at, None);
    house
        .call(&inside, "iam", "GetUser", &[("UserName", "Admin")])
        .await
        .expect("false, not true and not absent");
}

#[tokio::test]
async fn whatever_temporary_credentials_ask_the_hour_of_a_chain_is_counted_from_now() {
    let (house, ada) = start().await;
    role(&house, "Long", TRUST, ALLOW_ALL, &[("MaxSessionDuration", "43200")]).await;
    let parent = assumed(&house, &ada, "Crew", &[]).await;
    let narrow =
        house.call(&parent, "sts", "GetScopedCredentials", &[("DurationSeconds", "60")]).await.unwrap();
    let narrow = Keys::of(&narrow["Credentials"]);
    assert_eq!(
        told(assume(&house, &narrow, "Long", &[("DurationSeconds", "3601")]).await).0,
        "ValidationError"
    );
    let answer = assume(&house, &narrow, "Long", &[("DurationSeconds", "3600")]).await.unwrap();
    assert_eq!(answer["Credentials"]["Expiration"], house.clock_now() + 3600);
    assume(&house, &ada, "Long", &[("DurationSeconds", "43200")]).await.unwrap();
}

#[tokio::test]
async fn a_role_takes_itself_only_if_it_trusts_itself() {
    let (house, ada) = start().await;
    let ada_alone =
        TRUST.replace(r#""AWS":"111122223333""#, &format!(r#""AWS":"arn:aws:iam::{ACCOUNT}:user/Ada""#));
    role(&house, "Alone", &ada_alone, ALLOW_ALL, &[]).await;
    let session = assumed(&house, &ada, "Alone", &[]).await;
    let (code, message) = told(assume(&house, &session, "Alone", &[]).await);
    assert!(code == "AccessDenied" && message.ends_with("role/Alone"), "{message}");
    let itself = ada_alone.replace("user/Ada", "role/Alone");
    house.root("iam", "UpdateAssumeRolePolicy", &[("RoleName", "Alone"), ("PolicyDocument", &itself)]).await;
    assume(&house, &session, "Alone", &[]).await.unwrap();
}
