"""SAML providers as an account registers them, roles that trust them, and calls that nobody signs."""

import collections

from .client import allow, name, trust
from .secrets import SHORTEST, hold

SAML_ACTIONS = ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"]


class Role(collections.namedtuple("Role", ["arn", "provider", "name"])):
    """A role and the provider that leads to it."""

    def __str__(self):
        """As assertions list it."""
        return f"{self.arn},{self.provider}"


class SamlProvider:
    """A provider of the account `home`, by the metadata of an identity provider."""

    def __init__(self, home, metadata, **more):
        self.home, self.name = home, name("saml")
        keep(more)
        self.arn = home.iam.create_saml_provider(Name=self.name, SAMLMetadataDocument=metadata, **more)["SAMLProviderArn"]

    @property
    def shown(self):
        return self.home.iam.get_saml_provider(SAMLProviderArn=self.arn)

    def update(self, **more):
        keep(more)
        return self.home.iam.update_saml_provider(SAMLProviderArn=self.arn, **more)

    def role(self, condition=None, rights=None, actions=SAML_ACTIONS, **more):
        """A role that trusts the provider."""
        document = trust({"Federated": self.arn}, actions, condition)
        made = self.home.role(document, rights or allow("*"), prefix="saml", **more)
        return Role(made["Arn"], self.arn, made["RoleName"])


def assume(sts, role, response, **more):
    """AssumeRoleWithSAML of whoever holds the response."""
    if len(response) >= SHORTEST:
        hold("SAML response", response)
    return sts.assume_role_with_saml(RoleArn=role.arn, PrincipalArn=role.provider, SAMLAssertion=response, **more)


def keep(parameters):
    """Remembers the lines of a private key, which no output may have."""
    for line in parameters.get("AddPrivateKey", "").splitlines()[1:-1]:
        if len(line) >= SHORTEST:
            hold("line of a private key", line)
