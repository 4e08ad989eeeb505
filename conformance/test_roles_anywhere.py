"""Roles Anywhere: machines become sessions of roles by a certificate and its key, and whoever must not does not.

Sources: IAM Roles Anywhere User Guide, "The IAM Roles Anywhere trust model", "The IAM Roles Anywhere authentication signing
process"; the IAM Roles Anywhere API Reference; RFC 5280.
"""

import base64
import datetime
import json
import pathlib
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support import anywhere, cli
from support.anywhere import authority, elliptic, rsa_key
from support.anywhere_site import ACTIONS, SERVICE, Site, denied, granted, keys, trusting
from support.client import allow, name, policy, refused, statement, this_second

VECTORS = pathlib.Path(__file__).parents[1] / "crates/authn/tests/it/x509/vectors"


@pytest.fixture(scope="module")
def site(home):
    return Site(home)


@pytest.fixture
def fresh(home):
    """One that a test may change."""
    return Site(home)


@pytest.mark.parametrize("key", [rsa_key(), elliptic(), elliptic(ec.SECP384R1())], ids=["rsa", "p256", "p384"])
def test_certificate_becomes_a_session_of_a_role(site, house, key):
    host = site.root.issue(("O", "Example"), ("CN", "host1"), key=key)
    body = site.session(host, {"durationSeconds": 900})
    got = body["credentialSet"][0]
    serial = f"{host.certificate.serial_number:x}"
    serial = serial.zfill(len(serial) + len(serial) % 2)
    role = site.role["RoleName"]
    assert got["assumedRoleUser"]["arn"] == f"arn:aws:sts::{site.account.id}:assumed-role/{role}/{serial}"
    assert got["assumedRoleUser"]["assumedRoleId"] == f"{site.role['RoleId']}:{serial}"
    assert (got["roleArn"], got["sourceIdentity"]) == (site.role["Arn"], "CN=host1")
    assert got["credentials"]["expiration"].endswith("Z")
    who = house.sts(keys(body)).get_caller_identity()
    assert who["Arn"] == got["assumedRoleUser"]["arn"]
    subject = site.client.get_subject(subjectId=body["subjectArn"].rsplit("/", 1)[1])["subject"]
    assert subject["subjectArn"] == body["subjectArn"]
    assert subject["x509Subject"] == "O=Example,CN=host1"
    assert str(host.certificate.serial_number) in [row["serialNumber"] for row in subject["credentials"]]
    assert subject["subjectArn"] in [row["subjectArn"] for row in site.client.list_subjects()["subjects"]]


def test_intermediates_are_followed_in_any_order(site):
    first = site.root.issue(("CN", "Issuing 1"), ca=2)
    second = first.issue(("CN", "Issuing 2"), ca=1)
    third = second.issue(("CN", "Issuing 3"), ca=0)
    host = third.issue(("CN", "host2"))
    unrelated = authority("Nobody's")
    for chain in ([third, second, first], [first, second, third], [second, unrelated, third, first, first]):
        site.session(host, chain=chain)
    site.refused("Untrusted signing certificate.", host, chain=[third, first])
    site.refused("Untrusted signing certificate.", host)


def test_body_may_name_what_the_query_may(site):
    host = site.root.issue()
    call = site.call(host)
    call.query, call.body = "", json.dumps(site.query()).encode()
    granted(call.sign())
    call = site.call(host)
    call.body = json.dumps({"roleArn": site.role["Arn"]}).encode()
    denied(call.sign(), "the parameter `roleArn` is given more than once", "ValidationException")
    call = site.call(host)
    call.query += f"&roleArn={anywhere.quote(site.role['Arn'])}"
    denied(call.sign(), "the parameter `roleArn` is given more than once", "ValidationException")


