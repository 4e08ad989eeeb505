"""What keeps strangers out of the form: tokens that only our own page has, and budgets of failures.

Answers for: forgery of the form, guessing of passwords. Refuses to know: whether anybody exists; unknown names have budgets too.
"""

import base64
import hashlib
import hmac
import ipaddress
import secrets
import threading

FORM_SECONDS = 3600


class Seal:
    """Makes and knows what this broker gave out. The key lives as long as the process."""

    def __init__(self, clock):
        self._key = secrets.token_bytes(32)
        self._clock = clock

    def _tag(self, purpose, *parts):
        """Each part with its length, so that no two lists of parts are one text."""
        text = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in (purpose, *parts))
        return base64.urlsafe_b64encode(hmac.digest(self._key, text, hashlib.sha256)).decode().rstrip("=")

    # --- the form: a cookie, and a token in the page that belongs to the cookie ------------------------------

    def new_cookie(self):
        begun = f"{int(self._clock())}.{secrets.token_urlsafe(16)}"
        return f"{begun}.{self._tag('cookie', begun)}"

    def knows_cookie(self, cookie):
        """One of ours, that is not too old: what somebody planted in a browser is not."""
        begun, _, tag = cookie.rpartition(".")
        if not same(tag, self._tag("cookie", begun)):
            return False
        return 0 <= self._clock() - int(begun.partition(".")[0]) <= FORM_SECONDS

    def form_token(self, cookie):
        return self._tag("form", cookie)

    def is_own_form(self, cookie, token):
        return self.knows_cookie(cookie) and same(token, self.form_token(cookie))

    # --- a browser or command line that somebody signed in with before ---------------------------------------------------------

    def new_known(self, canonical):
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._tag('known', nonce, canonical)}"

    def known(self, cookie, canonical):
        """Its own mark, if somebody of this name signed in with it; else None."""
        nonce, _, tag = cookie.rpartition(".")
        return nonce if same(tag, self._tag("known", nonce, canonical)) else None


def same(given, wanted):
    return hmac.compare_digest(given.encode(), wanted.encode())


class Budget:
    """So many failures at once for a key, and then one in so many seconds. What is refused costs nothing: nobody is out for good."""

    ROOM = 20_000

    def __init__(self, burst, seconds, clock):
        self._spare = (burst - 1) * seconds
        self._seconds = seconds
        self._clock = clock
        self._full_at = {}
        self._lock = threading.Lock()

    def take(self, key):
        """Seconds to wait; 0 means that one was taken. It is taken before the password is tried, for attempts come side by side."""
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.get(key, now), now)
            if full_at - now > self._spare:
                return full_at - now - self._spare
            if key not in self._full_at and len(self._full_at) >= self.ROOM:
                self._make_room(now)
            self._full_at[key] = full_at + self._seconds
            return 0

    def give_back(self, key):
        with self._lock:
            if key in self._full_at:
                self._full_at[key] -= self._seconds

    def _make_room(self, now):
        """Forgets whose budget is full again, and if that is nobody, who is nearest to it."""
        kept = sorted((when, key) for key, when in self._full_at.items() if when > now)
        self._full_at = {key: when for when, key in kept[-self.ROOM // 2 :]}


class Throttle:
    """Budgets by name and by address. A browser or command line that somebody signed in with has one of its own: guessing somebody's
    password from elsewhere does not keep them out where they work."""

    def __init__(self, clock):
        self._names = Budget(5, 30, clock)
        self._addresses = Budget(30, 2, clock)
        self._known = Budget(5, 30, clock)

    def begin(self, canonical, address, known):
        """`(seconds to wait, what to call when it was no failure)`."""
        asked = [(self._known, known)] if known else [(self._names, canonical), (self._addresses, network(address))]
        taken = []
        for budget, key in asked:
            if wait := budget.take(key):
                give_back(taken)
                return wait, None
            taken.append((budget, key))
        return 0, lambda: give_back(taken)


def give_back(taken):
    for budget, key in taken:
        budget.give_back(key)


def network(address):
    """Whoever has an address of version 6 has the 2^64 beside it. Not so where it stands for one of version 4 (RFC 4291, section
    2.5.5.2): beside it is everybody."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(ipaddress.ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False))
