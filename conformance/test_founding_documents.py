"""What the founding documents say beside the stories of the other files, mostly as it is printed there.

The rows of `docs/founding-documents.md` name these tests. AWS sources: "Using Temporary Security Credentials" (2012);
"Temporary security credentials in IAM" and "Request temporary security credentials" in the IAM User Guide (2026).
"""

import json
import re
import secrets

import pytest

from support.client import ALLOW_ALL, Account, House, allow, deny, name, policy, refused, seconds_from_now, statement, trust
from support.issuer import Issuer
from support.saml import PERSISTENT, HandMade, edited, form
from support.server import Keys, Server
from support.signing import Request
from support.vouched import SamlProvider, assume

EVERYTHING = json.dumps(ALLOW_ALL)
# As printed in 2012.
FEDERATES = '{"Statement": [{"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*"}]}'
TOPICS = '{"Statement":[{"Action":"sns:*", "Effect":"Allow", "Resource":"*"}]}'
# As printed in 2026.
STMT1 = '{"Version":"2012-10-17","Statement":[{"Sid":"Stmt1","Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
TAGS = [{"Key": "Project", "Value": "Pegasus"}, {"Key": "Cost-Center", "Value": "12345"}]


class Product:
    """A product that asks about every request: a queue, a table, whatever a policy can name."""

    def __init__(self, account):
        self.account = account
        self.keeper = account.user(allow("daypass:CheckRequest"), prefix="product")

    def says(self, keys, action, resource=None, region="us-east-1"):
        service = action.partition(":")[0]
        resource = resource or f"arn:aws:{service}:{region}:{self.account.id}:thing"
        request = Request("product.example.test", "POST", "/", body=b"x").sign(keys, service=service, region=region)
        answer = self.keeper.daypass.check_request(Request=request.described(), Action=action, Resource=resource)
        return answer["Decision"]


@pytest.fixture(scope="module")
def product(home):
    return Product(home)


# --- who may make credentials ---------------------------------------------------------------------------


def test_policy_of_2012_as_it_is_printed_lets_its_user_federate(home, product):
    user = home.user()
    with refused("AccessDenied", status=403):
        user.sts.get_federation_token(Name="Jane")
    user.permit(FEDERATES)
    keys = home.federated("Jane", EVERYTHING, by=user)
    assert home.house.sts(keys).get_caller_identity()["Arn"] == f"arn:aws:sts::{home.id}:federated-user/Jane"
    assert product.says(keys, "s3:GetObject", "arn:aws:s3:::b/k") == "ImplicitlyDenied"


def test_groups_policy_lets_its_members_federate(home):
    group, member = name("brokers"), home.user()
    home.iam.create_group(GroupName=group)
    home.iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=FEDERATES)
    with refused("AccessDenied", status=403):
        member.sts.get_federation_token(Name="Jane")
    home.iam.add_user_to_group(GroupName=group, UserName=member.name)
    member.sts.get_federation_token(Name="Jane")
    home.iam.remove_user_from_group(GroupName=group, UserName=member.name)
    with refused("AccessDenied", status=403):
        member.sts.get_federation_token(Name="Jane")


def test_one_statement_on_a_place_in_a_bucket_gives_no_federation_token(home, product):
    place = "arn:aws:s3:::mybucket/federated-user/*"
    issuer = home.user(policy(statement(["s3:GetObject", "sts:GetFederationToken"], place)), prefix="Issuer")
    assert product.says(issuer.keys, "s3:GetObject", "arn:aws:s3:::mybucket/federated-user/a") == "Allowed"
    with refused("AccessDenied", status=403):
        issuer.sts.get_federation_token(Name="Jill")


# --- what they may --------------------------------------------------------------------------------------


