"""Access keys: two for each user, the secret shown once, last use remembered.

AWS sources: CreateAccessKey, UpdateAccessKey, GetAccessKeyLastUsed in the IAM API Reference.
"""

import re

from support.client import account_in, allow, name, refused


def test_created_key_works_and_its_secret_is_shown_once(home):
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    made = home.iam.create_access_key(UserName=user)["AccessKey"]
    assert set(made) == {"UserName", "AccessKeyId", "Status", "SecretAccessKey", "CreateDate"}
    assert (made["UserName"], made["Status"]) == (user, "Active")
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", made["AccessKeyId"])
    assert re.fullmatch(r"[A-Za-z0-9/+]{40}", made["SecretAccessKey"])
    assert account_in(made["AccessKeyId"]) == home.id
    listed = home.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    assert [set(row) for row in listed] == [{"UserName", "AccessKeyId", "Status", "CreateDate"}]


def test_user_has_at_most_two_keys(home):
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    ids = [home.iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"] for _ in range(2)]
    home.iam.update_access_key(UserName=user, AccessKeyId=ids[0], Status="Inactive")
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409):
        home.iam.create_access_key(UserName=user)
    home.iam.delete_access_key(UserName=user, AccessKeyId=ids[0])
    home.iam.create_access_key(UserName=user)


def test_keys_of_the_caller_need_no_name(home):
    user = home.user(allow(["iam:*AccessKey*"], "arn:aws:iam::*:user/${aws:username}"))
    made = user.iam.create_access_key()["AccessKey"]
    assert made["UserName"] == user.name
    ids = {row["AccessKeyId"] for row in user.iam.list_access_keys()["AccessKeyMetadata"]}
    assert ids == {user.keys.id, made["AccessKeyId"]}
    user.iam.update_access_key(AccessKeyId=made["AccessKeyId"], Status="Inactive")
    user.iam.delete_access_key(AccessKeyId=made["AccessKeyId"])


def test_key_for_somebody_else_needs_the_permission_on_them(home, admin):
    user = home.user(allow("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}"))
    text = (
        f"User: {user.arn} is not authorized to perform: iam:CreateAccessKey on resource: user {admin.name}"
        " because no identity-based policy allows the iam:CreateAccessKey action"
    )
    with refused("AccessDenied", text, 403):
        user.iam.create_access_key(UserName=admin.name)


def test_role_must_say_whose_keys(home, house, admin):
    iam = house.iam(admin.assume(home.role(None, allow("*"))))
    for call in (iam.create_access_key, iam.list_access_keys):
        with refused("ValidationError", "Must specify userName when calling with non-User credentials", 400):
            call()


def test_key_belongs_to_one_user(home):
    first, second = home.user(), home.user()
    text = f"The Access Key with id {first.keys.id} cannot be found."
    with refused("NoSuchEntity", text, 404):
        home.iam.delete_access_key(UserName=second.name, AccessKeyId=first.keys.id)
    with refused("NoSuchEntity", text, 404):
        home.iam.update_access_key(UserName=second.name, AccessKeyId=first.keys.id, Status="Inactive")
    assert first.sts.get_caller_identity()["Arn"] == first.arn


def test_status_expired_cannot_be_set(home):
    user = home.user()
    with refused("InvalidInput", status=400):
        home.iam.update_access_key(UserName=user.name, AccessKeyId=user.keys.id, Status="Expired")


def test_status_out_of_the_list(house, home):
    user = home.user()
    pattern = re.compile(
        r"^1 validation error detected: Value at 'status' failed to satisfy constraint:"
        r" Member must satisfy enum value set: \["
    )
    with refused("ValidationError", pattern, 400):
        house.iam(home.keys, lax=True).update_access_key(UserName=user.name, AccessKeyId=user.keys.id, Status="Asleep")


def test_last_use_is_remembered(home):
    user = home.user()
    unused = home.iam.get_access_key_last_used(AccessKeyId=user.keys.id)
    assert unused["UserName"] == user.name
    assert unused["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    user.sts.get_caller_identity()
    used = home.iam.get_access_key_last_used(AccessKeyId=user.keys.id)["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sts", "us-east-1")
    assert used["LastUsedDate"]


def test_last_use_of_a_foreign_key_is_not_told(home, other):
    with refused("AccessDenied", status=403):
        other.iam.get_access_key_last_used(AccessKeyId=home.user().keys.id)


def test_root_has_keys_too(other):
    made = other.iam.create_access_key()["AccessKey"]
    ids = {row["AccessKeyId"] for row in other.iam.list_access_keys()["AccessKeyMetadata"]}
    assert ids == {other.keys.id, made["AccessKeyId"]}
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409):
        other.iam.create_access_key()
    other.iam.delete_access_key(AccessKeyId=made["AccessKeyId"])
