"""EKS Pod Identity: boto3 and the AWS CLI as they ship manage associations, and find a pod's credentials at the agent of its node.

AWS sources: "Learn how EKS Pod Identity grants pods access to AWS services" and the pages below it in the Amazon EKS User Guide;
the API references of Amazon EKS and Amazon EKS Auth.
"""

import json
import re
import urllib.error
import urllib.request

import pytest

from support import cli
from support.client import Account, House, allow, policy, refused, statement, trust
from support.cluster import BOTH, PODS, Cluster, issuers
from support.machine import CLIENTS, Agent, profile, register, settings
from support.secrets import hold_in
from support.server import Keys, Server

ASSOCIATION = re.compile(r"a-[a-z0-9]{17}")


class Node:
    """A node of a cluster: an instance whose role may ask for the roles of its pods, and the agent on it."""

    def __init__(self, cluster, server, folder):
        self.cluster, self.server, self.folder = cluster, server, folder
        may = allow("eks-auth:AssumeRoleForPodIdentity", cluster.arn)
        made, self.role = profile(cluster.account, may)
        self.instance = register(cluster.account, made)
        self.agent = Agent(server, folder, self.instance, "--cluster", cluster.name)
        assert self.agent.is_ready, self.agent.said()

    def ask(self, token):
        """Status and text that the agent answers to this token, without an SDK that would ask again."""
        request = urllib.request.Request(self.agent.url + "/v1/credentials", headers={"Authorization": token})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                document = json.load(answer)
                hold_in({"SecretAccessKey": document["SecretAccessKey"], "SessionToken": document["Token"]})
                return answer.status, document["AccessKeyId"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def pod(self, token, name="token"):
        """The environment that the webhook gives a pod."""
        file = self.folder / name
        file.write_text(token, encoding="ascii")
        return settings(
            self.server,
            AWS_CONTAINER_CREDENTIALS_FULL_URI=self.agent.url + "/v1/credentials",
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(file),
            AWS_EC2_METADATA_DISABLED="true",
        )


@pytest.fixture(scope="module")
def site(environment, tmp_path_factory):
    """A server with two accounts, a cluster in each, and a node of the first."""

    class Site:
        pass

    site = Site()
    made, flags = issuers(2)
    folder = tmp_path_factory.mktemp("pods")
    site.server = Server(folder, *flags, "--log", "trace,hyper=trace,h2=trace")
    site.house = House(site.server)
    site.home = Account(site.house, site.server.root_keys())
    site.other = Account(site.house, site.server.create_account())
    site.blue, site.green = Cluster(site.home, made[0], "blue"), Cluster(site.other, made[1], "green")
    site.node = Node(site.blue, site.server, folder / "node")
    yield site
    assert site.node.agent.stop() == 0, site.node.agent.said()
    for issuer in made:
        issuer.close()
    assert site.server.stop() == 0


def trusts_pods(account, *policies, action=BOTH, condition=None):
    """A role as the EKS User Guide has it."""
    return account.role(trust({"Service": PODS}, action, condition), *(policies or (allow("*"),)), prefix="pod")


def who(client, environment):
    """What a client says that finds its credentials in this environment."""
    program = CLIENTS[client](environment)
    try:
        return program.who()
    finally:
        program.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_pod_gets_the_role_of_its_service_account_from_the_agent(site, client):
    role = trusts_pods(site.home)
    made = site.blue.associate(f"till-{client}", role)
    assert ASSOCIATION.fullmatch(made["associationId"])
    token = site.blue.token(f"till-{client}", pod="till-0")
    told = who(client, site.node.pod(token))
    named = rf"arn:aws:sts::{site.home.id}:assumed-role/{role['RoleName']}/eks-blue-till-0-[0-9a-f-]{{36}}"
    assert re.fullmatch(named, told.get("Arn", "")), told


# --- by boto3 and the CLI ---------------------------------------------------------------------------------


def test_boto3_manages_associations(site):
    eks, role, other = site.blue.eks, trusts_pods(site.home), trusts_pods(site.home)
    made = site.blue.associate("boto", role, tags={"Team": "red"})
    which = {"clusterName": "blue", "associationId": made["associationId"]}
    arn = f"arn:aws:eks:us-east-1:{site.home.id}:podidentityassociation/blue/{made['associationId']}"
    assert (made["associationArn"], made["roleArn"], made["disableSessionTags"]) == (arn, role["Arn"], False)
    assert abs((made["createdAt"] - made["modifiedAt"]).total_seconds()) == 0 and made["createdAt"].year >= 2025
    assert eks.describe_pod_identity_association(**which)["association"] == made
    listed = eks.get_paginator("list_pod_identity_associations").paginate(clusterName="blue", PaginationConfig={"PageSize": 1})
    found = [row["associationId"] for page in listed for row in page["associations"]]
    assert made["associationId"] in found and len(found) == len(set(found))
    only = eks.list_pod_identity_associations(clusterName="blue", namespace="shop", serviceAccount="boto")["associations"]
    assert [row["associationId"] for row in only] == [made["associationId"]] and "roleArn" not in only[0]
    changed = eks.update_pod_identity_association(**which, roleArn=other["Arn"])["association"]
    assert changed["roleArn"] == other["Arn"] and changed["createdAt"] == made["createdAt"]
    eks.tag_resource(resourceArn=arn, tags={"Cost": "1"})
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"Team": "red", "Cost": "1"}
    eks.untag_resource(resourceArn=arn, tagKeys=["Team"])
    assert eks.describe_pod_identity_association(**which)["association"]["tags"] == {"Cost": "1"}
    with refused("ResourceInUseException", f"Association already exists: {made['associationId']}", 409):
        site.blue.associate("boto", role)
    assert eks.delete_pod_identity_association(**which)["association"]["associationId"] == made["associationId"]
    with refused("ResourceNotFoundException", status=404):
        eks.describe_pod_identity_association(**which)
    with refused("ResourceNotFoundException", "No cluster found for name: green.", 404):
        eks.list_pod_identity_associations(clusterName="green")
    with refused("NotFoundException", status=404):
        eks.list_tags_for_resource(resourceArn=arn)
    # What else EKS does, nobody does here.
    with refused("UnknownOperationException", "The method and path are those of no operation of this service.", 404):
        eks.describe_cluster(name="blue")


