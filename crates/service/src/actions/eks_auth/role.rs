//! The session that a pod gets: of the role of its association, and with that of another one where the association says so.
//!
//! Source: Amazon EKS User Guide, "Grant Pods access to AWS resources based on tags", "Access AWS resources using EKS Pod Identity
//! target IAM roles".

use daypass_directory::pods::{PodAssociation, PodCluster};
use daypass_directory::{AccountView, Authorized, Operation, Role, Value};
use daypass_model::limits::CHAINED_SESSION_SECONDS_MAX;
use daypass_model::{Tag, cut, uuid};

use crate::actions::eks::external_id;
use crate::actions::service_role::{Speaker, Wanted};
use crate::actions::sts::assume_role::AssumedRoleUser;
use crate::actions::sts::chain::{self, Next};
use crate::actions::sts::issue::Credentials;
use crate::actions::sts::vouched::Lifetime;
use crate::error::Error;
use crate::federation::Pod;
use crate::house::House;
use crate::services::OwnService;

/// Longest life of a session, in seconds; the role's maximum where that is less.
const SECONDS_MAX: i64 = 21_600;
/// Characters of a session's name (AWS STS API Reference, `RoleSessionName`).
const SESSION_NAME_MAX: usize = 64;

/// What a pod gets.
pub(super) struct Given {
    pub(super) user: AssumedRoleUser,
    pub(super) credentials: Credentials,
}

/// The session of a pod, which descends from the node's that asked for it.
///
/// # Errors
/// AccessDenied, in the same words whatever of the roles is in the way; what AssumeRole refuses of tags and policies.
pub(super) async fn give<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    (cluster, association): (&PodCluster, &PodAssociation),
    pod: &Pod,
) -> Result<Given, Error> {
    let (account, of) = (call.account(), &association.record);
    let role = account.role_by_id(&of.role).ok_or_else(refused)?;
    let session_name = session_name(cluster, pod, &uuid(house.directory.random()));
    let tags = if of.disable_session_tags { Vec::new() } else { tags(cluster, pod) };
    let transitive: Vec<String> = tags.iter().map(|tag| tag.key.clone()).collect();
    let chained = of.target_role.is_some();
    let wanted = Wanted {
        service: OwnService::Pods.name(),
        role_arn: &role.arn,
        session_name: &session_name,
        lifetime: Lifetime::Exactly(seconds(role, chained)),
        // With another role after it, the policy is that role's.
        policy: of.policy.as_ref().filter(|_| !chained),
        policy_arns: &[],
        tags: &tags,
        transitive_tag_keys: &transitive,
        source_identity: None,
        keys: keys(&account, cluster),
        description: Some(&association.arn),
    };
    let first = Speaker { scope: call.scope() }.assume(op, house, wanted).map_err(in_words_of_eks)?;
    let Some(target) = &of.target_role else {
        return Ok(Given { user: first.assumed_role_user, credentials: first.credentials });
    };
    let external_id = external_id(account.id(), of);
    let next = Next {
        role_arn: target,
        session_name: &session_name,
        external_id: &external_id,
        policy: of.policy.as_deref(),
        seconds: CHAINED_SESSION_SECONDS_MAX,
    };
    let (user, credentials) = chain::assume_with(op, house, call.scope(), &first.credentials, &next)
        .await
        .map_err(in_words_of_eks)?;
    Ok(Given { user, credentials })
}

fn seconds(role: &Role, chained: bool) -> i64 {
    let most = if chained { CHAINED_SESSION_SECONDS_MAX } else { SECONDS_MAX };
    most.min(role.record.session_duration_max)
}

/// `eks-<cluster>-<pod>-<uuid>`, as much of it as a name can have.
fn session_name(cluster: &PodCluster, pod: &Pod, uuid: &str) -> String {
    let name = format!("eks-{}-{}-{uuid}", cluster.record.name, pod.name);
    cut(&name, SESSION_NAME_MAX).to_owned()
}

/// AWS's six.
fn tags(cluster: &PodCluster, pod: &Pod) -> Vec<Tag> {
    let tags = [
        ("eks-cluster-arn", &cluster.arn),
        ("eks-cluster-name", &cluster.record.name),
        ("kubernetes-namespace", &pod.namespace),
        ("kubernetes-service-account", &pod.service_account),
        ("kubernetes-pod-name", &pod.name),
        ("kubernetes-pod-uid", &pod.uid),
    ];
    tags.map(|(key, value)| Tag { key: key.to_owned(), value: value.clone() }).into()
}

/// What trust policies may ask, so that no other cluster has the role (IAM User Guide, "The confused deputy problem").
fn keys(account: &AccountView<'_>, cluster: &PodCluster) -> Vec<(String, Value)> {
    vec![
        ("aws:SourceArn".to_owned(), Value::from(cluster.arn.as_str())),
        ("aws:SourceAccount".to_owned(), Value::from(account.id().as_str())),
    ]
}

/// Recorded from agents: neither which role nor what of it.
fn refused() -> Error {
    Error::access_denied(
        "Unauthorized Exception! EKS does not have permissions to assume the associated role.",
    )
}

fn in_words_of_eks(error: Error) -> Error {
    if error.code == "AccessDenied" { refused() } else { error }
}

#[cfg(test)]
mod tests {
    //! Names of sessions.

    use daypass_directory::pods::record::PodClusterRecord;
    use daypass_directory::record::{Unknown, Written};
    use daypass_model::UniqueId;
    use daypass_store::Revision;

    use super::*;

    fn name(cluster: &str, pod: &str) -> String {
        let record = PodClusterRecord {
            written: Written::by("test"),
            name: cluster.into(),
            region: "eu-west-1".into(),
            provider: UniqueId::from("AOIPX".to_owned()),
            created: 0,
            unknown: Unknown::new(),
        };
        let cluster = PodCluster { record, revision: Revision::default(), arn: String::new() };
        let pod = Pod {
            namespace: "shop".into(),
            service_account: "till".into(),
            name: pod.into(),
            uid: "1f2e".into(),
            node: None,
        };
        session_name(&cluster, &pod, "da4b3c2a-1111-4222-8333-444455556666")
    }

    #[test]
    fn a_session_is_called_by_cluster_and_pod_within_64_characters() {
        assert_eq!(name("blue", "till-0"), "eks-blue-till-0-da4b3c2a-1111-4222-8333-444455556666");
        let long = name(&"c".repeat(100), &"p".repeat(253));
        assert_eq!((long.len(), long.starts_with("eks-ccc")), (64, true));
    }
}