def test_session_of_a_user_may_what_its_user_may_at_a_service(home, product):
    user = home.user(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::b/*"))
    session = Keys.of(user.sts.get_session_token()["Credentials"])

    def may(action):
        return [product.says(keys, action, "arn:aws:s3:::b/k") for keys in (user.keys, session)]

    assert may("s3:GetObject") == may("s3:PutObject") == ["Allowed"] * 2
    assert may("s3:DeleteObject") == ["ImplicitlyDenied"] * 2
    home.iam.delete_user_policy(UserName=user.name, PolicyName="p0")
    assert may("s3:GetObject") == may("s3:PutObject") == ["ImplicitlyDenied"] * 2


def test_queue_that_denies_john_stops_a_session_of_johns(home, product):
    john = home.user(allow("sqs:*"), prefix="John")
    session = Keys.of(john.sts.get_session_token()["Credentials"])
    queue = f"arn:aws:sqs:us-east-1:{home.id}:{name('queue')}"
    assert product.says(session, "sqs:SendMessage", queue) == "Allowed"
    document = json.loads(deny("sqs:SendMessage", queue))
    document["Statement"][0]["Principal"] = {"AWS": john.arn}
    home.daypass.put_resource_policy(ResourceArn=queue, Policy=json.dumps(document))
    assert product.says(session, "sqs:SendMessage", queue) == "ExplicitlyDenied"
    assert product.says(home.user(allow("sqs:*")).keys, "sqs:SendMessage", queue) == "Allowed"


def test_principal_that_is_a_bare_arn_is_refused(home):
    queue = f"arn:aws:sqs:us-east-1:{home.id}:{name('queue')}"
    document = json.loads(deny("sqs:SendMessage", queue))
    document["Statement"][0]["Principal"] = home.user(prefix="John").arn
    with refused("MalformedPolicyDocument", status=400):
        home.daypass.put_resource_policy(ResourceArn=queue, Policy=json.dumps(document))
    with refused("NoSuchEntity", status=404):
        home.daypass.get_resource_policy(ResourceArn=queue)


@pytest.mark.parametrize("action", ["sns:Publish", "dynamodb:GetItem", "sdb:Select", "ec2:StartInstances"])
def test_products_take_temporary_credentials(home, product, action):
    service = action.partition(":")[0]
    user = home.user(policy(statement(["sts:GetFederationToken", f"{service}:*"])))
    session = Keys.of(user.sts.get_session_token()["Credentials"])
    federated = home.federated("Jane", allow(action), by=user)
    other = home.federated("Jim", allow("s3:*"), by=user)
    assert [product.says(keys, action) for keys in (session, federated, other)] == ["Allowed", "Allowed", "ImplicitlyDenied"]


def test_policy_for_topics_as_it_is_printed_opens_topics_alone(home, product):
    broker = home.user(EVERYTHING)
    keys = home.federated("UserName", TOPICS, by=broker, DurationSeconds=3600)
    assert product.says(keys, "sns:Publish") == "Allowed"
    assert product.says(keys, "sqs:SendMessage") == "ImplicitlyDenied"
    assert product.says(broker.keys, "sqs:SendMessage") == "Allowed"


def test_credentials_of_one_region_work_in_every_other(home, product):
    role = home.role(None, allow("sqs:SendMessage"))
    keys = home.user(EVERYTHING).assume(role)
    regions = ["us-east-1", "eu-central-1", "ap-southeast-2"]
    for region in regions:
        sts = home.house.client("sts", keys, region=region)
        assert sts.get_caller_identity()["Arn"].endswith(f"/{role['RoleName']}/session")
        assert product.says(keys, "sqs:SendMessage", region=region) == "Allowed"


def test_there_is_no_bound_on_how_many_are_made(home):
    user = home.user(policy(statement("sts:GetFederationToken")))
    made = {user.sts.get_federation_token(Name="Jane")["Credentials"]["AccessKeyId"] for _ in range(300)}
    assert len(made) == 300


# --- requests as they are printed -----------------------------------------------------------------------


def test_request_for_a_role_as_it_is_printed(home, product):
    # In the document the ARN of the role has a colon too many.
    document = json.loads(trust(home.root_arn, "sts:AssumeRole", {"StringEquals": {"sts:ExternalId": "123ABC"}}))
    also = {"Effect": "Allow", "Principal": {"AWS": home.root_arn}, "Action": ["sts:TagSession", "sts:SetSourceIdentity"]}
    document["Statement"].append(also)
    role = home.role(json.dumps(document), EVERYTHING, prefix="demo")
    asked = {
        "RoleSessionName": "John-session",
        "Policy": STMT1,
        "DurationSeconds": 1800,
        "Tags": TAGS,
        "ExternalId": "123ABC",
        "SourceIdentity": "DevUser123",
    }
    caller = home.user(EVERYTHING)
    answer = caller.sts.assume_role(RoleArn=role["Arn"], **asked)
    assert answer["SourceIdentity"] == "DevUser123"
    assert answer["AssumedRoleUser"] == {
        "Arn": f"arn:aws:sts::{home.id}:assumed-role/{role['RoleName']}/John-session",
        "AssumedRoleId": f"{role['RoleId']}:John-session",
    }
    assert 1790 < seconds_from_now(answer["Credentials"]["Expiration"]) <= 1801
    keys = Keys.of(answer["Credentials"])
    assert product.says(keys, "s3:GetObject", "arn:aws:s3:::b/k") == "Allowed"
    assert product.says(keys, "sqs:SendMessage") == "ImplicitlyDenied"
    condition = {"StringEquals": {"aws:PrincipalTag/Cost-Center": "12345", "aws:SourceIdentity": "DevUser123"}}
    home.iam.put_role_policy(RoleName=role["RoleName"], PolicyName="d", PolicyDocument=deny("s3:*", condition=condition))
    assert product.says(keys, "s3:GetObject", "arn:aws:s3:::b/k") == "ExplicitlyDenied"
    with refused("AccessDenied", status=403):
        caller.sts.assume_role(RoleArn=role["Arn"], **{**asked, "ExternalId": "124ABC"})


def test_request_for_a_federated_user_as_it_is_printed(home, product):
    # In the document the ARN of the policy has an equals sign too many.
    managed = home.policy(allow("s3:*", "arn:aws:s3:::${aws:PrincipalTag/Project}/*"), prefix="Role1policy")
    broker = home.user(EVERYTHING)
    answer = broker.sts.get_federation_token(
        Name="Jane-session", PolicyArns=[{"arn": managed}], DurationSeconds=1800, Tags=TAGS
    )
    assert answer["FederatedUser"]["Arn"] == f"arn:aws:sts::{home.id}:federated-user/Jane-session"
    assert 1790 < seconds_from_now(answer["Credentials"]["Expiration"]) <= 1801
    keys = Keys.of(answer["Credentials"])
    assert product.says(keys, "s3:GetObject", "arn:aws:s3:::Pegasus/k") == "Allowed"
    assert product.says(keys, "s3:GetObject", "arn:aws:s3:::Medusa/k") == "ImplicitlyDenied"
    assert product.says(keys, "sqs:SendMessage") == "ImplicitlyDenied"


def test_tags_that_do_not_fit_make_no_federated_user(home):
    broker = home.user(EVERYTHING)
    tags = [{"Key": f"k{n}", "Value": secrets.token_urlsafe(190)[:250]} for n in range(50)]
    with refused("PackedPolicyTooLarge", re.compile("%"), status=400):
        broker.sts.get_federation_token(Name="Jane", Tags=tags)
    assert broker.sts.get_federation_token(Name="Jane", Tags=tags[:2])["PackedPolicySize"] < 100


@pytest.mark.parametrize("parameter", [{"Policy": STMT1}, {"Name": "Jane"}])
def test_session_token_takes_no_policy_and_no_name(home, server, parameter):
    user = home.user(EVERYTHING)
    answer = Request.action(server.host, "GetSessionToken", **parameter).sign(user.keys).send()
    assert (answer.status, answer.code) == (400, "ValidationError")
    assert next(iter(parameter)) in answer.message
    assert "SecretAccessKey" not in answer.text


# --- providers ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pipelines(environment, tmp_path_factory):
    """A server that takes tokens of a provider of workloads."""
    issuer = Issuer("/11111111-2222-3333-4444-555555555555")
    server = Server(tmp_path_factory.mktemp("daypass-pipelines"), "--allow-insecure-issuer", issuer.url)
    yield issuer, server, Account(House(server), server.root_keys())
    assert server.stop() == 0
    issuer.close()


def test_token_of_azure_devops_is_taken_by_its_subject(pipelines):
    # "Workload identity federation" of Azure DevOps: the audience and the form of the subject.
    issuer, server, account = pipelines
    audience, subject = "api://AzureADTokenExchange", "sc://contoso/payments/deploy"
    made = account.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=[audience])
    equal = {f"{issuer.name}:aud": audience, f"{issuer.name}:sub": subject}
    federated = {"Federated": made["OpenIDConnectProviderArn"]}
    role = account.role(trust(federated, "sts:AssumeRoleWithWebIdentity", {"StringEquals": equal}))

    def ask(**claims):
        token = issuer.token(aud=audience, **claims)
        asked = {"RoleArn": role["Arn"], "RoleSessionName": "pipeline", "WebIdentityToken": token}
        return account.house.nobody().assume_role_with_web_identity(**asked)

    answer = ask(sub=subject)
    assert answer["SubjectFromWebIdentityToken"] == subject
    assert answer["AssumedRoleUser"] == {
        "Arn": f"arn:aws:sts::{account.id}:assumed-role/{role['RoleName']}/pipeline",
        "AssumedRoleId": f"{role['RoleId']}:pipeline",
    }
    with refused("AccessDenied"):
        ask(sub="sc://contoso/payments/other")


@pytest.mark.parametrize(
    "format,told",
    [
        (PERSISTENT, "persistent"),
        ("urn:oasis:names:tc:SAML:2.0:nameid-format:transient", "transient"),
        ("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",) * 2,
    ],
)
def test_assertion_says_id_and_type_of_its_subject(home, tmp_path, format, told):
    idp = HandMade(tmp_path)
    provider = SamlProvider(home, idp.metadata())
    role = provider.role()
    said = edited(idp.assertion(role), (PERSISTENT, format))
    answer = assume(home.house.nobody(), role, form(idp.response(idp.sign(said))))
    assert answer["SubjectType"] == told
    identifier = home.iam.get_role(RoleName=role.name)["Role"]["RoleId"]
    assert answer["AssumedRoleUser"]["AssumedRoleId"] == f"{identifier}:alice@example.test"
