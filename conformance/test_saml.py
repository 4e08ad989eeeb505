"""AssumeRoleWithSAML by pysaml2, whose metadata is registered as it makes it: boto3 and the AWS CLI exchange its responses,
signed, signed twice, encrypted, with a new key, and with everything that AWS reads of them.

AWS sources: AssumeRoleWithSAML in the AWS STS API Reference; CreateSAMLProvider and UpdateSAMLProvider in the AWS IAM API
Reference; "Configure SAML assertions for the authentication response" and "Pass session tags in AWS STS" in the IAM User Guide.
"""

import base64
import datetime
import hashlib
import json

import pytest
from saml2.server import Server as UnchangedPysaml2

from support import cli
from support.certified import Certified
from support.client import Account, House, allow, refused, seconds_from_now, trust
from support.saml import ACS, AWS, HandMade, form, instant
from support.saml_idp import ENTITY, Pysaml2, roles
from support.server import Keys, Server
from support.vouched import SAML_ACTIONS, Role, SamlProvider, assume

NOT_SIGNED = "Response (with optional signature) must contain an assertion with a mandatory signature"
NOT_VALID = "Response signature invalid"
DENIED = "Not authorized to perform sts:AssumeRoleWithSAML"


@pytest.fixture(scope="module")
def idp(environment, tmp_path_factory):
    return Pysaml2(tmp_path_factory.mktemp("pysaml2"))


@pytest.fixture(scope="module")
def provider(home, idp):
    return SamlProvider(home, idp.metadata())


@pytest.fixture(scope="module")
def sts(house):
    return house.nobody()


def name_qualifier(provider):
    """As the STS API Reference has it."""
    text = f"{ENTITY}{provider.home.id}/{provider.name}"
    return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


def test_provider_is_shown_with_the_metadata_that_pysaml2_made(idp, provider, home):
    assert provider.arn == f"arn:aws:iam::{home.id}:saml-provider/{provider.name}"
    assert provider.shown["SAMLMetadataDocument"] == idp.metadata()
    assert provider.arn in [row["Arn"] for row in home.iam.list_saml_providers()["SAMLProviderList"]]
    with refused("EntityAlreadyExists"):
        home.iam.create_saml_provider(Name=provider.name, SAMLMetadataDocument=idp.metadata())
    with refused("InvalidInput"):
        provider.update(SAMLMetadataDocument="<html>".ljust(1000))


def test_response_becomes_a_session_with_all_that_the_answer_says(idp, provider, home, house, sts):
    role = provider.role(rights=allow("iam:ListRoles"))
    answer = assume(sts, role, idp.response(roles(role)))
    arn = f"arn:aws:sts::{home.id}:assumed-role/{role.name}/alice@example.test"
    del answer["ResponseMetadata"]
    keys, expiration = Keys.of(answer["Credentials"]), answer.pop("Credentials")["Expiration"]
    assert 3500 < seconds_from_now(expiration) <= 3601
    assert answer.pop("AssumedRoleUser")["Arn"] == arn
    assert answer.pop("SessionTokenSize") == len(keys.token) and answer.pop("SessionTokenUtilization") > 0
    assert answer == {
        "Subject": "alice",
        "SubjectType": "persistent",
        "Issuer": ENTITY,
        "Audience": ACS,
        "NameQualifier": name_qualifier(provider),
    }
    assert house.sts(keys).get_caller_identity()["Arn"] == arn
    house.iam(keys).list_roles()
    with refused("AccessDenied"):
        house.iam(keys).list_users()


@pytest.mark.parametrize("signed", [{"sign_assertion": True}, {"sign_response": True, "sign_assertion": True}])
def test_signature_of_the_assertion_counts_with_or_without_one_of_the_response(idp, provider, sts, signed):
    role = provider.role()
    assert assume(sts, role, idp.response(roles(role), **signed))["Subject"] == "alice"


