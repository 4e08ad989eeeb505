//! Virtual MFA devices: made, enabled, listed, brought back in step, taken away, deleted, and whose business that is.

use serde_json::{Value, json};

use crate::answers::{ALLOW_ALL, Refusal, each, pages, refusal, refused, refused_to};
use crate::phone::Phone;
use crate::race::{Call, Gate, one_wins, race};
use crate::support::{ACCOUNT, Keys, TestHouse};

fn told<T: std::fmt::Debug>(outcome: Result<T, daypass_service::Error>) -> Refusal {
    let error = outcome.expect_err("refused");
    (error.code, error.message)
}

fn not_valid() -> Refusal {
    refusal("InvalidAuthenticationCode", "Authentication code for device is not valid.")
}

fn no_device(serial: &str) -> Refusal {
    refusal("NoSuchEntity", &format!("MFA Device with serial number {serial} does not exist."))
}

fn not_theirs() -> Refusal {
    refusal("NoSuchEntity", "MFA Device invalid for user.")
}

async fn user(house: &TestHouse, name: &str) {
    house.root("iam", "CreateUser", &[("UserName", name)]).await;
}

async fn deactivate(house: &TestHouse, user: &str, phone: &Phone) {
    let params = [("UserName", user), ("SerialNumber", &*phone.serial)];
    house.root("iam", "DeactivateMFADevice", &params).await;
}

#[tokio::test]
async fn a_path_and_name_make_one_device_whatever_their_case() {
    let house = TestHouse::new().await;
    let phone = Phone::new(&house, "Phone", &[("Path", "/div/")]).await;
    assert_eq!(phone.serial, format!("arn:aws:iam::{ACCOUNT}:mfa/div/Phone"));
    Phone::new(&house, "Phone", &[]).await;
    let exists = refusal("EntityAlreadyExists", "MFA device already exists.");
    for (name, path) in [("Phone", "/div/"), ("PHONE", "/DIV/"), ("phone", "/")] {
        let params = [("VirtualMFADeviceName", name), ("Path", path)];
        assert_eq!(refused(&house, "CreateVirtualMFADevice", &params).await, exists);
    }
    // A serial number is exact.
    let other = format!("arn:aws:iam::{ACCOUNT}:mfa/div/PHONE");
    assert_eq!(
        refused(&house, "DeleteVirtualMFADevice", &[("SerialNumber", &*other)]).await,
        no_device(&other)
    );
    house.root("iam", "DeleteVirtualMFADevice", &[("SerialNumber", &*phone.serial)]).await;
    assert_eq!(
        Phone::new(&house, "phone", &[("Path", "/div/")]).await.serial.rsplit('/').next(),
        Some("phone")
    );
}

