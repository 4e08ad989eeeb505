"""EKS Pod Identity: boto3 and the AWS CLI as they ship manage associations, and find a pod's credentials at the agent of its node.

AWS sources: "Learn how EKS Pod Identity grants pods access to AWS services" and the pages below it in the Amazon EKS User Guide;
the API references of Amazon EKS and Amazon EKS Auth.
"""

import json
import re
import subprocess

import pytest

from support import cli
from support.client import Account, House, allow, policy, refused, statement, trust
from support.cluster import BOTH, PODS, Cluster, issuers
from support.machine import CLIENTS, Agent, profile, python, register, settings
from support.secrets import hold_in
from support.server import Keys, Server, clean_environment

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
    site.server = Server(folder, *flags, "--audit-stdout")
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
