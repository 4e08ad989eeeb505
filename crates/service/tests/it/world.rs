//! The standard world of the tests that go over all actions: one of everything, and every kind of caller.

use std::sync::Arc;

use data_encoding::BASE64;
use daypass_authn::oidc::Algorithm;
use daypass_authn::sigv4::{HttpRequest, amz_date};
use daypass_authn::token::{Purpose, SessionClaims, SessionKind};
use daypass_directory::anywhere::{AnywhereKind, subject_id};
use daypass_directory::key;
use daypass_model::{AccessKeyId, AccessKeyKind, Clock, SessionId};
use daypass_service::Error;
use serde_json::{Value, json};

use crate::answers::ALLOW_ALL;
use crate::anywhere_machine::Holder;
use crate::examples::{
    ALIAS, Example, LIMIT, LONG_PRIVATE_KEY, METADATA, OTHER_PRIVATE_KEY, PASSWORD, PRIVATE_KEY, READ_SHELF,
    THUMBPRINT, TOOL, TRUST, TRUST_SERVICE, WRITE_SHELF,
};
use crate::oidc_issuer::Key;
use crate::phone::Phone;
use crate::pod_identity;
use crate::saml_idp;
use crate::support::{ACCOUNT, Keys, TestHouse};

/// A house with one of everything in it.
pub(crate) struct World {
    pub(crate) house: TestHouse,
    /// The user whose permissions a test chooses: `user/ops/Caller`.
    pub(crate) caller: Keys,
    /// A user who may do everything: `user/Admin`.
    pub(crate) admin: Keys,
    /// A machine with a certificate of the account's trust anchor.
    pub(crate) machine: Arc<Holder>,
    /// What stands in braces in the examples: names and codes that differ from world to world.
    filled: Vec<(&'static str, String)>,
}

/// Callers of every kind; all of them have every permission that their kind can have.
pub(crate) const KINDS: [&str; 10] = [
    "root",
    "user",
    "role",
    "chained-role",
    "user-session",
    "user-session-mfa",
    "root-session",
    "root-session-mfa",
    "federated",
    "federated-by-root",
];

const TEAM: [(&str, &str); 2] = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "red")];

impl World {
    /// The world at its beginning.
    pub(crate) async fn new() -> Self {
        let house = TestHouse::new().await;
        policies(&house).await;
        let mut filled = vec![("{alice-key}", users_and_groups(&house).await)];
        filled.extend(mfa_devices(&house).await);
        roles(&house).await;
        instance_profiles(&house).await;
        filled.push(("{deletion-task}", service_linked_roles(&house).await));
        filled.push(("{task}", machine(&house).await));
        let provider = [
            ("Url", "https://oidc.example.com/team"),
            ("ClientIDList.member.1", "app"),
            ("ThumbprintList.member.1", THUMBPRINT),
        ];
        house.root("iam", "CreateOpenIDConnectProvider", &[&provider[..], &TEAM].concat()).await;
        let provider = [("Name", "Corp"), ("SAMLMetadataDocument", METADATA), ("AddPrivateKey", PRIVATE_KEY)];
        house.root("iam", "CreateSAMLProvider", &[&provider[..], &TEAM].concat()).await;
        filled.extend([
            ("{metadata}", METADATA.to_owned()),
            ("{private-key}", PRIVATE_KEY.to_owned()),
            ("{other-private-key}", OTHER_PRIVATE_KEY.to_owned()),
            ("{long-private-key}", LONG_PRIVATE_KEY.to_owned()),
        ]);
        filled.extend(vouched(&house));
        house.root("iam", "EnableOutboundWebIdentityFederation", &[]).await;
        let admin = house.user("Admin", Some(ALLOW_ALL)).await;
        house.root("iam", "CreateUser", &[("UserName", "Caller"), ("Path", "/ops/")]).await;
        let caller =
            Keys::of(&house.root("iam", "CreateAccessKey", &[("UserName", "Caller")]).await["AccessKey"]);
        passwords(&house).await;
        let resource_policy = json!({"ResourceArn": "arn:aws:s3:::shelf", "Policy": shelf_policy()});
        house.call_json(&house.root, "PutResourcePolicy", &resource_policy).await.unwrap();
        filled.push(("{sealed-message}", sealed_message(&house)));
        let power = [("RoleArn", "arn:aws:iam::111122223333:role/Power"), ("RoleSessionName", "Night")];
        let of_role = house.call(&admin, "sts", "AssumeRole", &power).await.unwrap();
        filled.push(("{session}", session_id(&house, &Keys::of(&of_role["Credentials"]))));
        let (machine, anywhere) = anywhere(&house).await;
        filled.extend(anywhere);
        filled.push(("{association}", pod_identity::in_world(&house).await));
        Self { house, caller, admin, machine: Arc::new(machine), filled }
    }