@pytest.mark.parametrize("signed", [{"sign_assertion": False}, {"sign_response": True, "sign_assertion": False}])
def test_assertion_without_a_signature_of_its_own_is_refused(idp, provider, sts, signed):
    role = provider.role()
    with refused("InvalidIdentityToken", NOT_SIGNED, 400):
        assume(sts, role, idp.response(roles(role), **signed))


def test_new_signing_certificate_counts_once_it_is_uploaded(home, sts, tmp_path):
    idp = Pysaml2(tmp_path)
    provider = SamlProvider(home, idp.metadata())
    role, old = provider.role(), idp.server
    assume(sts, role, idp.response(roles(role)))
    idp.rotate()
    with refused("InvalidIdentityToken", NOT_VALID):
        assume(sts, role, idp.response(roles(role)))
    provider.update(SAMLMetadataDocument=idp.metadata())
    assume(sts, role, idp.response(roles(role)))
    idp.server = old
    with refused("InvalidIdentityToken", NOT_VALID):
        assume(sts, role, idp.response(roles(role)))


# --- encryption ------------------------------------------------------------------------------------------

CBC, GCM = "http://www.w3.org/2001/04/xmlenc#aes{}-cbc", "http://www.w3.org/2009/xmlenc11#aes{}-gcm"


@pytest.fixture(scope="module")
def encrypting(environment, home, tmp_path_factory):
    """pysaml2 encrypts for a key whose private half the provider has."""
    folder = tmp_path_factory.mktemp("encrypting")
    idp = Pysaml2(folder, Certified(folder, "reader"))
    return idp, SamlProvider(home, idp.metadata(), AddPrivateKey=idp.reader.private)


@pytest.mark.parametrize("cipher", [CBC, GCM])
@pytest.mark.parametrize("bits", [128, 256])
def test_encrypted_assertion_is_read_with_the_private_key_of_the_provider(encrypting, sts, cipher, bits):
    idp, provider = encrypting
    role = provider.role()
    idp.server.cipher, idp.server.session_key = cipher.format(bits), f"aes-{bits}"
    response = idp.response(roles(role), encrypt_assertion=True)
    assert b"EncryptedAssertion" in base64.b64decode(response) and b"alice" not in base64.b64decode(response)
    assert assume(sts, role, response)["Subject"] == "alice"


def test_encryption_replaces_no_signature_and_triple_des_is_not_read(encrypting, home, sts):
    idp, provider = encrypting
    role = provider.role()
    with refused("InvalidIdentityToken", NOT_VALID):
        assume(sts, role, idp.response(roles(role), encrypt_assertion=True, sign_assertion=False))
    unchanged = Pysaml2(idp.folder, idp.reader, kind=UnchangedPysaml2)
    provider = SamlProvider(home, unchanged.metadata(), AddPrivateKey=idp.reader.private)
    role = provider.role()
    assume(sts, role, unchanged.response(roles(role)))
    with refused("InvalidIdentityToken", NOT_VALID):
        assume(sts, role, unchanged.response(roles(role), encrypt_assertion=True))


def test_encryption_is_required_and_its_keys_change(home, sts, tmp_path):
    old, new = Certified(tmp_path, "old"), Certified(tmp_path, "new")
    idp = Pysaml2(tmp_path, old)
    provider = SamlProvider(home, idp.metadata(), AddPrivateKey=old.private, AssertionEncryptionMode="Required")
    role = provider.role()
    with refused("InvalidIdentityToken", "Response must contain an encrypted assertion"):
        assume(sts, role, idp.response(roles(role)))
    assume(sts, role, idp.response(roles(role), encrypt_assertion=True))
    before = provider.shown["PrivateKeyList"]
    provider.update(AddPrivateKey=new.private)
    assume(sts, role, idp.response(roles(role), encrypt_assertion=True))
    provider.update(RemovePrivateKey=before[0]["KeyId"])
    with refused("InvalidIdentityToken", NOT_VALID):
        assume(sts, role, idp.response(roles(role), encrypt_assertion=True))
    idp.reader = new
    idp.rotate()
    provider.update(SAMLMetadataDocument=idp.metadata())
    assume(sts, role, idp.response(roles(role), encrypt_assertion=True))
    assert "KEY" not in json.dumps(provider.shown["PrivateKeyList"], default=str)
    own = f"{ACS}/acs/{provider.shown['SAMLProviderUUID']}"
    assert assume(sts, role, idp.response(roles(role), acs=own, encrypt_assertion=True))["Audience"] == own


