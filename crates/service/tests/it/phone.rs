//! A virtual MFA device as its owner holds it.

use std::sync::Arc;

use data_encoding::BASE64;
use daypass_authn::totp::{Seed, counter_at};
use daypass_model::{Clock, MockClock, Secret};
use daypass_service::Error;
use serde_json::Value;

use crate::support::{Keys, TestHouse};

/// A device; its clock is the house's.
pub(crate) struct Phone {
    pub(crate) serial: String,
    seed: Seed,
    clock: Arc<MockClock>,
}

impl Phone {
    /// A new device that is nobody's yet.
    pub(crate) async fn new(house: &TestHouse, name: &str, params: &[(&str, &str)]) -> Self {
        let params = [&[("VirtualMFADeviceName", name)], params].concat();
        let made = house.root("iam", "CreateVirtualMFADevice", &params).await;
        let device = &made["VirtualMFADevice"];
        let seed = BASE64.decode(device["Base32StringSeed"].as_str().unwrap().as_bytes()).unwrap();
        Self {
            serial: device["SerialNumber"].as_str().unwrap().to_owned(),
            seed: Seed::from_base32(&Secret::new(seed)).unwrap(),
            clock: house.clock.clone(),
        }
    }

    /// A new device of this user, enabled with codes that are too old to be used.
    pub(crate) async fn of(house: &TestHouse, user: &str) -> Self {
        let phone = Self::new(house, &format!("{user}-phone"), &[]).await;
        phone.enable(house, &house.root, user, -1).await.unwrap();
        phone
    }

    /// The code of so many steps from now.
    pub(crate) fn code(&self, steps: i64) -> String {
        let code = self.seed.code(counter_at(self.clock.now().as_second()) + steps);
        String::from_utf8(code.to_vec()).unwrap()
    }

    /// Enable it for a user, with the code of so many steps from now and the one after it.
    pub(crate) async fn enable(
        &self,
        house: &TestHouse,
        who: &Keys,
        user: &str,
        steps: i64,
    ) -> Result<Value, Error> {
        self.with_codes(house, who, "EnableMFADevice", user, (&self.code(steps), &self.code(steps + 1))).await
    }

    /// The same, with any codes and for either operation that takes two.
    pub(crate) async fn with_codes(
        &self,
        house: &TestHouse,
        who: &Keys,
        action: &str,
        user: &str,
        codes: (&str, &str),
    ) -> Result<Value, Error> {
        let params = [
            ("UserName", user),
            ("SerialNumber", &*self.serial),
            ("AuthenticationCode1", codes.0),
            ("AuthenticationCode2", codes.1),
        ];
        house.call(who, "iam", action, &params).await
    }

    /// Credentials of GetSessionToken with this code.
    pub(crate) async fn session(&self, house: &TestHouse, who: &Keys, code: &str) -> Result<Keys, Error> {
        let params = [("SerialNumber", &*self.serial), ("TokenCode", code)];
        let answer = house.call(who, "sts", "GetSessionToken", &params).await?;
        Ok(Keys::of(&answer["Credentials"]))
    }
}
