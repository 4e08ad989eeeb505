"""`daypass creds --certificate`: a `credential_process` for machines with a certificate and no helper of AWS's, under the AWS SDKs
and the CLI as they ship.

Sources: "Get temporary security credentials from IAM Roles Anywhere" in the IAM Roles Anywhere User Guide (`aws_signing_helper
credential-process`); "Process credential provider" in the AWS SDKs and Tools Reference Guide.
"""

import json
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.anywhere import elliptic, rsa_key
from support.anywhere_site import Site
from support.machine import CLIENTS, settings
from support.secrets import hold
from support.server import Keys, binary, clean_environment

OLD, NEW = serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()


@pytest.fixture(scope="module")
def site(home):
    return Site(home)


class Files:
    """A machine's certificate and key as files, and the command that asks with them."""

    def __init__(self, site, folder, holder, chain=(), form=NEW, encryption=PLAIN):
        self.site, self.holder = site, holder
        self.certificate, self.key, self.between = folder / "host.pem", folder / "host.key", folder / "between.pem"
        self.certificate.write_text(holder.pem, encoding="ascii")
        self.key.touch(0o600)
        self.key.write_bytes(holder.key.private_bytes(serialization.Encoding.PEM, form, encryption))
        self.between.write_text("".join(one.pem for one in chain), encoding="ascii")
        self.chain = ["--intermediates", str(self.between)] if chain else []

    def command(self, *more, **changes):
        given = {
            "server": self.site.account.house.server.endpoint,
            "certificate": self.certificate,
            "private-key": self.key,
            "trust-anchor-arn": self.site.anchor["trustAnchorArn"],
            "profile-arn": self.site.profile["profileArn"],
            "role-arn": self.site.role["Arn"],
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        flags = [text for name, value in given.items() for text in (f"--{name}", str(value))]
        return [binary(), "creds", *flags, *self.chain, *more]

    def run(self, *more, **changes):
        command = self.command(*more, **changes)
        return subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=60)

    def granted(self, *more, **changes):
        done = self.run(*more, **changes)
        assert done.returncode == 0, done.stderr
        printed = json.loads(done.stdout)
        hold("secret access key", printed["SecretAccessKey"])
        hold("session token", printed["SessionToken"])
        return printed

    def refused(self, line, *more, **changes):
        done = self.run(*more, **changes)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout
        assert done.stderr.startswith("daypass: ") and done.stderr.count("\n") == 1, done.stderr
        assert line in done.stderr, done.stderr
        for secret in filter(None, self.key.read_text(encoding="ascii").splitlines()):
            assert secret.startswith("-----") or secret not in done.stderr


@pytest.mark.parametrize("key", [rsa_key(), elliptic(), elliptic(ec.SECP384R1())], ids=["rsa", "p256", "p384"])
@pytest.mark.parametrize("client", CLIENTS)
def test_sdks_run_it_as_their_credential_process(site, server, tmp_path, client, key):
    host = site.root.issue(("CN", "host"), key=key)
    files, config = Files(site, tmp_path, host), tmp_path / "config"
    config.write_text(f"[default]\ncredential_process = {' '.join(files.command())}\n", encoding="utf-8")
    program = CLIENTS[client](settings(server, AWS_CONFIG_FILE=str(config), AWS_EC2_METADATA_DISABLED="true"))
    try:
        told = program.who()
    finally:
        program.close()
    serial = f"{host.certificate.serial_number:x}"
    serial = serial.zfill(len(serial) + len(serial) % 2)
    assert told.get("Arn") == f"arn:aws:sts::{site.account.id}:assumed-role/{site.role['RoleName']}/{serial}", told


@pytest.mark.parametrize("form", [OLD, NEW], ids=["old", "pkcs8"])
@pytest.mark.parametrize("key", [rsa_key(3072), elliptic(), elliptic(ec.SECP521R1())], ids=["rsa", "p256", "p521"])
def test_keys_are_read_as_openssl_writes_them(site, tmp_path, form, key):
    printed = Files(site, tmp_path, site.root.issue(key=key), form=form).granted()
    assert sorted(printed) == ["AccessKeyId", "AccountId", "Expiration", "SecretAccessKey", "SessionToken", "Version"]
    assert printed["Version"] == 1 and printed["AccountId"] == site.account.id


