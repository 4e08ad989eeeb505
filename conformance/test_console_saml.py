"""`/saml` without a browser: what identity providers read of this server, its own addresses, where RelayState leads, how long
a session is, and encrypted assertions. pysaml2 is the provider.

AWS sources: "Enabling SAML 2.0 federated principals to access the AWS Management Console", "Configure SAML assertions for the
authentication response" and "Manage SAML encryption keys" in the IAM User Guide. Further: SAML 2.0 Metadata.
"""

import base64
import html
import urllib.parse

import pytest
from saml2 import BINDING_HTTP_POST
from saml2.mdstore import InMemoryMetaData

from support.certified import Certified
from support.client import Account, House
from support.saml import ACS, AUDIENCE, AWS
from support.saml_idp import Pysaml2, roles
from support.secrets import SHORTEST, hold
from support.server import Server
from support.visitor import Visitor
from support.vouched import SamlProvider, assume

PUBLIC = "https://daypass.example.test"
GRAFANA = "https://grafana.example.test/d/"
DESTINATION = "Response does not contain the required destination."
RECIPIENT = "Response does not contain the required recipient."
INVALID = "Your request included an invalid SAML response."
UNKNOWN = "The request has a parameter that is not known here."


class Place:
    """A server that knows its own address, and a company that read its metadata."""

    def __init__(self, folder):
        self.server = Server(folder, "--public-url", PUBLIC, "--console-destination", GRAFANA)
        # The banner says what clients use; where it listens stands beside the data.
        self.server.endpoint = (self.server.data / "daypass.lock").read_text(encoding="ascii").split()[-1]
        self.house = House(self.server)
        host = urllib.parse.urlsplit(PUBLIC).netloc
        self.house.session.events.register("before-sign", lambda request, **_: request.headers.add_header("Host", host))
        self.home = Account(self.house, self.server.root_keys())
        self.document = Visitor(self.server).get("/saml/metadata.xml")
        idps = folder / "idp"
        idps.mkdir()
        self.idp = Pysaml2(idps, read=self.document.text)
        self.provider = SamlProvider(self.home, self.idp.metadata())

    def bring(self, response, path="/saml", **more):
        """A visitor and the page that comes of their response."""
        if len(response) >= SHORTEST:
            hold("SAML response", response)
        visitor = Visitor(self.server)
        return visitor, visitor.post(path, {"SAMLResponse": response, **more})

    def enter(self, response, path="/saml", **more):
        """The page of the session that a response opens, and who looks at it."""
        visitor, entered = self.bring(response, path, **more)
        assert entered.status == 302, entered.text
        return visitor, visitor.get(entered.location)

    def session(self, role):
        """What is known of the one session of a role."""
        [found] = self.home.daypass.list_sessions(PrincipalArn=role.arn)["Sessions"]
        return found


@pytest.fixture(scope="module")
def place(environment, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("own-address"))
    yield place
    assert place.server.stop() == 0


# --- what identity providers read ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/saml/metadata.xml", "/static/saml-metadata.xml"])
def test_metadata_is_that_of_a_service_provider(place, path):
    document = Visitor(place.server).get(path)
    assert document.status == 200 and document.headers["Content-Type"] == "application/samlmetadata+xml"
    store = InMemoryMetaData(None, document.text)
    store.load()
    assert list(store.keys()) == [AUDIENCE] and "idpsso_descriptor" not in store[AUDIENCE]
    [consumer] = store.service(AUDIENCE, "spsso_descriptor", "assertion_consumer_service")[BINDING_HTTP_POST]
    assert (consumer["location"], consumer["is_default"]) == (f"{PUBLIC}/saml", "true")
    wanted = store.attribute_requirement(AUDIENCE)
    assert [known["name"] for known in wanted["required"]] == [f"{AWS}Role", f"{AWS}RoleSessionName"]
    # pysaml2 sends what was asked for and nothing else.
    assert [known["name"] for known in wanted["optional"]] == [f"{AWS}SessionDuration", f"{AWS}SourceIdentity"]
    [descriptor] = store[AUDIENCE]["spsso_descriptor"]
    assert descriptor["want_assertions_signed"] == "true"


