"""Every secret that a client of this run held, and a search for them in what the server wrote.

Clients, the CLI and the hand-made requests tell of what they send and receive; `found_in` reads files of any size
once, whatever the number of secrets.
"""

import base64
import re
import urllib.parse

NAMES = ("SecretAccessKey", "SessionToken", "Base32StringSeed", "WebIdentityToken", "JoinSecret", "AuthorizationToken")
IN_TEXT = re.compile(rf"(?:<|\")(?:{'|'.join(NAMES)})(?:>|\"\s*:\s*\")([^<\"]+)")
SIGNATURE = re.compile(r"Signature=([0-9a-f]{64,144})\b")
# What a secret has to have at least, and how much of it is looked up. Every form of a secret has a window of
# that length that begins where the search looks: at each multiple of `STRIDE`.
SHORTEST = 40
WINDOW = 30
STRIDE = SHORTEST - WINDOW + 1
BLOCK = 1 << 22

HELD = {}


def hold(kind, secret):
    """Remembers a secret; `kind` is what a failure says instead of it."""
    assert len(secret) >= SHORTEST, f"a {kind} of {len(secret)} characters"
    HELD[secret] = kind


def hold_in(answer):
    """Whatever is called like a secret, in an answer that was parsed."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name in NAMES and isinstance(value, (str, bytes)):
                hold(name, value if isinstance(value, str) else value.decode())
            else:
                hold_in(value)
    elif isinstance(answer, list):
        for value in answer:
            hold_in(value)


def hold_in_text(text):
    """The same in an answer as it came, and signatures in a request as it goes."""
    for secret in IN_TEXT.findall(text):
        hold("secret of an answer", secret)
    for secret in SIGNATURE.findall(text):
        hold("signature", secret)


def watch(events):
    """Holds what clients made with these events send and receive."""

    def sent(request, **_):
        hold_in_text(f"{request.headers.get('Authorization')} {request.url}")

    events.register("before-send", sent)
    events.register("after-call", lambda parsed, **_: hold_in(parsed))


def forms(secret):
    """The secret as it is, in URLs, and in base64 wherever it may begin in a longer text."""
    made = {secret, urllib.parse.quote(secret), urllib.parse.quote(secret, safe="")}
    for before in range(3):
        text = b"\0" * before + secret.encode()
        # Characters that no byte but the secret's has a part in.
        first, end = -(-before * 8 // 6), len(text) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            made.add(encode(text).decode()[first:end])
    return {form.encode() for form in made}


class Search:
    """Looks for all of `secrets` (with their kinds) at once."""

    def __init__(self, secrets):
        self.windows = {}
        self.longest = SHORTEST
        for secret, kind in secrets.items():
            for form in forms(secret):
                self.longest = max(self.longest, len(form))
                for begin in range(STRIDE):
                    self.windows.setdefault(form[begin : begin + WINDOW], []).append((begin, form, kind))

    def in_bytes(self, text):
        """The kind of a secret that is there, or None."""
        for place in range(0, len(text) - WINDOW + 1, STRIDE):
            for begin, form, kind in self.windows.get(text[place : place + WINDOW], ()):
                if place >= begin and text.startswith(form, place - begin):
                    return kind
        return None

    def in_file(self, path):
        """The same, block by block; each begins with as much of the last as may belong to a form."""
        kept = b""
        with open(path, "rb") as file:
            while block := file.read(BLOCK):
                text = kept + block
                if kind := self.in_bytes(text):
                    return kind
                kept = text[-self.longest :]
        return None
