"""What the groups of a directory may do: policies for federated users, or roles (`mapping.json`).

Answers for: which policy or role somebody gets by their groups, and the name they have at daypass. Refuses to know: LDAP, HTTP, keys.

Policies are data from the file's reading to their being written as JSON for the call. The one thing that is put into them, somebody's
name in place of `{name}` in a Resource, has no character that means anything in a policy.
"""

import base64
import collections
import copy
import hashlib
import json
import re

# GetFederationToken takes 2 to 32 characters of these as a Name, and AssumeRole 2 to 64 as a RoleSessionName.
NAME = re.compile(r"[A-Za-z0-9_+,.@-]{2,32}")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)
POLICY_MAX = 2048
PLACE = "{name}"

# What somebody may be: the statements of a federated user's policy, and roles by their titles.
Offer = collections.namedtuple("Offer", ["statements", "roles"])


class NotOffered(Exception):
    """Asked for as something that their groups do not give, or not said as what; `titles` are what they may be."""

    def __init__(self, titles):
        super().__init__("not offered")
        self.titles = titles


class Mapping:
    """The file, checked as a whole: what is wrong with it is said at the start and not when somebody comes."""

    def __init__(self, document):
        if document.keys() != {"seconds", "groups"}:
            raise ValueError("the mapping has `seconds` and `groups`")
        self.seconds = document["seconds"]
        if not isinstance(self.seconds, int) or not 900 <= self.seconds <= 43200:
            raise ValueError("`seconds` of the mapping is 900 to 43200")
        self._policies, self._roles = collections.defaultdict(list), collections.defaultdict(dict)
        for entry in document["groups"]:
            self._add(entry)
        self._check()

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def _add(self, entry):
        group = normal(entry["group"])
        if entry.keys() == {"group", "policy"}:
            self._policies[group] += [statement(one) for one in entry["policy"]]
        elif entry.keys() == {"group", "as", "role"}:
            if not ROLE.fullmatch(entry["role"]) or not NAME.fullmatch(entry["as"]):
                raise ValueError(f"{group}: `role` is a role's ARN, and `as` its title in letters and digits")
            self._roles[group][entry["as"]] = entry["role"]
        else:
            raise ValueError(f"{group}: either `policy`, or `as` and `role`")

    def _check(self):
        """Whoever is in all groups gets a policy that AWS would take too."""
        everything = [one for statements in self._policies.values() for one in statements]
        known = [one["Sid"] for one in everything if "Sid" in one]
        if len(known) != len(set(known)):
            raise ValueError("a Sid stands twice in the mapping")
        length = len(policy(everything, "x" * 32))
        if length > POLICY_MAX:
            raise ValueError(f"the policies of all groups have {length} characters; a session takes {POLICY_MAX}: use roles")
        titles = collections.defaultdict(set)
        for roles in self._roles.values():
            for title, role in roles.items():
                titles[title].add(role)
        if twice := [title for title, roles in titles.items() if len(roles) > 1]:
            raise ValueError(f"two roles have the same title: {twice}")

    def offer(self, groups):
        """What members of exactly these groups (by DN) may be."""
        statements, roles = [], {}
        for group in sorted({normal(group) for group in groups}):
            statements += self._policies.get(group, [])
            roles |= self._roles.get(group, {})
        return Offer(statements, roles)


def choose(offer, title):
    """The role's ARN, or None for a federated user. Without a title it is the federated user, who can do least; or the only role."""
    if title:
        if title in offer.roles:
            return offer.roles[title]
    elif offer.statements:
        return None
    elif len(offer.roles) == 1:
        return next(iter(offer.roles.values()))
    raise NotOffered(sorted(offer.roles))


def policy(statements, name):
    """The session policy of somebody, as text."""
    made = copy.deepcopy(statements)
    for one in made:
        resources = one["Resource"]
        several = [resources] if isinstance(resources, str) else resources
        one["Resource"] = [resource.replace(PLACE, name) for resource in several]
    return json.dumps({"Version": "2012-10-17", "Statement": made}, separators=(",", ":"))


def statement(given):
    """One statement of the file. What it means is daypass's to say; here it is seen to that names go into resources only."""
    resources = given.get("Resource") if isinstance(given, dict) else None
    several = [resources] if isinstance(resources, str) else resources
    if not isinstance(several, list) or not several or not all(isinstance(one, str) for one in several):
        raise ValueError("a statement of the mapping has a Resource: a text, or a list of texts")
    rest = {key: value for key, value in given.items() if key != "Resource"}
    if PLACE in json.dumps(rest):
        raise ValueError(f"{PLACE} stands in a Resource, and nowhere else")
    return given


def normal(dn):
    """Directories give DNs without spaces around commas, and take capitals for small letters."""
    if not isinstance(dn, str) or "=" not in dn or ", " in dn:
        raise ValueError(f"{dn!r} is no DN as directories write it: cn=name,ou=groups,dc=example,dc=org")
    return dn.lower()


def federated_name(name):
    """What somebody of the directory is called at daypass. A name that does not fit there is cut and gets a digest of the whole,
    behind a `=`, which no other name has: two people never become one, and nobody becomes another by choosing their own name."""
    if NAME.fullmatch(name):
        return name
    digest = base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:16]
    return f"{re.sub(r'[^A-Za-z0-9_+,.@-]', '_', name)[:15]}={digest}"