def test_certificates_between_come_along_in_either_file(site, tmp_path):
    between = site.root.issue(("CN", "Between"), ca=0)
    files = Files(site, tmp_path, between.issue(("CN", "host")), chain=[between])
    files.granted()
    files.chain = []
    files.refused("AccessDeniedException: Untrusted signing certificate.")
    files.certificate.write_text(files.holder.pem + between.pem, encoding="ascii")
    files.granted()


def test_name_and_duration_are_those_that_were_asked_for(home, house, tmp_path):
    site = Site(home, acceptRoleSessionName=True)
    files = Files(site, tmp_path, site.root.issue())
    for name, duration in (("--role-session-name", "--duration-seconds"), ("--session-name", "--session-duration")):
        printed = files.granted(name, "mine", duration, "900")
        who = house.sts(Keys(printed["AccessKeyId"], printed["SecretAccessKey"], printed["SessionToken"]))
        assert who.get_caller_identity()["Arn"].endswith(f"/{site.role['RoleName']}/mine")
    files.refused("ValidationException: ", "--duration-seconds", "899")


def test_what_is_wrong_on_the_machine_is_told_there(site, tmp_path):
    host = site.root.issue(("CN", "host"))
    files = Files(site, tmp_path, host)
    other = tmp_path / "other"
    other.mkdir()
    wrong = Files(site, other, site.root.issue(("CN", "other"), key=rsa_key()))
    files.refused("the private key is not that of the certificate", private_key=wrong.key)
    expired = Files(site, other, site.root.issue(("CN", "old"), to_days=-0.5))
    expired.refused(f"--certificate {expired.certificate}: it has expired, on 2")
    files.refused("No such file", private_key=tmp_path / "nowhere")
    files.refused("No such file", certificate=tmp_path / "nowhere")
    files.refused(f"--certificate {files.key}: it holds something else", certificate=files.key)
    (tmp_path / "empty").touch(0o600)
    files.refused("it holds no private key in PEM", private_key=tmp_path / "empty")
    files.refused("--trust-anchor-arn: it is no ARN with a region", trust_anchor_arn="anchor")
    files.key.chmod(0o640)
    files.refused(f"--private-key {files.key}: others may read it; chmod 600 it")
    files.key.chmod(0o600)
    encryption = serialization.BestAvailableEncryption(b"passphrase")
    for form in (OLD, NEW):
        locked = Files(site, other, host, form=form, encryption=encryption)
        locked.refused("its private key is encrypted; only keys without a passphrase can be used")


def test_what_the_server_says_is_told(site, tmp_path):
    files = Files(site, tmp_path, site.root.issue(("CN", "host"), usages=("key_encipherment",)))
    files.refused("AccessDeniedException: Insufficient certificate.")
    files = Files(site, tmp_path, site.root.issue(("CN", "host")))
    files.refused("AccessDeniedException: Not authorized to set roleSessionName.", "--role-session-name", "mine")
    files.refused("ResourceNotFoundException: ", profile_arn=site.profile["profileArn"] + "x")
    files.refused("the server does not answer: ", server="http://127.0.0.1:1")
    files.refused("use https, or a server on this machine", server="http://192.0.2.1")


def test_flags_that_do_not_go_together_are_refused(site, tmp_path):
    files = Files(site, tmp_path, site.root.issue())
    for more in (("--web-identity-token-file", "x"), ("--agent", "http://127.0.0.1:1")):
        assert files.run(*more).returncode == 2, more
    command = files.command()
    for flag in ("--server", "--private-key", "--trust-anchor-arn", "--profile-arn", "--role-arn", "--certificate"):
        at = command.index(flag)
        short = subprocess.run([*command[:at], *command[at + 2 :]], capture_output=True, text=True, env=clean_environment(), timeout=60)
        assert (short.returncode, short.stdout) == (2, ""), (flag, short.stderr)