#[tokio::test]
async fn a_device_that_no_call_could_name_is_not_made() {
    let house = TestHouse::new().await;
    let room = 256 - format!("arn:aws:iam::{ACCOUNT}:mfa/").len();
    let name = "n".repeat(room);
    assert_eq!(Phone::new(&house, &name, &[]).await.serial.len(), 256);
    let longer = format!("{name}n");
    let refused = refused(&house, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", &longer)]).await;
    assert_eq!(refused.0, "InvalidInput");
}

#[tokio::test]
async fn two_codes_in_a_row_enable_a_device_and_nothing_less() {
    let house = TestHouse::new().await;
    user(&house, "Bob").await;
    let phone = Phone::new(&house, "phone", &[]).await;
    let enable = async |a: i64, b: i64| {
        let codes = (&*phone.code(a), &*phone.code(b));
        phone.with_codes(&house, &house.root, "EnableMFADevice", "Bob", codes).await
    };
    for (a, b) in [(0, 0), (0, -1), (-1, 1), (-121, -120), (121, 122)] {
        assert_eq!(told(enable(a, b).await), not_valid(), "{a} {b}");
        house.clock.advance(180);
    }
    assert_eq!(house.root("iam", "ListMFADevices", &[("UserName", "Bob")]).await["MFADevices"], json!([]));
    enable(0, 1).await.unwrap();
    let in_use = refusal("EntityAlreadyExists", "MFA Device is already in use.");
    assert_eq!(told(enable(1, 2).await), in_use);
    // An hour off is the most, to either side.
    for (name, steps) in [("slow", -120), ("fast", 120)] {
        let phone = Phone::new(&house, name, &[]).await;
        phone.enable(&house, &house.root, "Bob", steps).await.unwrap();
    }
    let hardware = [
        ("UserName", "Bob"),
        ("SerialNumber", "GAHT12345678"),
        ("AuthenticationCode1", "123456"),
        ("AuthenticationCode2", "123456"),
    ];
    assert_eq!(refused(&house, "EnableMFADevice", &hardware).await, no_device("GAHT12345678"));
}

#[tokio::test]
async fn a_pair_that_was_used_is_used_up_for_pairs_and_for_nothing_else() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", None).await;
    let phone = Phone::new(&house, "phone", &[]).await;
    let pair = (phone.code(0), phone.code(1));
    let enable = async |codes: (&str, &str)| {
        phone.with_codes(&house, &house.root, "EnableMFADevice", "Bob", codes).await
    };
    enable((&pair.0, &pair.1)).await.unwrap();
    deactivate(&house, "Bob", &phone).await;
    assert_eq!(told(enable((&pair.0, &pair.1)).await), not_valid());
    let older = (phone.code(-2), phone.code(-1));
    assert_eq!(told(enable((&older.0, &older.1)).await), not_valid());
    let newer = (phone.code(2), phone.code(3));
    enable((&newer.0, &newer.1)).await.unwrap();
    phone.session(&house, &bob, &newer.1).await.unwrap();
    phone.session(&house, &bob, &newer.0).await.unwrap();
}

#[tokio::test]
async fn resynchronising_moves_the_clock_of_the_device() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", None).await;
    let phone = Phone::of(&house, "Bob").await;
    let resync = async |steps: i64| {
        let codes = (&*phone.code(steps), &*phone.code(steps + 1));
        phone.with_codes(&house, &house.root, "ResyncMFADevice", "Bob", codes).await
    };
    house.clock.advance(3000);
    resync(-21).await.unwrap();
    house.clock.advance(180);
    assert_eq!(told(phone.session(&house, &bob, &phone.code(0)).await).0, "AccessDenied");
    phone.session(&house, &bob, &phone.code(-20)).await.unwrap();
    resync(-1).await.unwrap();
    phone.session(&house, &bob, &phone.code(0)).await.unwrap();
    assert_eq!(told(resync(-10).await), not_valid(), "not back");
    house.clock.advance(1800);
    resync(-20).await.unwrap();
    for seen in [-20, -19] {
        let refused = told(phone.session(&house, &bob, &phone.code(seen)).await);
        assert_eq!(refused.0, "AccessDenied", "two codes that somebody saw make no proof of themselves");
    }
    phone.session(&house, &bob, &phone.code(-18)).await.unwrap();
    let other = Phone::new(&house, "other", &[]).await;
    let codes = (&*other.code(0), &*other.code(1));
    let outcome = other.with_codes(&house, &house.root, "ResyncMFADevice", "Bob", codes).await;
    assert_eq!(told(outcome), not_theirs());
}

#[tokio::test]
async fn who_may_not_enable_uses_up_no_tries() {
    let house = TestHouse::new().await;
    let (bob, nobody) = (house.user("Bob", None).await, house.user("Nobody", None).await);
    let phone = Phone::of(&house, "Bob").await;
    house.clock.advance(180);
    for _ in 0..10 {
        let codes = ("000000", "000000");
        let outcome = phone.with_codes(&house, &nobody, "ResyncMFADevice", "Bob", codes).await;
        assert_eq!(told(outcome).0, "AccessDenied");
    }
    phone.session(&house, &bob, &phone.code(0)).await.unwrap();
}

