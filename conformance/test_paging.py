"""Lists: every element exactly once, whatever the page size, and markers that mean one list.

AWS sources: Marker, MaxItems and IsTruncated of the List operations in the IAM API Reference.
"""

import botocore
import pytest

from support.client import SAML_METADATA, allow, name, policy, refused, statement, trust
from support.machine import TASKS, profile, register
from support.phone import Phone
from support.secrets import hold
from support.server import actions

TAGS = [{"Key": f"k{number}", "Value": str(number)} for number in range(5)]


class Place:
    """Five of everything under one path of their own."""

    def __init__(self, home):
        self.iam = home.iam
        self.path = f"/{name('paging')}/"
        self.names = [f"{letter}{name()}" for letter in "dBaEc"]
        for known in self.names:
            self.iam.create_user(UserName=known, Path=self.path)
            self.iam.create_group(GroupName=known, Path=self.path)
            self.iam.create_role(RoleName=known, Path=self.path, AssumeRolePolicyDocument=trust(home.root_arn))
            self.iam.create_policy(PolicyName=known, Path=self.path, PolicyDocument=allow("s3:*"))
        self.arns = {row["Arn"] for row in self.iam.list_policies(PathPrefix=self.path)["Policies"]}
        self.user, self.group, self.role = self.names[0], self.names[1], self.names[2]
        self.profile = self.names[0]
        for known in self.names:
            self.iam.create_instance_profile(InstanceProfileName=known, Path=self.path, Tags=TAGS)
            self.iam.add_role_to_instance_profile(InstanceProfileName=known, RoleName=self.role)
        self.iam.tag_user(UserName=self.user, Tags=TAGS)
        self.iam.tag_role(RoleName=self.role, Tags=TAGS)
        phones = [Phone.made(self.iam, Path=self.path) for _ in range(5)]
        for phone in phones:
            phone.enable(self.iam, self.user)
        self.serials = {phone.serial for phone in phones}
        self.serial = min(self.serials)
        self.iam.tag_mfa_device(SerialNumber=self.serial, Tags=TAGS)
        made = self.iam.create_open_id_connect_provider(Url=f"https://{name('paging')}.example.com", Tags=TAGS)
        self.provider = made["OpenIDConnectProviderArn"]
        made = self.iam.create_saml_provider(
            Name=name("paging"), SAMLMetadataDocument=SAML_METADATA.read_text(), Tags=TAGS
        )
        self.saml_provider = made["SAMLProviderArn"]
        self.tagged = min(self.arns)
        self.iam.tag_policy(PolicyArn=self.tagged, Tags=TAGS)
        for number, arn in enumerate(sorted(self.arns)):
            self.iam.attach_user_policy(UserName=self.user, PolicyArn=arn)
            self.iam.attach_group_policy(GroupName=self.group, PolicyArn=arn)
            self.iam.attach_role_policy(RoleName=self.role, PolicyArn=arn)
            document = policy(statement("s3:*"))
            self.iam.put_user_policy(UserName=self.user, PolicyName=f"i{number}", PolicyDocument=document)
            self.iam.put_group_policy(GroupName=self.group, PolicyName=f"i{number}", PolicyDocument=document)
            self.iam.put_role_policy(RoleName=self.role, PolicyName=f"i{number}", PolicyDocument=document)
        for number in range(4):
            self.iam.create_policy_version(PolicyArn=self.tagged, PolicyDocument=allow(f"s3:V{number}"))
        for known in self.names:
            self.iam.add_user_to_group(GroupName=known, UserName=self.user)
            if known != self.user:
                self.iam.add_user_to_group(GroupName=self.group, UserName=known)
        for known in self.names:
            if known != self.user:
                self.iam.attach_user_policy(UserName=known, PolicyArn=self.tagged)
        self.daypass = home.daypass
        self.machines(home)

    def machines(self, home):
        """Five machines, five tasks on one of them, five resources with a policy, and five clusters."""
        known, role = profile(home)
        worker = home.role(trust({"Service": TASKS}), allow("*"), prefix="task")
        made = [register(home, known) for _ in range(5)]
        self.instances = {row["InstanceId"] for row in made}
        self.instance = made[0]["InstanceId"]
        for _ in range(5):
            task = home.daypass.register_task(InstanceId=self.instance, RoleArn=worker["Arn"])
            hold("authorization token", task["AuthorizationToken"])
        self.buckets = {f"arn:aws:s3:::{name('paging')}" for _ in range(5)}
        for arn in self.buckets:
            document = policy({**statement("s3:GetObject", f"{arn}/*"), "Principal": {"AWS": home.root_arn}})
            home.daypass.put_resource_policy(ResourceArn=arn, Policy=document)
        self.clusters = {name("paging") for _ in range(5)}
        for cluster in self.clusters:
            home.daypass.put_pod_identity_cluster(ClusterName=cluster, OpenIDConnectProviderArn=self.provider)