    /// The same world once more, going its own way.
    pub(crate) async fn copy(&self) -> Self {
        self.on(self.house.copy().await)
    }

    /// The same, where an example's call can be done: what is on in the world must be off for it to be switched on.
    pub(crate) async fn copy_for(&self, example: &Example) -> Self {
        self.copy().await.ready_for(example).await
    }

    /// This world, where an example's call can be done.
    pub(crate) async fn ready_for(self, example: &Example) -> Self {
        if example.action == "EnableOutboundWebIdentityFederation" {
            self.house.root("iam", "DisableOutboundWebIdentityFederation", &[]).await;
        }
        let services = match example.action {
            "CreateSession" => Some(TRUST_MACHINES),
            "AssumeRoleForPodIdentity" => Some(pod_identity::TRUST_PODS),
            _ => None,
        };
        if let Some(trust) = services {
            let trust = [("RoleName", "Build"), ("PolicyDocument", trust)];
            self.house.root("iam", "UpdateAssumeRolePolicy", &trust).await;
        }
        self
    }

    /// This world's callers on a copy of its house.
    pub(crate) fn on(&self, house: TestHouse) -> Self {
        let Self { caller, admin, machine, filled, .. } = self;
        Self {
            house,
            caller: caller.clone(),
            admin: admin.clone(),
            machine: machine.clone(),
            filled: filled.clone(),
        }
    }

    /// `{alice-key}` → the access key id, `{session}` → a session of the role `Power` that the administrator has,
    /// `{sealed-message}` → an authorization message of the account, `{this-request}` → the id of the request that is
    /// made next.
    pub(crate) fn fill(&self, text: &str) -> String {
        let text = self.filled.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        text.replace("{this-request}", &self.house.next_request_id())
    }

    /// Credentials of `who` that this action takes: GetScopedCredentials none that last.
    pub(crate) async fn as_taken(&self, who: &Keys, example: &Example) -> Keys {
        if example.action != "GetScopedCredentials" || who.session_token.is_some() {
            return who.clone();
        }
        Keys::of(&self.house.call(who, "sts", "GetSessionToken", &[]).await.unwrap()["Credentials"])
    }

    /// Make an example's call.
    pub(crate) async fn call(&self, who: &Keys, example: &Example) -> Result<Value, Error> {
        let who = self.as_taken(who, example).await;
        let http = self.house.signed(&who, example.service, request());
        self.send(http, example).await
    }

    /// What somebody sends who makes an example's call: a machine, where machines do.
    pub(crate) fn signed(&self, who: &Keys, example: &Example) -> HttpRequest {
        if example.action == "CreateSession" {
            let stamp = amz_date(self.house.clock.now());
            return self.machine.request("7", "eu-west-1", &stamp, &[]);
        }
        self.house.signed(who, example.service, request())
    }

    /// Make an example's call with this proof, or none.
    pub(crate) async fn send(&self, http: HttpRequest, example: &Example) -> Result<Value, Error> {
        let (service, action) = example.name();
        self.house.send_http(http, service, action, "any", example.params(self)).await
    }

    /// Give the caller this policy, and no other.
    pub(crate) async fn permit(&self, document: &str) {
        let params = [("UserName", "Caller"), ("PolicyName", "p"), ("PolicyDocument", document)];
        self.house.root("iam", "PutUserPolicy", &params).await;
    }

