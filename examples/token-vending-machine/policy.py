"""Who a device is called at daypass, and what its session may: names that nobody chose freely go into a template."""

import base64
import hashlib
import json
import re

# GetFederationToken takes 32 characters of letters, digits and _+=,.@-
NAME_MAX = 32
PLAIN_UID = re.compile(r"[A-Za-z0-9_.-]{24,32}", re.ASCII)
PLAIN_USERNAME = re.compile(r"[A-Za-z0-9_.@]{3,30}", re.ASCII)
PLACE = re.compile(r"(?<!\$)\{(bucket|name)\}")


def federated_name(uid, owner=None):
    """The name of a device, or of the user who logged in on it.

    Two never have one name. A short one stays as it is, and of a longer one, or one with other characters, there is the
    hash, 150 bits of it. `=` and `+` are in no plain name: so no user is called like a device, and nobody chooses a hash."""
    if owner is None:
        return uid if PLAIN_UID.fullmatch(uid) else hashed("d+", uid)
    return f"u={owner}" if PLAIN_USERNAME.fullmatch(owner) else hashed("u+", owner)


def hashed(mark, text):
    digest = base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()
    return mark + digest[: NAME_MAX - len(mark)]


def literal(text):
    """The text in a policy, where it means itself: `*` and `?` match nothing else, and `${` begins no variable."""
    return re.sub(r"[*?$]", lambda found: f"${{{found[0]}}}", text)


def fill(template, **values):
    """The policy of one session. The template is read before anything is put in, so that no value ends a text in it, and all
    are put in at once, so that no value is taken for a place."""

    def filled(part):
        if isinstance(part, dict):
            return {known: filled(value) for known, value in part.items()}
        if isinstance(part, list):
            return [filled(value) for value in part]
        return PLACE.sub(lambda found: literal(values[found[1]]), part) if isinstance(part, str) else part

    return json.dumps(filled(json.loads(template)), separators=(",", ":"))