def test_boto3_sends_a_call_again_and_makes_one_association(site):
    role = trusts_pods(site.home)
    first = site.blue.associate("again", role, clientRequestToken="one")
    assert site.blue.associate("again", role, clientRequestToken="one") == first
    with refused("ResourceInUseException"):
        site.blue.associate("again", role, clientRequestToken="two")


def test_cli_associates_a_role_and_a_pod_has_it(site):
    given = cli.environment(site.server, site.home.keys)

    def aws(*arguments):
        done = cli.run(*arguments, given=given)
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    role = trusts_pods(site.home)
    put = aws("daypass", "put-pod-identity-cluster", "--cluster-name", "blue", "--open-id-connect-provider-arn", site.blue.provider)
    assert put["Cluster"]["ClusterArn"] == site.blue.arn
    which = ["--cluster-name", "blue", "--namespace", "shop", "--service-account", "by-cli"]
    made = aws("eks", "create-pod-identity-association", *which, "--role-arn", role["Arn"])["association"]
    assert [row["associationId"] for row in aws("eks", "list-pod-identity-associations", *which)["associations"]] == [made["associationId"]]
    told = who("cli", site.node.pod(site.blue.token("by-cli")))
    assert f":assumed-role/{role['RoleName']}/eks-blue-till-0-" in told.get("Arn", ""), told
    aws("eks", "delete-pod-identity-association", "--cluster-name", "blue", "--association-id", made["associationId"])
    clusters = aws("daypass", "list-pod-identity-clusters")["Clusters"]
    assert [row["ClusterName"] for row in clusters] == ["blue"]


# --- what a pod may ---------------------------------------------------------------------------------------


def session(site, token):
    """Keys of a pod, asked for as the agent of its node does."""
    ask = site.house.client("eks-auth", site.asker.keys)
    given = ask.assume_role_for_pod_identity(clusterName="blue", token=token)["credentials"]
    hold_in({"SecretAccessKey": given["secretAccessKey"], "SessionToken": given["sessionToken"]})
    return Keys(given["accessKeyId"], given["secretAccessKey"], given["sessionToken"])


@pytest.fixture(scope="module", autouse=True)
def asker(site):
    """A user with a node's permission, who asks as an agent does."""
    site.asker = site.home.user(allow("eks-auth:AssumeRoleForPodIdentity", site.blue.arn))