# --- what an assertion passes ----------------------------------------------------------------------------

CHAINED = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]


def test_attributes_become_tags_a_source_identity_and_conditions(idp, provider, home, house, sts):
    trusted = {
        "StringEquals": {
            "saml:aud": ACS,
            "saml:iss": ENTITY,
            "saml:sub": "alice",
            "saml:sub_type": "persistent",
            "saml:doc": f"{home.id}/{provider.name}",
            "saml:namequalifier": name_qualifier(provider),
            "sts:RoleSessionName": "alice@example.test",
            "sts:SourceIdentity": "alice.a",
            "aws:RequestTag/Team": "blue",
            "aws:RequestTag/Cost Center": "12 + 13",
        },
        "ForAnyValue:StringEquals": {"saml:edupersonaffiliation": "staff", "sts:TransitiveTagKeys": "Team"},
    }
    kept = {
        "StringEquals": {
            "saml:sub": "alice",
            "saml:sub_type": "persistent",
            "aws:FederatedProvider": provider.arn,
            "aws:SourceIdentity": "alice.a",
            "aws:PrincipalTag/Team": "blue",
            "aws:PrincipalTag/Cost Center": "12 + 13",
        },
        "Null": {"saml:aud": "true", "saml:iss": "true", "saml:doc": "true", "saml:edupersonaffiliation": "true"},
    }
    role = provider.role(trusted, allow("*", condition=kept))
    said = {
        "SourceIdentity": ["alice.a"],
        "PrincipalTag:Team": ["blue"],
        "PrincipalTag:Cost Center": ["12 + 13"],
        "TransitiveTagKeys": ["Team"],
    }
    # pysaml2 knows eduPerson's attributes and sends them by their numbers.
    identity = {**roles(role, **said), "eduPersonAffiliation": ["member", "staff"]}
    response = idp.response(identity)
    assert b"urn:oid:1.3.6.1.4.1.5923.1.1.1.1" in base64.b64decode(response)
    answer = assume(sts, role, response)
    assert answer["SourceIdentity"] == "alice.a" and answer["PackedPolicySize"] > 0
    keys = Keys.of(answer["Credentials"])
    house.iam(keys).list_users(MaxItems=1)

    chained = home.role(trust(role.arn, CHAINED), allow("*", condition=tag("Team", "blue")))
    further = house.sts(keys).assume_role(RoleArn=chained["Arn"], RoleSessionName="next")
    house.iam(Keys.of(further["Credentials"])).list_users(MaxItems=1)
    chained = home.role(trust(role.arn, CHAINED), allow("*", condition=tag("Cost Center", "12 + 13")))
    further = house.sts(keys).assume_role(RoleArn=chained["Arn"], RoleSessionName="next")
    with refused("AccessDenied"):
        house.iam(Keys.of(further["Credentials"])).list_users(MaxItems=1)

    for change in [
        {"eduPersonAffiliation": ["member"]},
        {f"{AWS}PrincipalTag:Team": ["red"]},
        {f"{AWS}SourceIdentity": ["bob"]},
        {f"{AWS}TransitiveTagKeys": ["Cost Center"]},
    ]:
        with refused("AccessDenied", DENIED, 403):
            assume(sts, role, idp.response({**identity, **change}))
    with refused("AccessDenied", DENIED, 403):
        assume(sts, role, idp.response(identity, subject="bob"))


def tag(key, value):
    return {"StringEquals": {f"aws:PrincipalTag/{key}": value}}


