//! Reading answers and refusals of IAM in a test's own words.

use serde_json::Value;

use crate::support::{Keys, TestHouse};

/// Allows everything; 85 bytes, as IAM counts them.
pub(crate) const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
pub(crate) const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
/// [`ALLOW_ALL`] as IAM shows documents: RFC 3986, written down by hand.
pub(crate) const ALLOW_ALL_ENCODED: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";

/// Code and message of a refusal.
pub(crate) type Refusal = (&'static str, String);

/// The refusal of a call that root makes.
pub(crate) async fn refused(house: &TestHouse, action: &str, params: &[(&str, &str)]) -> Refusal {
    refused_to(house, &house.root, action, params).await
}

/// The refusal of somebody's call.
pub(crate) async fn refused_to(
    house: &TestHouse,
    who: &Keys,
    action: &str,
    params: &[(&str, &str)],
) -> Refusal {
    let error = house.call(who, "iam", action, params).await.expect_err(action);
    (error.code, error.message)
}

/// A refusal to compare with.
pub(crate) fn refusal(code: &'static str, message: &str) -> Refusal {
    (code, message.to_owned())
}

/// One member of every structure in a list.
pub(crate) fn each(list: &Value, member: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

/// Every page of a list, of at most `size` items; checks of each that its marker can be sent back.
pub(crate) async fn pages(
    house: &TestHouse,
    action: &str,
    params: &[(&str, &str)],
    list: &str,
    size: &str,
) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let mut with_marker = params.to_vec();
        with_marker.push(("MaxItems", size));
        with_marker.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let answer = house.root("iam", action, &with_marker).await;
        pages.push(answer[list].as_array().unwrap().clone());
        marker = answer.get("Marker").map(|marker| marker.as_str().unwrap().to_owned());
        assert_eq!(
            answer["IsTruncated"].as_bool().unwrap(),
            marker.is_some(),
            "a marker only where more follows"
        );
        if let Some(marker) = &marker {
            assert!(marker.len() <= 320, "a marker must fit its own parameter: {}", marker.len());
        } else {
            return pages;
        }
    }
}