def test_a_policy_may_ask_for_the_tags_of_a_pod(site):
    own = allow("iam:GetRole", f"arn:aws:iam::{site.home.id}:role/${{aws:PrincipalTag/kubernetes-namespace}}-*")
    role = trusts_pods(site.home, own)
    for namespace in ("shop", "bank"):
        site.blue.associate("tagged", role, namespace=namespace)
        site.home.iam.create_role(RoleName=f"{namespace}-1", AssumeRolePolicyDocument=trust(site.home.id))
    shop = site.house.iam(session(site, site.blue.token("tagged")))
    shop.get_role(RoleName="shop-1")
    with refused("AccessDenied"):
        shop.get_role(RoleName="bank-1")
    bank = site.house.iam(session(site, site.blue.token("tagged", "bank")))
    bank.get_role(RoleName="bank-1")


def test_a_pod_of_another_account_by_a_target_role_with_external_id(site):
    role = trusts_pods(site.home)
    made = site.blue.associate("depot", role)
    external = f"us-east-1/{site.home.id}/blue/shop/depot"
    condition = {"StringEquals": {"sts:ExternalId": external, "aws:PrincipalTag/kubernetes-service-account": "depot"}}
    target = site.other.role(trust(role["Arn"], BOTH, condition), allow("*"), prefix="depot")
    which = {"clusterName": "blue", "associationId": made["associationId"]}
    changed = site.blue.eks.update_pod_identity_association(**which, targetRoleArn=target["Arn"])["association"]
    assert (changed["targetRoleArn"], changed["externalId"]) == (target["Arn"], external)
    told = who("boto3", site.node.pod(site.blue.token("depot")))
    assert told.get("Arn", "").startswith(f"arn:aws:sts::{site.other.id}:assumed-role/{target['RoleName']}/eks-blue-"), told


def test_a_revoked_session_is_over_and_the_next_is_not(site):
    role = trusts_pods(site.home)
    site.blue.associate("revoked", role)
    keys = session(site, site.blue.token("revoked"))
    assert site.house.sts(keys).get_caller_identity()["Account"] == site.home.id
    listed = site.home.daypass.list_sessions(PrincipalArn=role["Arn"])["Sessions"]
    assert len(listed) == 1 and ":podidentityassociation/blue/a-" in listed[0]["Description"]
    site.home.daypass.revoke_session(SessionId=listed[0]["SessionId"])
    with refused("ExpiredToken"):
        site.house.sts(keys).get_caller_identity()
    again = session(site, site.blue.token("revoked"))
    assert site.house.sts(again).get_caller_identity()["Account"] == site.home.id


# --- attacks ----------------------------------------------------------------------------------------------


def nothing(site, token, *words):
    """The agent refuses this token, in these words among others."""
    status, text = site.node.ask(token)
    assert status in (400, 404) and all(word in text for word in words), text


def gets_a_key(site, token):
    status, key = site.node.ask(token)
    assert status == 200 and key.startswith("ASIA"), key


def test_a_token_of_another_cluster_or_audience_gets_nothing(site):
    role = trusts_pods(site.home)
    site.blue.associate("theft", role)
    good = site.blue.claims("theft")
    key = site.blue.issuer.keys[-1]
    stolen = [
        site.green.token("theft"),
        key.sign({**good, "aud": ["sts.amazonaws.com"]}),
        key.sign({**good, "aud": ["pods.eks.amazonaws.com", "sts.amazonaws.com"]}),
        key.sign({known: value for known, value in good.items() if known != "kubernetes.io"}),
        key.sign({**good, "sub": "system:serviceaccount:shop:other"}),
        # As the key of another cluster signs them, or nobody.
        site.green.issuer.keys[-1].sign(good),
        key.sign(good, alg="none"),
        key.sign(good, alg="HS256"),
        key.sign(good, alg="PS256"),
    ]
    for token in stolen:
        nothing(site, token, "(InvalidTokenException)", "fault: client")
    # boto3 shows a program what the agent was told.
    told = who("boto3", site.node.pod(stolen[0]))
    assert "(InvalidTokenException): The token is from another issuer than that of the cluster." in told["Error"], told
    expired = key.sign({**good, "exp": good["exp"] - 1200})
    nothing(site, expired, "token is expired")
    with refused("ExpiredTokenException", status=400):
        session(site, expired)
    gets_a_key(site, key.sign(good))


