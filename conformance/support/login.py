"""What `aws login` is, without the browser: a key, a verifier, and the two calls of CreateOAuth2Token."""

import base64
import hashlib
import json
import secrets
import time
import urllib.parse
import uuid

import botocore
import botocore.config
import botocore.session
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from .secrets import hold

SAME_DEVICE = "arn:aws:signin:::devtools/same-device"
CROSS_DEVICE = "arn:aws:signin:::devtools/cross-device"
CALLBACK = "http://127.0.0.1:8765/oauth/callback"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Program:
    """One that wants to be let in."""

    def __init__(self, server, client_id=SAME_DEVICE, redirect_uri=CALLBACK):
        self.endpoint, self.client_id, self.redirect_uri = server.endpoint, client_id, redirect_uri
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.verifier, self.state = base64url(secrets.token_bytes(32)), str(uuid.uuid4())
        hold("code verifier", self.verifier)
        session = botocore.session.Session()
        config = botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
        self.client = session.create_client(
            "signin", region_name="us-east-1", endpoint_url=server.endpoint, config=config
        )
        self.client.meta.events.register("before-call.signin.CreateOAuth2Token", self._prove)
        #: What a test changes of the next proofs.
        self.header, self.claims = {}, {}

    def asks(self, **changed):
        """The parameters that the browser is sent with."""
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "state": self.state,
            "code_challenge": base64url(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "SHA-256",
            "scope": "openid",
            "redirect_uri": self.redirect_uri,
        }
        return {**parameters, **changed}

    def address(self, **changed):
        return f"/v1/authorize?{urllib.parse.urlencode(self.asks(**changed))}"

    def _prove(self, model, params, **_):
        params["headers"]["DPoP"] = self.proof()

    def proof(self):
        numbers = self.key.public_key().public_numbers()
        jwk = {"kty": "EC", "crv": "P-256"}
        jwk |= {name: base64url(getattr(numbers, name).to_bytes(32, "big")) for name in ("x", "y")}
        claims = {"jti": str(uuid.uuid4()), "htm": "POST", "htu": f"{self.endpoint}/v1/token", "iat": int(time.time())}
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk} | self.header
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (head, claims | self.claims))
        r, s = utils.decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def tokens(self, code, **changed):
        """For the code."""
        asked = {"grantType": "authorization_code", "clientId": self.client_id, "code": code}
        asked |= {"codeVerifier": self.verifier, "redirectUri": self.redirect_uri}
        return self._ask({**asked, **changed})

    def refreshed(self, token, **changed):
        asked = {"grantType": "refresh_token", "clientId": self.client_id, "refreshToken": token}
        return self._ask({**asked, **changed})

    def _ask(self, asked):
        answer = self.client.create_o_auth2_token(tokenInput=asked)["tokenOutput"]
        hold("refresh token", answer["refreshToken"])
        hold("secret access key", answer["accessToken"]["secretAccessKey"])
        hold("session token", answer["accessToken"]["sessionToken"])
        return answer

    def pem(self):
        form = serialization.PrivateFormat.TraditionalOpenSSL
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
