"""Signature Version 4 with nothing but the standard library, so that requests can be wrong on purpose.

Source: "AWS Signature Version 4 for API requests" in the AWS General Reference.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

from .secrets import hold, hold_in_text

EMPTY = hashlib.sha256(b"").hexdigest()
FORM = "application/x-www-form-urlencoded; charset=utf-8"
VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08"}


def now(**offset):
    """The present, or `minutes=-16` away from it."""
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**offset)


def stamp(time):
    return time.strftime("%Y%m%dT%H%M%SZ")


def quote(text):
    return urllib.parse.quote(text, safe="-_.~")


def pairs_to_query(pairs):
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)


def canonical_query(query):
    pairs = [part.partition("=") for part in query.split("&") if part]
    decoded = [(urllib.parse.unquote(name), urllib.parse.unquote(value)) for name, _, value in pairs]
    return "&".join(sorted(f"{quote(name)}={quote(value)}" for name, value in decoded))


def canonical_path(path, service):
    if service == "s3":
        return urllib.parse.quote(urllib.parse.unquote(path), safe="/-_.~")
    return urllib.parse.quote(path or "/", safe="/-_.~")


def signing_key(secret, date, region, service):
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def signature(keys, time, scope, canonical):
    date, region, service, _terminator = scope
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", stamp(time), "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()]
    )
    made = hmac.new(signing_key(keys.secret, date, region, service), to_sign.encode(), hashlib.sha256).hexdigest()
    hold("signature", made)
    return made


class Request:
    """One HTTP request; `sign` or `presign` it, change what you like, `send` it."""

    def __init__(self, host, method="POST", path="/", query="", body=b"", headers=None):
        self.host = host
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.headers = [("Host", host), *(headers or [])]

    @classmethod
    def action(cls, host, action, service="sts", method="POST", headers=None, **parameters):
        """A Query API request; parameters are given as they stand on the wire."""
        pairs = [("Action", action), ("Version", VERSIONS[service]), *parameters.items()]
        text = pairs_to_query(pairs)
        if method == "GET":
            return cls(host, "GET", query=text, headers=headers)
        return cls(host, body=text.encode(), headers=[("Content-Type", FORM), *(headers or [])])

    def header(self, name):
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    def without(self, name):
        self.headers = [(known, value) for known, value in self.headers if known.lower() != name.lower()]
        return self

    def replace(self, name, value):
        self.without(name)
        self.headers.append((name, value))
        return self

    def _canonical(self, signed, service, payload, query):
        lines = []
        for name in signed:
            values = [" ".join(value.split()) for known, value in self.headers if known.lower() == name]
            lines.append(f"{name}:{','.join(values)}\n")
        return "\n".join(
            [self.method, canonical_path(self.path, service), canonical_query(query), "".join(lines), ";".join(signed), payload]
        )

    def sign(self, keys, service="sts", region="us-east-1", time=None, scope=None, unsigned=(), payload=None):
        """Header form. `scope` replaces parts of the credential scope; `unsigned` headers are sent but not signed."""
        time = time or now()
        self.headers.append(("X-Amz-Date", stamp(time)))
        if keys.token:
            self.headers.append(("X-Amz-Security-Token", keys.token))
        scope = scope or (stamp(time)[:8], region, service, "aws4_request")
        names = {name.lower() for name, _ in self.headers} - {name.lower() for name in unsigned}
        signed = sorted(names - {"user-agent", "accept", "connection"})
        digest = payload or self.header("x-amz-content-sha256") or hashlib.sha256(self.body).hexdigest()
        canonical = self._canonical(signed, service, digest, self.query)
        made = signature(keys, time, scope, canonical)
        credential = "/".join([keys.id, *scope])
        self.headers.append(
            (
                "Authorization",
                f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={';'.join(signed)}, Signature={made}",
            )
        )
        return self

    def presign(self, keys, service="sts", region="us-east-1", time=None, expires=60, payload=EMPTY):
        """Query form, the Host header alone signed."""
        time = time or now()
        scope = (stamp(time)[:8], region, service, "aws4_request")
        added = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", "/".join([keys.id, *scope])),
            ("X-Amz-Date", stamp(time)),
            ("X-Amz-Expires", str(expires)),
            ("X-Amz-SignedHeaders", "host"),
        ]
        if keys.token:
            added.append(("X-Amz-Security-Token", keys.token))
        self.query = "&".join(part for part in (self.query, pairs_to_query(added)) if part)
        canonical = self._canonical(["host"], service, payload, self.query)
        self.query += f"&X-Amz-Signature={signature(keys, time, scope, canonical)}"
        return self

    def described(self, scheme="http"):
        """As `daypass:CheckRequest` wants it."""
        url = f"{scheme}://{self.host}{self.path}" + (f"?{self.query}" if self.query else "")
        headers = [{"Name": name, "Value": value} for name, value in self.headers]
        return {"Method": self.method, "Url": url, "Headers": headers, "BodySha256": hashlib.sha256(self.body).hexdigest()}

    def send(self, to=None):
        connection = http.client.HTTPConnection(to or self.host, timeout=30)
        try:
            target = self.path + (f"?{self.query}" if self.query else "")
            connection.putrequest(self.method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers:
                connection.putheader(name, value)
            if self.method != "GET" or self.body:
                connection.putheader("Content-Length", str(len(self.body)))
            connection.endheaders(self.body or None)
            answer = connection.getresponse()
            answer = Answer(answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read())
            hold_in_text(answer.text)
            return answer
        finally:
            connection.close()


class Answer:
    """Status, headers (lower-case names) and body of a response."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body
        self.text = body.decode("utf-8", "replace")

    def tree(self):
        return ElementTree.fromstring(self.body)

    def find(self, name):
        """The text of the first element of that name, whatever its namespace."""
        found = self.tree().find(f".//{{*}}{name}")
        return None if found is None else found.text

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        if self.headers.get("content-type", "").startswith("text/xml"):
            return self.find("Code")
        match = re.search(r'"(?:Code|__type)"\s*:\s*"([^"]+)"', self.text)
        return match[1] if match else None

    @property
    def message(self):
        return self.find("Message")

    def __repr__(self):
        return f"{self.status} {self.text}"
