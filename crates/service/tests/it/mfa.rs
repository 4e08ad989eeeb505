//! One-time codes on the calls that take them: which count, how often, and what is told of the rest.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use daypass_authn::token::MasterKey;
use daypass_directory::{Directory, NotProven, Operation, Scope, SpentByCall};
use daypass_model::{Clock, SeededRandom};
use daypass_service::Error;
use daypass_store::{
    BoxFuture, Commit, CommitError, Compacted, MemoryStore, Record, Revision, Spent, Store, StoreError, Watch,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::answers::{ALLOW_ALL, refusal};
use crate::phone::Phone;
use crate::support::{ACCOUNT, Keys, SEED, TestHouse};

pub(crate) const UNABLE: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user. ";
const WRONG: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
const HALF: &str =
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code. ";

/// A user who may everything, and the device that is hers.
pub(crate) async fn start() -> (TestHouse, Keys, Phone) {
    start_on(TestHouse::new().await).await
}

async fn start_on(house: TestHouse) -> (TestHouse, Keys, Phone) {
    let ada = house.user("Ada", Some(ALLOW_ALL)).await;
    let phone = Phone::of(&house, "Ada").await;
    // Whoever enabled it has used one of the tries of that window; another begins now.
    house.clock.advance(720);
    (house, ada, phone)
}

pub(crate) fn told<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (&'static str, String) {
    let error = outcome.expect_err("refused");
    (error.code, error.message)
}

/// That GetSessionToken refuses this code, in these words.
pub(crate) async fn refused(house: &TestHouse, who: &Keys, phone: &Phone, code: &str, message: &str) {
    assert_eq!(told(phone.session(house, who, code).await), refusal("AccessDenied", message), "{code}");
}

/// A code that is none of those that count.
fn wrong_code(phone: &Phone) -> String {
    let good: Vec<_> = (-5..=5).map(|steps| phone.code(steps)).collect();
    (0..).map(|n| format!("{n:06}")).find(|code| !good.contains(code)).unwrap()
}

/// A role that trusts the account on this condition, and whose sessions may read users on that one.
pub(crate) async fn role(house: &TestHouse, name: &str, trusts_if: Value, may_if: Value) {
    let principal = format!("arn:aws:iam::{ACCOUNT}:root");
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", "Condition": trusts_if},
    ]});
    let params = [("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
    house.root("iam", "CreateRole", &params).await;
    let may = get_user_if(&may_if);
    let params = [("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", &may)];
    house.root("iam", "PutRolePolicy", &params).await;
}

pub(crate) fn get_user_if(condition: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["iam:GetUser", "sts:AssumeRole"], "Resource": "*", "Condition": condition},
    ]})
    .to_string()
}

pub(crate) async fn assume(
    house: &TestHouse,
    who: &Keys,
    role: &str,
    more: &[(&str, &str)],
) -> Result<Keys, Error> {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    let params = [&[("RoleArn", &*arn), ("RoleSessionName", "session")], more].concat();
    Ok(Keys::of(&house.call(who, "sts", "AssumeRole", &params).await?["Credentials"]))
}

#[tokio::test]
async fn codes_count_two_steps_around_the_clock_of_the_device() {
    let (house, ada, phone) = start().await;
    for steps in [-2, -1, 0, 1, 2] {
        phone.session(&house, &ada, &phone.code(steps)).await.unwrap();
    }
    for steps in [-3, 3] {
        refused(&house, &ada, &phone, &phone.code(steps), WRONG).await;
    }
    // Another device, whose clock is forty minutes behind.
    house.clock.advance(600);
    let slow = Phone::new(&house, "slow", &[]).await;
    slow.enable(&house, &house.root, "Ada", -81).await.unwrap();
    house.clock.advance(600);
    for steps in [-78, -80, -82] {
        slow.session(&house, &ada, &slow.code(steps)).await.unwrap();
    }
    for steps in [-77, -83, 0] {
        refused(&house, &ada, &slow, &slow.code(steps), WRONG).await;
    }
}

