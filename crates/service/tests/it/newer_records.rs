//! Records that a newer daypass wrote: whatever this one rewrites keeps the members that it does not know.

use std::collections::BTreeMap;

use daypass_store::Record;
use serde_json::{Value, json};

use crate::examples::{EXAMPLES, READ_SHELF};
use crate::world::World;

const NEWER: &str = "from_the_future";

/// A record with an unknown member in every structure of it; tags and owners are values.
fn grown(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let grow = |(name, value): (String, Value)| match name.as_str() {
                "tags" | "owner" => (name, value),
                _ => (name, grown(value)),
            };
            let newer = (NEWER.to_owned(), json!({"of": ["any", "form"]}));
            Value::Object(members.into_iter().map(grow).chain([newer]).collect())
        }
        Value::Array(items) => items.into_iter().map(grown).collect(),
        plain => plain,
    }
}

/// That everything which is still there kept its unknown member.
fn assert_kept(what: &str, before: &Value, after: &Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            assert_eq!(before.get(NEWER), after.get(NEWER), "{what}");
            for (name, before) in before {
                if let Some(after) = after.get(name) {
                    assert_kept(&format!("{what} {name}"), before, after);
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            // Keys, inline policies and versions may come and go beside each other.
            let same =
                |a: &Value, b: &Value| ["id", "name", "number"].iter().all(|id| a.get(id) == b.get(id));
            for before in before.iter().filter(|item| item.is_object()) {
                let after = after.iter().find(|after| same(before, after));
                after.into_iter().for_each(|after| assert_kept(what, before, after));
            }
        }
        _ => {}
    }
}

/// Every record but the check of the master key, which is a sealed text.
fn records(records: Vec<Record>) -> BTreeMap<String, Value> {
    let read = |record: Record| Some((record.key.to_string(), serde_json::from_slice(&record.value).ok()?));
    records.into_iter().filter_map(read).collect()
}

async fn newer_world(world: &World) -> World {
    let house = world.house.copy_with(|record| match serde_json::from_slice(&record.value) {
        Ok(value) => grown(value).to_string().into(),
        Err(_) => record.value.clone(),
    });
    world.on(house.await)
}

#[tokio::test]
async fn every_action_keeps_the_members_it_does_not_know() {
    let world = World::new().await;
    for example in EXAMPLES {
        let (name, world) = (example.permission(), newer_world(&world).await.ready_for(example).await);
        let before = records(world.house.stored().await.1);
        world.call(&world.admin, example).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let after = records(world.house.stored().await.1);
        for (key, before) in &before {
            if let Some(after) = after.get(key) {
                assert_kept(&format!("{name}: {key}"), before, after);
            }
        }
    }
}

#[tokio::test]
async fn a_text_that_is_replaced_leaves_the_rest_of_its_record() {
    let world = newer_world(&World::new().await).await;
    let before = records(world.house.stored().await.1);
    let own = [("UserName", "Alice"), ("PolicyName", "own"), ("PolicyDocument", READ_SHELF)];
    world.house.root("iam", "PutUserPolicy", &own).await;
    let anybody = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}"#;
    let shelf = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": anybody});
    world.house.call_json(&world.house.root, "PutResourcePolicy", &shelf).await.unwrap();
    let after = records(world.house.stored().await.1);
    assert_ne!(before, after);
    for (key, before) in &before {
        assert_kept(key, before, &after[key]);
    }
}
