//! The stage of the story: two accounts, a handful of users, a bucket. Everything is set up through the public API.

use std::net::SocketAddr;

use daypass_model::AccountId;
use serde_json::{Value, json};

use super::client::{self, Answer, Keys};
use super::report::{Outcome, error_of};
use crate::failure::Failure;

/// The bucket.
pub(super) const BUCKET: &str = "mybucket";

/// An account and the key of its root user.
pub(super) struct Account {
    pub(super) id: AccountId,
    pub(super) root: Keys,
}

/// Where the story plays.
pub(super) struct Stage {
    /// daypass.
    pub(super) api: SocketAddr,
    /// The bucket.
    pub(super) bucket: SocketAddr,
    /// The account of users, bucket and queue.
    pub(super) home: Account,
    /// Another account.
    pub(super) partner: Account,
    /// Access keys made so far: their account's root, the user, the id.
    pub(super) made: Vec<(Keys, &'static str, String)>,
}

impl Stage {
    /// Call IAM as somebody who may; the action's result.
    pub(super) async fn iam(
        &self,
        root: &Keys,
        action: &str,
        params: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let answer = client::query(self.api, root, "iam", action, params).await?;
        if answer.status != 200 {
            let (code, message) = error_of(&answer.body);
            return Err(Failure::new(format!("setting the stage: {action}: {code}: {message}")));
        }
        Ok(result_of(action, &answer).unwrap_or_default())
    }

    /// A user with one inline policy, and an access key of theirs.
    pub(super) async fn user(
        &mut self,
        root: &Keys,
        name: &'static str,
        policy: &Value,
    ) -> Result<Keys, Failure> {
        self.iam(root, "CreateUser", &[("UserName", name)]).await?;
        self.user_policy(root, name, "story", policy).await?;
        let made = self.iam(root, "CreateAccessKey", &[("UserName", name)]).await?;
        let keys = made.get("AccessKey").and_then(Keys::read);
        let keys =
            keys.ok_or_else(|| Failure::new("setting the stage: CreateAccessKey answered without a key"))?;
        self.made.push((root.clone(), name, keys.id.clone()));
        Ok(keys)
    }

    pub(super) async fn user_policy(
        &self,
        root: &Keys,
        user: &str,
        name: &str,
        policy: &Value,
    ) -> Result<(), Failure> {
        let document = policy.to_string();
        self.iam(
            root,
            "PutUserPolicy",
            &[("UserName", user), ("PolicyName", name), ("PolicyDocument", &document)],
        )
        .await?;
        Ok(())
    }

    /// A role of the home account that sessions of twelve hours may be had of, with one inline policy.
    pub(super) async fn role(&self, name: &str, trust: &Value, policy: &Value) -> Result<(), Failure> {
        let (trust, root) = (trust.to_string(), &self.home.root);
        let params =
            [("RoleName", name), ("AssumeRolePolicyDocument", &trust), ("MaxSessionDuration", "43200")];
        self.iam(root, "CreateRole", &params).await?;
        self.role_policy(name, "story", policy).await
    }

    pub(super) async fn role_policy(&self, role: &str, name: &str, policy: &Value) -> Result<(), Failure> {
        let document = policy.to_string();
        let params = [("RoleName", role), ("PolicyName", name), ("PolicyDocument", document.as_str())];
        self.iam(&self.home.root, "PutRolePolicy", &params).await?;
        Ok(())
    }

    /// Set the policy of a bucket or queue.
    pub(super) async fn resource_policy(&self, arn: &str, policy: &Value) -> Result<(), Failure> {
        let params = json!({"ResourceArn": arn, "Policy": policy.to_string()});
        let answer = client::daypass(self.api, &self.home.root, "PutResourcePolicy", &params).await?;
        if answer.status == 200 {
            return Ok(());
        }
        let (code, message) = error_of(&answer.body);
        Err(Failure::new(format!("setting the stage: PutResourcePolicy: {code}: {message}")))
    }

    /// Call STS.
    pub(super) async fn sts(
        &self,
        keys: &Keys,
        action: &str,
        params: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        client::query(self.api, keys, "sts", action, params).await
    }

    /// Put an object there, as the account's root.
    pub(super) async fn put(&self, key: &str) -> Result<(), Failure> {
        let answer =
            client::s3(self.bucket, &self.home.root, "PUT", &format!("/{BUCKET}/{key}"), "from the demo\n")
                .await?;
        if answer.status == 200 {
            return Ok(());
        }
        let (code, message) = error_of(&answer.body);
        Err(Failure::new(format!("setting the stage: PUT {key}: {code}: {message}")))
    }

    /// GET or DELETE an object.
    pub(super) async fn object(&self, keys: &Keys, method: &str, key: &str) -> Result<Outcome, Failure> {
        let answer = client::s3(self.bucket, keys, method, &format!("/{BUCKET}/{key}"), "").await?;
        Ok(Outcome::of(&answer))
    }

    /// Make every key of the story inactive: what was shown is over.
    pub(super) async fn retire(&self) -> Result<(), Failure> {
        for (root, user, id) in &self.made {
            self.iam(
                root,
                "UpdateAccessKey",
                &[("UserName", user), ("AccessKeyId", id), ("Status", "Inactive")],
            )
            .await?;
        }
        Ok(())
    }
}

/// The result inside the JSON answer of STS or IAM.
pub(super) fn result_of(action: &str, answer: &Answer) -> Option<Value> {
    let mut whole: Value = serde_json::from_slice(&answer.body).ok()?;
    let response = whole.get_mut(format!("{action}Response"))?;
    response.get_mut(format!("{action}Result")).map(Value::take)
}

/// The credentials in an answer of STS, and when they end (seconds of Unix time).
pub(super) fn credentials(action: &str, answer: &Answer) -> Result<(Keys, i64), Failure> {
    let found = result_of(action, answer);
    let found = found.as_ref().and_then(|result| result.get("Credentials"));
    let keys = found.and_then(Keys::read);
    let ends = found.and_then(|found| found.get("Expiration")).and_then(Value::as_i64);
    match (keys, ends) {
        (Some(keys), Some(ends)) => Ok((keys, ends)),
        _ => {
            let (code, message) = error_of(&answer.body);
            Err(Failure::new(format!(
                "the story cannot go on: {action} gave no credentials ({code}: {message})"
            )))
        }
    }
}

pub(super) fn object_arn(key: &str) -> String {
    format!("arn:aws:s3:::{BUCKET}/{key}")
}

pub(super) fn bucket_arn() -> String {
    format!("arn:aws:s3:::{BUCKET}")
}

/// A policy of these statements.
pub(super) fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

pub(super) fn allow(action: &Value, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

pub(super) fn deny(action: &Value, resource: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": resource})
}