def test_a_pods_token_is_of_no_use_to_nodes_elsewhere(site):
    site.blue.associate("elsewhere", trusts_pods(site.home))
    token = site.blue.token("elsewhere")
    for who_asks, code in (
        # Root of another account asks for nothing, and an administrator there finds no such cluster.
        (site.other.user(allow("*")), "ResourceNotFoundException"),
        (site.home.user(allow("eks-auth:*", site.blue.arn + "-2")), "AccessDeniedException"),
        (site.home.user(), "AccessDeniedException"),
    ):
        with refused(code):
            site.house.client("eks-auth", who_asks.keys).assume_role_for_pod_identity(clusterName="blue", token=token)
    # The cluster's name in another account is another cluster.
    eks_auth = site.house.client("eks-auth", site.other.user(allow("*")).keys)
    with refused("InvalidTokenException"):
        eks_auth.assume_role_for_pod_identity(clusterName="green", token=token)


def test_a_role_that_lets_no_tags_in_or_asks_for_another_cluster_gives_nothing(site):
    role = trusts_pods(site.home, action="sts:AssumeRole")
    made = site.blue.associate("untagged", role)
    unauthorized = ("(AccessDeniedException)", "EKS does not have permissions to assume the associated role.")
    nothing(site, site.blue.token("untagged"), *unauthorized)
    which = {"clusterName": "blue", "associationId": made["associationId"]}
    site.blue.eks.update_pod_identity_association(**which, disableSessionTags=True)
    gets_a_key(site, site.blue.token("untagged", pod="till-1"))
    elsewhere = trusts_pods(site.home, condition={"ArnEquals": {"aws:SourceArn": site.green.arn}})
    site.blue.eks.update_pod_identity_association(**which, roleArn=elsewhere["Arn"])
    nothing(site, site.blue.token("untagged", pod="till-2"), *unauthorized)


def test_an_association_that_is_deleted_gives_nothing_to_the_next_pod(site):
    role = trusts_pods(site.home)
    made = site.blue.associate("deleted", role)
    gets_a_key(site, site.blue.token("deleted"))
    site.blue.eks.delete_pod_identity_association(clusterName="blue", associationId=made["associationId"])
    nothing(site, site.blue.token("deleted", pod="till-1"), "(ResourceNotFoundException)")


def test_whoever_may_not_pass_the_role_associates_nothing(site):
    role = trusts_pods(site.home)
    given = {"clusterName": "blue", "namespace": "shop", "serviceAccount": "passed", "roleArn": role["Arn"]}
    may = statement("eks:CreatePodIdentityAssociation", site.blue.arn)

    def create(*statements):
        user = site.home.user(policy(may, *statements))
        return site.house.client("eks", user.keys).create_pod_identity_association(**given)

    to = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    for statements in ((), (statement("iam:PassRole", role["Arn"], condition=to),)):
        with refused("AccessDeniedException", re.compile("iam:PassRole"), 403):
            create(*statements)
    to = {"StringEquals": {"iam:PassedToService": PODS}}
    assert create(statement("iam:PassRole", role["Arn"], condition=to))["association"]["roleArn"] == role["Arn"]


def test_a_cluster_keeps_its_issuer_while_roles_are_associated(site):
    site.blue.associate("kept", trusts_pods(site.home))
    evil = site.home.iam.create_open_id_connect_provider(Url="https://evil.example.com", ClientIDList=[])
    with refused("DeleteConflict", "The cluster has associations. Delete them first.", 409):
        site.home.daypass.put_pod_identity_cluster(ClusterName="blue", OpenIDConnectProviderArn=evil["OpenIDConnectProviderArn"])
    with refused("DeleteConflict", status=409):
        site.home.daypass.delete_pod_identity_cluster(ClusterName="blue")
    with refused("NoSuchEntity", status=404):
        site.other.daypass.get_pod_identity_cluster(ClusterName="blue")


def test_no_log_and_no_audit_has_a_token_or_credentials(site):
    site.blue.associate("silent", trusts_pods(site.home))
    token = site.blue.token("silent")
    keys = session(site, token)
    with refused("InvalidTokenException"):
        session(site, token[:-4] + "AAAA")
    agent = site.node.agent.said()
    for secret in (token, token.rpartition(".")[2], keys.secret, keys.token):
        assert all(secret not in text for text in (site.server.stderr(), *(path.read_text() for path in site.server.audits()), agent))
