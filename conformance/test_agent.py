"""Machines: an agent beside the server, and the AWS SDKs and CLI as they ship, which find credentials in its metadata, at its
container endpoint and by `credential_process`, and with a web identity token in a file.

AWS sources: "Use the Instance Metadata Service to access instance metadata" and "Retrieve security credentials from instance
metadata" in the Amazon EC2 User Guide; "Container credential provider", "IMDS credential provider" and "Process credential
provider" in the AWS SDKs and Tools Reference Guide; "IAM roles for Amazon EC2" in the IAM User Guide; "IAM roles for service
accounts" in the Amazon EKS User Guide.
"""

import json
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import pytest

from support.client import Account, House, allow, name, policy, refused, statement, trust
from support.issuer import Issuer
from support.machine import CLIENTS, EC2, TASKS, Agent, profile, python, register, settings
from support.moved_clock import MovedClock
from support.secrets import hold, hold_in
from support.server import Keys, Server, binary, clean_environment

CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
TOKEN, SECONDS = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"


class Machine:
    """An instance that joined."""

    def __init__(self, home, server, folder, *arguments, environment=None):
        self.server, self.account = server, home
        self.profile, self.role = profile(home)
        self.instance = register(home, self.profile)
        self.agent = Agent(server, folder, self.instance, *arguments, environment=environment)
        assert self.agent.is_ready, self.agent.said()

    def arn(self, session=None):
        """Of a session of its role."""
        session = session or self.instance["InstanceId"]
        return f"arn:aws:sts::{self.account.id}:assumed-role/{self.role['RoleName']}/{session}"

    def task(self, role=None):
        """A task with a role that trusts tasks; (role, environment of its programs)."""
        role = role or self.account.role(trust({"Service": TASKS}), allow("*"), prefix="task")
        made = self.account.daypass.register_task(InstanceId=self.instance["InstanceId"], RoleArn=role["Arn"])
        hold("authorization token", made["AuthorizationToken"])
        return role, made

    def ask(self, path, method="GET", **headers):
        """Status and text of an answer of the agent."""
        fields = {field.replace("_", "-"): value for field, value in headers.items()}
        request = urllib.request.Request(self.agent.url + path, method=method, headers=fields)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read().decode()
                return answer.status, text
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def document(self):
        """What its metadata says of its credentials, by version 2."""
        _, token = self.ask("/latest/api/token", "PUT", **{SECONDS: "60"})
        _, text = self.ask(CREDENTIALS + self.role["RoleName"], **{TOKEN: token})
        document = json.loads(text)
        hold_in({"SecretAccessKey": document.get("SecretAccessKey"), "SessionToken": document.get("Token")})
        return document


@pytest.fixture(scope="module")
def machine(home, server, tmp_path_factory):
    machine = Machine(home, server, tmp_path_factory.mktemp("machine"), "--http-tokens", "optional")
    yield machine
    assert machine.agent.stop() == 0, machine.agent.said()


def who(client, environment):
    """What a client says that finds its credentials in this environment."""
    program = CLIENTS[client](environment)
    try:
        return program.who()
    finally:
        program.close()


# --- where clients look -----------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
def test_sdks_take_the_machines_role_from_its_metadata(machine, server, client):
    told = who(client, settings(server, AWS_EC2_METADATA_SERVICE_ENDPOINT=machine.agent.url))
    assert told["Arn"] == machine.arn(), told


@pytest.mark.parametrize("client", CLIENTS)
def test_sdks_take_a_tasks_role_by_its_authorization_token(machine, server, client, tmp_path):
    role, task = machine.task()
    url = machine.agent.url + task["RelativeUri"]
    (tmp_path / "token").write_text(task["AuthorizationToken"], encoding="ascii")
    expected = f"arn:aws:sts::{machine.account.id}:assumed-role/{role['RoleName']}/{task['TaskId']}"
    for authorization in (
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN": task["AuthorizationToken"]},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")},
    ):
        told = who(client, settings(server, AWS_CONTAINER_CREDENTIALS_FULL_URI=url, **authorization))
        assert told.get("Arn") == expected, told
    # Another task's token, and none.
    _, other = machine.task()
    for authorization in ({"AWS_CONTAINER_AUTHORIZATION_TOKEN": other["AuthorizationToken"]}, {}):
        told = who(client, settings(server, AWS_CONTAINER_CREDENTIALS_FULL_URI=url, AWS_EC2_METADATA_DISABLED="true", **authorization))
        assert "Error" in told, told


