"""A machine with an agent: its instance profile and role, the agent's process, and clients that know nothing but where to ask."""

import json
import os
import pathlib
import re
import subprocess
import sys
import threading

from . import cli
from .client import allow, name, trust
from .oidc_provider import SCRIPTS
from .secrets import hold
from .server import START_SECONDS, binary, clean_environment

PYTHON = pathlib.Path(__file__).with_name("who_am_i.py")
EC2, TASKS = "ec2.amazonaws.com", "ecs-tasks.amazonaws.com"


def profile(account, *policies, service=EC2, **more):
    """A role that trusts machines, and an instance profile with it; (profile's name, role)."""
    role = account.role(trust({"Service": service}), *(policies or (allow("*"),)), prefix="machine", **more)
    made = name("profile")
    account.iam.create_instance_profile(InstanceProfileName=made)
    account.iam.add_role_to_instance_profile(InstanceProfileName=made, RoleName=role["RoleName"])
    return made, role


def register(account, profile_name, **more):
    """An instance, as RegisterInstance answers."""
    made = account.daypass.register_instance(InstanceProfileName=profile_name, **more)
    hold("join secret", made["JoinSecret"])
    return made


class Agent:
    """One `daypass agent` on a free port of the loopback interface."""

    def __init__(self, server, folder, instance, *arguments, environment=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.secret = folder, folder / "join-secret"
        if not self.secret.exists():
            self.secret.touch(0o600)
            self.secret.write_text(instance["JoinSecret"] + "\n", encoding="ascii")
        command = [binary(), "agent", "--server", server.endpoint, "--state", str(folder / "state")]
        command += ["--instance", instance["InstanceArn"], "--join-secret-file", str(self.secret)]
        self.log = open(folder / "agent.log", "a", encoding="utf-8")
        self.process = subprocess.Popen(
            [*command, "--listen", "127.0.0.1:0", "--log", "debug", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**clean_environment(), **(environment or {})},
        )
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        self.lines = [self.process.stdout.readline().strip()]
        self.lines.append(self.process.stdout.readline().strip())
        watchdog.cancel()
        self.is_ready = self.lines[1] == "ready"
        found = re.match(r"listening (http://127\.0\.0\.1:\d+)", self.lines[0])
        assert found, f"{self.lines} {self.said()}"
        self.url = found[1]

    def said(self):
        """What it wrote to standard error so far."""
        return (self.folder / "agent.log").read_text(encoding="utf-8")

    def stop(self):
        """Asks it to end and waits; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.stdout.close()
            self.log.close()


class Program:
    """A program of somebody's SDK that says, as often as it is asked, who it is and by which key."""

    def __init__(self, *command, environment):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=environment, **pipes)
        self.said = []
        self.drain = threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True)
        self.drain.start()

    def who(self):
        """{"Arn", "Key"}, or {"Error"}."""
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        self.process.stdin.write("who\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        watchdog.cancel()
        assert line, f"it ended: {self.said}"
        return json.loads(line)

    def close(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.drain.join(timeout=30)
        self.process.stdout.close()
        self.process.stderr.close()


def settings(server, **more):
    """What a client has in its environment: where the server is and where to ask, and nobody's keys."""
    given = cli.environment(server)
    # A test of the metadata provider wants it.
    del given["AWS_EC2_METADATA_DISABLED"]
    return {**given, **more}


def python(environment):
    """boto3."""
    return Program(sys.executable, str(PYTHON), environment=environment)


def javascript(environment):
    """The AWS SDK for JavaScript."""
    modules = os.environ.get("DAYPASS_NODE_MODULES")
    assert modules, "DAYPASS_NODE_MODULES is not set: `cargo xtask test` installs the packages, and says what it lacks for that"
    more = {"NODE_PATH": modules, "NODE_NO_WARNINGS": "1"}
    return Program("node", str(SCRIPTS / "who-am-i.js"), environment={**environment, **more})


class Cli:
    """The AWS CLI, one process for each question."""

    def __init__(self, environment):
        self.environment = environment

    def who(self):
        done = cli.run("sts", "get-caller-identity", given=self.environment)
        return json.loads(done.stdout) if done.returncode == 0 else {"Error": done.stderr.strip()}

    def close(self):
        """There is nothing to end."""


CLIENTS = {"boto3": python, "javascript": javascript, "cli": Cli}