def test_provider_that_read_the_metadata_sends_people_to_the_right_place(place):
    assert place.idp.address() == f"{PUBLIC}/saml"
    role = place.provider.role()
    response = place.idp.response(roles(role), acs=place.idp.address())
    assert PUBLIC in base64.b64decode(response).decode() and ACS not in base64.b64decode(response).decode()
    visitor, page = place.enter(response, urllib.parse.urlsplit(place.idp.address()).path)
    assert role.name in page.text and "alice@example.test" in page.text
    assert len({name for _, name in visitor.cookies}) == 1 and place.session(role)["SessionName"] == "alice@example.test"


def test_server_that_has_no_address_says_so(server):
    answer = Visitor(server).get("/saml/metadata.xml")
    assert answer.status == 400 and "--public-url" in answer.text and "EntityDescriptor" not in answer.text


# --- addresses -------------------------------------------------------------------------------------------


def test_awss_address_counts_beside_ones_own_and_no_other_does(place):
    for acs in (ACS, "https://eu-west-1.signin.aws.amazon.com/saml", f"{PUBLIC}/saml"):
        role = place.provider.role()
        _, page = place.enter(place.idp.response(roles(role), acs=acs))
        assert role.name in page.text, acs
    for acs in ("https://other.example.test/saml", f"{PUBLIC}/console/", f"{PUBLIC}.example.test/saml", f"{PUBLIC}/saml/"):
        role = place.provider.role()
        visitor, page = place.bring(place.idp.response(roles(role), acs=acs))
        assert page.status == 400 and (DESTINATION in page.text or RECIPIENT in page.text), acs
        assert visitor.cookies == {}


def test_own_address_is_none_where_nobody_said_so(server, home, tmp_path):
    idp = Pysaml2(tmp_path)
    provider = SamlProvider(home, idp.metadata())
    for acs, status in ((f"{PUBLIC}/saml", 400), (f"{server.endpoint}/saml", 400), (ACS, 302)):
        response = idp.response(roles(provider.role()), acs=acs)
        hold("SAML response", response)
        assert Visitor(server).post("/saml", {"SAMLResponse": response}).status == status, acs


def test_address_in_the_address_bar_is_no_sign_in(place):
    page = Visitor(place.server).get("/saml")
    assert page.status == 200 and "You are not signed in" in page.text


