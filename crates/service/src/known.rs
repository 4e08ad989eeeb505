//! The actions of the services that daypass serves, all of them: those of the public models, and the permissions
//! that belong to no operation. A policy that names another one of these services has a mistake in it.

use std::sync::LazyLock;

use daypass_policy::Catalog;

use crate::shapes::{OPERATIONS, SERVICES};

/// Permissions without an operation of their own (Service Authorization Reference, "Actions defined by AWS Identity
/// and Access Management", "Actions defined by AWS Security Token Service").
const PERMISSIONS: [(&str, &[&str]); 2] = [
    (
        "iam",
        &[
            "DeleteCloudFrontPublicKey",
            "GetAccountEmailAddress",
            "GetAccountName",
            "GetCloudFrontPublicKey",
            "ListCloudFrontPublicKeys",
            "ListSTSRegionalEndpointsStatus",
            "PassRole",
            "SetSTSRegionalEndpointStatus",
            "UpdateAccountEmailAddress",
            "UpdateAccountName",
            "UpdateCloudFrontPublicKey",
            "UploadCloudFrontPublicKey",
        ],
    ),
    (
        "sts",
        &[
            "GetServiceBearerToken",
            "SetContext",
            "SetSourceIdentity",
            "SetWebIdentityTokenScope",
            "TagGetWebIdentityToken",
            "TagSession",
        ],
    ),
];

/// What the findings about a policy compare its actions with.
#[must_use]
pub fn known_actions() -> Catalog<'static> {
    static LISTS: LazyLock<Vec<(&str, Vec<&str>)>> = LazyLock::new(lists);
    static SLICES: LazyLock<Vec<(&str, &[&str])>> =
        LazyLock::new(|| LISTS.iter().map(|(service, actions)| (*service, actions.as_slice())).collect());
    Catalog { services: &SLICES }
}

fn lists() -> Vec<(&'static str, Vec<&'static str>)> {
    let of = |service: &'static str| {
        // CreateSession is called by certificate: there is no such permission.
        let is_permission = |name: &str| (service, name) != ("rolesanywhere", "CreateSession");
        let operations = OPERATIONS.iter().filter(|operation| operation.service.name == service);
        let operations = operations.filter(|operation| is_permission(operation.name));
        let more = PERMISSIONS.iter().filter(|(name, _)| *name == service).flat_map(|(_, actions)| *actions);
        (service, operations.map(|operation| operation.name).chain(more.copied()).collect())
    };
    // Of EKS a part is here: a policy that names another action of it has no mistake in it.
    SERVICES.iter().filter(|service| service.name != "eks").map(|service| of(service.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_and_bare_permissions_are_known() {
        let known = known_actions();
        let actions = |service| known.services.iter().find(|(name, _)| *name == service).unwrap().1;
        assert!(actions("iam").contains(&"PassRole") && actions("iam").contains(&"GetUser"));
        assert!(actions("sts").contains(&"TagSession") && actions("sts").contains(&"AssumeRole"));
        assert!(actions("daypass").contains(&"CheckRequest"));
        assert_eq!(actions("iam").len(), 181 + 12);
        assert!(known.services.iter().all(|(name, _)| *name != "eks"), "most of it is elsewhere");
        assert!(actions("eks-auth").contains(&"AssumeRoleForPodIdentity"));
        assert!(actions("rolesanywhere").contains(&"GetTrustAnchor"));
        assert!(!actions("rolesanywhere").contains(&"CreateSession"), "there is no such permission");
    }
}
