"""A server where people sign in at an OpenID Connect provider, npm's certified `oidc-provider`."""

import urllib.parse

from .client import Account, House, allow, trust
from .secrets import hold
from .server import Server
from .visitor import Visitor

NAME = "daypass.example.test"
PUBLIC = f"https://{NAME}"
PATH = "/signin/oidc/northwind"
BACK = f"{PUBLIC}{PATH}/callback"


class Place:
    """A server with its own address, and an account that has the provider."""

    def __init__(self, folder, provider):
        self.provider, self.codes = provider, []
        first = Server(folder)
        account = Account(House(first), first.root_keys()).id
        assert first.stop() == 0
        self.arn = f"arn:aws:iam::{account}:oidc-provider/{provider.name}"
        secret = folder / "secret"
        secret.write_text(f"{provider.secret}\n", encoding="ascii")
        secret.chmod(0o600)
        settings = ("--allow-insecure-issuer", provider.url, "--sign-in-provider", f"northwind {self.arn} app {secret}")
        self.server = Server(folder, "--public-url", PUBLIC, "--log", "trace,hyper=trace,h2=trace", *settings)
        self.server.endpoint = (self.server.data / "daypass.lock").read_text(encoding="ascii").split()[-1]
        self.house = House(self.server)
        host = urllib.parse.urlsplit(PUBLIC).netloc
        self.house.session.events.register("before-sign", lambda request, **_: request.headers.add_header("Host", host))
        self.home = Account(self.house, self.server.root_keys())
        self.home.iam.create_open_id_connect_provider(Url=provider.url, ClientIDList=["app"])

    def role(self, subject, prefix="web"):
        equal = {"StringEquals": {f"{self.provider.name}:sub": subject}}
        action = "sts:AssumeRoleWithWebIdentity"
        return self.home.role(trust({"Federated": self.arn}, action, equal), allow("iam:ListRoles"), prefix=prefix)

    def leaves(self, visitor, path=PATH):
        """Where the browser is sent."""
        left = visitor.get(path)
        assert left.status == 302 and left.location.startswith(f"{self.provider.url}/auth?"), left.text
        return left.location

    def comes_back(self, visitor, address):
        """The page at the address that the provider sent the browser back to."""
        assert address.startswith(f"{BACK}?")
        code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query)).get("code")
        if code:
            hold("code of a provider", code)
            self.codes.append(code)
        return visitor.get(address.removeprefix(PUBLIC))

    def signs_in(self, name, visitor=None):
        visitor = visitor or Visitor(self.server)
        return visitor, self.comes_back(visitor, self.provider.signs_in(self.leaves(visitor), name, BACK))