@pytest.mark.parametrize(
    "allowed,said",
    [("sts:SetSourceIdentity", {"PrincipalTag:Team": ["blue"]}), ("sts:TagSession", {"SourceIdentity": ["alice.a"]})],
)
def test_what_is_passed_must_be_allowed_by_the_trust_policy(idp, provider, sts, allowed, said):
    role = provider.role(actions=["sts:AssumeRoleWithSAML", allowed])
    with refused("AccessDenied", DENIED):
        assume(sts, role, idp.response(roles(role, **said)))
    assume(sts, role, idp.response(roles(role)))


def test_session_lasts_no_longer_than_any_of_three_says(idp, provider, sts):
    role = provider.role(MaxSessionDuration=7200)

    def seconds(asked=None, session=None, **said):
        more = {"DurationSeconds": asked} if asked else {}
        response = idp.response(roles(role, **said), session_not_on_or_after=session)
        return seconds_from_now(assume(sts, role, response, **more)["Credentials"]["Expiration"])

    assert 7100 < seconds(7200) <= 7201
    assert 3500 < seconds(7200, SessionDuration=["3600"]) <= 3601
    assert 3500 < seconds(SessionDuration=["7200"]) <= 3601
    assert 500 < seconds(7200, session=instant(minutes=10)) <= 601
    with refused("ValidationError"):
        seconds(7201, SessionDuration=["3600"])
    with refused("InvalidIdentityToken"):
        seconds(SessionDuration=["899"])


def test_session_policy_narrows(idp, provider, house, sts):
    role = provider.role()
    answer = assume(sts, role, idp.response(roles(role)), Policy=allow("iam:ListRoles"), DurationSeconds=900)
    keys = Keys.of(answer["Credentials"])
    house.iam(keys).list_roles(MaxItems=1)
    with refused("AccessDenied"):
        house.iam(keys).list_users(MaxItems=1)
    assert answer["PackedPolicySize"] > 0 and seconds_from_now(answer["Credentials"]["Expiration"]) < 901


def test_cli_exchanges_a_response(idp, provider, house, server, tmp_path):
    role = provider.role()
    file = tmp_path / "response.b64"
    file.write_text(idp.response(roles(role)), encoding="ascii")
    call = ["--role-arn", role.arn, "--principal-arn", role.provider, "--saml-assertion", f"file://{file}"]
    done = cli.run("sts", "assume-role-with-saml", *call, given=cli.environment(server))
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["Subject"], answer["Issuer"]) == ("alice", ENTITY)
    keys = Keys.of(answer["Credentials"])
    done = cli.run("sts", "get-caller-identity", given=cli.environment(server, keys))
    assert json.loads(done.stdout)["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert datetime.datetime.fromisoformat(answer["Credentials"]["Expiration"])
    again = cli.run("sts", "assume-role-with-saml", *call, given=cli.environment(server))
    assert again.returncode != 0 and "(InvalidIdentityToken)" in again.stderr, again.stderr


def test_response_is_sent_to_the_servers_own_address(environment, idp, tmp_path):
    host = "sts.example.test"
    server = Server(tmp_path, "--public-url", f"https://{host}")
    # The banner says what clients use; where it listens stands beside the data.
    server.endpoint = (server.data / "daypass.lock").read_text(encoding="ascii").split()[-1]
    house = House(server)
    house.session.events.register("before-sign", lambda request, **_: request.headers.add_header("Host", host))
    provider, sts = SamlProvider(Account(house, server.root_keys()), idp.metadata()), house.nobody()
    role = provider.role({"StringEquals": {"saml:aud": f"https://{host}/saml"}})
    assert assume(sts, role, idp.response(roles(role), acs=f"https://{host}/saml"))["Audience"] == f"https://{host}/saml"
    with refused("AccessDenied", DENIED):
        assume(sts, role, idp.response(roles(role)))
    for other in ("https://sts.example.test/saml/", "http://sts.example.test/saml", f"{server.endpoint}/saml"):
        with refused("InvalidIdentityToken", "Response does not contain the required recipient."):
            assume(sts, role, idp.response(roles(role), acs=other))
    assert server.stop() == 0


# --- roles, as assertions list them -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "listed",
    [
        lambda role: [f"{role.provider},{role.arn}"],
        lambda role: [f"  {role.arn} ,\n {role.provider}\t"],
        lambda role: ["arn:aws:iam::111122223333:role/a", "", "no role,at all", str(role)],
        lambda role: [str(role)] * 2,
    ],
)
def test_pair_is_found_in_any_order_with_blanks_and_among_others(provider, idp, sts, listed):
    role = provider.role(Path="/of/some,path/")
    assert assume(sts, role, idp.response(roles(*listed(role))))["Subject"] == "alice"