def test_form_with_more_than_is_known_is_refused(place):
    role = place.provider.role()
    response = place.idp.response(roles(role), acs=f"{PUBLIC}/saml")
    visitor, page = place.bring(response, PolicyArns="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert page.status == 400 and UNKNOWN in page.text and visitor.cookies == {}
    # Nothing was used up by that.
    place.enter(response, name="", portal="")


@pytest.mark.parametrize("response", ["", "garbage", "PHNhbWxwOlJlc3BvbnNlLz4=", "A" * 100_000])
def test_what_is_no_response_opens_nothing(place, response):
    visitor, page = place.bring(response)
    assert page.status == 400 and INVALID in page.text and visitor.cookies == {}
    assert page.headers["Cache-Control"] == "no-store"


# --- one role, several, and which --------------------------------------------------------------------------


def test_choice_is_one_of_those_that_were_offered(place):
    first, second, stranger = (place.provider.role() for _ in range(3))
    response = place.idp.response(roles(first, second), acs=f"{PUBLIC}/saml")
    visitor, chooser = place.bring(response, RelayState="x")
    assert chooser.status == 200 and visitor.cookies == {}
    fields = chooser.forms()["/saml"]
    assert (fields["SAMLResponse"], fields["RelayState"]) == (response, "x")
    refusal = visitor.post("/saml", {**fields, "roleIndex": stranger.arn})
    assert refusal.status == 403 and visitor.cookies == {}
    entered = visitor.post("/saml", {**fields, "roleIndex": second.arn})
    assert entered.status == 302 and second.name in visitor.get(entered.location).text
    # The call and the page share the uses of a response.
    assume(place.house.nobody(), first, response)
    assert "The SAML Assertion was used before" in visitor.post("/saml", {**fields, "roleIndex": first.arn}).text


@pytest.mark.parametrize(
    ("state", "leads"),
    [
        (f"{GRAFANA}abc?orgId=1", True),
        ("https://grafana.example.test/login", False),
        ("https://evil.example.test/", False),
        ("//evil.example.test/", False),
        ("javascript:alert(1)", False),
        ("ss:mem:0123456789", False),
        ("", False),
    ],
)
def test_relay_state_leads_where_the_operator_listed_and_nowhere_else(place, state, leads):
    role = place.provider.role()
    _, page = place.enter(place.idp.response(roles(role), acs=f"{PUBLIC}/saml"), RelayState=state)
    assert role.name in page.text
    assert ("Continue to" in page.text) == leads and (html.escape(state) in page.text) == (leads or not state)


def test_relay_state_comes_through_the_choice(place):
    listed = place.provider.role(), place.provider.role()
    visitor, chooser = place.bring(place.idp.response(roles(*listed), acs=f"{PUBLIC}/saml"), RelayState=f"{GRAFANA}abc")
    entered = visitor.post("/saml", {**chooser.forms()["/saml"], "roleIndex": listed[0].arn})
    assert f"Continue to {GRAFANA}abc" in visitor.get(entered.location).text


@pytest.mark.parametrize(("said", "seconds"), [(None, 3600), ("900", 900), ("43200", 43200)])
def test_session_is_as_long_as_the_provider_says(place, said, seconds):
    role = place.provider.role()
    attributes = roles(role, SourceIdentity=["alice"], **({"SessionDuration": [said]} if said else {}))
    place.enter(place.idp.response(attributes, acs=f"{PUBLIC}/saml"))
    found = place.session(role)
    assert abs((found["Expires"] - found["IssuedAt"]).total_seconds() - seconds) <= 2
    assert found["SourceIdentity"] == "alice"


# --- encrypted -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def encrypting(place, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encrypting-for-the-console")
    idp = Pysaml2(folder, Certified(folder, "reader"))
    provider = SamlProvider(place.home, idp.metadata(), AddPrivateKey=idp.reader.private, AssertionEncryptionMode="Required")
    return idp, provider, provider.shown["SAMLProviderUUID"]


def test_encrypted_assertion_comes_to_the_address_of_its_provider(place, encrypting):
    idp, provider, uuid = encrypting
    role = provider.role()
    own = f"{PUBLIC}/saml/acs/{uuid}"
    response = idp.response(roles(role), acs=own, encrypt_assertion=True)
    assert "alice" not in base64.b64decode(response).decode()
    _, page = place.enter(response, f"/saml/acs/{uuid}")
    assert role.name in page.text
    for acs in (f"https://signin.aws.amazon.com/saml/acs/{uuid}", f"{PUBLIC}/saml"):
        role = provider.role()
        _, page = place.enter(idp.response(roles(role), acs=acs, encrypt_assertion=True), f"/saml/acs/{uuid}")
        assert role.name in page.text, acs


def test_choice_goes_on_at_the_address_of_its_provider(place, encrypting):
    idp, provider, uuid = encrypting
    path = f"/saml/acs/{uuid}"
    first, second = provider.role(), provider.role()
    visitor, chooser = place.bring(idp.response(roles(first, second), acs=f"{PUBLIC}{path}", encrypt_assertion=True), path)
    entered = visitor.post(path, {**chooser.forms()[path], "roleIndex": second.arn})
    assert second.name in visitor.get(entered.location).text


def test_address_of_another_provider_opens_nothing(place, encrypting):
    idp, provider, uuid = encrypting
    other = place.provider.shown["SAMLProviderUUID"]
    role = provider.role()
    for acs, path in (
        (f"{PUBLIC}/saml/acs/{uuid}", f"/saml/acs/{other}"),
        (f"{PUBLIC}/saml/acs/{other}", f"/saml/acs/{uuid}"),
        (f"{PUBLIC}/saml/acs/{uuid}", "/saml/acs/SAMLSPNOBODY"),
        (f"{PUBLIC}/saml/acs/{uuid}", "/saml/acs/"),
    ):
        visitor, page = place.bring(idp.response(roles(role), acs=acs, encrypt_assertion=True), path)
        assert page.status == 400 and visitor.cookies == {}, (acs, path)
    # Encryption is required, and a plain one is none.
    visitor, page = place.bring(idp.response(roles(role), acs=f"{PUBLIC}/saml/acs/{uuid}"), f"/saml/acs/{uuid}")
    assert page.status == 400 and visitor.cookies == {}