def test_trust_policy_asks_for_what_the_certificate_says(home, house):
    site = Site(home)
    anchor = site.anchor["trustAnchorArn"]
    san = [x509.DNSName("host.example.com"), x509.UniformResourceIdentifier("spiffe://example/x"), x509.DNSName("second")]
    host = site.root.issue(("OU", "fleet"), ("CN", "host3"), ("CN", "admin"), san=san)
    for condition, is_let_in in [
        ({"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "host3"}}, True),
        ({"StringEquals": {"aws:RequestTag/x509Subject/OU": "fleet"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/x509Issuer/O": "Example"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/x509SAN/DNS": "host.example.com"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/x509SAN/URI": "spiffe://example/x"}}, True),
        ({"StringEquals": {"sts:SourceIdentity": "CN=host3"}}, True),
        ({"ArnEquals": {"aws:SourceArn": anchor}, "StringEquals": {"aws:SourceAccount": home.id}}, True),
        # Of two common names the first is the host's.
        ({"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "admin"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/x509SAN/DNS": "second"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/x509Subject/O": "Example"}}, False),
        ({"ArnEquals": {"aws:SourceArn": anchor[:-1] + "x"}}, False),
        ({"StringEquals": {"sts:SourceIdentity": "CN=admin"}}, False),
        ({"StringEquals": {"sts:ExternalId": ""}}, False),
    ]:
        home.iam.update_assume_role_policy(RoleName=site.role["RoleName"], PolicyDocument=trusting(condition))
        if is_let_in:
            site.session(host)
        else:
            site.refused("Not authorized to perform sts:", host)


def test_trust_policy_must_let_the_service_do_all_three(home):
    site = Site(home)
    host = site.root.issue()
    for actions in (ACTIONS[:1], ACTIONS[:2], [ACTIONS[0], ACTIONS[2]]):
        home.iam.update_assume_role_policy(RoleName=site.role["RoleName"], PolicyDocument=trusting(actions=actions))
        site.refused("Not authorized to perform sts:", host)
    someone = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": home.root_arn, "Service": "ec2.amazonaws.com"}, "Action": ACTIONS}
            ],
        }
    )
    home.iam.update_assume_role_policy(RoleName=site.role["RoleName"], PolicyDocument=someone)
    site.refused("Not authorized to perform sts:", host)


def test_session_is_limited_by_role_and_profile(home, house):
    site = Site(home, sessionPolicy=allow("daypass:*"), durationSeconds=1800)
    home.iam.put_role_policy(RoleName=site.role["RoleName"], PolicyName="all", PolicyDocument=allow("*"))
    host = site.root.issue()
    body = site.session(host)
    with refused("AccessDenied"):
        house.iam(keys(body)).list_users()
    house.daypass(keys(body)).list_sessions()
    site.client.update_profile(
        profileId=site.profile["profileId"], managedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    )
    house.iam(keys(site.session(host))).list_users()


def test_duration_is_cut_to_what_profile_and_role_allow(home):
    site = Site(home, durationSeconds=7200)

    def lasts(body):
        end = body["credentialSet"][0]["credentials"]["expiration"]
        return datetime.datetime.fromisoformat(end.replace("Z", "+00:00")).timestamp() - this_second()

    host = site.root.issue()
    # The role's bound is an hour.
    for asked, wanted in [({}, 3600), ({"durationSeconds": 900}, 900), ({"durationSeconds": 43200}, 3600)]:
        assert wanted - 30 <= lasts(site.session(host, asked)) <= wanted + 1
    home.iam.update_role(RoleName=site.role["RoleName"], MaxSessionDuration=43200)
    assert 7200 - 30 <= lasts(site.session(host, {"durationSeconds": 43200})) <= 7201
    for wrong in (899, 43201, "900", 900.5):
        site.refused("durationSeconds", host, {"durationSeconds": wrong}, code="ValidationException")


def test_session_name_is_the_callers_only_where_the_profile_says_so(fresh):
    host = fresh.root.issue()
    fresh.refused("Not authorized to set roleSessionName.", host, {"roleSessionName": "mine"})
    fresh.client.update_profile(profileId=fresh.profile["profileId"], acceptRoleSessionName=True)
    body = fresh.session(host, {"roleSessionName": "mine"})
    assert body["credentialSet"][0]["assumedRoleUser"]["arn"].endswith("/mine")
    fresh.refused("roleSessionName", host, {"roleSessionName": "a b"}, code="ValidationException")


def test_profile_may_require_properties_of_the_machine(home):
    site = Site(home, requireInstanceProperties=True)
    host = site.root.issue(("CN", name("host")))
    site.refused("instance properties", host)
    site.refused("instance properties", host, {"instanceProperties": {}})
    body = site.session(host, {"instanceProperties": {"rack": "7"}})
    subject = site.client.get_subject(subjectId=body["subjectArn"].rsplit("/", 1)[1])["subject"]
    assert subject["instanceProperties"][0]["properties"] == {"rack": "7"}


def test_what_is_switched_off_lets_nobody_in(fresh):
    host, client = fresh.root.issue(), fresh.client
    anchor, profile = fresh.anchor["trustAnchorId"], fresh.profile["profileId"]
    client.disable_trust_anchor(trustAnchorId=anchor)
    fresh.refused("The trust anchor is disabled.", host)
    client.enable_trust_anchor(trustAnchorId=anchor)
    client.disable_profile(profileId=profile)
    fresh.refused("The profile is disabled.", host)
    client.enable_profile(profileId=profile)
    fresh.session(host)
    client.delete_profile(profileId=profile)
    fresh.refused("Profile not found.", host, code="ResourceNotFoundException")
    client.delete_trust_anchor(trustAnchorId=anchor)
    fresh.refused("Trust anchor not found.", host, code="ResourceNotFoundException")


def test_revoked_certificate_is_refused_while_its_list_is_enabled(fresh):
    first, second = fresh.root.issue(("CN", "a")), fresh.root.issue(("CN", "b"))
    issuing = fresh.root.issue(("CN", "Issuing"), ca=0)
    below = issuing.issue(("CN", "c"), serial=first.certificate.serial_number)
    arn = fresh.anchor["trustAnchorArn"]
    data = fresh.root.revoke(first.certificate.serial_number)
    crl = fresh.client.import_crl(name="list", crlData=data, trustAnchorArn=arn, enabled=True)["crl"]
    assert crl["crlData"] == data and crl["trustAnchorArn"] == arn
    fresh.refused("Certificate revoked.", first)
    fresh.session(second)
    # The same number of another authority is another certificate.
    fresh.session(below, chain=[issuing])
    fresh.client.disable_crl(crlId=crl["crlId"])
    fresh.session(first)
    fresh.client.enable_crl(crlId=crl["crlId"])
    fresh.refused("Certificate revoked.", first)
    # A revoked authority takes those below with it.
    data = fresh.root.revoke(issuing.certificate.serial_number, days=-0.5)
    fresh.client.update_crl(crlId=crl["crlId"], crlData=data)
    fresh.refused("Certificate revoked.", below, chain=[issuing])
    fresh.session(first)
    fresh.client.delete_crl(crlId=crl["crlId"])
    fresh.session(below, chain=[issuing])


def test_list_of_somebody_else_is_not_taken(fresh):
    arn = fresh.anchor["trustAnchorArn"]
    other = authority(fresh.root.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
    for data in (other.revoke(1), b"nonsense", fresh.root.pem.encode(), fresh.root.revoke(1).replace(b"M", b"N", 3)):
        with refused("ValidationException"):
            fresh.client.import_crl(name="list", crlData=data, trustAnchorArn=arn)
    delta = [(x509.DeltaCRLIndicator(1), True)]
    with refused("ValidationException"):
        fresh.client.import_crl(name="list", crlData=fresh.root.revoke(1, extra=delta), trustAnchorArn=arn)


# Certificates that must not open anything: what is wrong with them, and what is told.
INSUFFICIENT, UNTRUSTED = "Insufficient certificate.", "Untrusted signing certificate."
EKU = x509.ExtendedKeyUsageOID


@pytest.mark.parametrize(
    "text,how",
    [
        (INSUFFICIENT, {"to_days": -0.01}),
        (INSUFFICIENT, {"from_days": 0.01}),
        (INSUFFICIENT, {"ca": True, "usages": ("digital_signature", "key_cert_sign")}),
        (INSUFFICIENT, {"usages": ("key_encipherment",)}),
        (INSUFFICIENT, {"usages": ()}),
        (INSUFFICIENT, {"extended": (EKU.SERVER_AUTH,)}),
        (INSUFFICIENT, {"extended": (EKU.ANY_EXTENDED_KEY_USAGE,)}),
    ],
)
def test_certificate_that_is_not_for_this_is_insufficient(site, text, how):
    site.refused(text, site.root.issue(("CN", "host"), **how))


def test_certificate_for_clients_too_is_enough(site):
    site.session(site.root.issue(("CN", "host"), extended=(EKU.CLIENT_AUTH, EKU.SERVER_AUTH)))
    site.session(site.root.issue(("CN", "host"), usages=("digital_signature", "key_agreement")))


@pytest.mark.parametrize(
    "how",
    [
        {"extra": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]},
        {"extra": [(x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), True)]},
        {"key": elliptic(ec.SECP256K1())},
        {"key": rsa_key(1024)},
    ],
    ids=["critical", "policies", "curve", "short"],
)
def test_certificate_that_is_not_understood_is_refused_by_name(site, how):
    site.refused("The certificate in X-Amz-X509 cannot be used", site.root.issue(**how), code="ValidationException")


def test_weak_digests_are_refused(site):
    # `cryptography` signs certificates with SHA-1 no more: openssl did (`make.sh` beside them).
    for one in ("rsa-sha1.pem", "p256-sha1.pem"):
        call = site.call(site.root.issue())
        weak = x509.load_pem_x509_certificate((VECTORS / one).read_bytes())
        call.headers["x-amz-x509"] = base64.b64encode(weak.public_bytes(serialization.Encoding.DER)).decode()
        told = "The certificate in X-Amz-X509 cannot be used: its signature algorithm is not RSA or ECDSA with SHA-256 or stronger."
        denied(call.sign(), told, "ValidationException")


def test_path_must_be_of_valid_authorities(site):
    def below(**how):
        between = site.root.issue(("CN", "Between"), **{"ca": True, **how})
        return between.issue(("CN", "host")), [between]

    host, chain = below()
    site.session(host, chain=chain)
    for how in (
        {"to_days": -0.01},
        {"from_days": 0.01},
        {"ca": None, "usages": ("digital_signature", "key_cert_sign")},
        {"usages": ("digital_signature",)},
        {"extended": (EKU.SERVER_AUTH,)},
    ):
        host, chain = below(**how)
        site.refused(UNTRUSTED, host, chain=chain)
    constrained = x509.NameConstraints([x509.DNSName("example.com")], None)
    host, chain = below(extra=[(constrained, False)])
    site.refused("X-Amz-X509-Chain cannot be used", host, chain=chain, code="ValidationException")
    short = site.root.issue(("CN", "Short"), ca=0)
    one = short.issue(("CN", "One more"), ca=True)
    site.refused(UNTRUSTED, one.issue(("CN", "host")), chain=[one, short])
    # Six between are more than anybody looks at.
    links = [site.root]
    for number in range(6):
        links.append(links[-1].issue(("CN", f"Link {number}"), ca=True))
    host = links[-1].issue(("CN", "host"))
    site.refused("may hold 5 certificates", host, chain=links[1:], code="ValidationException")
    # Two that issued each other lead nowhere.
    a, b = elliptic(), elliptic()
    left = anywhere.make((("CN", "left"),), key=a, by=anywhere.Holder(authority("right", key=b).certificate, b), ca=True)
    right = left.issue(("O", "Example"), ("CN", "right"), key=b, ca=True)
    loop = right.issue(("CN", "host"))
    site.refused(UNTRUSTED, loop, chain=[left, right])


def test_authority_of_the_same_name_is_another(site):
    twin = anywhere.make(
        (("O", "Example"), ("CN", site.root.certificate.subject.rfc4514_string().split(",")[0][3:])), ca=True
    )
    assert twin.certificate.subject == site.root.certificate.subject
    site.refused(UNTRUSTED, twin.issue(("CN", "host")))
    site.refused(UNTRUSTED, twin.issue(("CN", "host")), chain=[twin])
    # A leaf that names the authority, signed by itself.
    alone = anywhere.make((("CN", "host"),), issuer=site.root.certificate.subject)
    site.refused(UNTRUSTED, alone)


def test_signature_must_be_the_keys(site):
    host, other = site.root.issue(("CN", "host")), site.root.issue(("CN", "other"))
    match = "does not match"
    denied(site.call(host).sign(key=other.key), match)
    denied(site.call(host).sign(key=rsa_key()), match)
    denied(site.call(host).sign(digest=hashes.SHA384()), match)
    # Another certificate than the one that was signed, of the same number and even of the same key.
    serial = host.certificate.serial_number
    for twin in (site.root.issue(("CN", "admin"), serial=serial), site.root.issue(("CN", "admin"), serial=serial, key=host.key)):
        call = site.call(host).sign()
        call.headers["x-amz-x509"] = base64.b64encode(twin.der).decode()
        denied(call, match)
    call = site.call(host)
    call.serial = str(other.certificate.serial_number)
    denied(call.sign(), match)
    call = site.call(host)
    call.serial = f"{serial:x}"
    denied(call.sign(), match)
    call = site.call(host).sign()
    call.headers["authorization"] = call.headers["authorization"][:-2] + "00"
    denied(call, match)
    upper = site.call(host).sign()
    head, signature = upper.headers["authorization"].rsplit("=", 1)
    upper.headers["authorization"] = f"{head}={signature.upper()}"
    denied(upper, match)


def test_signature_covers_the_request(site):
    host, chain = site.root.issue(("CN", "host")), [site.root]
    match = "does not match"
    elsewhere = Site(site.account, root=site.root)
    call = site.call(host).sign()
    call.query = site.call(host, roleArn=elsewhere.role["Arn"]).query
    denied(call, match)
    call = site.call(host, {"durationSeconds": 900}).sign()
    call.body = b'{"durationSeconds": 901}'
    denied(call, match)
    call = site.call(host)
    call.headers["host"] = "rolesanywhere.us-east-1.amazonaws.com"
    call.sign()
    call.headers["host"] = call.host
    denied(call, match)
    for field in ("x-amz-x509", "x-amz-x509-chain", "x-amz-date"):
        denied(site.call(host, chain=chain).sign(unsigned=[field]), match)
    call = site.call(host).sign()
    call.headers["x-amz-x509-chain"] = site.call(host, chain=chain).headers["x-amz-x509-chain"]
    denied(call, match)
    call = site.call(host).sign()
    call.headers["x-amz-meta-more"] = "x"
    denied(call, match)
    denied(site.call(host).sign(unsigned=["host"]), "must be a 'SignedHeader'", "InvalidSignatureException")
    for region in ("eu-west-1", "US-EAST-1"):
        denied(site.call(host, region=region).sign(), "region")


def test_signature_is_good_for_fifteen_minutes(site):
    host, minutes = site.root.issue(), lambda n: anywhere.now() + datetime.timedelta(minutes=n)
    denied(site.call(host, time=minutes(-16)).sign(), "Signature expired")
    denied(site.call(host, time=minutes(16)).sign(), "Signature not yet current")
    granted(site.call(host, time=minutes(-14)).sign())


def test_other_credentials_open_nothing(site, server):
    host = site.root.issue()
    for algorithm, code in [
        ("AWS4-HMAC-SHA256", "IncompleteSignatureException"),
        ("AWS4-X509-MLDSA", "IncompleteSignatureException"),
        ("AWS4-X509-ECDSA-SHA1", "IncompleteSignatureException"),
        ("AWS4-X509-RSA-SHA256", "AccessDeniedException"),
    ]:
        denied(site.call(host).sign(algorithm=algorithm), "", code)
    unsigned = site.call(host)
    status, code, _ = unsigned.send()
    assert (status, code) == (403, "MissingAuthenticationTokenException")
    token = site.call(host).sign()
    token.headers["x-amz-security-token"] = "x"
    denied(token, "Only one auth mechanism", "IncompleteSignatureException")
    query = site.call(host).sign()
    query.query += "&X-Amz-Credential=x"
    denied(query, "the query has no parameter `X-Amz-Credential`", "ValidationException")
    # By certificate nothing else can be called.
    other = site.call(host)
    other.path, other.query, other.body = "/trustanchors", "", b""
    status, code, _ = other.sign().send()
    assert status in (400, 403, 404), code


def test_certificates_in_headers_must_be_certificates(site):
    host = site.root.issue()
    der = host.der
    for wrong in (
        "!",
        "",
        base64.b64encode(der + b"\0").decode(),
        base64.b64encode(der[:-1]).decode(),
        base64.b64encode(b"\x30\x80" + der[4:] + b"\0\0").decode(),
        base64.b64encode(b"0" * 20_000).decode(),
        host.pem.replace("\n", ""),
    ):
        call = site.call(host)
        call.headers["x-amz-x509"] = wrong
        denied(call.sign(), "X-Amz-X509", "ValidationException")
    call = site.call(host)
    del call.headers["x-amz-x509"]
    denied(call.sign(), "The header X-Amz-X509 is missing.", "ValidationException")


def test_profile_lists_its_roles_and_no_other(home, other, fresh):
    host = fresh.root.issue()
    unlisted = home.role(trusting())
    fresh.refused("Unable to assume role", host, roleArn=unlisted["Arn"])
    foreign = other.role(trusting())
    fresh.refused("Unable to assume role", host, roleArn=foreign["Arn"])
    fresh.refused("Unable to assume role", host, roleArn=fresh.role["Arn"].upper().replace("ARN:AWS:IAM", "arn:aws:iam").replace(":ROLE", ":role"))
    # Another role of the same name is not the one that was passed.
    home.iam.delete_role_policy(RoleName=fresh.role["RoleName"], PolicyName="p0")
    home.iam.delete_role(RoleName=fresh.role["RoleName"])
    fresh.refused("Unable to assume role", host)
    home.iam.create_role(RoleName=fresh.role["RoleName"], AssumeRolePolicyDocument=trusting())
    fresh.refused("Unable to assume role", host)
    fresh.client.update_profile(profileId=fresh.profile["profileId"], roleArns=[fresh.role["Arn"]])
    fresh.session(host)


def test_accounts_are_apart(home, other, fresh):
    there = Site(other)
    host, stranger = fresh.root.issue(), there.root.issue()
    fresh.refused(UNTRUSTED, stranger)
    # Another account's anchor with my profile and role, and the other way round.
    fresh.refused("Profile not found.", stranger, trustAnchorArn=there.anchor["trustAnchorArn"], code="ResourceNotFoundException")
    fresh.refused("Profile not found.", host, profileArn=there.profile["profileArn"], code="ResourceNotFoundException")
    fresh.refused("Unable to assume role", host, roleArn=there.role["Arn"])
    for arn in (there.anchor["trustAnchorArn"], there.anchor["trustAnchorId"]):
        with refused(("AccessDeniedException", "ResourceNotFoundException")):
            fresh.client.get_trust_anchor(trustAnchorId=arn)
        with refused(("AccessDeniedException", "ResourceNotFoundException")):
            fresh.client.delete_trust_anchor(trustAnchorId=arn)
    assert there.anchor["trustAnchorId"] not in json.dumps(fresh.client.list_trust_anchors(), default=str)
    with refused("ValidationException"):
        fresh.client.import_crl(name="x", crlData=there.root.revoke(1), trustAnchorArn=there.anchor["trustAnchorArn"])
    with refused(("AccessDeniedException", "ValidationException")):
        fresh.client.create_profile(name="x", roleArns=[there.role["Arn"]])
    with refused(("AccessDeniedException", "ResourceNotFoundException")):
        fresh.client.tag_resource(resourceArn=there.anchor["trustAnchorArn"], tags=[{"key": "a", "value": "b"}])


def test_intermediate_of_one_anchor_opens_no_other(home):
    both = authority(name("Both"))
    here, there = both.issue(("CN", "Here"), ca=0), both.issue(("CN", "There"), ca=0)
    site = Site(home, root=here)
    site.session(here.issue(("CN", "host")))
    site.refused(UNTRUSTED, there.issue(("CN", "host")), chain=[there])
    site.refused(UNTRUSTED, there.issue(("CN", "host")), chain=[there, both])
    # A bundle trusts each of its authorities.
    bundle = site.add_anchor(here, there)
    site.session(there.issue(("CN", "host")), trustAnchorArn=bundle["trustAnchorArn"])


def test_mapping_decides_which_values_become_tags(home, house):
    site = Site(home)
    role, profile, client = site.role["RoleName"], site.profile["profileId"], site.client
    fields = {row["certificateField"]: row["mappingRules"] for row in client.get_profile(profileId=profile)["profile"]["attributeMappings"]}
    assert fields == {field: [{"specifier": "*"}] for field in ("x509Subject", "x509Issuer", "x509SAN")}
    asks = {"StringEquals": {"aws:PrincipalTag/x509Subject/OU": "fleet"}}
    home.iam.update_assume_role_policy(RoleName=role, PolicyDocument=trusting(asks))
    host = site.root.issue(("OU", "fleet"), ("CN", "host"))
    site.session(host)
    client.put_attribute_mapping(profileId=profile, certificateField="x509Subject", mappingRules=[{"specifier": "CN"}])
    site.refused("Not authorized to perform sts:", host)
    client.put_attribute_mapping(
        profileId=profile, certificateField="x509Subject", mappingRules=[{"specifier": "CN"}, {"specifier": "OU"}]
    )
    site.session(host)
    client.delete_attribute_mapping(profileId=profile, certificateField="x509Subject", specifiers=["OU"])
    site.refused("Not authorized to perform sts:", host)
    client.delete_attribute_mapping(profileId=profile, certificateField="x509Subject")
    site.refused("Not authorized to perform sts:", host)
    with refused("ValidationException"):
        client.delete_attribute_mapping(profileId=profile, certificateField="x509Subject")


def test_values_that_are_no_tags_make_no_session(site):
    for subject in (
        (("CN", "host,OU=admin"),),
        (("CN", "host"), ("O", "Example, Inc.")),
        (("CN", "*"),),
        (("CN", "a" * 64), ("OU", "${aws:username}")),
        (("CN", "host name"),),
    ):
        status, code, body = site.call(site.root.issue(*subject)).sign().send()
        assert (status, code) in ((400, "ValidationException"), (403, "AccessDeniedException")), body
        assert "InternalFailure" not in body["message"]
    # A plus sign is a letter like others, and no second name.
    body = site.session(site.root.issue(("CN", "host+OU=admin")))
    assert body["credentialSet"][0]["sourceIdentity"] == "CN=host+OU=admin"


def test_serial_numbers_of_any_length_name_the_session(site):
    for serial in (1, 255, 2**64, 2**159 - 1):
        site.session(site.root.issue(("CN", "host"), serial=serial))


def test_profile_takes_roles_only_of_who_may_pass_them(home, house, site):
    arn, common = site.role["Arn"], {"roleArns": [site.role["Arn"]]}

    def may(*documents):
        return house.client("rolesanywhere", home.user(*documents).keys)

    with refused("AccessDeniedException"):
        may(allow("rolesanywhere:*")).create_profile(name="p", **common)
    with refused("AccessDeniedException"):
        may(allow("rolesanywhere:*"), allow("iam:PassRole", arn + "x")).create_profile(name="p", **common)
    elsewhere = allow("iam:PassRole", condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})
    with refused("AccessDeniedException"):
        may(allow("rolesanywhere:*"), elsewhere).create_profile(name="p", **common)
    here = allow("iam:PassRole", condition={"StringEquals": {"iam:PassedToService": SERVICE}})
    made = may(allow("rolesanywhere:*"), here).create_profile(name="p", **common)["profile"]
    assert made["enabled"] is False and made["durationSeconds"] == 3600
    weak = may(allow("rolesanywhere:*"))
    with refused("AccessDeniedException"):
        weak.update_profile(profileId=made["profileId"], roleArns=[arn])
    weak.update_profile(profileId=made["profileId"], name="other")


def test_permissions_are_asked_on_the_resource(home, house, site):
    arn = site.anchor["trustAnchorArn"]
    weak = house.client("rolesanywhere", home.user(allow("rolesanywhere:GetTrustAnchor", arn)).keys)
    assert weak.get_trust_anchor(trustAnchorId=arn)["trustAnchor"]["trustAnchorArn"] == arn
    assert weak.get_trust_anchor(trustAnchorId=site.anchor["trustAnchorId"])["trustAnchor"]["trustAnchorArn"] == arn
    for call, given in [
        (weak.get_trust_anchor, {"trustAnchorId": Site(home).anchor["trustAnchorId"]}),
        (weak.disable_trust_anchor, {"trustAnchorId": arn}),
        (weak.list_trust_anchors, {}),
        (weak.get_profile, {"profileId": site.profile["profileArn"]}),
        (weak.list_tags_for_resource, {"resourceArn": arn}),
    ]:
        with refused("AccessDeniedException", status=403):
            call(**given)
    site.client.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "red"}])
    red = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    tagged = house.client("rolesanywhere", home.user(allow("rolesanywhere:*", condition=red)).keys)
    tagged.get_trust_anchor(trustAnchorId=arn)
    site.client.untag_resource(resourceArn=arn, tagKeys=["team"])
    with refused("AccessDeniedException"):
        tagged.get_trust_anchor(trustAnchorId=arn)