def test_provider_leads_to_roles_of_its_own_account_that_trust_it(provider, idp, home, other, sts):
    theirs = SamlProvider(other, idp.metadata())
    trusting = trust({"Federated": [provider.arn, theirs.arn]}, SAML_ACTIONS)
    role = Role(other.role(trusting)["Arn"], provider.arn, "of another account")
    with refused("AccessDenied", DENIED):
        assume(sts, role, idp.response(roles(role)))
    assume(sts, role._replace(provider=theirs.arn), idp.response(roles(role._replace(provider=theirs.arn))))
    second = SamlProvider(home, idp.metadata())
    role = second.role()._replace(provider=provider.arn)
    with refused("AccessDenied", DENIED):
        assume(sts, role, idp.response(roles(role)))
    missing = Role(f"arn:aws:iam::{home.id}:role/nobody", provider.arn, "nobody")
    with refused("AccessDenied", DENIED):
        assume(sts, missing, idp.response(roles(missing)))
    home.iam.delete_saml_provider(SAMLProviderArn=second.arn)
    gone = role._replace(provider=second.arn)
    with refused("InvalidIdentityToken", "Specified provider doesn't exist"):
        assume(sts, gone, idp.response(roles(gone)))


# --- metadata in other forms -------------------------------------------------------------------------------


def test_metadata_of_a_federation_counts_for_its_one_identity_provider(idp, home, sts):
    provider = SamlProvider(home, idp.federation(valid_for=2))
    assert 7000 < seconds_from_now(provider.shown["ValidUntil"]) <= 7201
    role = provider.role()
    assert assume(sts, role, idp.response(roles(role)))["Issuer"] == ENTITY
    provider.update(SAMLMetadataDocument=idp.federation(valid_for=-1))
    with refused("InvalidIdentityToken", "Metadata of the specified provider has expired"):
        assume(sts, role, idp.response(roles(role)))
    provider.update(SAMLMetadataDocument=idp.federation())
    assume(sts, role, idp.response(roles(role)))
    assert seconds_from_now(provider.shown["ValidUntil"]) > 99 * 365 * 86_400


def test_metadata_that_does_not_say_who_signs_is_refused(idp, home):
    whole = idp.metadata()
    for wrong in (
        whole.replace("IDPSSODescriptor", "SPSSODescriptor"),
        whole.replace("SingleSignOnService", "SingleLogoutService"),
        whole.replace('use="signing"', 'use="encryption"'),
        whole.replace('entityID="', 'entityId="'),
        whole.replace("X509Certificate>MII", "X509Certificate>MIJ"),
        "<!DOCTYPE a>" + whole,
        whole + whole,
        idp.federation().replace("SPSSODescriptor", "IDPSSODescriptor"),
        json.dumps({"metadata": whole}),
    ):
        with refused(("InvalidInput", "ValidationError")):
            SamlProvider(home, wrong)
    assert SamlProvider(home, whole).shown["Tags"] == []


def test_old_and_new_certificate_count_together(home, sts, tmp_path):
    old, new = HandMade(tmp_path), HandMade(tmp_path)
    provider = SamlProvider(home, new.metadata(old.pair))
    role = provider.role()
    for idp in (old, new):
        assert assume(sts, role, form(idp.signed(role)))["Issuer"] == idp.entity
    provider.update(SAMLMetadataDocument=new.metadata())
    with refused("InvalidIdentityToken", NOT_VALID):
        assume(sts, role, form(old.signed(role)))
