//! Random sequences of IAM and STS calls beside a model that a reader can check: nobody ever gets what no policy gives,
//! nothing that was deleted acts, and whoever is made again under a name is somebody else.
//!
//! What is asked is always one of four lists of IAM, which need a permission on `*` and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use daypass_model::{Random, SeededRandom};
use serde_json::{Value, json};

use crate::support::{ACCOUNT, Keys, TestHouse};

const LISTS: [&str; 4] = ["ListUsers", "ListGroups", "ListRoles", "ListPolicies"];
const TAKE: &str = "AssumeRole";
const NAMES: [&str; 3] = ["ann", "bob", "cid"];
const SEQUENCES: u64 = 50;
const STEPS: usize = 120;

/// What policies speak of: names of actions.
type Actions = BTreeSet<&'static str>;

/// Allow and Deny of one document.
#[derive(Debug, Clone, Default)]
struct Says {
    allow: Actions,
    deny: Actions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    User,
    Role,
}

/// A user or role, which keeps its number for ever: a name made again has another.
#[derive(Debug)]
struct Entity {
    kind: Kind,
    name: &'static str,
    alive: bool,
    own: Option<Says>,
    boundary: Option<Actions>,
    /// Of a user: whether it is in the group.
    grouped: bool,
    /// Of a role: who may take it.
    trusts: Option<usize>,
}

/// Credentials that were handed out.
struct Credential {
    keys: Keys,
    of: usize,
    /// Of a role session: a ceiling for each link that passed one.
    session: Option<Option<Says>>,
    /// Of a long-term key.
    active: bool,
    own_session: bool,
}

/// What a call must answer.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Denied,
    /// The credential is nobody's any more, or of a kind that may not.
    Token,
}

struct Model {
    house: TestHouse,
    random: SeededRandom,
    entities: Vec<Entity>,
    credentials: Vec<Credential>,
    group: Option<Says>,
    told: Vec<String>,
}

