"""The AWS CLI, unmodified, as one command after another."""

import os
import subprocess

from .client import MODELS, REGION
from .server import clean_environment


def environment(server, keys=None, **more):
    """What a client has in its environment: where the server is, perhaps somebody's keys, and nothing of this machine."""
    held = {}
    if keys:
        held = {"AWS_ACCESS_KEY_ID": keys.id, "AWS_SECRET_ACCESS_KEY": keys.secret}
        held.update({"AWS_SESSION_TOKEN": keys.token} if keys.token else {})
    return {
        **clean_environment(),
        **held,
        "AWS_ENDPOINT_URL_STS": server.endpoint,
        "AWS_ENDPOINT_URL_IAM": server.endpoint,
        "AWS_ENDPOINT_URL_DAYPASS": server.endpoint,
        "AWS_ENDPOINT_URL_ROLESANYWHERE": server.endpoint,
        "AWS_ENDPOINT_URL_EKS": server.endpoint,
        "AWS_ENDPOINT_URL_EKS_AUTH": server.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_DATA_PATH": MODELS,
        "AWS_CONFIG_FILE": os.environ["AWS_CONFIG_FILE"],
        "AWS_SHARED_CREDENTIALS_FILE": os.environ["AWS_SHARED_CREDENTIALS_FILE"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        **more,
    }


def run(*arguments, given, typed=""):
    """How the command ended that has `given` as its environment. It has no terminal, so what is `typed` comes from its
    standard input."""
    command = [os.environ.get("DAYPASS_AWS_CLI", "aws"), "--output", "json", *arguments]
    alone = {"env": given, "timeout": 120, "start_new_session": True, "input": typed}
    return subprocess.run(command, capture_output=True, text=True, **alone)
