"""Tags on users, roles and managed policies.

AWS sources: "Tagging IAM resources" in the IAM User Guide; TagUser, UntagUser, ListUserTags and
their counterparts in the IAM API Reference.
"""

import pytest

from support.client import allow, name, refused

DUPLICATE = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
RESERVED = "Tag keys beginning with aws: are reserved for system use."


class Thing:
    """Something with tags: how to tag it, untag it, and read them."""

    def __init__(self, home, kind):
        self.kind = kind
        if kind == "policy":
            self.target = {"PolicyArn": home.policy(allow("*"))}
            self.arn = self.target["PolicyArn"]
        elif kind == "role":
            made = home.role()
            self.target, self.arn = {"RoleName": made["RoleName"]}, made["Arn"]
        else:
            made = home.iam.create_user(UserName=name())["User"]
            self.target, self.arn = {"UserName": made["UserName"]}, made["Arn"]
        self.iam = home.iam

    def tag(self, by=None, **tags):
        self.put([{"Key": key, "Value": value} for key, value in tags.items()], by)

    def put(self, tags, by=None):
        getattr(by or self.iam, f"tag_{self.kind}")(**self.target, Tags=tags)

    def untag(self, *keys, by=None):
        getattr(by or self.iam, f"untag_{self.kind}")(**self.target, TagKeys=list(keys))

    def tags(self):
        answer = getattr(self.iam, f"list_{self.kind}_tags")(**self.target)
        assert answer["IsTruncated"] is False
        return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


@pytest.fixture(params=["user", "role", "policy"])
def thing(request, home):
    return Thing(home, request.param)


def test_tags_are_set_replaced_and_removed(thing):
    thing.tag(Team="blue", Stage="test")
    thing.tag(Stage="live", Empty="")
    assert thing.tags() == {"Team": "blue", "Stage": "live", "Empty": ""}
    thing.untag("Team", "NeverThere")
    assert thing.tags() == {"Stage": "live", "Empty": ""}


def test_keys_ignore_case(thing):
    thing.tag(Team="blue")
    if thing.kind == "policy":
        # AWS keeps both; conditions on `aws:ResourceTag/team` could then see either, so we refuse the second.
        with refused("InvalidInput", DUPLICATE, 400):
            thing.tag(TEAM="red")
        assert thing.tags() == {"Team": "blue"}
        return
    thing.tag(TEAM="red")
    assert list(thing.tags().values()) == ["red"]
    thing.untag("tEaM")
    assert thing.tags() == {}


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", "Aws:anything"])
def test_reserved_keys(thing, key):
    with refused("InvalidInput", RESERVED, 400):
        thing.put([{"Key": key, "Value": "x"}])


def test_reserved_prefix_is_fine_in_values(thing):
    thing.tag(Key="aws:value")
    assert thing.tags() == {"Key": "aws:value"}


def test_duplicate_keys_in_one_request(thing):
    text = "Duplicate tag keys found." if thing.kind == "policy" else DUPLICATE
    with refused("InvalidInput", text, 400):
        thing.put([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}])


def test_refused_request_changes_nothing(thing):
    thing.tag(Kept="yes")
    with refused("InvalidInput"):
        thing.put([{"Key": "New", "Value": "x"}, {"Key": "aws:no", "Value": "x"}])
    assert thing.tags() == {"Kept": "yes"}


def test_at_most_fifty(thing):
    thing.put([{"Key": f"k{number}", "Value": "v"} for number in range(50)])
    with refused("LimitExceeded", status=409):
        thing.tag(OneMore="v")
    thing.tag(k7="replaced")
    assert len(thing.tags()) == 50


def test_no_tags_is_invalid(thing):
    with refused("InvalidInput", status=400):
        thing.put([])


@pytest.mark.parametrize("key,value", [("k" * 129, "v"), ("k", "v" * 257), ("", "v"), ("k!", "v"), ("k", "v?")])
def test_shapes_of_key_and_value(house, home, thing, key, value):
    with refused("ValidationError", status=400):
        thing.put([{"Key": key, "Value": value}], by=house.iam(home.keys, lax=True))


def test_letters_of_any_script_are_fine(thing):
    thing.tag(**{"Équipe": "синий", "k_.:/=+-@ 1": "v_.:/=+-@ 1"})
    assert thing.tags() == {"Équipe": "синий", "k_.:/=+-@ 1": "v_.:/=+-@ 1"}


def test_permission_may_depend_on_the_tags(home, thing):
    action = f"iam:Tag{thing.kind.capitalize()}"
    keeper = home.user(allow(action, thing.arn, {"StringEquals": {"aws:RequestTag/Team": ["blue", "red"]}}))
    thing.tag(by=keeper.iam, Team="red")
    with refused("AccessDenied", status=403):
        thing.tag(by=keeper.iam, Team="green")
    only_blue = home.user(allow(action, "*", {"StringEquals": {"aws:ResourceTag/Team": "blue"}}))
    with refused("AccessDenied", status=403):
        thing.tag(by=only_blue.iam, Other="x")
    thing.tag(Team="blue")
    thing.tag(by=only_blue.iam, Other="x")


def test_tags_of_the_caller_can_decide(home):
    user = home.user(allow("iam:ListUsers", condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}))
    with refused("AccessDenied"):
        user.iam.list_users()
    home.iam.tag_user(UserName=user.name, Tags=[{"Key": "Team", "Value": "blue"}])
    user.iam.list_users()
    home.iam.untag_user(UserName=user.name, TagKeys=["Team"])
    with refused("AccessDenied"):
        user.iam.list_users()