impl Model {
    async fn new(seed: u64) -> Self {
        let house = TestHouse::new().await;
        house.root("iam", "CreateGroup", &[("GroupName", "team")]).await;
        for (n, allowed) in boundaries().iter().enumerate() {
            let document = document(&Says { allow: allowed.clone(), deny: Actions::new() });
            let params = [("PolicyName", format!("limit{n}")), ("PolicyDocument", document)];
            let params: Vec<(&str, &str)> =
                params.iter().map(|(name, value)| (*name, value.as_str())).collect();
            house.root("iam", "CreatePolicy", &params).await;
        }
        Self {
            house,
            random: SeededRandom::new(seed),
            entities: Vec::new(),
            credentials: Vec::new(),
            group: None,
            told: Vec::new(),
        }
    }

    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % bound.max(1) as u64).unwrap()
    }

    fn says(&self) -> Says {
        let some = |odds: usize| -> Actions {
            let all = LISTS.into_iter().chain([TAKE]);
            all.filter(|_| self.below(odds) == 0).collect()
        };
        Says { allow: some(2), deny: some(9) }
    }

    fn living(&self, kind: Kind) -> Option<usize> {
        let all: Vec<usize> = (0..self.entities.len())
            .filter(|n| self.entities[*n].alive && self.entities[*n].kind == kind)
            .collect();
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }

    fn named(&self, kind: Kind, name: &str) -> Option<usize> {
        self.entities.iter().position(|entity| entity.alive && entity.kind == kind && entity.name == name)
    }

    /// Whether the policies of a user or role give an action, and whether something stands against it.
    fn gives(&self, of: usize, action: &str) -> (bool, bool) {
        let entity = &self.entities[of];
        let group = self.group.iter().filter(|_| entity.grouped);
        let all: Vec<&Says> = entity.own.iter().chain(group).collect();
        let allowed = all.iter().any(|says| says.allow.contains(action));
        let denied = all.iter().any(|says| says.deny.contains(action));
        let within = entity.boundary.as_ref().is_none_or(|boundary| boundary.contains(action));
        (allowed && within, denied)
    }

    fn live(&self, credential: &Credential) -> bool {
        self.entities[credential.of].alive && credential.active
    }

    fn may_list(&self, credential: &Credential, list: &str) -> Answer {
        if !self.live(credential) || credential.own_session {
            return Answer::Token;
        }
        let (gives, mut denied) = self.gives(credential.of, list);
        let mut allowed = gives;
        if let Some(Some(session)) = &credential.session {
            allowed &= session.allow.contains(list);
            denied |= session.deny.contains(list);
        }
        if allowed && !denied { Answer::Done } else { Answer::Denied }
    }

    /// The trust policy names its one user or role: no permission of the caller's is needed, but its role's sessions
    /// stay within their boundary and session policies, and a Deny anywhere counts.
    fn may_take(&self, credential: &Credential, role: usize) -> Answer {
        if !self.live(credential) {
            return Answer::Token;
        }
        let caller = &self.entities[credential.of];
        let (_, mut denied) = self.gives(credential.of, TAKE);
        let mut within = true;
        if caller.kind == Kind::Role {
            within = caller.boundary.as_ref().is_none_or(|boundary| boundary.contains(TAKE));
        }
        if let Some(Some(session)) = &credential.session {
            within &= session.allow.contains(TAKE);
            denied |= session.deny.contains(TAKE);
        }
        let trusted = self.entities[role].trusts == Some(credential.of);
        if trusted && within && !denied { Answer::Done } else { Answer::Denied }
    }

    async fn step(&mut self) {
        match self.below(28) {
            0..=2 => self.make_user().await,
            3..=5 => self.make_role().await,
            6 => self.remove(Kind::User).await,
            7 => self.remove(Kind::Role).await,
            8..=13 => self.write_policy().await,
            14 => self.bound().await,
            15 | 16 => self.group_or_not().await,
            17 => self.switch_key().await,
            18 => self.own_session().await,
            _ => self.take_a_role().await,
        }
    }

    async fn make_user(&mut self) {
        let name = NAMES[self.below(NAMES.len())];
        if self.named(Kind::User, name).is_some() {
            return;
        }
        let keys = self.house.user(name, None).await;
        self.born(Kind::User, name, None);
        let of = self.entities.len() - 1;
        self.credentials.push(Credential { keys, of, session: None, active: true, own_session: false });
    }

    fn born(&mut self, kind: Kind, name: &'static str, trusts: Option<usize>) {
        self.told.push(format!("{kind:?} {name} is number {}, trusts {trusts:?}", self.entities.len()));
        let fresh = Entity { kind, name, alive: true, own: None, boundary: None, grouped: false, trusts };
        self.entities.push(fresh);
    }

    fn arn(&self, of: usize) -> String {
        let kind = if self.entities[of].kind == Kind::User { "user" } else { "role" };
        format!("arn:aws:iam::{ACCOUNT}:{kind}/{}", self.entities[of].name)
    }

    async fn make_role(&mut self) {
        let name = NAMES[self.below(NAMES.len())];
        let kind = if self.below(3) == 0 { Kind::Role } else { Kind::User };
        let Some(trusted) = self.living(kind).filter(|_| self.named(Kind::Role, name).is_none()) else {
            return;
        };
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": self.arn(trusted)}, "Action": "sts:AssumeRole"}]});
        let params = [("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
        self.house.root("iam", "CreateRole", &params).await;
        self.born(Kind::Role, name, Some(trusted));
    }

    async fn remove(&mut self, kind: Kind) {
        let Some(of) = self.living(kind) else { return };
        let word = if kind == Kind::User { "User" } else { "Role" };
        let (member, name) = (format!("{word}Name"), self.entities[of].name);
        if self.entities[of].own.is_some() {
            let params = [(member.as_str(), name), ("PolicyName", "own")];
            self.house.root("iam", &format!("Delete{word}Policy"), &params).await;
        }
        if self.entities[of].grouped {
            let params = [("GroupName", "team"), ("UserName", name)];
            self.house.root("iam", "RemoveUserFromGroup", &params).await;
        }
        if kind == Kind::User {
            for key in self.credentials.iter().filter(|one| one.of == of && one.keys.session_token.is_none())
            {
                let params = [("UserName", name), ("AccessKeyId", &key.keys.access_key_id)];
                self.house.root("iam", "DeleteAccessKey", &params).await;
            }
        }
        self.house.root("iam", &format!("Delete{word}"), &[(member.as_str(), name)]).await;
        self.told.push(format!("number {of} is deleted"));
        self.entities[of].alive = false;
    }

    async fn write_policy(&mut self) {
        let kind = if self.below(2) == 0 { Kind::User } else { Kind::Role };
        let Some(of) = self.living(kind) else { return };
        let word = if kind == Kind::User { "User" } else { "Role" };
        let (member, name, says) = (format!("{word}Name"), self.entities[of].name, self.says());
        let document = document(&says);
        let params = [(member.as_str(), name), ("PolicyName", "own"), ("PolicyDocument", document.as_str())];
        self.house.root("iam", &format!("Put{word}Policy"), &params).await;
        self.told.push(format!("number {of} has {says:?}"));
        self.entities[of].own = Some(says);
    }

    async fn bound(&mut self) {
        let kind = if self.below(2) == 0 { Kind::User } else { Kind::Role };
        let Some(of) = self.living(kind) else { return };
        let word = if kind == Kind::User { "User" } else { "Role" };
        let (member, name, n) = (format!("{word}Name"), self.entities[of].name, self.below(3));
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/limit{n}");
        let params = [(member.as_str(), name), ("PermissionsBoundary", arn.as_str())];
        self.house.root("iam", &format!("Put{word}PermissionsBoundary"), &params).await;
        self.told.push(format!("number {of} is bounded by limit{n}"));
        self.entities[of].boundary = Some(boundaries()[n].clone());
    }

    async fn group_or_not(&mut self) {
        if self.below(2) == 0 {
            let says = self.says();
            let document = document(&says);
            let params =
                [("GroupName", "team"), ("PolicyName", "all"), ("PolicyDocument", document.as_str())];
            self.house.root("iam", "PutGroupPolicy", &params).await;
            self.told.push(format!("the group has {says:?}"));
            self.group = Some(says);
            return;
        }
        let Some(of) = self.living(Kind::User) else { return };
        let joins = !self.entities[of].grouped;
        let action = if joins { "AddUserToGroup" } else { "RemoveUserFromGroup" };
        let params = [("GroupName", "team"), ("UserName", self.entities[of].name)];
        self.house.root("iam", action, &params).await;
        self.told.push(format!("number {of}: {action}"));
        self.entities[of].grouped = joins;
    }

    async fn switch_key(&mut self) {
        let of_living = |one: &Credential| one.keys.session_token.is_none() && self.entities[one.of].alive;
        let keys: Vec<usize> =
            (0..self.credentials.len()).filter(|n| of_living(&self.credentials[*n])).collect();
        if keys.is_empty() {
            return;
        }
        let n = keys[self.below(keys.len())];
        let credential = &self.credentials[n];
        let (id, status) =
            (&credential.keys.access_key_id, if credential.active { "Inactive" } else { "Active" });
        let params =
            [("UserName", self.entities[credential.of].name), ("AccessKeyId", id), ("Status", status)];
        self.house.root("iam", "UpdateAccessKey", &params).await;
        self.told.push(format!("credential {n} is {status}"));
        self.credentials[n].active = status == "Active";
    }

    async fn own_session(&mut self) {
        let n = self.below(self.credentials.len());
        let Some(credential) = self.credentials.get(n).filter(|one| one.keys.session_token.is_none()) else {
            return;
        };
        let outcome = self.house.call(&credential.keys, "sts", "GetSessionToken", &[]).await;
        assert_eq!(outcome.is_ok(), self.live(credential), "{:#?}", self.told);
        let (of, Ok(answer)) = (credential.of, outcome) else { return };
        let keys = Keys::of(&answer["Credentials"]);
        self.credentials.push(Credential { keys, of, session: None, active: true, own_session: true });
    }

    async fn take_a_role(&mut self) {
        let roles = (0..self.entities.len()).filter(|n| self.entities[*n].kind == Kind::Role);
        let roles: Vec<usize> = roles.filter(|n| self.entities[*n].alive).collect();
        if roles.is_empty() || self.credentials.is_empty() {
            return;
        }
        let (n, role) = (self.below(self.credentials.len()), roles[self.below(roles.len())]);
        let passed = (self.below(2) == 0).then(|| self.says());
        let (arn, policy) = (self.arn(role), passed.as_ref().map(document));
        let mut params = vec![("RoleArn", arn.as_str()), ("RoleSessionName", "model")];
        params.extend(policy.iter().map(|text| ("Policy", text.as_str())));
        let outcome = self.house.call(&self.credentials[n].keys, "sts", "AssumeRole", &params).await;
        let expected = self.may_take(&self.credentials[n], role);
        assert_eq!(answer(&outcome), expected, "credential {n} takes number {role}: {:#?}", self.told);
        if let Ok(made) = outcome {
            let keys = Keys::of(&made["Credentials"]);
            self.told.push(format!(
                "credential {} from {n} for number {role}, with {passed:?}",
                self.credentials.len()
            ));
            self.credentials.push(Credential {
                keys,
                of: role,
                session: Some(passed),
                active: true,
                own_session: false,
            });
        }
    }

    async fn probe(&self, n: usize, list: &str) {
        let credential = &self.credentials[n];
        let outcome = self.house.call(&credential.keys, "iam", list, &[]).await;
        let expected = self.may_list(credential, list);
        assert_eq!(answer(&outcome), expected, "credential {n}, {list}: {:#?}", self.told);
    }
}

fn answer(outcome: &Result<Value, daypass_service::Error>) -> Answer {
    match outcome.as_ref().map_err(|error| error.code) {
        Ok(_) => Answer::Done,
        Err("AccessDenied") => Answer::Denied,
        Err("InvalidClientTokenId") => Answer::Token,
        Err(other) => panic!("{other}"),
    }
}

fn boundaries() -> [Actions; 3] {
    [
        LISTS.into_iter().chain([TAKE]).collect(),
        ["ListUsers", TAKE].into(),
        ["ListGroups", "ListRoles"].into(),
    ]
}

fn document(says: &Says) -> String {
    let permissions = |actions: &Actions| -> Vec<String> {
        let prefix = |action: &str| if action == TAKE { "sts" } else { "iam" };
        actions.iter().map(|action| format!("{}:{action}", prefix(action))).collect()
    };
    let statement = |effect: &str, actions: &Actions| {
        (!actions.is_empty())
            .then(|| json!({"Effect": effect, "Action": permissions(actions), "Resource": "*"}))
    };
    let mut statements: Vec<Value> =
        [statement("Allow", &says.allow), statement("Deny", &says.deny)].into_iter().flatten().collect();
    if statements.is_empty() {
        statements.push(json!({"Effect": "Allow", "Action": "none:Nothing", "Resource": "*"}));
    }
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

#[tokio::test]
async fn nobody_gets_what_no_policy_gives_and_nothing_deleted_acts() {
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..SEQUENCES {
        let mut model = Model::new(seed).await;
        for _ in 0..STEPS {
            model.step().await;
            if !model.credentials.is_empty() {
                let n = model.below(model.credentials.len());
                model.probe(n, LISTS[model.below(LISTS.len())]).await;
            }
        }
        for n in 0..model.credentials.len() {
            for list in LISTS {
                model.probe(n, list).await;
                *answers.entry(format!("{:?}", model.may_list(&model.credentials[n], list))).or_default() +=
                    1;
            }
        }
    }
    println!("{answers:?}");
    // A model in which nothing ever happens would agree, too.
    assert!(answers.len() == 3 && answers.values().all(|count| *count >= 100), "{answers:?}");
}