    /// Credentials of a kind of caller.
    pub(crate) async fn caller_of(&self, kind: &str) -> Keys {
        let everything = [("Name", "Jill"), ("Policy", ALLOW_ALL)];
        let power = [("RoleArn", "arn:aws:iam::111122223333:role/Power"), ("RoleSessionName", "Ada")];
        let (who, action, params): (&Keys, &str, &[(&str, &str)]) = match kind {
            "root" => return self.house.root.clone(),
            "user" => return self.admin.clone(),
            "user-session-mfa" => return self.mint(SessionKind::User, 0, 3600, true),
            "root-session-mfa" => return self.mint(SessionKind::Root, 0, 3600, true),
            "role" => (&self.admin, "AssumeRole", &power),
            "chained-role" => (&Box::pin(self.caller_of("role")).await, "AssumeRole", &power),
            "user-session" => (&self.admin, "GetSessionToken", &[]),
            "root-session" => (&self.house.root, "GetSessionToken", &[]),
            "federated" => (&self.admin, "GetFederationToken", &everything),
            "federated-by-root" => (&self.house.root, "GetFederationToken", &everything),
            other => panic!("no caller is of the kind {other}"),
        };
        let answer = self.house.call(who, "sts", action, params).await;
        Keys::of(&answer.unwrap_or_else(|error| panic!("{kind}: {error}"))["Credentials"])
    }

    /// A session that no call gives yet: of the administrator or root, begun `from` and over `to` seconds from
    /// now, with or without MFA.
    pub(crate) fn mint(&self, kind: SessionKind, from: i64, to: i64, mfa: bool) -> Keys {
        let directory = &self.house.house.directory;
        let (view, random) = (directory.snapshot(), directory.random());
        let account = ACCOUNT.parse().unwrap();
        let admin = view.operator().account(account).unwrap().user("Admin").unwrap().clone();
        let (principal_id, principal_arn) = match kind {
            SessionKind::Root => (ACCOUNT.to_owned(), format!("arn:aws:iam::{ACCOUNT}:root")),
            _ => (admin.record.id.to_string(), admin.arn.clone()),
        };
        let now = self.house.clock_now();
        let claims = SessionClaims {
            session_id: SessionId::generate(account, random),
            ancestry: Vec::new(),
            ancestry_ends: Vec::new(),
            kind,
            account,
            principal_id,
            principal_arn,
            session_name: String::new(),
            issued_at: now + from,
            expires_at: now + to,
            layers: Vec::new(),
            tags: Vec::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
            mfa_authenticated_at: mfa.then_some(now + from),
            federation: Vec::new(),
            chained: false,
            scoped_layers: 0,
            first_key: None,
            console: None,
            principals_above: Vec::new(),
        };
        sealed(&self.house, &claims)
    }

    /// Parameters of a CheckRequest: the administrator reads `shelf/a.txt` at `store.test`.
    pub(crate) fn signed_request(&self) -> Value {
        let http = HttpRequest::new("GET", "/shelf/a.txt", "").with_header("host", "store.test");
        asking(&self.house.signed(&self.admin, "s3", http))
    }
}

/// One, and the task by which another was deleted.
async fn service_linked_roles(house: &TestHouse) -> String {
    for service in ["batch.amazonaws.com", "backup.amazonaws.com"] {
        house.root("iam", "CreateServiceLinkedRole", &[("AWSServiceName", service)]).await;
    }
    let deleted =
        house.root("iam", "DeleteServiceLinkedRole", &[("RoleName", "AWSServiceRoleForBackup")]).await;
    deleted["DeletionTaskId"].as_str().unwrap().to_owned()
}

/// One with a role, one without.
async fn instance_profiles(house: &TestHouse) {
    for name in ["Web", "Bare"] {
        let profile = [("InstanceProfileName", name), ("Path", "/fleet/")];
        house.root("iam", "CreateInstanceProfile", &[&profile[..], &TEAM].concat()).await;
    }
    let role = [("InstanceProfileName", "Web"), ("RoleName", "Build")];
    house.root("iam", "AddRoleToInstanceProfile", &role).await;
}

