"""The doors of the broker: what is read of a request, and what is answered.

Answers for: forms that are our own, addresses, cookies, limits. Refuses to know: whether a password is right, and what anybody may do.
"""

import http.server
import io
import ipaddress
import json
import re
import urllib.parse

import pages
from directory import canonical_name
from issue import for_a_process
from sign_in import Attempt

BODY_MAX, FIELDS_MAX = 8192, 8
# A place in the console, and nowhere else: no scheme, host, backslash or escape gets through.
SEGMENT = "[A-Za-z0-9_~-][A-Za-z0-9_.~-]*"
DESTINATION = re.compile(rf"/console/(?:{SEGMENT}(?:/{SEGMENT})*/?)?(?:\?[A-Za-z0-9_.~=&-]*)?")


class BadRequest(Exception):
    """Not what our own page or client sends."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One request; `self.server` is the Broker."""

    server_version, sys_version = "identity-broker", ""

    def setup(self):
        self.timeout = self.server.patience
        until = self.server.clock() + self.timeout
        # In this connection's own thread: who does not finish the handshake holds nobody else up.
        if self.server.tls:
            self.request.settimeout(self.timeout)
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(Punctual(self.connection, until, self.timeout, self.server.clock))

    def log_message(self, *_):
        """Request lines are not logged: a password in an address would be."""

    def send_error(self, code, *_):
        """Nor are they sent back, as what is no request would be. With a head: before the version is read, it is taken for 0.9."""
        self.request_version = self.protocol_version
        self.answer(code, pages.notice(pages.BAD_REQUEST))

    def do_GET(self):
        place = urllib.parse.urlsplit(self.path)
        if place.path != "/":
            return self.answer(404, pages.notice(pages.NOT_FOUND))
        try:
            asked = fields(place.query)
            return self.form(200, destination(asked.get("next")))
        except BadRequest:
            return self.answer(400, pages.notice(pages.BAD_REQUEST))

    def do_POST(self):
        door = {"/": self.browser, "/credentials": self.command_line}.get(self.path)
        if door is None:
            return self.answer(404, pages.notice(pages.NOT_FOUND))
        try:
            return door(self.body())
        except BadRequest:
            return self.answer(400, pages.notice(pages.BAD_REQUEST))

    # --- the two doors ---------------------------------------------------------------------------------------------

    def browser(self, asked):
        """The form, which only our own page can send: its token belongs to a cookie that other sites can neither read nor make."""
        leads_to = destination(asked.get("next"))
        foreign = self.headers.get("Origin", self.server.origin) != self.server.origin
        foreign = foreign or self.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
        if foreign or not self.server.seal.is_own_form(self.cookie("form"), asked.get("form", "")):
            return self.form(403, leads_to, pages.TOO_OLD)
        known = self.cookie("known")
        done = self.server.sign_in.attempt(self.attempt(asked, known), self.enter(leads_to))
        if done.status == 303:
            # The form's cookie has done its work: whoever knew it knows nothing now.
            spent = self.set_cookie("form", "", 0)
            return self.answer(303, "", ("Location", done.result), spent, self.known(asked))
        more = [("Retry-After", str(done.wait))] if done.wait else []
        return self.form(done.status, leads_to, done.said, *more, titles=done.titles)

    def enter(self, leads_to):
        """What a browser gets for credentials: where to go."""
        server = self.server
        return lambda given: (303, server.issuer.link(given, server.console, f"{server.origin}/", leads_to))

    def command_line(self, asked):
        """The three values, for a program. Browsers do not ask here: they say where they come from. The program keeps the cookie of
        whoever signed in with it, as a browser does."""
        if "Origin" in self.headers or "Sec-Fetch-Site" in self.headers:
            raise BadRequest
        done = self.server.sign_in.attempt(self.attempt(asked, self.cookie("known")), lambda given: (200, for_a_process(given)))
        more = [("Retry-After", str(done.wait))] if done.wait else []
        if done.status == 200:
            more.append(self.known(asked))
        said = done.result or {"message": done.said, **({"as": done.titles} if done.titles else {})}
        return self.answer(done.status, json.dumps(said) + "\n", *more, kind="application/json")

    def attempt(self, asked, known):
        if not {"username", "password"} <= asked.keys():
            raise BadRequest
        return Attempt(asked["username"], asked["password"], asked.get("as", ""), self.address(), known)

    # --- reading -----------------------------------------------------------------------------------------------------

    def body(self):
        length = self.headers.get("Content-Length", "")
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded" or "Transfer-Encoding" in self.headers:
            raise BadRequest
        if not re.fullmatch("[0-9]{1,5}", length) or int(length) > BODY_MAX:
            raise BadRequest
        try:
            return fields(self.rfile.read(int(length)).decode())
        except UnicodeDecodeError:
            raise BadRequest from None

    def address(self):
        """Of the connection; or what a proxy that we know says last."""
        there = self.client_address[0]
        if there in self.server.proxies:
            said = self.headers.get_all("X-Forwarded-For", [""])[-1].rpartition(",")[2].strip()
            return said if is_address(said) else there
        return there

    def cookie_name(self, name):
        """Over TLS a name that no other host of the domain can set."""
        return f"__Host-{name}" if self.server.origin.startswith("https:") else name

    def cookie(self, name):
        wanted = f"{self.cookie_name(name)}="
        for part in self.headers.get("Cookie", "").split(";"):
            if part.strip().startswith(wanted):
                return part.strip().removeprefix(wanted)
        return ""

    # --- answering -----------------------------------------------------------------------------------------------------

    def set_cookie(self, name, value, seconds):
        secure = "; Secure" if self.server.origin.startswith("https:") else ""
        return "Set-Cookie", f"{self.cookie_name(name)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"

    def known(self, asked):
        """The mark of a browser or command line, for whoever has just signed in with it."""
        return self.set_cookie("known", self.server.seal.new_known(canonical_name(asked["username"])), 90 * 86400)

    def form(self, status, leads_to, said=None, *more, titles=()):
        cookie = self.cookie("form")
        if not self.server.seal.knows_cookie(cookie):
            cookie = self.server.seal.new_cookie()
            more = (*more, self.set_cookie("form", cookie, 3600))
        self.answer(status, pages.form(self.server.seal.form_token(cookie), leads_to, said, titles), *more)

    def answer(self, status, text, *more, kind="text/html"):
        body = text.encode()
        self.send_response(status)
        for name, value in [*pages.headers(self.server.console_origin).items(), *more]:
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Punctual(io.RawIOBase):
    """Reads from a connection until a moment of the `clock`, however little comes at a time: who sends a byte now and then would hold
    one of few places. `patience` is the connection's own bound in seconds."""

    def __init__(self, connection, until, patience, clock):
        super().__init__()
        self._connection, self._until, self._patience, self._clock = connection, until, patience, clock

    def readable(self):
        return True

    def readinto(self, buffer):
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError("the request is not here yet")
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            # What is answered may take its own time.
            self._connection.settimeout(self._patience)


def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def fields(text):
    """Of a form or a query: few, each once."""
    try:
        strict = {"strict_parsing": bool(text), "errors": "strict", "max_num_fields": FIELDS_MAX}
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, **strict)
    except ValueError:
        raise BadRequest from None
    if len(dict(pairs)) != len(pairs):
        raise BadRequest
    return dict(pairs)


def destination(text):
    """Where it leads; what is no place of the console is refused and not put right."""
    if text is None or text == "":
        return "/console/"
    if not DESTINATION.fullmatch(text):
        raise BadRequest
    return text
