"""Kubernetes clusters: an issuer of service account tokens each, and tokens as a kubelet projects them into pods."""

import uuid

from .issuer import Issuer
from .secrets import hold

AUDIENCE, PODS = "pods.eks.amazonaws.com", "pods.eks.amazonaws.com"
# What an association needs of a role's trust policy.
BOTH = ["sts:AssumeRole", "sts:TagSession"]


class Cluster:
    """A cluster of an account, with its provider, known to the server by `name`. Its issuer must be one that may be insecure."""

    def __init__(self, account, issuer, name):
        self.account, self.issuer, self.name = account, issuer, name
        # No client: these tokens are for nobody but Pod Identity.
        made = account.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=[])
        self.provider = made["OpenIDConnectProviderArn"]
        put = account.daypass.put_pod_identity_cluster(ClusterName=name, OpenIDConnectProviderArn=self.provider)
        self.arn = put["Cluster"]["ClusterArn"]
        self.eks = account.house.client("eks", account.keys)

    def associate(self, service_account, role, namespace="shop", **more):
        """An association, as EKS answers."""
        given = {"clusterName": self.name, "namespace": namespace, "serviceAccount": service_account, "roleArn": role["Arn"]}
        return self.eks.create_pod_identity_association(**given, **more)["association"]

    def claims(self, service_account="till", namespace="shop", pod="till-0", node="node-1", **more):
        """Claims of a bound service account token (Kubernetes, "Managing Service Accounts")."""
        bound = {
            "namespace": namespace,
            "node": {"name": node, "uid": str(uuid.uuid4())},
            "pod": {"name": pod, "uid": str(uuid.uuid4())},
            "serviceaccount": {"name": service_account, "uid": str(uuid.uuid4())},
        }
        subject = f"system:serviceaccount:{namespace}:{service_account}"
        return self.issuer.claims(**{"aud": [AUDIENCE], "sub": subject, "kubernetes.io": bound, **more})

    def token(self, *which, **more):
        made = self.issuer.keys[-1].sign(self.claims(*which, **more))
        hold("service account token", made)
        return made


def issuers(count):
    """So many issuers, and the server's flags for them."""
    made = [Issuer(f"/cluster{number}") for number in range(count)]
    return made, [flag for issuer in made for flag in ("--allow-insecure-issuer", issuer.url)]
