//! ARNs, account numbers and ids: what parses prints as it came.
#![no_main]

use daypass_model::{AccessKeyId, AccountId, Arn};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(arn) = text.parse::<Arn>() {
        let fields = [arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()];
        assert_eq!(format!("arn:{}", fields.join(":")), text);
        assert_eq!((arn.as_str(), arn.to_string().as_str()), (text, text));
        assert!(arn.account_id().is_none_or(|id| id.as_str() == arn.account()));
        assert!(arn.resource_parts().is_none_or(|(kind, name)| format!("{kind}/{name}") == arn.resource()));
    }
    if let Ok(id) = text.parse::<AccountId>() {
        assert_eq!((id.as_str(), AccountId::from_number(id.number())), (text, Some(id)));
    }
    if let Ok(id) = text.parse::<AccessKeyId>() {
        assert_eq!(id.as_str(), text);
    }
});