#[tokio::test]
async fn a_code_counts_once_in_whichever_call_and_older_ones_still_do() {
    let (house, ada, phone) = start().await;
    role(&house, "Plain", json!({}), json!({})).await;
    let code = phone.code(0);
    phone.session(&house, &ada, &code).await.unwrap();
    refused(&house, &ada, &phone, &code, WRONG).await;
    let again = [("SerialNumber", &*phone.serial), ("TokenCode", &code)];
    assert_eq!(told(assume(&house, &ada, "Plain", &again).await), refusal("AccessDenied", WRONG));
    let older = phone.code(-1);
    let with_older = [("SerialNumber", &*phone.serial), ("TokenCode", &older)];
    assume(&house, &ada, "Plain", &with_older).await.unwrap();
    refused(&house, &ada, &phone, &older, WRONG).await;
    // For as long as it would count; and no resynchronisation brings it back.
    house.clock.advance(60);
    refused(&house, &ada, &phone, &code, WRONG).await;
    house.clock.advance(180);
    let resync = async |steps: i64| {
        let codes = (&*phone.code(steps), &*phone.code(steps + 1));
        phone.with_codes(&house, &house.root, "ResyncMFADevice", "Ada", codes).await
    };
    assert_eq!((phone.code(-8), phone.code(-9)), (code.clone(), older.clone()));
    assert_eq!(told(resync(-10).await).0, "InvalidAuthenticationCode", "one of them was used");
    resync(-12).await.unwrap();
    for used in [&older, &phone.code(-11), &phone.code(-12)] {
        refused(&house, &ada, &phone, used, WRONG).await;
    }
    phone.session(&house, &ada, &phone.code(-13)).await.unwrap();
}

#[tokio::test]
async fn of_calls_with_one_code_at_once_one_is_served() {
    let (house, ada, phone) = start().await;
    let code = phone.code(0);
    let call = || phone.session(&house, &ada, &code);
    let outcomes = tokio::join!(call(), call(), call());
    let outcomes = [outcomes.0, outcomes.1, outcomes.2];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(told(refused), refusal("AccessDenied", WRONG));
    }
}

#[tokio::test]
async fn nine_tries_in_three_minutes_right_wrong_or_repeated() {
    let (house, ada, phone) = start().await;
    let good = phone.code(0);
    phone.session(&house, &ada, &good).await.unwrap();
    for _ in 0..4 {
        refused(&house, &ada, &phone, &good, WRONG).await;
        refused(&house, &ada, &phone, &wrong_code(&phone), WRONG).await;
    }
    refused(&house, &ada, &phone, &phone.code(1), UNABLE).await;
    // Other calls count on the same device.
    let pair = (&*phone.code(1), &*phone.code(2));
    let resync = phone.with_codes(&house, &house.root, "ResyncMFADevice", "Ada", pair).await;
    let invalid = refusal("InvalidAuthenticationCode", "Authentication code for device is not valid.");
    assert_eq!(told(resync), invalid);
    house.clock.advance(179);
    refused(&house, &ada, &phone, &phone.code(0), UNABLE).await;
    house.clock.advance(1);
    phone.session(&house, &ada, &phone.code(0)).await.unwrap();
}

#[tokio::test]
async fn tries_and_used_codes_are_those_of_all_nodes_and_outlive_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let (house, ada, phone) = start_on(TestHouse::on(store.clone()).await).await;
    let code = phone.code(0);
    phone.session(&house, &ada, &code).await.unwrap();
    let (random, clock) = (Arc::new(SeededRandom::new(99)), house.clock.clone());
    let master = MasterKey::generate(&SeededRandom::new(SEED));
    let other = Directory::open(store, master, clock, random).await.unwrap();
    let prove = async |code: &str| {
        let op = operation(&house);
        let scope = scope(&other, &ada, &op);
        scope.prove_mfa(&other, &op, Some(&phone.serial), Some(code)).await.map(|scope| scope.mfa_given())
    };
    assert_eq!(prove(&code).await, Err(NotProven::WrongCode));
    for n in 2..9 {
        assert_eq!(prove(&wrong_code(&phone)).await, Err(NotProven::WrongCode), "{n}");
    }
    assert_eq!(prove(&phone.code(1)).await, Err(NotProven::Unable));
    refused(&house, &ada, &phone, &phone.code(1), UNABLE).await;
}