#[tokio::test]
async fn a_user_has_eight_devices_and_so_has_root() {
    let house = TestHouse::new().await;
    user(&house, "Bob").await;
    for (user, params) in [("Bob", &[("UserName", "Bob")][..]), (ACCOUNT, &[])] {
        for n in 0..8 {
            let phone = Phone::new(&house, &format!("{user}-{n}"), &[]).await;
            phone.enable(&house, &house.root, user, -1).await.unwrap();
        }
        let ninth = Phone::new(&house, &format!("{user}-9"), &[]).await;
        let full = refusal("LimitExceeded", "Cannot exceed quota for MFADevicesPerUser: 8");
        assert_eq!(told(ninth.enable(&house, &house.root, user, -1).await), full);
        let listed = pages(&house, "ListMFADevices", params, "MFADevices", "3").await;
        assert_eq!(listed.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 2]);
        let serials = each(&Value::Array(listed.concat()), "SerialNumber");
        assert!(serials.is_sorted() && serials.len() == 8, "{serials:?}");
    }
    let count = async |status: &str| {
        let status = [("AssignmentStatus", status)];
        pages(&house, "ListVirtualMFADevices", &status, "VirtualMFADevices", "7").await.concat().len()
    };
    assert_eq!((count("Any").await, count("Assigned").await, count("Unassigned").await), (18, 16, 2));
}

#[tokio::test]
async fn a_device_is_taken_away_from_its_own_user_only_and_deleted_after_that() {
    let house = TestHouse::new().await;
    house.user("Bob", None).await;
    user(&house, "Eve").await;
    let phone = Phone::of(&house, "Bob").await;
    let serial = ("SerialNumber", &*phone.serial);
    for action in ["DeactivateMFADevice", "GetMFADevice"] {
        assert_eq!(refused(&house, action, &[("UserName", "Eve"), serial]).await, not_theirs(), "{action}");
        assert_eq!(refused(&house, action, &[serial]).await, not_theirs(), "root's? {action}");
        let none = format!("arn:aws:iam::{ACCOUNT}:mfa/none");
        let of_bob = [("UserName", "Bob"), ("SerialNumber", &*none)];
        assert_eq!(refused(&house, action, &of_bob).await, no_device(&none), "{action}");
        let nobody = refusal("NoSuchEntity", "The user with name Carl cannot be found.");
        assert_eq!(refused(&house, action, &[("UserName", "Carl"), serial]).await, nobody, "{action}");
    }
    let in_use = refusal("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.");
    assert_eq!(refused(&house, "DeleteVirtualMFADevice", &[serial]).await, in_use);
    let keys = house.root("iam", "ListAccessKeys", &[("UserName", "Bob")]).await;
    let key = keys["AccessKeyMetadata"][0]["AccessKeyId"].as_str().unwrap();
    house.root("iam", "DeleteAccessKey", &[("UserName", "Bob"), ("AccessKeyId", key)]).await;
    let first = refusal("DeleteConflict", "Cannot delete entity, must delete MFA device first.");
    assert_eq!(refused(&house, "DeleteUser", &[("UserName", "Bob")]).await, first);
    deactivate(&house, "Bob", &phone).await;
    house.clock.advance(180);
    phone.enable(&house, &house.root, "Eve", 0).await.unwrap();
    house.root("iam", "DeleteUser", &[("UserName", "Bob")]).await;
    deactivate(&house, "Eve", &phone).await;
    house.root("iam", "DeleteVirtualMFADevice", &[serial]).await;
    assert_eq!(refused(&house, "DeleteVirtualMFADevice", &[serial]).await, no_device(&phone.serial));
    assert_eq!(house.root("iam", "ListVirtualMFADevices", &[]).await["VirtualMFADevices"], json!([]));
}

#[tokio::test]
async fn a_device_made_again_has_another_seed_and_fresh_tries() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", None).await;
    let old = Phone::of(&house, "Bob").await;
    for _ in 0..9 {
        drop(old.session(&house, &bob, "000000").await);
    }
    deactivate(&house, "Bob", &old).await;
    house.root("iam", "DeleteVirtualMFADevice", &[("SerialNumber", &*old.serial)]).await;
    let new = Phone::of(&house, "Bob").await;
    assert_eq!(new.serial, old.serial);
    assert_ne!(new.code(0), old.code(0));
    new.session(&house, &bob, &new.code(0)).await.unwrap();
}