def test_tags_are_kept_and_listed(fresh):
    for arn in (fresh.anchor["trustAnchorArn"], fresh.profile["profileArn"]):
        fresh.client.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}, {"key": "a", "value": "1"}])
        found = fresh.client.list_tags_for_resource(resourceArn=arn)["tags"]
        assert found == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
        fresh.client.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert fresh.client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    arn = fresh.anchor["trustAnchorArn"]
    with refused("TooManyTagsException", status=400):
        fresh.client.tag_resource(resourceArn=arn, tags=[{"key": f"k{n}", "value": ""} for n in range(200)])
    with refused("ValidationException"):
        fresh.client.tag_resource(resourceArn=arn, tags=[{"key": "aws:x", "value": ""}])


def test_what_nobody_would_do_is_refused(fresh, house, home):
    client = house.client("rolesanywhere", home.keys, lax=True)
    bundle = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": fresh.root.pem}}
    pca = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/x"
    for more in (
        {"source": {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": pca}}},
        {"source": {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"acmPcaArn": pca}}},
        {"source": {"sourceType": "SELF_SIGNED_REPOSITORY", "sourceData": {"x509CertificateData": fresh.root.pem}}},
        {"source": {"sourceType": "CERTIFICATE_BUNDLE"}},
        {"crlDpRevocationEnabled": True},
        {"aliasName": "x"},
        {"notificationSettings": [{"enabled": True, "event": "CA_CERTIFICATE_EXPIRY"}]},
        {"tags": [{"key": "a", "value": "1"}, {"key": "A", "value": "1"}]},
        {"name": "a/b"},
        {"name": ""},
    ):
        with refused("ValidationException", status=400):
            client.create_trust_anchor(**{"name": "x", "source": bundle, **more})
    leaf = fresh.root.issue()
    expired = authority("Old", to_days=-0.01)
    key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    no_sign = authority("No sign", usages=("digital_signature",))
    for data in (leaf.pem, expired.pem, no_sign.pem, "x", fresh.root.pem + key, fresh.root.pem + leaf.pem):
        with refused("ValidationException", status=400):
            source = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": data}}
            client.create_trust_anchor(name="x", source=source)
    common = {"name": "x", "roleArns": [fresh.role["Arn"]]}
    for more in (
        {"aliasName": "x"},
        {"tipConfiguration": {"status": "ENABLED"}},
        {"sessionPolicy": "{"},
        {"sessionPolicy": policy(*(statement("s3:GetObject", f"arn:aws:s3:::{'b' * 60}/{n}") for n in range(30)))},
        {"managedPolicyArns": ["arn:aws:iam::aws:policy/NoSuchPolicy"]},
        {"durationSeconds": 899},
        {"roleArns": ["arn:aws:iam::111122223333:user/x"]},
        {"roleArns": [fresh.role["Arn"] + "x"]},
    ):
        with refused("ValidationException", status=400):
            client.create_profile(**{**common, **more})
    anchor = {"trustAnchorId": fresh.anchor["trustAnchorId"]}
    with refused("ValidationException", status=400):
        client.put_notification_settings(notificationSettings=[], **anchor)
    with refused("ValidationException", status=400):
        client.reset_notification_settings(notificationSettingKeys=[], **anchor)


def test_lists_come_in_pages(other):
    site = Site(other)
    for _ in range(4):
        site.add_profile()
    found = [row["profileId"] for row in site.client.list_profiles()["profiles"]]
    pages = list(site.client.get_paginator("list_profiles").paginate(pageSize=2))
    assert [len(page["profiles"]) for page in pages][:2] == [2, 2]
    assert [row["profileId"] for page in pages for row in page["profiles"]] == found
    token = site.client.list_profiles(pageSize=2)["nextToken"]
    with refused("ValidationException", "Invalid nextToken."):
        site.client.list_trust_anchors(nextToken=token)


def test_anchor_is_updated(fresh):
    root = authority("Next")
    source = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": root.pem}}
    before = fresh.root.issue()
    fresh.session(before)
    changed = fresh.client.update_trust_anchor(trustAnchorId=fresh.anchor["trustAnchorId"], source=source, name="next")
    assert changed["trustAnchor"]["name"] == "next" and changed["trustAnchor"]["enabled"]
    fresh.refused(UNTRUSTED, before)
    fresh.session(root.issue())


def test_command_line_and_a_credential_process_work_unchanged(home, server, site, tmp_path):
    given = cli.environment(server, home.keys)

    def aws(*arguments):
        done = cli.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    root = tmp_path / "root.pem"
    root.write_text(site.root.pem)
    source = f"sourceType=CERTIFICATE_BUNDLE,sourceData={{x509CertificateData={site.root.pem}}}"
    anchor = aws("rolesanywhere", "create-trust-anchor", "--name", "cli", "--enabled", "--source", source)["trustAnchor"]
    profile = aws(
        "rolesanywhere", "create-profile", "--name", "cli", "--enabled", "--role-arns", site.role["Arn"]
    )["profile"]
    listed = aws("rolesanywhere", "list-trust-anchors")["trustAnchors"]
    assert anchor["trustAnchorArn"] in [row["trustAnchorArn"] for row in listed]
    host = site.root.issue(("CN", "cli"))

    certificate, key = tmp_path / "host.pem", tmp_path / "host.key"
    certificate.write_text(host.pem)
    text = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(host.key.private_bytes(*text))
    program = [
        sys.executable, anywhere.__file__, server.endpoint, "us-east-1", str(certificate), str(key),
        anchor["trustAnchorArn"], profile["profileArn"], site.role["Arn"],
    ]
    config = tmp_path / "config"
    config.write_text(f"[profile machine]\ncredential_process = {' '.join(program)}\nregion = us-east-1\n")
    held = {**given, "AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "machine"}
    for gone in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        held.pop(gone, None)
    done = cli.run("sts", "get-caller-identity", given=held)
    assert done.returncode == 0, done.stderr
    assert f":assumed-role/{site.role['RoleName']}/" in json.loads(done.stdout)["Arn"]
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    done = subprocess.run([sys.executable, "-c", code], env=held, capture_output=True, text=True, timeout=60)
    assert f":assumed-role/{site.role['RoleName']}/" in done.stdout, done.stderr


def test_audit_tells_who_came_and_how(server, site):
    host = site.root.issue(("CN", name("audited")))
    site.session(host)
    common = host.certificate.subject.rfc4514_string()
    lines = [json.loads(line) for path in server.audits() for line in path.read_text().splitlines()]
    found = [line for line in lines if line.get("eventName") == "CreateSession" and common in json.dumps(line)]
    assert found, common
    event = found[-1]
    assert event["eventSource"] == SERVICE and event["userIdentity"] == {"type": "AWSService", "invokedBy": SERVICE}
    assert event["requestParameters"]["trustAnchorArn"] == site.anchor["trustAnchorArn"]
    assert event["additionalEventData"]["serialNumber"] == str(host.certificate.serial_number)
    assert "secretAccessKey" not in json.dumps(event) and "sessionToken" not in json.dumps(event["responseElements"])