fn operation(house: &TestHouse) -> Operation {
    Operation {
        request_id: "test".into(),
        now: house.clock.now(),
        source_ip: None,
        secure: None,
        region: String::new(),
        user_agent: None,
        referer: None,
        spent: SpentByCall::default(),
    }
}

fn scope(directory: &Directory, who: &Keys, op: &Operation) -> Scope {
    let view = directory.snapshot();
    let credential = directory.credential(&view, &who.access_key_id, who.session_token.as_deref()).unwrap();
    Scope::resolve(view, credential.caller, op.now).unwrap()
}

#[tokio::test]
async fn a_call_that_is_decided_again_has_its_code_and_its_try_still() {
    let (house, ada, phone) = start().await;
    let directory = &house.house.directory;
    let op = operation(&house);
    let (serial, code) = (Some(&*phone.serial), phone.code(0));
    for _ in 0..20 {
        let proven =
            scope(directory, &ada, &op).prove_mfa(directory, &op, serial, Some(&code)).await.unwrap();
        assert!(proven.mfa_given());
    }
    let other = operation(&house);
    let outcome = scope(directory, &ada, &other).prove_mfa(directory, &other, serial, Some(&code)).await;
    assert_eq!(outcome.err(), Some(NotProven::WrongCode), "another call has neither");
    let neither = scope(directory, &ada, &other).prove_mfa(directory, &other, None, None).await.unwrap();
    assert!(!neither.mfa_given());
}

/// A memory store that refuses some commits as conflicts, or spends nothing.
pub(crate) struct Flaky {
    store: MemoryStore,
    pub(crate) conflicts: AtomicUsize,
    pub(crate) spending: Mutex<Spending>,
}

/// What becomes of a spending.
#[derive(Clone)]
pub(crate) enum Spending {
    Done,
    Away,
    Unknown,
    Hangs,
    /// Until somebody says so.
    Waits(Arc<Notify>),
}

impl Flaky {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::new(),
            conflicts: AtomicUsize::new(0),
            spending: Mutex::new(Spending::Done),
        })
    }
}

impl Store for Flaky {
    fn load(&self, prefix: &str) -> BoxFuture<'_, Result<(Revision, Vec<Record>), StoreError>> {
        self.store.load(prefix)
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Revision, CommitError>> {
        let left = |left: usize| left.checked_sub(1);
        match self.conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left) {
            Ok(_) => Box::pin(async { Err(CommitError::Conflict) }),
            Err(_) => self.store.commit(commit),
        }
    }

    fn watch(&self, after: Revision) -> Result<Watch, Compacted> {
        self.store.watch(after)
    }

    fn current(&self) -> BoxFuture<'_, Result<Revision, StoreError>> {
        self.store.current()
    }

    fn spend(&self, fact: &str, expires_at: i64, now: i64) -> BoxFuture<'_, Result<Spent, CommitError>> {
        match self.spending.lock().unwrap().clone() {
            Spending::Done => self.store.spend(fact, expires_at, now),
            Spending::Away => Box::pin(async { Err(CommitError::Unavailable("a test took it away".into())) }),
            Spending::Unknown => Box::pin(async { Err(CommitError::Unknown) }),
            Spending::Hangs => Box::pin(std::future::pending()),
            Spending::Waits(for_whom) => {
                let spent = self.store.spend(fact, expires_at, now);
                Box::pin(async move {
                    for_whom.notified().await;
                    spent.await
                })
            }
        }
    }

    fn backup(&self, path: &Path) -> BoxFuture<'_, Result<Revision, StoreError>> {
        self.store.backup(path)
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), CommitError>> {
        self.store.settle()
    }

    fn writable(&self) -> BoxFuture<'_, Result<(), String>> {
        self.store.writable()
    }
}