/// The parameters of EnableMFADevice for a user, with codes of now.
fn enabling<'a>(phone: &'a Phone, user: &'a str, codes: &'a (String, String)) -> [(&'a str, &'a str); 4] {
    [
        ("UserName", user),
        ("SerialNumber", &*phone.serial),
        ("AuthenticationCode1", &*codes.0),
        ("AuthenticationCode2", &*codes.1),
    ]
}

/// The race of two calls of which the first, or the second, commits first; what the other is told.
async fn in_order(house: &TestHouse, gate: &Gate, first: bool, (a, b): (Call<'_>, Call<'_>)) -> &'static str {
    // Whoever comes last to the gate goes on first.
    let [x, y] = if first { race(house, gate, b, a).await } else { race(house, gate, a, b).await };
    assert!(y.is_ok(), "{y:?}");
    one_wins([x, y])
}

#[tokio::test]
async fn of_two_calls_that_cannot_both_be_right_one_wins() {
    let gate = Gate::new();
    let house = TestHouse::on(gate.clone()).await;
    for name in ["Bob", "Eve"] {
        user(&house, name).await;
    }
    let new = async |name: &str| Phone::new(&house, name, &[]).await;
    let codes = |phone: &Phone| (phone.code(0), phone.code(1));

    let phone = new("twice").await;
    let pair = codes(&phone);
    let (bob, eve) = (enabling(&phone, "Bob", &pair), enabling(&phone, "Eve", &pair));
    let both = race(&house, &gate, ("EnableMFADevice", &bob), ("EnableMFADevice", &eve)).await;
    assert_eq!(one_wins(both), "EntityAlreadyExists", "one device, two users");

    // Whichever comes first.
    for enable_first in [true, false] {
        let phone = new(&format!("deleted-{enable_first}")).await;
        let pair = codes(&phone);
        let (enable, delete) = (enabling(&phone, "Bob", &pair), [("SerialNumber", &*phone.serial)]);
        let calls = (("EnableMFADevice", &enable[..]), ("DeleteVirtualMFADevice", &delete[..]));
        let expected = if enable_first { "DeleteConflict" } else { "NoSuchEntity" };
        assert_eq!(in_order(&house, &gate, enable_first, calls).await, expected, "one device, no device");

        user(&house, "Gone").await;
        let phone = new(&format!("orphan-{enable_first}")).await;
        let pair = codes(&phone);
        let (enable, delete) = (enabling(&phone, "Gone", &pair), [("UserName", "Gone")]);
        let calls = (("EnableMFADevice", &enable[..]), ("DeleteUser", &delete[..]));
        assert_eq!(in_order(&house, &gate, enable_first, calls).await, expected, "one device, no user");
        if enable_first {
            deactivate(&house, "Gone", &phone).await;
            house.root("iam", "DeleteUser", &delete).await;
        }
    }

    user(&house, "Full").await;
    for n in 0..7 {
        new(&format!("full-{n}")).await.enable(&house, &house.root, "Full", 0).await.unwrap();
    }
    let (eighth, ninth) = (new("eighth").await, new("ninth").await);
    let (a, b) = (codes(&eighth), codes(&ninth));
    let (a, b) = (enabling(&eighth, "Full", &a), enabling(&ninth, "Full", &b));
    let both = race(&house, &gate, ("EnableMFADevice", &a), ("EnableMFADevice", &b)).await;
    assert_eq!(one_wins(both), "LimitExceeded");

    let (a, b) = ([("VirtualMFADeviceName", "same")], [("VirtualMFADeviceName", "SAME")]);
    let both = race(&house, &gate, ("CreateVirtualMFADevice", &a), ("CreateVirtualMFADevice", &b)).await;
    assert_eq!(one_wins(both), "EntityAlreadyExists");
}

