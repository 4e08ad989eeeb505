//! Resource policies: every policy that is accepted is asked, and no spelling of a resource leads around one.

use serde_json::{Value, json};

use crate::checking::{Shop, get, with};
use crate::support::Keys;
use crate::world::asking;

const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:jobs";
const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#;

impl Shop {
    async fn put(&self, arn: &str, policy: &str) -> Result<Value, daypass_service::Error> {
        let params = json!({"ResourceArn": arn, "Policy": policy});
        self.world.house.call_json(&self.world.admin, "PutResourcePolicy", &params).await
    }

    /// A question about the administrator, who may do everything that no Deny forbids.
    fn admin_asks(&self, action: &str, resource: &str) -> Value {
        let question = asking(&self.world.house.signed(&self.world.admin, "s3", get()));
        with(&with(&question, "/Action", json!(action)), "/Resource", json!(resource))
    }

    async fn decision(&self, action: &str, resource: &str) -> Value {
        self.answer(&self.admin_asks(action, resource)).await["Decision"].clone()
    }
}

#[tokio::test]
async fn a_policy_that_no_question_would_come_to_is_refused() {
    let shop = Shop::new().await;
    let before = shop.world.house.stored().await;
    for arn in [
        "arn:aws:s3:::shelf/jill/a",
        "arn:aws:s3:::shelf/",
        "arn:aws:s3:::shelf/*",
        "arn:aws:s3:::*",
        "arn:aws:s3:::sh?lf",
        "arn:aws:s3:::/a",
        "arn:aws:s3::111122223333:shelf",
        "arn:aws:s3:eu-west-1::shelf",
        "arn:aws:s3:eu-west-1:111122223333:accesspoint",
        "arn:aws:S3:::shelf",
        "arn:aws-cn:s3:::shelf",
        "arn:aws:sqs:eu-west-1:111122223333:*",
        "arn:aws:sqs:eu-west-?:111122223333:jobs",
        "*",
    ] {
        let error = shop.put(arn, DENY_ALL).await.expect_err(arn);
        assert_eq!(error.code, "ValidationError", "{arn}");
    }
    assert!(shop.world.house.stored().await == before);
}

#[tokio::test]
async fn a_policy_that_is_accepted_is_asked() {
    let shop = Shop::new().await;
    for (arn, action, resource) in [
        ("arn:aws:s3:::shelf", "s3:GetObject", "arn:aws:s3:::shelf/a.txt"),
        ("arn:aws:s3:::shelf", "s3:ListBucket", "arn:aws:s3:::shelf"),
        (QUEUE, "sqs:SendMessage", QUEUE),
        ("arn:aws:x:::a/b", "x:Read", "arn:aws:x:::a/b"),
    ] {
        let open = DENY_ALL.replace(r#""Action":"*""#, r#""Action":"none:Of""#);
        shop.put(arn, &open).await.unwrap();
        assert_eq!(shop.decision(action, resource).await, "Allowed", "{resource}");
        shop.put(arn, DENY_ALL).await.unwrap();
        assert_eq!(shop.decision(action, resource).await, "ExplicitlyDenied", "{resource}");
    }
}

#[tokio::test]
async fn no_other_spelling_of_a_bucket_leads_around_its_policy() {
    let shop = Shop::new().await;
    shop.put("arn:aws:s3:::shelf", DENY_ALL).await.unwrap();
    for resource in [
        "arn:aws:s3::111122223333:shelf/a.txt",
        "arn:aws:s3:eu-west-1::shelf/a.txt",
        "arn:aws:S3:::shelf/a.txt",
        "arn:aws-cn:s3:::shelf/a.txt",
        "arn:AWS:s3:::shelf/a.txt",
        "arn:aws:s3:::shel?/a.txt",
        "arn:aws:s3:::*",
        "arn:aws:s3:::/shelf/a.txt",
    ] {
        shop.validation_error(&shop.admin_asks("s3:GetObject", resource)).await;
    }
    // A key may be any text.
    for resource in ["arn:aws:s3:::shelf/", "arn:aws:s3:::shelf//a", "arn:aws:s3:::shelf/a*?:b"] {
        assert_eq!(shop.decision("s3:GetObject", resource).await, "ExplicitlyDenied", "{resource}");
    }
}

#[tokio::test]
async fn a_star_is_for_actions_that_take_no_resource() {
    let shop = Shop::new().await;
    shop.put("arn:aws:s3:::shelf", DENY_ALL).await.unwrap();
    for action in ["s3:GetObject", "S3:PutObject", "s3:ListBucket", "s3:NoSuchAction"] {
        shop.validation_error(&shop.admin_asks(action, "*")).await;
    }
    for action in ["s3:ListAllMyBuckets", "S3:listallmybuckets", "sqs:ListQueues"] {
        assert_eq!(shop.decision(action, "*").await, "Allowed", "{action}");
    }
}

#[tokio::test]
async fn the_name_of_an_object_neither_reads_nor_deletes_its_buckets_policy() {
    let shop = Shop::new().await;
    let call = async |who: &Keys, action: &str, arn: &str| {
        shop.world.house.call_json(who, action, &json!({"ResourceArn": arn})).await
    };
    for action in ["GetResourcePolicy", "DeleteResourcePolicy"] {
        let error = call(&shop.world.admin, action, "arn:aws:s3:::shelf/a.txt").await.expect_err(action);
        assert_eq!(error.code, "NoSuchEntity", "{action}");
    }
    call(&shop.world.admin, "GetResourcePolicy", "arn:aws:s3:::shelf").await.unwrap();
}