#[tokio::test]
async fn however_often_a_commit_is_in_anothers_way_the_call_takes_one_try() {
    let store = Flaky::new();
    let (house, ada, phone) = start_on(TestHouse::on(store.clone()).await).await;
    store.conflicts.store(12, Ordering::SeqCst);
    let pair = (&*phone.code(0), &*phone.code(1));
    phone.with_codes(&house, &house.root, "ResyncMFADevice", "Ada", pair).await.unwrap();
    assert_eq!(store.conflicts.load(Ordering::SeqCst), 0);
    for _ in 0..8 {
        refused(&house, &ada, &phone, &wrong_code(&phone), WRONG).await;
    }
    refused(&house, &ada, &phone, &phone.code(2), UNABLE).await;
}

#[tokio::test(start_paused = true)]
async fn while_nothing_can_be_spent_calls_with_codes_alone_are_put_off() {
    let store = Flaky::new();
    let (house, ada, phone) = start_on(TestHouse::on(store.clone()).await).await;
    role(&house, "Plain", json!({}), json!({})).await;
    let code = phone.code(0);
    let with_code = [("SerialNumber", &*phone.serial), ("TokenCode", &*code)];
    let pair = (&*code, &*phone.code(1));
    for how in [Spending::Away, Spending::Unknown, Spending::Hangs] {
        *store.spending.lock().unwrap() = how;
        assert_eq!(told(phone.session(&house, &ada, &code).await).0, "ServiceUnavailable");
        assert_eq!(told(assume(&house, &ada, "Plain", &with_code).await).0, "ServiceUnavailable");
        let resync = phone.with_codes(&house, &house.root, "ResyncMFADevice", "Ada", pair).await;
        assert_eq!(told(resync).0, "ServiceUnavailable");
        assume(&house, &ada, "Plain", &[]).await.unwrap();
        house.call(&ada, "sts", "GetSessionToken", &[]).await.unwrap();
    }
    *store.spending.lock().unwrap() = Spending::Done;
    phone.session(&house, &ada, &code).await.unwrap();
}

#[tokio::test]
async fn only_the_callers_own_device_is_asked_and_nobody_uses_up_anothers_tries() {
    let (house, ada, phone) = start().await;
    let bob = house.user("Bob", Some(ALLOW_ALL)).await;
    let unassigned = Phone::new(&house, "nobodys", &[]).await;
    role(&house, "Plain", json!({}), json!({})).await;
    for _ in 0..12 {
        refused(&house, &bob, &phone, &phone.code(0), UNABLE).await;
        refused(&house, &house.root, &phone, &phone.code(0), UNABLE).await;
        refused(&house, &ada, &unassigned, &unassigned.code(0), UNABLE).await;
    }
    let crew = assume(&house, &ada, "Plain", &[]).await.unwrap();
    let code = phone.code(0);
    let given = [("SerialNumber", &*phone.serial), ("TokenCode", &*code)];
    assert_eq!(told(assume(&house, &crew, "Plain", &given).await), refusal("AccessDenied", UNABLE));
    for serial in [
        "GAHT12345678",
        "arn:aws:iam::111122223333:u2f/user/Ada/key",
        "arn:aws:iam::111122223333:mfa/ADA-phone",
    ] {
        let given = [("SerialNumber", serial), ("TokenCode", &*code)];
        let outcome = house.call(&ada, "sts", "GetSessionToken", &given).await;
        assert_eq!(told(outcome), refusal("AccessDenied", UNABLE), "{serial}");
    }
    for half in [("SerialNumber", &*phone.serial), ("TokenCode", &*code)] {
        let outcome = house.call(&ada, "sts", "GetSessionToken", &[half]).await;
        assert_eq!(told(outcome), refusal("AccessDenied", HALF));
        assert_eq!(told(assume(&house, &ada, "Plain", &[half]).await), refusal("AccessDenied", HALF));
    }
    phone.session(&house, &ada, &code).await.unwrap();
}

#[tokio::test]
async fn a_user_of_the_same_serial_number_in_another_account_is_somebody_else() {
    let (house, _, phone) = start().await;
    let stranger = house.account("444455556666").await;
    refused(&house, &stranger, &phone, &phone.code(0), UNABLE).await;
}