#[tokio::test]
async fn who_has_a_device_changes_its_own_in_a_session_with_mfa_only() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let admin = house.user("Admin", Some(ALLOW_ALL)).await;
    let phone = Phone::new(&house, "phone", &[]).await;
    phone.enable(&house, &bob, "Bob", -1).await.unwrap(); // the first needs none
    let second = Phone::new(&house, "second", &[]).await;
    let denied = |action: &str, shown: &str| {
        let sentence = format!(
            "User: arn:aws:iam::{ACCOUNT}:user/Bob is not authorized to perform: iam:{action} on resource: {shown} \
             because the user has an MFA device and the call was not made with MFA"
        );
        refusal("AccessDenied", &sentence)
    };
    let missing = format!("arn:aws:iam::{ACCOUNT}:mfa/missing");
    for serial in [&*second.serial, &*phone.serial, &*missing] {
        let params = [
            ("UserName", "bob"),
            ("SerialNumber", serial),
            ("AuthenticationCode1", "123456"),
            ("AuthenticationCode2", "123456"),
        ];
        let outcome = refused_to(&house, &bob, "EnableMFADevice", &params).await;
        assert_eq!(outcome, denied("EnableMFADevice", "user Bob"), "before anything is told of {serial}");
        for params in [&[("UserName", "Bob"), ("SerialNumber", serial)][..], &[("SerialNumber", serial)]] {
            let outcome = refused_to(&house, &bob, "DeactivateMFADevice", params).await;
            assert_eq!(outcome, denied("DeactivateMFADevice", "user Bob"));
        }
    }
    let own = [("SerialNumber", &*phone.serial)];
    let outcome = refused_to(&house, &bob, "DeleteVirtualMFADevice", &own).await;
    assert_eq!(outcome, denied("DeleteVirtualMFADevice", &phone.serial));
    // Resynchronising is free, and so is whatever others' devices are concerned.
    let codes = (&*phone.code(0), &*phone.code(1));
    phone.with_codes(&house, &bob, "ResyncMFADevice", "Bob", codes).await.unwrap();
    second.enable(&house, &bob, "Admin", -1).await.unwrap();
    house
        .call(&bob, "iam", "DeactivateMFADevice", &[("UserName", "Admin"), ("SerialNumber", &*second.serial)])
        .await
        .unwrap();
    // With MFA it is allowed; and an administrator, root above all, helps whoever lost a device.
    house.clock.advance(180);
    let session = phone.session(&house, &bob, &phone.code(0)).await.unwrap();
    second.enable(&house, &session, "Bob", 1).await.unwrap();
    house.call(&session, "iam", "DeactivateMFADevice", &own).await.unwrap();
    let other = [("UserName", "Bob"), ("SerialNumber", &*second.serial)];
    house.call(&admin, "iam", "DeactivateMFADevice", &other).await.unwrap();
    house.call(&bob, "iam", "DeleteVirtualMFADevice", &own).await.unwrap();
}

#[tokio::test]
async fn a_role_must_say_whose_device_it_means() {
    let house = TestHouse::new().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let phone = Phone::of(&house, "Bob").await;
    let trust = crate::examples::TRUST;
    house.root("iam", "CreateRole", &[("RoleName", "Crew"), ("AssumeRolePolicyDocument", trust)]).await;
    let all = [("RoleName", "Crew"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "PutRolePolicy", &all).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/Crew");
    let params = [("RoleArn", &*arn), ("RoleSessionName", "session")];
    let crew = house.call(&bob, "sts", "AssumeRole", &params).await.unwrap();
    let crew = Keys::of(&crew["Credentials"]);
    let must = refusal("ValidationError", "Must specify userName when calling with non-User credentials");
    let serial = ("SerialNumber", &*phone.serial);
    for (action, params) in
        [("ListMFADevices", &[][..]), ("DeactivateMFADevice", &[serial]), ("GetMFADevice", &[serial])]
    {
        assert_eq!(refused_to(&house, &crew, action, params).await, must, "{action}");
    }
    house.call(&crew, "iam", "DeactivateMFADevice", &[("UserName", "Bob"), serial]).await.unwrap();
}