def config(folder, *lines):
    """An AWS configuration file with a default profile."""
    path = folder / "config"
    path.write_text("[default]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("client", CLIENTS)
def test_sdks_run_daypass_creds_as_their_credential_process(machine, server, client, tmp_path):
    process = f"credential_process = {binary()} creds --agent {machine.agent.url}"
    told = who(client, settings(server, AWS_CONFIG_FILE=config(tmp_path, process), AWS_EC2_METADATA_DISABLED="true"))
    assert told["Arn"] == machine.arn(), told


def test_an_agent_is_configured_by_its_environment_as_the_server_is(home, server, tmp_path):
    made, role = profile(home)
    instance = register(home, made)
    secret = tmp_path / "join-secret"
    secret.touch(0o600)
    secret.write_text(instance["JoinSecret"], encoding="ascii")
    given = {
        "DAYPASS_AGENT_SERVER": server.endpoint,
        "DAYPASS_AGENT_STATE": str(tmp_path / "state"),
        "DAYPASS_AGENT_INSTANCE": instance["InstanceArn"],
        "DAYPASS_AGENT_JOIN_SECRET_FILE": str(secret),
        "DAYPASS_AGENT_LISTEN": "127.0.0.1:0,[::1]:0",
        "DAYPASS_AGENT_HTTP_TOKENS": "optional",
    }
    command = [binary(), "agent"]
    slip = subprocess.run(command, env={**clean_environment(), **given, "DAYPASS_AGENT_HOPS": "2"}, capture_output=True, text=True, timeout=60)
    assert (slip.returncode, slip.stdout) == (1, "") and "DAYPASS_AGENT_HOPS is no setting" in slip.stderr
    running = subprocess.Popen(command, env={**clean_environment(), **given}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = [running.stdout.readline().strip() for _ in range(3)]
        assert [line.split(":")[0] for line in lines] == ["listening http", "listening http", "ready"], lines
        url = lines[0].removeprefix("listening ")
        with urllib.request.urlopen(url + CREDENTIALS, timeout=30) as answer:
            assert answer.read().decode() == role["RoleName"]
    finally:
        running.terminate()
        assert running.wait(timeout=30) == 0
        running.stdout.close()


class Cluster:
    """A server, an issuer of service account tokens, and a role for one of them."""

    def __init__(self, folder, environment=None):
        self.issuer = Issuer()
        self.server = Server(folder, "--allow-insecure-issuer", self.issuer.url, environment=environment)
        self.home = Account(House(self.server), self.server.root_keys())
        made = self.home.iam.create_open_id_connect_provider(Url=self.issuer.url, ClientIDList=["sts.amazonaws.com"])
        subject, audience = f"{self.issuer.name}:sub", f"{self.issuer.name}:aud"
        of_pod = {"StringEquals": {subject: "system:serviceaccount:shop:till", audience: "sts.amazonaws.com"}}
        document = trust({"Federated": made["OpenIDConnectProviderArn"]}, "sts:AssumeRoleWithWebIdentity", of_pod)
        self.role = self.home.role(document, allow("*"), prefix="pod")

    def token(self, service_account="till", **more):
        """As a cluster projects it into a pod."""
        claims = {
            "aud": ["sts.amazonaws.com"],
            "sub": f"system:serviceaccount:shop:{service_account}",
            "kubernetes.io": {"namespace": "shop", "pod": {"name": "till-0"}, "serviceaccount": {"name": service_account}},
        }
        return self.issuer.token(**claims, **more)

    def variables(self, file):
        """What the webhook puts into a pod; and the ARN of the pod's session."""
        arn = f"arn:aws:sts::{self.home.id}:assumed-role/{self.role['RoleName']}/till"
        given = {"AWS_ROLE_ARN": self.role["Arn"], "AWS_WEB_IDENTITY_TOKEN_FILE": str(file), "AWS_ROLE_SESSION_NAME": "till"}
        return given, arn

    def close(self):
        self.issuer.close()
        assert self.server.stop() == 0


@pytest.fixture(scope="module")
def cluster(environment, tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_pods_take_their_role_by_the_token_that_a_cluster_projects(cluster, client, tmp_path):
    file = tmp_path / "token"
    file.write_text(cluster.token(), encoding="ascii")
    given, arn = cluster.variables(file)
    assert who(client, settings(cluster.server, **given)).get("Arn") == arn
    file.write_text(cluster.token("thief"), encoding="ascii")
    assert "Error" in who(client, settings(cluster.server, **given, AWS_EC2_METADATA_DISABLED="true"))


def test_daypass_creds_takes_a_role_by_such_a_token_for_who_has_no_sdk(cluster, tmp_path):
    file = tmp_path / "token"
    file.write_text(cluster.token() + "\n", encoding="ascii")
    command = [binary(), "creds", "--role-arn", cluster.role["Arn"], "--web-identity-token-file", str(file)]
    command += ["--server", cluster.server.endpoint]

    def run(*more):
        return subprocess.run([*command, *more], capture_output=True, text=True, env=clean_environment(), timeout=60)

    done = run("--role-session-name", "till", "--duration-seconds", "900")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert sorted(printed) == ["AccessKeyId", "AccountId", "Expiration", "SecretAccessKey", "SessionToken", "Version"]
    assert printed["Version"] == 1 and printed["AccountId"] == cluster.home.id
    sts = House(cluster.server).sts(Keys(printed["AccessKeyId"], printed["SecretAccessKey"], printed["SessionToken"]))
    assert sts.get_caller_identity()["Arn"] == cluster.variables(file)[1]
    # The file is read again at every call.
    file.write_text(cluster.token("thief"), encoding="ascii")
    done = run()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "daypass: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n"
    for secret in (cluster.token(), printed["SecretAccessKey"], printed["SessionToken"]):
        assert secret not in done.stderr


def test_daypass_creds_says_why_there_is_nothing():
    done = subprocess.run([binary(), "creds", "--agent", "http://127.0.0.1:1"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("daypass: the agent does not answer: ")
    done = subprocess.run([binary(), "creds", "--agent", "http://192.0.2.1"], capture_output=True, text=True, timeout=60)
    assert "no address at which an agent of this machine listens" in done.stderr


# --- over time --------------------------------------------------------------------------------------------


@pytest.fixture
def moved(environment, tmp_path):
    """A server, an agent and a clock that both and their clients go by. The test's own does not move: what it asks for itself
    comes first."""
    clock = MovedClock(tmp_path)
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server", environment=clock.environment)
    home = Account(House(server), server.root_keys())
    machine = Machine(home, server, tmp_path / "agent", environment=clock.environment)
    yield machine, clock
    assert machine.agent.stop() == 0, machine.agent.said()
    assert server.stop() == 0


def runs_across_an_expiry(client, machine, clock, arn, **given):
    """A program asks who it is for eighteen hours, an hour at a time: three lives of credentials."""
    program = CLIENTS[client](settings(machine.server, **given, **clock.environment))
    keys = []
    for _ in range(18):
        told = program.who()
        assert told.get("Arn") == arn, told
        keys.append(told["Key"])
        clock.advance(3600)
    program.close()
    assert 3 <= len(set(keys)) <= 6, keys


@pytest.mark.parametrize("client", ["boto3", "javascript"])
def test_programs_of_a_machine_run_across_an_expiry(moved, client):
    machine, clock = moved
    runs_across_an_expiry(client, machine, clock, machine.arn(), AWS_EC2_METADATA_SERVICE_ENDPOINT=machine.agent.url)


@pytest.mark.parametrize("client", ["boto3", "javascript"])
def test_programs_of_a_task_run_across_an_expiry(moved, client):
    machine, clock = moved
    role, task = machine.task()
    arn = f"arn:aws:sts::{machine.account.id}:assumed-role/{role['RoleName']}/{task['TaskId']}"
    given = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": machine.agent.url + task["RelativeUri"],
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": task["AuthorizationToken"],
    }
    runs_across_an_expiry(client, machine, clock, arn, **given)


@pytest.mark.parametrize("client", ["boto3", "javascript"])
def test_programs_with_a_credential_process_run_across_an_expiry(moved, client, tmp_path):
    machine, clock = moved
    process = f"credential_process = {binary()} creds --agent {machine.agent.url}"
    given = {"AWS_CONFIG_FILE": config(tmp_path, process), "AWS_EC2_METADATA_DISABLED": "true"}
    runs_across_an_expiry(client, machine, clock, machine.arn(), **given)


@pytest.mark.parametrize("client", ["boto3", "javascript"])
def test_programs_of_a_pod_run_across_an_expiry_by_the_token_that_is_there_then(environment, client, tmp_path):
    clock = MovedClock(tmp_path)
    (tmp_path / "server").mkdir()
    cluster = Cluster(tmp_path / "server", environment=clock.environment)
    file = tmp_path / "token"

    def project():
        """As the kubelet does: another file takes the place of the one before."""
        now = int(time.time()) + clock.seconds
        (tmp_path / "next").write_text(cluster.token(iat=now, nbf=now, exp=now + 2400), encoding="ascii")
        (tmp_path / "next").rename(file)

    project()
    given, arn = cluster.variables(file)
    program = CLIENTS[client](settings(cluster.server, **given, **clock.environment))
    keys = []
    for _ in range(8):
        told = program.who()
        assert told.get("Arn") == arn, told
        keys.append(told["Key"])
        clock.advance(1800)
        project()
    assert 4 <= len(set(keys)) <= 8, keys
    # Without another token there is nothing once the session is over, since the one in the file is over, too.
    clock.advance(7200)
    told = program.who()
    assert "ExpiredToken" in told.get("Error", ""), told
    program.close()
    cluster.close()


def test_the_last_good_credentials_are_told_while_the_server_is_away(moved):
    machine, clock = moved
    before = machine.document()
    machine.server.stop()
    for seconds in (18_000, 3600, 86_400):
        clock.advance(seconds)
        assert machine.document()["AccessKeyId"] == before["AccessKeyId"]
    status, text = machine.ask("/healthz")
    assert (status, json.loads(text)) == (503, {"status": "failing"})
    status, text = machine.ask("/healthz", **{TOKEN: machine.ask("/latest/api/token", "PUT", **{SECONDS: "60"})[1]})
    assert status == 503 and json.loads(text)["credentials"]["expired"] is True


# --- what a session may, and what is told of it -----------------------------------------------------------


def test_a_session_says_by_which_version_it_was_told(machine, home):
    only_2 = statement("*", effect="Deny", condition={"NumericLessThan": {"ec2:RoleDelivery": "2.0"}})
    home.iam.put_role_policy(RoleName=machine.role["RoleName"], PolicyName="only-2", PolicyDocument=policy(only_2))
    _, text = machine.ask(CREDENTIALS + machine.role["RoleName"])
    by_1, by_2 = json.loads(text), machine.document()
    hold_in({"SecretAccessKey": by_1["SecretAccessKey"], "SessionToken": by_1["Token"]})

    def iam(document):
        return home.house.iam(Keys(document["AccessKeyId"], document["SecretAccessKey"], document["Token"]))

    iam(by_2).list_users()
    with refused("AccessDenied"):
        iam(by_1).list_users()
    home.iam.delete_role_policy(RoleName=machine.role["RoleName"], PolicyName="only-2")


def test_a_role_that_does_not_trust_machines_is_told_in_the_place_of_credentials(home, server, tmp_path):
    machine = Machine(home, server, tmp_path / "machine")
    assert machine.document()["Code"] == "Success"
    document = trust({"Service": "lambda.amazonaws.com"})
    role = home.role(document, prefix="other")
    home.iam.remove_role_from_instance_profile(InstanceProfileName=machine.profile, RoleName=machine.role["RoleName"])
    home.iam.add_role_to_instance_profile(InstanceProfileName=machine.profile, RoleName=role["RoleName"])
    machine.agent.stop()
    machine.agent, machine.role = Agent(server, tmp_path / "machine", machine.instance), role
    told = machine.document()
    assert told["Code"] == "AssumeRoleUnauthorizedAccess" and "AccessKeyId" not in told
    # botocore takes that for no credentials, and says so.
    told = who("boto3", settings(server, AWS_EC2_METADATA_SERVICE_ENDPOINT=machine.agent.url))
    assert told == {"Error": "Unable to locate credentials"}
    machine.agent.stop()


def test_the_agent_says_how_it_is(machine):
    address = machine.agent.url.removeprefix("http://")
    done = subprocess.run([binary(), "agent", "--check", "--listen", address], capture_output=True, text=True, timeout=60)
    told = json.loads(done.stdout)
    assert (done.returncode, told["status"], told["machine"]["instance"]) == (0, "ok", machine.instance["InstanceId"])
    assert "secret" not in done.stdout.lower() and machine.document()["Token"] not in done.stdout


def test_the_server_is_asked_over_tls_and_believed_by_its_certificate(secure, authority, tmp_path, monkeypatch):
    ca = str(authority / "ca.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", ca)
    home = Account(House(secure), secure.root_keys())
    machine = Machine(home, secure, tmp_path / "machine", "--ca-bundle", ca)
    told = who("boto3", settings(secure, AWS_EC2_METADATA_SERVICE_ENDPOINT=machine.agent.url, AWS_CA_BUNDLE=ca))
    assert told["Arn"] == machine.arn(), told
    machine.agent.stop()
    # The same machine, but nobody vouches for the server.
    machine.agent = Agent(secure, tmp_path / "machine", machine.instance)
    _, token = machine.ask("/latest/api/token", "PUT", **{SECONDS: "60"})
    assert machine.ask(CREDENTIALS, **{TOKEN: token}) == (503, "")
    status, text = machine.ask("/healthz")
    assert (status, json.loads(text)["status"]) == (503, "the server does not answer")
    assert "invalid peer certificate" in machine.agent.said()
    assert machine.agent.stop() == 0


# --- attacks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{"X_Forwarded_For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}, {"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_requests_that_come_by_a_detour_get_nothing(machine, headers):
    assert machine.ask("/latest/api/token", "PUT", **{SECONDS: "60"}, **headers)[0] == 403
    for path in (CREDENTIALS, CREDENTIALS + machine.role["RoleName"], "/latest/meta-data/instance-id", "/healthz"):
        status, text = machine.ask(path, **headers)
        assert (status, "Token" in text) == (403, False), path


def test_a_stolen_join_secret_is_of_no_use_after_the_machine_joined_and_tells_of_itself_before(home, server, tmp_path):
    profile_name, _ = profile(home)
    instance = register(home, profile_name)
    machine = Agent(server, tmp_path / "machine", instance)
    assert machine.is_ready, machine.said()
    # After: the thief is refused, and the account's audit says so.
    thief = Agent(server, tmp_path / "thief", instance)
    assert not thief.is_ready and thief.process.wait(timeout=30) == 1
    assert "The join secret was used before, by another machine." in thief.said()
    assert instance["JoinSecret"] not in thief.said()
    thief.stop()
    machine.stop()
    # Before: the machine is refused, says what to do, and that ends what the thief got.
    instance = register(home, profile_name)
    thief = Agent(server, tmp_path / "early", instance)
    assert thief.is_ready
    told = who("boto3", settings(server, AWS_EC2_METADATA_SERVICE_ENDPOINT=thief.url))
    assert told["Arn"].endswith(instance["InstanceId"])
    stolen = json.loads(run_creds(thief).stdout)
    machine = Agent(server, tmp_path / "late", instance)
    assert not machine.is_ready and "daypass:RenewJoinSecret" in machine.said()
    machine.stop()
    renewed = home.daypass.renew_join_secret(InstanceId=instance["InstanceId"])
    hold("join secret", renewed["JoinSecret"])
    with refused("ExpiredToken"):
        House(server).sts(Keys(stolen["AccessKeyId"], stolen["SecretAccessKey"], stolen["SessionToken"])).get_caller_identity()
    machine = Agent(server, tmp_path / "renewed", renewed)
    assert machine.is_ready, machine.said()
    thief.stop()
    machine.stop()


def run_creds(agent):
    done = subprocess.run([binary(), "creds", "--agent", agent.url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    hold_in(json.loads(done.stdout))
    return done


def test_a_secret_and_credentials_are_in_no_log_of_the_agent(machine):
    said = machine.agent.said()
    document = machine.document()
    for secret in (machine.instance["JoinSecret"], document["SecretAccessKey"], document["Token"]):
        assert secret not in said
    assert "joined" in said


def test_whoever_may_not_pass_the_role_registers_no_machine(home):
    profile_name, role = profile(home)
    user = home.user(allow("daypass:*"))
    with refused("AccessDenied") as caught:
        user.daypass.register_instance(InstanceProfileName=profile_name)
    assert f"iam:PassRole on resource: {role['Arn']}" in caught.value.response["Error"]["Message"]
    user.permit(policy(statement("iam:PassRole", role["Arn"], condition={"StringEquals": {"iam:PassedToService": EC2}})))
    made = user.daypass.register_instance(InstanceProfileName=profile_name, InstanceId=f"i-{name('')[1:]}"[:10])
    hold("join secret", made["JoinSecret"])
    user.daypass.deregister_instance(InstanceId=made["InstanceId"])


def test_the_metadata_provider_of_botocore_as_it_ships(machine, server):
    """By its own name, beside what finds it: with version 1 switched off in the client."""
    environment = settings(server, AWS_EC2_METADATA_SERVICE_ENDPOINT=machine.agent.url, AWS_EC2_METADATA_V1_DISABLED="true")
    program = python(environment)
    told = program.who()
    program.close()
    assert told["Arn"] == machine.arn(), told
    assert boto3.__version__