#[tokio::test]
async fn root_has_a_device_of_its_own_under_its_account_number() {
    let house = TestHouse::new().await;
    let phone = Phone::new(&house, "root-account-mfa-device", &[]).await;
    assert_eq!(phone.serial, format!("arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device"));
    phone.enable(&house, &house.root, ACCOUNT, -1).await.unwrap();
    let listed = house.root("iam", "ListMFADevices", &[]).await;
    let expected = json!([{"SerialNumber": phone.serial, "EnableDate": house.clock_now()}]);
    assert_eq!(listed["MFADevices"], expected, "root has no name");
    let all = house.root("iam", "ListVirtualMFADevices", &[]).await;
    let root = json!({"UserId": ACCOUNT, "Arn": format!("arn:aws:iam::{ACCOUNT}:root"), "CreateDate": house.clock_now()});
    assert_eq!(all["VirtualMFADevices"][0]["User"], root);
    let session = phone.session(&house, &house.root, &phone.code(0)).await.unwrap();
    house.call(&session, "iam", "GetUser", &[]).await.unwrap();
    // Nobody else can name root so, and a user of that name is the user.
    let admin = house.user("Admin", Some(ALLOW_ALL)).await;
    let other = Phone::new(&house, "other", &[]).await;
    let nobody = refusal("NoSuchEntity", &format!("The user with name {ACCOUNT} cannot be found."));
    assert_eq!(told(other.enable(&house, &admin, ACCOUNT, -1).await), nobody);
    let gone = [("UserName", ACCOUNT), ("SerialNumber", &*phone.serial)];
    assert_eq!(told(house.call(&admin, "iam", "DeactivateMFADevice", &gone).await), nobody);
    house.root("iam", "CreateUser", &[("UserName", ACCOUNT)]).await;
    assert_eq!(told(house.call(&house.root, "iam", "DeactivateMFADevice", &gone).await).0, "NoSuchEntity");
    house.root("iam", "DeleteUser", &[("UserName", ACCOUNT)]).await;
    house.root("iam", "DeactivateMFADevice", &[("SerialNumber", &*phone.serial)]).await;
    refused(&house, &house.root, &phone, &phone.code(1), UNABLE).await;
}

#[tokio::test]
async fn neither_codes_nor_seeds_are_in_the_audit_or_in_messages() {
    let (house, ada, phone) = start().await;
    let made = house.root("iam", "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "x")]).await;
    let code = phone.code(0);
    phone.session(&house, &ada, &code).await.unwrap();
    refused(&house, &ada, &phone, &code, WRONG).await;
    let pair = (phone.code(1), phone.code(2));
    phone.with_codes(&house, &house.root, "ResyncMFADevice", "Ada", (&pair.0, &pair.1)).await.unwrap();
    // A digit too many is a code all the same.
    let long = format!("{code}7");
    let given = [("SerialNumber", &*phone.serial), ("TokenCode", &*long)];
    let refused = told(house.call(&ada, "sts", "GetSessionToken", &given).await);
    let sentence = "1 validation error detected: Value at 'tokenCode' failed to satisfy constraint: Member must have length less than or equal to 6";
    assert_eq!(refused, refusal("ValidationError", sentence));
    let audit: Vec<String> = house.audit.lock().unwrap().iter().map(Value::to_string).collect();
    let audit = audit.join("\n");
    let device = &made["VirtualMFADevice"];
    let secrets = ["Base32StringSeed", "QRCodePNG"].map(|member| device[member].as_str().unwrap().to_owned());
    for secret in secrets.iter().chain([&code, &pair.0, &pair.1]) {
        assert!(!audit.contains(secret), "{secret}");
    }
    assert!(audit.contains(&phone.serial), "which device it was is told");
    let stored = house.stored().await.1;
    let seed = data_encoding::BASE64.decode(secrets[0].as_bytes()).unwrap();
    assert!(
        stored.iter().all(|record| !record.value.windows(64).any(|bytes| bytes == seed)),
        "sealed at rest"
    );
}
