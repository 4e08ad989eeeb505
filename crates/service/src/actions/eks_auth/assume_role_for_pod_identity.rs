//! `eks-auth:AssumeRoleForPodIdentity`: the agent of a node brings the token of a pod's service account, and gets the role that
//! the service account is associated with.
//!
//! Three things must be so: the node's role may ask for this cluster, the token is one that the cluster's issuer signed for a
//! pod, and the role lets `pods.eks.amazonaws.com` in. Source: Amazon EKS Auth API Reference; Amazon EKS User Guide, "Understand how
//! EKS Pod Identity works".

use std::sync::Arc;

use daypass_directory::pods::{PodAssociation, PodCluster};
use daypass_directory::{AccountView, Authorized, Checks, Operation, Scope};
use daypass_model::Secret;
use serde::{Deserialize, Serialize};

use super::role::{self, Given};
use crate::action::Action;
use crate::actions::eks::{check_cluster, no_cluster};
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::federation::{POD_AUDIENCE, Pod, pod_of_token};
use crate::house::House;
use crate::request::{Time, exposed, hidden};

pub(super) struct AssumeRoleForPodIdentity;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    cluster_name: String,
    #[serde(deserialize_with = "hidden")]
    token: Secret,
    /// The node, as the agent calls it; must be the token's where that says.
    eks_node_name: Option<String>,
    /// Of the node, for the record of the call: they give nothing and take nothing.
    #[serde(rename = "instanceId")]
    _instance_id: Option<String>,
    #[serde(rename = "zone")]
    _zone: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    subject: Subject,
    audience: &'static str,
    pod_identity_association: Association,
    assumed_role_user: AssumedRoleUser,
    credentials: Credentials,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    namespace: String,
    service_account: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Association {
    association_arn: String,
    association_id: String,
}

/// The second name is the model's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssumedRoleUser {
    arn: String,
    assume_role_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    #[serde(serialize_with = "exposed")]
    session_token: Secret,
    #[serde(serialize_with = "exposed")]
    secret_access_key: Secret,
    access_key_id: String,
    expiration: Time,
}

impl Action for AssumeRoleForPodIdentity {
    const NAME: &'static str = "eks-auth:AssumeRoleForPodIdentity";
    const CALLERS: Callers = Callers::UsersAndRoles;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    const AUDIT: AuditTraits = AuditTraits { hidden: &["/token"], ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(check_cluster(Self::NAME, scope, &input.cluster_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let cluster =
            account.pod_cluster(&input.cluster_name).ok_or_else(|| no_cluster(&input.cluster_name))?;
        let pod = pod(op, house, &account, cluster, input).await?;
        let association = association(&account, cluster, &pod)?;
        let given = role::give(op, house, &call, (cluster, association), &pod).await?;
        Ok(Output::of(pod, association, given))
    }
}

/// The pod that the token is for, as the cluster's provider verifies it.
async fn pod(
    op: &Operation,
    house: &House,
    account: &AccountView<'_>,
    cluster: &PodCluster,
    input: &Input,
) -> Result<Pod, Error> {
    let gone =
        || Error::new("InvalidRequestException", "The OpenID Connect provider of the cluster is gone.");
    let provider = account.oidc_provider_by_id(&cluster.record.provider).ok_or_else(gone)?;
    let pod = pod_of_token(op, house, provider, input.token.expose_str()).await?;
    // Of two that say where the pod runs, the agent and the issuer, one is wrong: the token was taken elsewhere.
    if let (Some(said), Some(node)) = (&input.eks_node_name, &pod.node)
        && said != node
    {
        return Err(Error::new("InvalidIdentityToken", "The token is that of a pod on another node."));
    }
    Ok(pod)
}

fn association<'v>(
    account: &AccountView<'v>,
    cluster: &PodCluster,
    pod: &Pod,
) -> Result<&'v Arc<PodAssociation>, Error> {
    let (name, Pod { namespace, service_account, .. }) = (&cluster.record.name, pod);
    let found = account.pod_association_of(name, namespace, service_account);
    found.ok_or_else(|| {
        Error::no_such_entity(format!(
            "No association found for service account {service_account} in namespace {namespace} of cluster {name}."
        ))
    })
}

impl Output {
    fn of(pod: Pod, association: &PodAssociation, given: Given) -> Self {
        let Given { user, credentials } = given;
        let expiration = Time(credentials.expiration());
        let (access_key_id, secret_access_key, session_token) = credentials.into_parts();
        Self {
            subject: Subject { namespace: pod.namespace, service_account: pod.service_account },
            audience: POD_AUDIENCE,
            pod_identity_association: Association {
                association_arn: association.arn.clone(),
                association_id: association.record.id.clone(),
            },
            assumed_role_user: AssumedRoleUser { arn: user.arn, assume_role_id: user.assumed_role_id },
            credentials: Credentials { session_token, secret_access_key, access_key_id, expiration },
        }
    }
}