/// A machine of the profile that has a role, and a task on it; the task's id.
async fn machine(house: &TestHouse) -> String {
    let id = "i-0123456789abcdef0";
    let instance = json!({"InstanceProfileName": "Web", "InstanceId": id, "Region": "eu-central-1"});
    house.call_json(&house.root, "RegisterInstance", &instance).await.unwrap();
    let task = json!({"InstanceId": id, "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/ci/Build")});
    let task = house.call_json(&house.root, "RegisterTask", &task).await.unwrap();
    task["TaskId"].as_str().unwrap().to_owned()
}

/// An authorization message of this account, as short as one can be.
fn sealed_message(house: &TestHouse) -> String {
    let message = json!({"at": house.clock.now().as_second(), "message": {"allowed": false}}).to_string();
    let (directory, bound_to) = (&house.house.directory, format!("account {ACCOUNT}"));
    let view = directory.snapshot();
    let purpose = Purpose::AuthorizationMessage;
    let sealed =
        view.keyring().seal_message(purpose, bound_to.as_bytes(), message.as_bytes(), directory.random());
    sealed.unwrap()
}

/// Credentials of a session that says this.
pub(crate) fn sealed(house: &TestHouse, claims: &SessionClaims) -> Keys {
    let (view, random) = (house.house.directory.snapshot(), house.house.directory.random());
    let id = AccessKeyId::generate(AccessKeyKind::Temporary, claims.account, random);
    let sealed = view.keyring().seal(claims, &id, 0, random).unwrap();
    Keys {
        access_key_id: id.to_string(),
        secret_access_key: sealed.secret_access_key.expose_str().to_owned(),
        session_token: Some(sealed.token),
    }
}

/// What a token says.
pub(crate) fn claims(house: &TestHouse, keys: &Keys) -> SessionClaims {
    let (id, token) = (keys.access_key_id.parse().unwrap(), keys.session_token.as_deref().unwrap());
    house.house.directory.snapshot().keyring().open(token, &id).unwrap().claims
}

/// The id of a session.
pub(crate) fn session_id(house: &TestHouse, keys: &Keys) -> String {
    claims(house, keys).session_id.to_string()
}

/// A CheckRequest about a request as it came.
pub(crate) fn asking(http: &HttpRequest) -> Value {
    let header =
        |(name, value): &(String, Vec<u8>)| json!({"Name": name, "Value": String::from_utf8_lossy(value)});
    let headers: Vec<Value> = http.headers.iter().map(header).collect();
    let query = if http.query.is_empty() { String::new() } else { format!("?{}", http.query) };
    let url = format!("https://store.test{}{query}", http.path);
    json!({
        "Request": {"Method": http.method, "Url": url, "Headers": headers},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shelf/a.txt",
    })
}

/// A request to sign.
pub(crate) fn request() -> HttpRequest {
    HttpRequest::new("POST", "/", "").with_header("host", "daypass.test")
}

/// Says nothing about the members of this account's users, so that identity policies decide.
fn shelf_policy() -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "Alice", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/div/Alice")},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/*",
    }]})
    .to_string()
}

async fn policies(house: &TestHouse) {
    let tool = [
        ("PolicyName", "Tool"),
        ("Path", "/team/"),
        ("PolicyDocument", READ_SHELF),
        ("Description", "tools"),
    ];
    house.root("iam", "CreatePolicy", &[&tool[..], &TEAM].concat()).await;
    house.root("iam", "CreatePolicyVersion", &[("PolicyArn", TOOL), ("PolicyDocument", WRITE_SHELF)]).await;
    let limit = [("PolicyName", "Limit"), ("Path", "/limits/"), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "CreatePolicy", &limit).await;
    let spare = [("PolicyName", "Spare"), ("Path", "/team/"), ("PolicyDocument", READ_SHELF)];
    house.root("iam", "CreatePolicy", &[&spare[..], &TEAM].concat()).await;
}

