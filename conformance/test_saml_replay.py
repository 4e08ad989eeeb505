"""How often a SAML response counts: for each role that it lists once, whoever brings it, however many at a time and also after
a restart; or as the operator says. And what the audit has of it.

AWS sources: AssumeRoleWithSAML in the AWS STS API Reference, whose assertions count as often as they are brought for five
minutes; "CloudTrail userIdentity element" in the AWS CloudTrail User Guide. SAML 2.0 Profiles, section 4.1.4.5.
"""

import base64
import concurrent.futures
import json

import botocore.exceptions
import pytest

from support.client import Account, House, policy, refused, statement
from support.saml import ACS, HandMade, attribute, form
from support.server import Keys, Server
from support.vouched import SamlProvider, assume

USED = "The SAML Assertion was used before"


@pytest.fixture(scope="module")
def idp(environment, tmp_path_factory):
    return HandMade(tmp_path_factory.mktemp("replay"))


@pytest.fixture(scope="module")
def provider(home, idp):
    return SamlProvider(home, idp.metadata())


@pytest.fixture(scope="module")
def sts(house):
    return house.nobody()


def test_response_is_used_once_for_each_role_that_it_lists(idp, provider, sts):
    first, second, stranger = provider.role(), provider.role(), provider.role()
    response = form(idp.signed(first, second))
    with refused("InvalidIdentityToken"):
        assume(sts, stranger, response)
    assume(sts, first, response)
    with refused("InvalidIdentityToken", USED):
        assume(sts, first, response)
    assume(sts, second, response)
    with refused("InvalidIdentityToken", USED):
        assume(sts, second, response)
    # It is the assertion that is used up.
    assume(sts, first, form(idp.signed(first, second)))


def test_of_many_at_once_one_gets_the_session(idp, provider, house):
    role = provider.role()
    response = form(idp.signed(role))

    def bring(sts):
        try:
            return assume(sts, role, response)["Subject"]
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Message"]

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(bring, [house.nobody() for _ in range(12)]))
    assert sorted(answers) == sorted(["alice", *[USED] * 11])


def test_refusal_for_another_reason_uses_nothing_up(idp, provider, sts):
    role = provider.role(MaxSessionDuration=3600)
    response = form(idp.signed(role))
    nothing = [{"arn": "arn:aws:iam::aws:policy/Nothing"}]
    for wrong in ({"DurationSeconds": 7200}, {"Policy": "no policy"}, {"PolicyArns": nothing}):
        with pytest.raises(botocore.exceptions.ClientError):
            assume(sts, role, response, **wrong)
    assume(sts, role, response)


def test_same_assertion_in_another_envelope_is_the_same(idp, provider, sts):
    role = provider.role()
    assertion = idp.sign(idp.assertion(role))
    assume(sts, role, form(idp.response(assertion)))
    for again in (idp.response(assertion), idp.sign(idp.response(assertion)), f"<!-- -->{idp.response(assertion)}"):
        with refused("InvalidIdentityToken", USED):
            assume(sts, role, form(again))
    # Another name for the provider is none for the issuer, whose assertions they are.
    other = SamlProvider(provider.home, idp.metadata()).role()
    with refused("InvalidIdentityToken"):
        assume(sts, other, form(idp.response(assertion)))


def test_line_breaks_do_no_harm(idp, provider, sts):
    for end in ("\n", "\r\n"):
        role = provider.role()
        lines = base64.encodebytes(idp.signed(role).encode()).decode()
        assert assume(sts, role, lines.replace("\n", end))["Subject"] == "alice"


@pytest.mark.parametrize("rule,uses", [("once", 1), ("off", 3)])
def test_operator_says_how_often_a_response_counts(environment, idp, tmp_path, rule, uses):
    server = Server(tmp_path, "--saml-replay", rule)
    house = House(server)
    provider, sts = SamlProvider(Account(house, server.root_keys()), idp.metadata()), house.nobody()
    first, second = provider.role(), provider.role()
    response = form(idp.signed(first, second))
    for number, role in enumerate([first, first, second]):
        if number < uses:
            assert assume(sts, role, response)["Subject"] == "alice"
        else:
            with refused("InvalidIdentityToken", USED):
                assume(sts, role, response)
    assert server.stop() == 0


def test_restart_forgets_nothing(environment, idp, tmp_path):
    server = Server(tmp_path)
    house = House(server)
    role = SamlProvider(Account(house, server.root_keys()), idp.metadata()).role()
    response = form(idp.signed(role))
    keys = Keys.of(assume(house.nobody(), role, response)["Credentials"])
    assert server.stop() == 0
    server = Server(tmp_path)
    house = House(server)
    with refused("InvalidIdentityToken", USED):
        assume(house.nobody(), role, response)
    assume(house.nobody(), role, form(idp.signed(role)))
    assert f"/{role.name}/" in house.sts(keys).get_caller_identity()["Arn"]
    assert server.stop() == 0


def test_policies_and_the_audit_say_who_it_is(environment, idp, tmp_path):
    server = Server(tmp_path)
    house = House(server)
    home = Account(house, server.root_keys())
    provider = SamlProvider(home, idp.metadata())
    own = policy(statement("iam:GetUser", f"arn:aws:iam::{home.id}:user/${{saml:sub}}"))
    role = provider.role(rights=own)
    for name in ("alice", "bob"):
        home.iam.create_user(UserName=name)
    xml = idp.signed(role, more=attribute("PrincipalTag:Team", "blue"))
    answer = assume(house.nobody(), role, form(xml))
    alice = house.iam(Keys.of(answer["Credentials"]))
    alice.get_user(UserName="alice")
    with refused("AccessDenied"):
        alice.get_user(UserName="bob")
    with refused("InvalidIdentityToken"):
        assume(house.nobody(), role, form(xml))
    assert server.stop() == 0
    lines = "".join(path.read_text(encoding="utf-8") for path in server.audits()).splitlines()
    events = [event for event in map(json.loads, lines) if event["eventName"] == "AssumeRoleWithSAML"]
    assert [event.get("errorCode") for event in events] == [None, "InvalidIdentityTokenException"]
    qualifier = answer["NameQualifier"]
    who = {"type": "SAMLUser", "principalId": f"{qualifier}:alice", "userName": "alice", "identityProvider": qualifier}
    assert all(event["userIdentity"] == who and event["requestParameters"]["roleArn"] == role.arn for event in events)
    assert events[0]["requestParameters"]["sAMLAssertionID"] in xml
    assert events[0]["requestParameters"]["principalTags"] == {"Team": "blue"}
    assert (events[0]["responseElements"]["issuer"], events[0]["responseElements"]["audience"]) == (idp.entity, ACS)
    assert set(events[0]["responseElements"]["credentials"]) == {"accessKeyId", "expiration"}