@pytest.fixture(scope="module")
def place(home):
    return Place(home)


# operation, its selection, the list in the answer, what names an element, how many
LISTS = [
    ("list_users", lambda p: {"PathPrefix": p.path}, "Users", "UserName", 5),
    ("list_groups", lambda p: {"PathPrefix": p.path}, "Groups", "GroupName", 5),
    ("list_roles", lambda p: {"PathPrefix": p.path}, "Roles", "RoleName", 5),
    ("list_policies", lambda p: {"PathPrefix": p.path}, "Policies", "PolicyName", 5),
    ("list_user_tags", lambda p: {"UserName": p.user}, "Tags", "Key", 5),
    ("list_role_tags", lambda p: {"RoleName": p.role}, "Tags", "Key", 5),
    ("list_instance_profiles", lambda p: {"PathPrefix": p.path}, "InstanceProfiles", "InstanceProfileName", 5),
    ("list_instance_profiles_for_role", lambda p: {"RoleName": p.role}, "InstanceProfiles", "InstanceProfileName", 5),
    ("list_instance_profile_tags", lambda p: {"InstanceProfileName": p.profile}, "Tags", "Key", 5),
    ("list_mfa_device_tags", lambda p: {"SerialNumber": p.serial}, "Tags", "Key", 5),
    ("list_open_id_connect_provider_tags", lambda p: {"OpenIDConnectProviderArn": p.provider}, "Tags", "Key", 5),
    ("list_saml_provider_tags", lambda p: {"SAMLProviderArn": p.saml_provider}, "Tags", "Key", 5),
    ("list_mfa_devices", lambda p: {"UserName": p.user}, "MFADevices", "SerialNumber", 5),
    ("list_policy_tags", lambda p: {"PolicyArn": p.tagged}, "Tags", "Key", 5),
    ("list_policy_versions", lambda p: {"PolicyArn": p.tagged}, "Versions", "VersionId", 5),
    ("list_groups_for_user", lambda p: {"UserName": p.user}, "Groups", "GroupName", 5),
    ("get_group", lambda p: {"GroupName": p.group}, "Users", "UserName", 5),
    ("list_attached_user_policies", lambda p: {"UserName": p.user}, "AttachedPolicies", "PolicyArn", 5),
    ("list_attached_group_policies", lambda p: {"GroupName": p.group}, "AttachedPolicies", "PolicyArn", 5),
    ("list_attached_role_policies", lambda p: {"RoleName": p.role}, "AttachedPolicies", "PolicyArn", 5),
    ("list_user_policies", lambda p: {"UserName": p.user}, "PolicyNames", None, 5),
    ("list_group_policies", lambda p: {"GroupName": p.group}, "PolicyNames", None, 5),
    ("list_role_policies", lambda p: {"RoleName": p.role}, "PolicyNames", None, 5),
]
IDS = [row[0] for row in LISTS]
# Walked in tests of their own below; and two that never have a second page, since a user has two keys at most and an account
# one alias.
OTHERWISE = [
    "list_entities_for_policy",
    "list_access_keys",
    "list_account_aliases",
    "list_virtual_mfa_devices",
    "simulate_custom_policy",
    "simulate_principal_policy",
]


# The same of daypass's own API; of a list that nothing selects others of the account may be in it, and what of it is ours.
OWN = [
    ("list_instances", lambda p: {}, "Instances", "InstanceId", lambda p: p.instances),
    ("list_tasks", lambda p: {"InstanceId": p.instance}, "Tasks", "TaskId", lambda p: None),
    ("list_resource_policies", lambda p: {}, "ResourcePolicies", "ResourceArn", lambda p: p.buckets),
    ("list_pod_identity_clusters", lambda p: {}, "Clusters", "ClusterName", lambda p: p.clusters),
]
OWN_IDS = [row[0] for row in OWN]
# Sessions come and go meanwhile: crates/service/tests/it/session_log.rs walks these.
OWN_OTHERWISE = ["list_sessions", "get_session_chain"]


