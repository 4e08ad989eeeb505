//! EKS Pod Identity: what a pod gets by its token, what each of its parts must say, and who may change what that is verified by.

use daypass_authn::oidc::Algorithm;
use daypass_directory::key;
use daypass_service::{Error, rest};
use serde_json::{Value, json};

use crate::examples;
use crate::oidc_issuer::Key;
use crate::support::{ACCOUNT, Keys, OTHER, TestHouse};
use crate::world::session_id;

mod refused;
mod target;

const ISSUER: &str = "https://cluster.example/blue";
const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/cluster.example/blue";
const CLUSTER: &str = "arn:aws:eks:eu-west-1:111122223333:cluster/blue";
const ROLE: &str = "arn:aws:iam::111122223333:role/Till";
const UNAUTHORIZED: &str =
    "Unauthorized Exception! EKS does not have permissions to assume the associated role.";

/// Lets pods in.
pub(crate) const TRUST_PODS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}"#;

/// In the standard world: a cluster with a role for one service account, and one without; the id of the association.
pub(crate) async fn in_world(house: &TestHouse) -> String {
    for cluster in ["blue", "empty"] {
        let body = json!({"ClusterName": cluster, "OpenIDConnectProviderArn": examples::PROVIDER});
        house.call_json(&house.root, "PutPodIdentityCluster", &body).await.unwrap();
    }
    let body = json!({
        "clusterName": "blue", "namespace": "shop", "serviceAccount": "till", "roleArn": "arn:aws:iam::111122223333:role/ci/Build",
    });
    let made = house.call_rest(&house.root, "eks", "CreatePodIdentityAssociation", &body).await.unwrap();
    made["association"]["associationId"].as_str().unwrap().to_owned()
}

/// A cluster `blue`, a node of it, and the role `Till` for its service account `shop/till`.
pub(crate) struct Scene {
    pub(crate) house: TestHouse,
    key: Key,
    /// A session of the node's role.
    node: Keys,
    association: String,
}