/// The access key id of Alice.
async fn users_and_groups(house: &TestHouse) -> String {
    for (group, path) in [("Crew", "/staff/"), ("Empty", "/staff/")] {
        house.root("iam", "CreateGroup", &[("GroupName", group), ("Path", path)]).await;
    }
    for (user, path) in [("Alice", "/div/"), ("Doomed", "/div/")] {
        let params = [("UserName", user), ("Path", path), ("PermissionsBoundary", LIMIT)];
        house.root("iam", "CreateUser", &[&params[..], &TEAM].concat()).await;
    }
    house.root("iam", "CreateUser", &[("UserName", "Plain")]).await;
    let own = [("PolicyName", "own"), ("PolicyDocument", READ_SHELF)];
    house.root("iam", "PutUserPolicy", &[&own[..], &[("UserName", "Alice")]].concat()).await;
    house.root("iam", "PutGroupPolicy", &[&own[..], &[("GroupName", "Crew")]].concat()).await;
    house.root("iam", "AttachUserPolicy", &[("UserName", "Alice"), ("PolicyArn", TOOL)]).await;
    house.root("iam", "AttachGroupPolicy", &[("GroupName", "Crew"), ("PolicyArn", TOOL)]).await;
    house.root("iam", "AddUserToGroup", &[("GroupName", "Crew"), ("UserName", "Alice")]).await;
    let made = house.root("iam", "CreateAccessKey", &[("UserName", "Alice")]).await;
    made["AccessKey"]["AccessKeyId"].as_str().unwrap().to_owned()
}

/// Alice has a device, and another is nobody's. Pairs of codes that are still good.
async fn mfa_devices(house: &TestHouse) -> Vec<(&'static str, String)> {
    let phone = Phone::new(house, "Phone", &[&[("Path", "/team/")], &TEAM[..]].concat()).await;
    let spare = Phone::new(house, "Spare", &[&[("Path", "/team/")], &TEAM[..]].concat()).await;
    phone.enable(house, &house.root, "Alice", -3).await.unwrap();
    vec![
        ("{phone-code-1}", phone.code(-1)),
        ("{phone-code-2}", phone.code(0)),
        ("{spare-code-1}", spare.code(-1)),
        ("{spare-code-2}", spare.code(0)),
    ]
}

/// The account has an alias and asks for ten characters with a number; three users have a password.
async fn passwords(house: &TestHouse) {
    house.root("iam", "CreateAccountAlias", &[("AccountAlias", ALIAS)]).await;
    let policy =
        [("MinimumPasswordLength", "10"), ("RequireNumbers", "true"), ("PasswordReusePrevention", "2")];
    house.root("iam", "UpdateAccountPasswordPolicy", &policy).await;
    for user in ["Alice", "Caller", "Admin"] {
        house.root("iam", "CreateLoginProfile", &[("UserName", user), ("Password", PASSWORD)]).await;
    }
}

/// What the account's providers sign: of OpenID Connect a token for its application, of SAML an assertion for the role
/// `Reader`, by other metadata than the world's provider has at first.
fn vouched(house: &TestHouse) -> Vec<(&'static str, String)> {
    let (key, now) = (Key::generate(Algorithm::Es256), house.clock_now());
    house.providers.publish("https://oidc.example.com/team", &[("1", &key)]);
    let claims = json!({
        "iss": "https://oidc.example.com/team", "sub": "ada", "aud": "app", "iat": now, "exp": now + 600,
    });
    let token = |id: &str| key.sign(&json!({"alg": "ES256", "kid": id}), &claims);
    let of_pod = json!({
        "iss": "https://oidc.example.com/team", "sub": "system:serviceaccount:shop:till", "aud": ["pods.eks.amazonaws.com"],
        "iat": now, "nbf": now, "exp": now + 600,
        "kubernetes.io": {
            "namespace": "shop", "node": {"name": "node-1", "uid": "5d7b"}, "pod": {"name": "till-0", "uid": "1f2e"},
            "serviceaccount": {"name": "till", "uid": "9a8b"},
        },
    });
    let signed = saml_idp::signed(saml_idp::ASSERTION);
    let assertion = |xml: &str| BASE64.encode(xml.as_bytes());
    vec![
        ("{id-token}", token("1")),
        ("{pod-token}", key.sign(&json!({"alg": "ES256", "kid": "1"}), &of_pod)),
        ("{unknown-key-token}", token("2")),
        ("{idp-metadata}", saml_idp::metadata_of(&saml_idp::IDP.certificate)),
        ("{changed-assertion}", assertion(&saml_idp::edited(&signed, ">alice<", ">admin<"))),
        ("{assertion}", assertion(&signed)),
    ]
}

