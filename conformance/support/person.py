"""A user with a password, at a browser that keeps its cookies."""

import html

from .browser import credentials
from .client import name
from .secrets import hold
from .visitor import Visitor

FORM, CODE, CHANGE, ROOT = "/signin", "/signin/step/code", "/signin/step/password", "/signin/step/root"
INCORRECT = "Your authentication information is incorrect. Please try again."


def new_password():
    """One that any policy here takes, and that is looked for in whatever the server wrote."""
    made = f"Aa1-{name('correct')}-{name('horse')}-{name('battery')}"
    hold("password", made)
    return made


def root_code(server, account):
    """A code for root, made on the host."""
    done = server.run("account", "sign-in", "--account-id", account)
    assert done.returncode == 0, done.stderr
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert told["address"].endswith(ROOT)
    hold("code for root", told["code"])
    return told["code"]


class Person:
    def __init__(self, server, user):
        """`user`: of `support.client`; it gets a password."""
        self.server, self.user, self.password = server, user, new_password()
        user.account.iam.create_login_profile(UserName=user.name, Password=self.password)
        self.visitor = Visitor(server)
        #: Of the session's page, once there is one.
        self.path = None

    def typed(self, account=None):
        return {"account": account or self.user.account.id, "username": self.user.name, "password": self.password}

    def filled(self, account=None):
        """The form with everything in it."""
        return {**self.visitor.get(FORM).forms()[FORM], **self.typed(account)}

    def sign_in(self, account=None):
        """What comes of the form."""
        return self.visitor.post(FORM, self.filled(account))

    def enter(self, account=None):
        """The page of the session that begins."""
        entered = self.sign_in(account)
        assert entered.status == 302, entered.text
        self.path = entered.location
        return self.visitor.get(self.path)

    def credentials(self):
        """Those that the page shows."""
        form = self.visitor.get(self.path).forms()[f"{self.path}credentials"]
        page = self.visitor.post(f"{self.path}credentials", form)
        return credentials(html.unescape(page.text))
