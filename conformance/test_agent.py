"""Machines: an agent beside the server, and the AWS SDKs and CLI as they ship, which find credentials in its metadata, at its
container endpoint and by `credential_process`.

AWS sources: "Use the Instance Metadata Service to access instance metadata" and "Retrieve security credentials from instance
metadata" in the Amazon EC2 User Guide; "Container credential provider", "IMDS credential provider" and "Process credential
provider" in the AWS SDKs and Tools Reference Guide; "IAM roles for Amazon EC2" in the IAM User Guide.
"""

import pytest

from support.machine import CLIENTS, Agent, profile, register, settings


class Machine:
    """An instance that joined."""

    def __init__(self, home, server, folder, *arguments):
        self.server, self.account = server, home
        self.profile, self.role = profile(home)
        self.instance = register(home, self.profile)
        self.agent = Agent(server, folder, self.instance, *arguments)
        assert self.agent.is_ready, self.agent.said()

    @property
    def arn(self):
        """Of the sessions of its role."""
        return f"arn:aws:sts::{self.account.id}:assumed-role/{self.role['RoleName']}/{self.instance['InstanceId']}"


@pytest.fixture(scope="module")
def machine(home, server, tmp_path_factory):
    machine = Machine(home, server, tmp_path_factory.mktemp("machine"))
    yield machine
    assert machine.agent.stop() == 0, machine.agent.said()


@pytest.mark.parametrize("client", CLIENTS)
def test_sdks_take_the_machines_role_from_its_metadata(machine, server, client):
    environment = settings(server, AWS_EC2_METADATA_SERVICE_ENDPOINT=machine.agent.url)
    program = CLIENTS[client](environment)
    told = program.who()
    program.close()
    assert told["Arn"] == machine.arn, told