/// Lets machines with certificates in.
const TRUST_MACHINES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}"#;

/// A trust anchor, a profile with one role, a list of revocations and a subject; a machine that the anchor trusts.
async fn anywhere(house: &TestHouse) -> (Holder, Vec<(&'static str, String)>) {
    let root = Holder::root("Fleet CA");
    let machine = root.machine("host1", 7);
    let call = async |action, body: Value| {
        house
            .call_rest(&house.root, "rolesanywhere", action, &body)
            .await
            .unwrap_or_else(|error| panic!("{action}: {error}"))
    };
    let source = json!({"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": root.pem}});
    let made =
        call("CreateTrustAnchor", json!({"name": "Fleet CA", "source": source, "enabled": true})).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (anchor, arn) =
        (text(&made["trustAnchor"]["trustAnchorId"]), text(&made["trustAnchor"]["trustAnchorArn"]));
    let roles = json!(["arn:aws:iam::111122223333:role/ci/Build"]);
    let made = call("CreateProfile", json!({"name": "Fleet", "roleArns": roles, "enabled": true})).await;
    let profile = text(&made["profile"]["profileId"]);
    let list = BASE64.encode(root.revoke(&[9]).as_bytes());
    let body = json!({"name": "Revoked", "crlData": list, "trustAnchorArn": arn, "enabled": true});
    let crl = text(&call("ImportCrl", body).await["crl"]["crlId"]);
    let account = ACCOUNT.parse().unwrap();
    let subject = subject_id(account, "CN=host1");
    let now = house.clock_now();
    let credential = json!({"seen": now, "serial": "7", "issuer": "CN=Fleet CA", "certificate": BASE64.encode(&machine.der)});
    let record = json!({
        "v": 1, "request_id": "r", "id": subject, "region": "eu-west-1", "subject": "CN=host1", "created": now,
        "last_seen": now, "credentials": [credential],
    });
    let place = key::anywhere(account, AnywhereKind::Subject, &subject);
    house.put(vec![(place, record.to_string().into())]).await;
    let filled = vec![
        ("{anchor}", anchor),
        ("{profile}", profile),
        ("{crl}", crl),
        ("{subject}", subject),
        ("{crl-data}", list),
        ("{root-pem}", root.pem.replace('\n', "\\n")),
    ];
    (machine, filled)
}

async fn roles(house: &TestHouse) {
    for role in ["Build", "Doomed"] {
        let params = [
            ("RoleName", role),
            ("Path", "/ci/"),
            ("AssumeRolePolicyDocument", TRUST),
            ("Description", "made first"),
            ("PermissionsBoundary", LIMIT),
        ];
        house.root("iam", "CreateRole", &[&params[..], &TEAM].concat()).await;
    }
    for role in ["Plain", "Power"] {
        house.root("iam", "CreateRole", &[("RoleName", role), ("AssumeRolePolicyDocument", TRUST)]).await;
    }
    let of_service = [("RoleName", "Nightly"), ("AssumeRolePolicyDocument", TRUST_SERVICE)];
    house.root("iam", "CreateRole", &of_service).await;
    let own = [("RoleName", "Build"), ("PolicyName", "own"), ("PolicyDocument", READ_SHELF)];
    house.root("iam", "PutRolePolicy", &own).await;
    house.root("iam", "AttachRolePolicy", &[("RoleName", "Build"), ("PolicyArn", TOOL)]).await;
    let all = [("RoleName", "Power"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)];
    house.root("iam", "PutRolePolicy", &all).await;
}
