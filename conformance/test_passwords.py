"""Passwords of users, what an account asks of them, and the account's alias.

AWS sources: CreateLoginProfile, UpdateLoginProfile, ChangePassword, UpdateAccountPasswordPolicy and CreateAccountAlias in the
IAM API Reference; "Set an account password policy for IAM users" in the IAM User Guide.
"""

import pytest

from support.client import Account, allow, deny, name, refused, seconds_from_now
from support.secrets import hold

WRONG = "The old password is not right, or the new password is the same."


def password():
    """A new one that any policy here takes, long enough to be looked for in whatever the server wrote."""
    made = f"Aa1-{name('correct')}-{name('horse')}-{name('battery')}"
    hold("password", made)
    return made


@pytest.fixture
def account(house, server):
    """An account of its own: a policy is the whole account's."""
    return Account(house, server.create_account())


def test_password_is_made_shown_changed_and_deleted(account):
    ada = account.user(allow("iam:ChangePassword"), prefix="ada")
    with refused("NoSuchEntity", f"Login Profile for User {ada.name} cannot be found.", 404):
        account.iam.get_login_profile(UserName=ada.name)
    first, second = password(), password()
    made = account.iam.create_login_profile(UserName=ada.name, Password=first, PasswordResetRequired=True)
    profile = made["LoginProfile"]
    assert set(profile) == {"UserName", "CreateDate", "PasswordResetRequired"}
    assert (profile["UserName"], profile["PasswordResetRequired"]) == (ada.name, True)
    assert abs(seconds_from_now(profile["CreateDate"])) < 60
    assert account.iam.get_login_profile(UserName=ada.name)["LoginProfile"] == profile
    with refused("EntityAlreadyExists", f"Login Profile for user {ada.name} already exists.", 409):
        account.iam.create_login_profile(UserName=ada.name, Password=second)
    with refused("AccessDenied", WRONG, 403):
        ada.iam.change_password(OldPassword=second, NewPassword=first)
    ada.iam.change_password(OldPassword=first, NewPassword=second)
    assert account.iam.get_login_profile(UserName=ada.name)["LoginProfile"]["PasswordResetRequired"] is False
    assert "PasswordLastUsed" not in account.iam.get_user(UserName=ada.name)["User"]
    account.iam.delete_access_key(UserName=ada.name, AccessKeyId=ada.keys.id)
    account.iam.delete_user_policy(UserName=ada.name, PolicyName="p0")
    with refused("DeleteConflict", "Cannot delete entity, must delete login profile first.", 409):
        account.iam.delete_user(UserName=ada.name)
    account.iam.delete_login_profile(UserName=ada.name)
    account.iam.delete_user(UserName=ada.name)


def test_waiter_of_the_sdk_and_profile_without_a_name(account):
    ada = account.user(allow("iam:GetLoginProfile"), prefix="ada")
    account.iam.create_login_profile(UserName=ada.name, Password=password())
    assert ada.iam.get_login_profile()["LoginProfile"]["UserName"] == ada.name
    with refused("ValidationError", "Must specify userName when calling with non-User credentials", 400):
        account.iam.get_login_profile()


def test_new_password_keeps_the_flag_and_nothing_to_change_is_no_mistake(account):
    ada = account.user(prefix="ada")
    account.iam.create_login_profile(UserName=ada.name, Password=password(), PasswordResetRequired=True)
    account.iam.update_login_profile(UserName=ada.name)
    account.iam.update_login_profile(UserName=ada.name, Password=password())
    assert account.iam.get_login_profile(UserName=ada.name)["LoginProfile"]["PasswordResetRequired"] is True
    account.iam.update_login_profile(UserName=ada.name, PasswordResetRequired=False)
    assert account.iam.get_login_profile(UserName=ada.name)["LoginProfile"]["PasswordResetRequired"] is False


def test_without_a_policy_passwords_are_held_to_the_default(account):
    ada = account.user(prefix="ada")
    for wrong, text in [
        ("Aa1-567", "Password should have a minimum length of 8"),
        (
            "alllowercase1",
            "Password should meet 1 more of the following requirements: Password should have at least one uppercase"
            " letter, Password should have at least one symbol",
        ),
    ]:
        with refused("PasswordPolicyViolation", text, 400):
            account.iam.create_login_profile(UserName=ada.name, Password=wrong)