@pytest.mark.parametrize("service, found", [("iam", IDS + OTHERWISE), ("daypass", OWN_IDS + OWN_OTHERWISE)])
def test_every_list_has_a_row(home, service, found):
    model = getattr(home, service).meta.service_model
    inputs = {operation: model.operation_model(operation).input_shape for operation in actions()[service]}
    lists = [operation for operation, shape in inputs.items() if shape and "Marker" in shape.members]
    assert sorted(map(botocore.xform_name, lists)) == sorted(found)


def pages(place, operation, selection, size):
    """Walks the list by hand, checking what every page must say."""
    arguments = {**selection(place), "MaxItems": size}
    client = place.daypass if operation in OWN_IDS else place.iam
    for _ in range(200):
        answer = getattr(client, operation)(**arguments)
        yield answer
        if not answer["IsTruncated"]:
            assert "Marker" not in answer
            return
        assert 1 <= len(answer["Marker"]) <= 320
        arguments["Marker"] = answer["Marker"]
    pytest.fail("the list does not end")


@pytest.mark.parametrize("operation,selection,member,key,count", LISTS, ids=IDS)
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_every_element_comes_once(place, operation, selection, member, key, count, size):
    found = []
    for answer in pages(place, operation, selection, size):
        assert len(answer[member]) <= size
        found += [row[key] if key else row for row in answer[member]]
    assert len(found) == len(set(found)) == count


@pytest.mark.parametrize("operation,selection,member,key,count", LISTS, ids=IDS)
def test_boto3_paginator_walks_the_list(place, operation, selection, member, key, count):
    walk = place.iam.get_paginator(operation).paginate(**selection(place), PaginationConfig={"PageSize": 2})
    assert sum(len(answer[member]) for answer in walk) == count


@pytest.mark.parametrize("operation,selection,member,key,count", LISTS, ids=IDS)
def test_page_size_out_of_range(place, house, home, operation, selection, member, key, count):
    lax = house.iam(home.keys, lax=True)
    for size in (0, -1, 1001):
        with refused("ValidationError", status=400):
            getattr(lax, operation)(**selection(place), MaxItems=size)


@pytest.mark.parametrize("operation,selection,member,key,count", LISTS, ids=IDS)
def test_made_up_marker(place, operation, selection, member, key, count):
    for marker in ("made-up", "AAAA", "x" * 320):
        with refused("ValidationError", status=400):
            getattr(place.iam, operation)(**selection(place), Marker=marker)


@pytest.mark.parametrize("operation,selection,member,key,ours", OWN, ids=OWN_IDS)
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_every_element_of_our_own_lists_comes_once(place, operation, selection, member, key, ours, size):
    found = []
    for answer in pages(place, operation, selection, size):
        assert len(answer[member]) <= size
        found += [row[key] for row in answer[member]]
    assert len(found) == len(set(found)) and found == sorted(found)
    assert ours(place) <= set(found) if ours(place) else len(found) == 5
    walk = place.daypass.get_paginator(operation).paginate(**selection(place), PaginationConfig={"PageSize": 2})
    assert [row[key] for answer in walk for row in answer[member]] == found


@pytest.mark.parametrize("operation,selection,member,key,ours", OWN, ids=OWN_IDS)
def test_page_size_and_marker_of_our_own_lists_are_looked_at(place, house, home, operation, selection, member, key, ours):
    lax = house.client("daypass", home.keys, lax=True)
    for wrong in ({"MaxItems": 0}, {"MaxItems": -1}, {"MaxItems": 1001}, {"Marker": "made-up"}, {"Marker": "x" * 320}):
        with refused("ValidationError", status=400):
            getattr(lax, operation)(**selection(place), **wrong)


def test_marker_of_our_own_lists_belongs_to_its_list(place, other):
    marker = place.daypass.list_tasks(InstanceId=place.instance, MaxItems=1)["Marker"]
    for call in (
        lambda: place.daypass.list_tasks(Marker=marker),
        lambda: place.daypass.list_instances(Marker=marker),
        lambda: other.daypass.list_tasks(InstanceId=place.instance, Marker=marker),
    ):
        with refused("ValidationError", status=400):
            call()


