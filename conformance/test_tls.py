"""boto3 and the AWS CLI over TLS, as anybody has them: an https endpoint and `AWS_CA_BUNDLE`."""

import json
import os
import subprocess

import boto3
import botocore.exceptions
import pytest

from support.client import REGION, STRICT, allow
from support.server import Server, clean_environment


def client(server, service, keys, **more):
    """boto3's client, but for the address."""
    return boto3.client(
        service,
        endpoint_url=server.endpoint,
        region_name=REGION,
        aws_access_key_id=keys.id,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.token,
        config=STRICT,
        **more,
    )


def test_boto3_over_tls_is_secure_transport(secure, authority):
    assert secure.endpoint.startswith("https://127.0.0.1:")
    trusted = {"verify": str(authority / "ca.pem")}
    root = secure.root_keys()
    iam = client(secure, "iam", root, **trusted)
    iam.create_user(UserName="ann")
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = root.but(id=made["AccessKeyId"], secret=made["SecretAccessKey"])
    document = allow("iam:ListUsers", condition={"Bool": {"aws:SecureTransport": "true"}})
    iam.put_user_policy(UserName="ann", PolicyName="over-tls", PolicyDocument=document)
    assert "ann" in [user["UserName"] for user in client(secure, "iam", ann, **trusted).list_users()["Users"]]
    with pytest.raises(botocore.exceptions.SSLError):
        client(secure, "sts", root).get_caller_identity()


def test_the_cli_over_tls_trusts_the_bundle_it_is_given(secure, authority):
    root = secure.root_keys()
    environment = {
        **clean_environment(),
        "AWS_ACCESS_KEY_ID": root.id,
        "AWS_SECRET_ACCESS_KEY": root.secret,
        "AWS_ENDPOINT_URL_STS": secure.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.environ["AWS_CONFIG_FILE"],
        "AWS_SHARED_CREDENTIALS_FILE": os.environ["AWS_SHARED_CREDENTIALS_FILE"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }
    command = [os.environ.get("DAYPASS_AWS_CLI", "aws"), "--output", "json", "sts", "get-caller-identity"]

    def run(**more):
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**environment, **more})

    done = run(AWS_CA_BUNDLE=str(authority / "ca.pem"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"].endswith(":root")
    refused = run()
    assert refused.returncode != 0 and "SSL" in refused.stderr, refused.stderr