def test_policy_is_shown_as_set_and_replaced_whole(account):
    text = f"The Password Policy with domain name {account.id} cannot be found."
    with refused("NoSuchEntity", text, 404):
        account.iam.get_account_password_policy()
    account.iam.update_account_password_policy(MinimumPasswordLength=20, RequireSymbols=True, MaxPasswordAge=90)
    policy = account.iam.get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["MaxPasswordAge"], policy["ExpirePasswords"]) == (20, 90, True)
    account.iam.update_account_password_policy(PasswordReusePrevention=3)
    assert account.iam.get_account_password_policy()["PasswordPolicy"] == {
        "MinimumPasswordLength": 6,
        "RequireSymbols": False,
        "RequireNumbers": False,
        "RequireUppercaseCharacters": False,
        "RequireLowercaseCharacters": False,
        "AllowUsersToChangePassword": False,
        "ExpirePasswords": False,
        "PasswordReusePrevention": 3,
        "HardExpiry": False,
    }
    account.iam.delete_account_password_policy()
    with refused("NoSuchEntity", text, 404):
        account.iam.delete_account_password_policy()


def test_passwords_do_not_come_again(account):
    ada = account.user(allow("iam:ChangePassword"), prefix="ada")
    account.iam.update_account_password_policy(PasswordReusePrevention=2)
    kept = [password() for _ in range(4)]
    account.iam.create_login_profile(UserName=ada.name, Password=kept[0])
    for before, after in zip(kept, kept[1:3]):
        ada.iam.change_password(OldPassword=before, NewPassword=after)
    for known in kept[:2]:
        with refused("PasswordPolicyViolation", status=400):
            ada.iam.change_password(OldPassword=kept[2], NewPassword=known)
    ada.iam.change_password(OldPassword=kept[2], NewPassword=kept[3])
    ada.iam.change_password(OldPassword=kept[3], NewPassword=kept[0])


def test_policy_lets_users_change_their_own(account):
    ada, denied = account.user(prefix="ada"), account.user(deny("iam:ChangePassword"), prefix="ada")
    first, second = password(), password()
    for user in (ada, denied):
        account.iam.create_login_profile(UserName=user.name, Password=first)
        with refused("AccessDenied", status=403):
            user.iam.change_password(OldPassword=first, NewPassword=second)
    account.iam.update_account_password_policy(AllowUsersToChangePassword=True)
    assert ada.iam.get_account_password_policy()["PasswordPolicy"]["AllowUsersToChangePassword"] is True
    ada.iam.change_password(OldPassword=first, NewPassword=second)
    with refused("AccessDenied", status=403):
        denied.iam.change_password(OldPassword=first, NewPassword=second)
    with refused("AccessDenied", status=403):
        ada.iam.update_login_profile(UserName=denied.name, Password=second)


def test_root_and_roles_have_no_password_to_change(account):
    with refused("InvalidUserType", status=400):
        account.iam.change_password(OldPassword=password(), NewPassword=password())


def test_tries_are_used_up(account):
    ada = account.user(allow("iam:ChangePassword"), prefix="ada")
    right, other = password(), password()
    account.iam.create_login_profile(UserName=ada.name, Password=right)
    codes = []
    # Three minutes may begin while it asks; nobody gets more than twice nine tries out of that.
    for _ in range(19):
        with refused({"AccessDenied", "Throttling"}) as caught:
            ada.iam.change_password(OldPassword=other, NewPassword=right)
        codes.append(caught.value.response["Error"]["Code"])
    assert codes[:1] == ["AccessDenied"] and "Throttling" in codes


def test_alias_is_one_accounts_only(account, other):
    alias = name("alias").lower()
    account.iam.create_account_alias(AccountAlias=alias)
    account.iam.create_account_alias(AccountAlias=alias)
    with refused("EntityAlreadyExists", f"The account alias {alias} already exists.", 409):
        other.iam.create_account_alias(AccountAlias=alias)
    with refused("NoSuchEntity", status=404):
        other.iam.delete_account_alias(AccountAlias=alias)
    account.iam.create_account_alias(AccountAlias=f"{alias}-2")
    assert account.iam.list_account_aliases()["AccountAliases"] == [f"{alias}-2"]
    account.iam.delete_account_alias(AccountAlias=f"{alias}-2")
    answer = account.iam.list_account_aliases()
    assert (answer["AccountAliases"], answer["IsTruncated"]) == ([], False)
    with refused("InvalidInput", status=400):
        account.iam.create_account_alias(AccountAlias="111122223333")


def test_cli_changes_a_password(account, aws):
    ada = account.user(allow("iam:ChangePassword"), prefix="ada")
    first, second = password(), password()
    aws("iam", "create-login-profile", "--user-name", ada.name, "--password", first, keys=account.keys)
    aws("iam", "change-password", "--old-password", first, "--new-password", second, keys=ada.keys)
    done = aws(
        "iam", "change-password", "--old-password", first, "--new-password", second, keys=ada.keys, check=False
    )
    assert done.returncode != 0 and f"(AccessDenied) when calling the ChangePassword operation: {WRONG}" in done.stderr