def test_page_size_may_change_on_the_way(place):
    first = place.iam.list_users(PathPrefix=place.path, MaxItems=2)
    rest = place.iam.list_users(PathPrefix=place.path, MaxItems=3, Marker=first["Marker"])
    names = [row["UserName"] for row in first["Users"] + rest["Users"]]
    assert sorted(names) == sorted(place.names) and rest["IsTruncated"] is False


def test_marker_belongs_to_its_list(place, home, other):
    marker = place.iam.list_users(PathPrefix=place.path, MaxItems=1)["Marker"]
    wrong = [
        lambda: place.iam.list_groups(PathPrefix=place.path, Marker=marker),
        lambda: place.iam.list_users(PathPrefix="/", Marker=marker),
        lambda: other.iam.list_users(PathPrefix=place.path, Marker=marker),
    ]
    for call in wrong:
        with refused("ValidationError", status=400):
            call()


def test_users_come_in_the_order_of_their_names(place):
    names = [row["UserName"] for row in place.iam.list_users(PathPrefix=place.path)["Users"]]
    assert names == sorted(place.names, key=str.lower)


def test_path_prefix_is_a_plain_prefix(home):
    path = f"/{name('prefix')}/"
    home.iam.create_user(UserName=name(), Path=path + "a/")
    home.iam.create_user(UserName=name(), Path=path + "ab/")
    assert len(home.iam.list_users(PathPrefix=path + "a")["Users"]) == 2
    assert len(home.iam.list_users(PathPrefix=path + "a/")["Users"]) == 1


def test_element_that_goes_between_two_pages_does_not_break_the_walk(home):
    path = f"/{name('moving')}/"
    names = [f"{number}{name()}" for number in range(4)]
    for known in names:
        home.iam.create_user(UserName=known, Path=path)
    first = home.iam.list_users(PathPrefix=path, MaxItems=2)
    home.iam.delete_user(UserName=names[1])
    rest = home.iam.list_users(PathPrefix=path, Marker=first["Marker"])
    assert [row["UserName"] for row in rest["Users"]] == names[2:]


def test_entities_for_policy_are_paged_over_all_kinds(place):
    found, arguments = [], {"PolicyArn": place.tagged, "MaxItems": 2}
    for _ in range(20):
        answer = place.iam.list_entities_for_policy(**arguments)
        for kind in ("Group", "User", "Role"):
            found += [(kind, row[f"{kind}Name"]) for row in answer[f"Policy{kind}s"]]
        if not answer["IsTruncated"]:
            break
        arguments["Marker"] = answer["Marker"]
    wanted = {("User", known) for known in place.names} | {("Group", place.group), ("Role", place.role)}
    assert len(found) == len(wanted) and set(found) == wanted


def test_devices_of_the_account_are_paged(place):
    whole = place.iam.list_virtual_mfa_devices(MaxItems=1000)["VirtualMFADevices"]
    walk = pages(place, "list_virtual_mfa_devices", lambda p: {}, max(1, len(whole) // 4))
    assert [row for answer in walk for row in answer["VirtualMFADevices"]] == whole
    assert place.serials <= {row["SerialNumber"] for row in whole}
    page = place.iam.list_virtual_mfa_devices(MaxItems=1)
    with refused("ValidationError", status=400):
        place.iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned", Marker=page["Marker"])


def test_simulations_are_paged_over_the_actions(home):
    user = home.user(allow("s3:*"))
    actions_asked = [f"s3:Action{n}" for n in range(7)]
    for operation, who in (
        ("simulate_custom_policy", {"PolicyInputList": [allow("s3:*")]}),
        ("simulate_principal_policy", {"PolicySourceArn": user.arn}),
    ):
        pages = home.iam.get_paginator(operation).paginate(
            ActionNames=actions_asked, PaginationConfig={"PageSize": 3}, **who
        )
        sizes = [[result["EvalActionName"] for result in page["EvaluationResults"]] for page in pages]
        assert [len(page) for page in sizes] == [3, 3, 1]
        assert sum(sizes, []) == actions_asked
