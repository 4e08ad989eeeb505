//! What a provider's settings let in beside what AWS takes of any provider.

use daypass_authn::oidc::Algorithm;
use serde_json::{Value, json};

use super::{HOST, ISSUER, PROVIDER, World};
use crate::oidc_issuer::Key;

#[tokio::test]
async fn a_providers_settings_let_further_algorithms_and_claims_in_and_nothing_else() {
    let keys = |key: &str| format!("{HOST}:{key}");
    let condition = json!({
        "StringEquals": {keys("department"): "ops", keys("kubernetes.io.namespace"): "jobs", keys("level"): "7"},
        "Bool": {keys("verified"): "true"},
        "ForAnyValue:StringEquals": {keys("groups"): "admins"},
    });
    let world = World::trusting(&condition).await;
    let (rsa, ed) = (Key::generate(Algorithm::Ps256), Key::generate(Algorithm::EdDsa));
    world.house.providers.publish(ISSUER, &[("1", &world.key), ("rsa", &rsa), ("ed", &ed)]);
    let mut claims = world.claims();
    claims["department"] = json!("ops");
    claims["kubernetes.io"] = json!({"namespace": "jobs"});
    claims["level"] = json!(7);
    claims["verified"] = json!(true);
    claims["groups"] = json!(["staff", "admins"]);
    let claims = &claims;
    let call = async |key: &Key, algorithm: &str, id: &str| {
        let token = key.sign(&json!({"alg": algorithm, "kid": id}), claims);
        world.call(&[("WebIdentityToken", &token)]).await
    };
    let put = async |algorithms: Value, claims: Value| {
        let body = json!({"OpenIDConnectProviderArn": PROVIDER, "Algorithms": algorithms, "ConditionClaims": claims});
        let put = world.house.call_json(&world.house.root, "PutOpenIDConnectProviderSettings", &body);
        put.await.unwrap();
    };
    assert_eq!(call(&world.key, "ES256", "1").await.unwrap_err().code, "AccessDenied");
    let named = json!(["department", "kubernetes.io.namespace", "level", "verified", "groups"]);
    put(json!([]), named.clone()).await;
    call(&world.key, "ES256", "1").await.unwrap();
    for (key, algorithm, id) in [(&rsa, "PS256", "rsa"), (&ed, "EdDSA", "ed")] {
        assert_eq!(call(key, algorithm, id).await.unwrap_err().code, "InvalidIdentityToken", "{algorithm}");
    }
    put(json!(["PS256"]), named.clone()).await;
    call(&rsa, "PS256", "rsa").await.unwrap();
    for (key, algorithm, id) in [(&rsa, "PS384", "rsa"), (&ed, "EdDSA", "ed")] {
        assert_eq!(call(key, algorithm, id).await.unwrap_err().code, "InvalidIdentityToken", "{algorithm}");
    }
    put(json!(["EdDSA"]), named).await;
    call(&ed, "EdDSA", "ed").await.unwrap();
    assert_eq!(call(&rsa, "PS256", "rsa").await.unwrap_err().code, "InvalidIdentityToken");
    put(json!(["EdDSA"]), json!(["department"])).await;
    assert_eq!(call(&ed, "EdDSA", "ed").await.unwrap_err().code, "AccessDenied");
}

/// Were it passed over, a Deny by it would let its holder in.
#[tokio::test]
async fn a_claim_that_no_condition_can_compare_refuses_the_token() {
    let world = World::new().await;
    let body = json!({
        "OpenIDConnectProviderArn": PROVIDER, "Algorithms": [], "ConditionClaims": ["groups", "about.level"],
    });
    world.house.call_json(&world.house.root, "PutOpenIDConnectProviderSettings", &body).await.unwrap();
    let told = |name: &str| {
        let text = format!("The claim `{name}` of the ID Token has a form that no condition can compare");
        ("InvalidIdentityToken", text)
    };
    for odd in [json!(1.5), json!({}), json!([["x"]]), json!(["suspended", null]), json!(["suspended", 0.5])]
    {
        assert_eq!(world.refusal(&world.with("groups", odd.clone())).await, told("groups"), "{odd}");
        assert_eq!(
            world.refusal(&world.with("about", json!({"level": odd}))).await,
            told("about.level"),
            "{odd}"
        );
    }
    for good in [json!(null), json!([]), json!(["a", 7, true]), json!("a"), json!(-7), json!(false)] {
        world.present(&world.with("groups", good)).await.unwrap();
    }
    for no_such in [json!({"level": null}), json!({"other": 1.5}), json!(null), json!([]), json!("")] {
        world.present(&world.with("about", no_such)).await.unwrap();
    }
    // What is meant may stand in it, and somebody be denied by that.
    for elsewhere in [json!("level"), json!([{"level": "suspended"}]), json!(0), json!(false)] {
        assert_eq!(world.refusal(&world.with("about", elsewhere)).await, told("about.level"));
    }
    // Nobody set it, so it is nobody's condition key.
    world.present(&world.with("others", json!(1.5))).await.unwrap();
}
