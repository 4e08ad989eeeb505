"""Somebody with a browser, as far as a test without one can be: cookies by path, redirects that are looked at, forms."""

import html.parser
import http.client
import http.cookies
import json
import ssl
import urllib.parse

from .secrets import hold


class Page:
    """What came back."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body
        self.text = body.decode()

    @property
    def location(self):
        return self.headers["Location"]

    def forms(self):
        """`{address: {field: value}}` of the page's forms."""
        found = Forms()
        found.feed(self.text)
        return found.forms


class Forms(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms = {}
        self._form = None

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self._form = self.forms.setdefault(given["action"], {})
        elif tag == "input" and self._form is not None:
            self._form[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None


class Visitor:
    """One browser at one server."""

    def __init__(self, server, trusted=None):
        """`trusted`: the file of the authority that vouches for the server, where it speaks TLS."""
        self.endpoint = urllib.parse.urlsplit(server.endpoint)
        self.trusted = trusted
        self.cookies = {}

    def _connect(self):
        host, port = self.endpoint.hostname, self.endpoint.port
        if self.endpoint.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=30)
        context = ssl.create_default_context(cafile=self.trusted)
        return http.client.HTTPSConnection(host, port, timeout=30, context=context)

    @classmethod
    def with_cookies(cls, server, cookies):
        """The same with those of a real browser."""
        visitor = cls(server)
        visitor.cookies = {(cookie["path"], cookie["name"]): cookie["value"] for cookie in cookies}
        return visitor

    def ask(self, method, address, form=None, headers=(), cookies=True):
        """One request; redirects are not followed."""
        place = urllib.parse.urlsplit(address)
        assert place.netloc in ("", self.endpoint.netloc), f"sent elsewhere: {address}"
        sent = dict(headers)
        kept = [(name, value) for (path, name), value in self.cookies.items() if place.path.startswith(path)]
        if kept and cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept)
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection = self._connect()
        try:
            target = place.path + (f"?{place.query}" if place.query else "")
            connection.request(method, target, body, sent)
            response = connection.getresponse()
            page = Page(response, response.read())
        finally:
            connection.close()
        for line in page.headers.get_all("Set-Cookie", []):
            self._keep(line)
        return page

    def _keep(self, line):
        for name, morsel in http.cookies.SimpleCookie(line).items():
            key = (morsel["path"], name)
            if morsel["max-age"] == "0":
                self.cookies.pop(key, None)
            else:
                hold("cookie", morsel.value)
                self.cookies[key] = morsel.value

    def get(self, address, **more):
        return self.ask("GET", address, **more)

    def post(self, address, form, **more):
        return self.ask("POST", address, form, **more)

    # --- the federation endpoint -------------------------------------------------------------------------

    def signin_token(self, keys, **more):
        """`getSigninToken`; the answer as it came."""
        session = json.dumps({"sessionId": keys.id, "sessionKey": keys.secret, "sessionToken": keys.token})
        return self.federation(Action="getSigninToken", SessionType="json", Session=session, **more)

    def federation(self, **parameters):
        return self.get(f"/federation?{urllib.parse.urlencode(parameters)}")

    def link(self, keys, destination="/console/", issuer=None, **more):
        """A sign-in link for these credentials."""
        answer = self.signin_token(keys, **more)
        assert answer.status == 200, answer.text
        (member,) = json.loads(answer.text).items()
        assert member[0] == "SigninToken"
        hold("sign-in token", member[1])
        wanted = {"Action": "login", "Destination": destination, "SigninToken": member[1]}
        if issuer is not None:
            wanted["Issuer"] = issuer
        return f"/federation?{urllib.parse.urlencode(wanted)}"

    def sign_in(self, keys, **more):
        """The page of a new session of the console, and its address."""
        entered = self.get(self.link(keys, **more))
        assert entered.status == 302, entered.text
        page = self.get(entered.location)
        assert page.status == 200, page.text
        return page, entered.location