fn trusting(action: &Value, condition: &Value) -> String {
    let statement = json!({
        "Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": action, "Condition": condition,
    });
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn both() -> Value {
    json!(["sts:AssumeRole", "sts:TagSession"])
}

fn allow(action: &str, resource: &str, condition: &Value) -> String {
    let statement =
        json!({"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let (house, key) = (TestHouse::new().await, Key::generate(Algorithm::Es256));
        house.providers.publish(ISSUER, &[("1", &key)]);
        house.root("iam", "CreateOpenIDConnectProvider", &[("Url", ISSUER)]).await;
        let cluster = json!({"ClusterName": "blue", "OpenIDConnectProviderArn": PROVIDER});
        house.call_json(&house.root, "PutPodIdentityCluster", &cluster).await.unwrap();
        let node = node(&house, &house.root, ACCOUNT, CLUSTER).await;
        let mut scene = Self { house, key, node, association: String::new() };
        scene.role("Till", &trusting(&both(), &json!({}))).await;
        let made = scene.associate(json!({"serviceAccount": "till", "roleArn": ROLE})).await.unwrap();
        scene.association = made["associationId"].as_str().unwrap().to_owned();
        scene
    }

    async fn role(&self, name: &str, trust: &str) {
        let role = [("RoleName", name), ("AssumeRolePolicyDocument", trust), ("MaxSessionDuration", "43200")];
        self.house.root("iam", "CreateRole", &role).await;
    }

    async fn trust(&self, document: &str) {
        let params = [("RoleName", "Till"), ("PolicyDocument", document)];
        self.house.root("iam", "UpdateAssumeRolePolicy", &params).await;
    }

    async fn eks(&self, action: &str, more: Value) -> Result<Value, Error> {
        let mut body = json!({"clusterName": "blue"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.house.call_rest(&self.house.root, "eks", action, &body).await
    }

    async fn associate(&self, more: Value) -> Result<Value, Error> {
        let mut body = json!({"namespace": "shop"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Ok(self.eks("CreatePodIdentityAssociation", body).await?["association"].clone())
    }

    async fn update(&self, more: Value) -> Result<Value, Error> {
        let mut body = json!({"associationId": self.association});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.eks("UpdatePodIdentityAssociation", body).await
    }

    fn claims(&self) -> Value {
        let now = self.house.clock_now();
        json!({
            "iss": ISSUER, "sub": "system:serviceaccount:shop:till", "aud": ["pods.eks.amazonaws.com"],
            "iat": now, "nbf": now, "exp": now + 3600,
            "kubernetes.io": {
                "namespace": "shop", "node": {"name": "node-1", "uid": "5d7b"}, "pod": {"name": "till-0", "uid": "1f2e-3d4c"},
                "serviceaccount": {"name": "till", "uid": "9a8b"},
            },
        })
    }

    fn token(&self, claims: &Value) -> String {
        self.key.sign(&json!({"alg": "ES256", "kid": "1"}), claims)
    }

    async fn ask_as(&self, who: &Keys, body: &Value) -> Result<Value, Error> {
        self.house.call_rest(who, "eks-auth", "AssumeRoleForPodIdentity", body).await
    }

    /// The node asks with this token.
    async fn ask_with(&self, token: &str) -> Result<Value, Error> {
        self.ask_as(&self.node, &json!({"clusterName": "blue", "token": token})).await
    }

    /// The node asks with a good token.
    async fn ask(&self) -> Result<Value, Error> {
        self.ask_with(&self.token(&self.claims())).await
    }

    async fn identity(&self, keys: &Keys) -> Result<String, Error> {
        let who = self.house.call(keys, "sts", "GetCallerIdentity", &[]).await?;
        Ok(who["Arn"].as_str().unwrap().to_owned())
    }
}

/// A node: a session of a role that may ask for the pods of this cluster.
async fn node(house: &TestHouse, admin: &Keys, account: &str, cluster: &str) -> Keys {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let may = allow("eks-auth:AssumeRoleForPodIdentity", cluster, &json!({}));
    let starts = allow("sts:AssumeRole", "*", &json!({}));
    let call = async |action: &str, params: &[(&str, &str)]| {
        house.call(admin, "iam", action, params).await.unwrap_or_else(|error| panic!("{action}: {error}"))
    };
    call("CreateRole", &[("RoleName", "Node"), ("AssumeRolePolicyDocument", &trust)]).await;
    call("PutRolePolicy", &[("RoleName", "Node"), ("PolicyName", "p"), ("PolicyDocument", &may)]).await;
    call("CreateUser", &[("UserName", "Starter")]).await;
    call("PutUserPolicy", &[("UserName", "Starter"), ("PolicyName", "p"), ("PolicyDocument", &starts)]).await;
    let starter = Keys::of(&call("CreateAccessKey", &[("UserName", "Starter")]).await["AccessKey"]);
    let role = format!("arn:aws:iam::{account}:role/Node");
    let params = [("RoleArn", role.as_str()), ("RoleSessionName", "i-0a")];
    Keys::of(&house.call(&starter, "sts", "AssumeRole", &params).await.unwrap()["Credentials"])
}

fn keys(answer: &Value) -> Keys {
    let text = |name: &str| answer["credentials"][name].as_str().unwrap().to_owned();
    Keys {
        access_key_id: text("accessKeyId"),
        secret_access_key: text("secretAccessKey"),
        session_token: Some(text("sessionToken")),
    }
}

/// The refusal as the agent hears it.
fn told(outcome: Result<Value, Error>) -> (&'static str, String) {
    let error = outcome.unwrap_err();
    (rest::code("eks-auth", error.code), error.message)
}

#[tokio::test]
async fn a_pod_gets_the_role_of_its_service_account_with_six_transitive_tags() {
    let scene = Scene::new().await;
    let source = json!({"StringEquals": {"aws:SourceArn": CLUSTER, "aws:SourceAccount": ACCOUNT,
        "aws:RequestTag/kubernetes-namespace": "shop", "aws:RequestTag/eks-cluster-name": "blue"}});
    scene.trust(&trusting(&both(), &source)).await;
    let answer = scene.ask().await.unwrap();
    let pod = keys(&answer);
    let arn = scene.identity(&pod).await.unwrap();
    assert!(arn.starts_with(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/Till/eks-blue-till-0-")), "{arn}");
    assert_eq!(answer["assumedRoleUser"]["arn"], arn.as_str());
    assert_eq!(answer["credentials"]["expiration"], scene.house.clock_now() + 21_600);
    let claims = crate::world::claims(&scene.house, &pod);
    let tags: Vec<_> = claims.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    // Amazon EKS User Guide, "List of session tags added by EKS Pod Identity".
    let expected = [
        ("eks-cluster-arn", CLUSTER),
        ("eks-cluster-name", "blue"),
        ("kubernetes-namespace", "shop"),
        ("kubernetes-service-account", "till"),
        ("kubernetes-pod-name", "till-0"),
        ("kubernetes-pod-uid", "1f2e-3d4c"),
    ];
    assert_eq!(tags, expected);
    assert_eq!(claims.transitive_tag_keys, expected.map(|(key, _)| key));
    // What the role may can depend on them.
    let own = json!({"StringEquals": {"aws:PrincipalTag/kubernetes-namespace": "shop"}});
    let policy = allow("iam:ListRoles", "*", &own);
    let params = [("RoleName", "Till"), ("PolicyName", "p"), ("PolicyDocument", policy.as_str())];
    scene.house.root("iam", "PutRolePolicy", &params).await;
    scene.house.call(&pod, "iam", "ListRoles", &[]).await.unwrap();
}

#[tokio::test]
async fn a_session_lasts_six_hours_or_as_long_as_the_role_allows() {
    let scene = Scene::new().await;
    let params = [("RoleName", "Till"), ("MaxSessionDuration", "3600")];
    scene.house.root("iam", "UpdateRole", &params).await;
    let answer = scene.ask().await.unwrap();
    assert_eq!(answer["credentials"]["expiration"], scene.house.clock_now() + 3600);
    scene.house.clock.advance(3601);
    assert_eq!(scene.identity(&keys(&answer)).await.unwrap_err().code, "ExpiredToken");
}

#[tokio::test]
async fn sessions_without_tags_need_no_permission_for_tags_and_may_have_a_policy() {
    let scene = Scene::new().await;
    scene.trust(&trusting(&json!("sts:AssumeRole"), &json!({}))).await;
    assert_eq!(told(scene.ask().await), ("AccessDeniedException", UNAUTHORIZED.into()));
    let policy = allow("iam:GetRole", "*", &json!({}));
    scene.update(json!({"disableSessionTags": true, "policy": policy})).await.unwrap();
    let role = allow("iam:*", "*", &json!({}));
    let params = [("RoleName", "Till"), ("PolicyName", "p"), ("PolicyDocument", role.as_str())];
    scene.house.root("iam", "PutRolePolicy", &params).await;
    let pod = keys(&scene.ask().await.unwrap());
    assert!(crate::world::claims(&scene.house, &pod).tags.is_empty());
    scene.house.call(&pod, "iam", "GetRole", &[("RoleName", "Till")]).await.unwrap();
    let denied = scene.house.call(&pod, "iam", "ListRoles", &[]).await.unwrap_err();
    assert!(
        denied.message.ends_with("because no session policy allows the iam:ListRoles action"),
        "{denied}"
    );
    // Without the policy it may what the role may.
    scene.update(json!({"policy": ""})).await.unwrap();
    scene.house.call(&keys(&scene.ask().await.unwrap()), "iam", "ListRoles", &[]).await.unwrap();
}

#[tokio::test]
async fn a_pods_session_descends_from_the_nodes_and_names_its_association() {
    let scene = Scene::new().await;
    let pod = keys(&scene.ask().await.unwrap());
    let id = session_id(&scene.house, &pod);
    let chain =
        scene.house.call_json(&scene.house.root, "GetSessionChain", &json!({"SessionId": id})).await.unwrap();
    let links = chain["Chain"].as_array().unwrap();
    assert_eq!(links[0]["Session"]["Arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/Node/i-0a"));
    let own = &links[1]["Session"];
    let association =
        format!("arn:aws:eks:eu-west-1:{ACCOUNT}:podidentityassociation/blue/{}", scene.association);
    assert_eq!(own["Description"], association);
    assert_eq!((own["SessionId"].as_str(), links.len()), (Some(id.as_str()), 2));
    // It ends with the node's, where that is ended with what it issued.
    let node = session_id(&scene.house, &scene.node);
    let body = json!({"SessionId": node, "IncludeIssued": true});
    scene.house.call_json(&scene.house.root, "RevokeSession", &body).await.unwrap();
    assert_eq!(scene.identity(&pod).await.unwrap_err().code, "ExpiredToken");
    assert_eq!(told(scene.ask().await).0, "ExpiredTokenException");
}

#[tokio::test]
async fn a_record_tells_neither_token_nor_credentials() {
    let scene = Scene::new().await;
    let token = scene.token(&scene.claims());
    let answer = scene.ask_with(&token).await.unwrap();
    let credentials = &answer["credentials"];
    let refused = scene.ask_with(&format!("{}x", &token[..token.len() - 1])).await;
    assert_eq!(told(refused).0, "InvalidTokenException");
    let audit = scene.house.audit.lock().unwrap().clone();
    let text = serde_json::to_string(&audit).unwrap();
    for secret in [&json!(token), &credentials["secretAccessKey"], &credentials["sessionToken"]] {
        assert!(!text.contains(secret.as_str().unwrap()));
    }
    assert!(!text.contains(token.rsplit('.').next().unwrap()));
    let events: Vec<_> =
        audit.iter().filter(|event| event["eventName"] == "AssumeRoleForPodIdentity").collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["eventSource"], "eks-auth.amazonaws.com");
    assert_eq!(events[0]["requestParameters"], json!({"clusterName": "blue"}));
    let told = &events[0]["responseElements"];
    assert_eq!(told["credentials"]["accessKeyId"], credentials["accessKeyId"]);
    assert_eq!(told["podIdentityAssociation"]["associationId"], scene.association.as_str());
    assert_eq!(events[1]["errorCode"], "InvalidTokenException");
}

#[tokio::test]
async fn the_account_may_ask_why_a_pod_got_nothing() {
    let scene = Scene::new().await;
    scene.trust(&trusting(&json!("sts:AssumeRole"), &json!({}))).await;
    let request = scene.house.next_request_id();
    assert_eq!(told(scene.ask().await), ("AccessDeniedException", UNAUTHORIZED.into()));
    let body = json!({"RequestId": request});
    let explained = scene.house.call_json(&scene.house.root, "ExplainRequest", &body).await.unwrap();
    let decisions = explained["Decisions"].as_array().unwrap();
    let asked: Vec<_> =
        decisions.iter().map(|one| (one["Action"].as_str().unwrap(), one["Decision"] == "Allowed")).collect();
    assert_eq!(
        asked,
        [("eks-auth:AssumeRoleForPodIdentity", true), ("sts:TagSession", false)],
        "{explained}"
    );
}

#[tokio::test]
async fn a_cluster_with_associations_keeps_its_provider() {
    let scene = Scene::new().await;
    let evil = Key::generate(Algorithm::Es256);
    scene.house.providers.publish("https://evil.example", &[("1", &evil)]);
    scene.house.root("iam", "CreateOpenIDConnectProvider", &[("Url", "https://evil.example")]).await;
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/evil.example");
    let put = async |provider: &str| {
        let body = json!({"ClusterName": "blue", "OpenIDConnectProviderArn": provider});
        scene.house.call_json(&scene.house.root, "PutPodIdentityCluster", &body).await
    };
    let refused = put(&provider).await.unwrap_err();
    assert_eq!(refused.message, "The cluster has associations. Delete them first.");
    // The one that it has may be put again, and changes nothing.
    let before = scene.house.stored().await.0;
    put(PROVIDER).await.unwrap();
    assert_eq!(scene.house.stored().await.0, before);
    scene.eks("DeletePodIdentityAssociation", json!({"associationId": scene.association})).await.unwrap();
    assert_eq!(put(&provider).await.unwrap()["Cluster"]["OpenIDConnectProviderArn"], provider.as_str());
}

#[tokio::test]
async fn a_repeated_call_makes_one_association() {
    let scene = Scene::new().await;
    let call = |role: &str| json!({"serviceAccount": "web", "roleArn": role, "clientRequestToken": "t-1"});
    let first = scene.associate(call(ROLE)).await.unwrap();
    assert_eq!(scene.associate(call(ROLE)).await.unwrap(), first);
    scene.role("Other", &trusting(&both(), &json!({}))).await;
    let other = scene.associate(call(&ROLE.replace("Till", "Other"))).await.unwrap_err();
    let message = format!("Association already exists: {}", first["associationId"].as_str().unwrap());
    assert_eq!((other.code, other.message), ("ResourceInUseException", message));
    // Another call of the same account, and one without a token.
    for token in [json!("t-2"), json!(null)] {
        let mut body = call(ROLE);
        body["clientRequestToken"] = token;
        body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(scene.associate(body).await.unwrap_err().code, "ResourceInUseException");
    }
}

#[tokio::test]
async fn a_cluster_has_so_many_associations() {
    let scene = Scene::new().await;
    let record = |n: usize| {
        let id = format!("a-{n:017}");
        let record = json!({
            "v": 1, "request_id": "r", "id": id, "cluster": "blue", "region": "eu-west-1", "namespace": "crowd",
            "service_account": format!("sa-{n}"), "role": "AROAX", "role_arn": ROLE, "created": 0, "modified": 0,
        });
        let place = key::pod_association(ACCOUNT.parse().unwrap(), "blue", &id);
        (place, record.to_string().into())
    };
    scene.house.put((0..4998).map(record).collect()).await;
    scene.associate(json!({"serviceAccount": "last", "roleArn": ROLE})).await.unwrap();
    let refused = scene.associate(json!({"serviceAccount": "more", "roleArn": ROLE})).await.unwrap_err();
    assert_eq!(refused.code, "LimitExceeded");
    assert_eq!(refused.message, "Cannot exceed quota for associations of a cluster: 5000");
    // The lists come in pages, each association once.
    let (mut seen, mut token) = (0, None);
    loop {
        let mut body = json!({"namespace": "crowd", "maxResults": 100});
        if let Some(token) = token {
            body["nextToken"] = token;
        }
        let page = scene.eks("ListPodIdentityAssociations", body).await.unwrap();
        seen += page["associations"].as_array().unwrap().len();
        token = page.get("nextToken").cloned();
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, 4998);
}
