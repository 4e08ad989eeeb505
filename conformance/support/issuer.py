"""An OpenID Connect provider made for the tests: plain HTTP on the loopback interface, RSA keys, tokens as they are told."""

import base64
import http.server
import json
import threading
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def encoded(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


class Key:
    """A key pair, and `public` as key sets have it."""

    def __init__(self, identifier):
        self.id, self.private = identifier, rsa.generate_private_key(65537, 2048)
        modulus = self.private.public_key().public_numbers().n.to_bytes(256, "big")
        self.public = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": identifier, "n": encoded(modulus), "e": "AQAB"}

    @property
    def pem(self):
        """The public half, which somebody might take for a shared secret."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form)

    def signature(self, text, digest=hashes.SHA256(), how=padding.PKCS1v15()):
        return self.private.sign(text.encode(), how, digest)

    def sign(self, claims, **header):
        """A token in compact form; None leaves a member of the header out."""
        head = {"alg": "RS256", "kid": self.id, "typ": "JWT", **header}
        return self.compact(json.dumps({known: value for known, value in head.items() if value is not None}), json.dumps(claims))

    def compact(self, head, body, **how):
        """The same of any two texts."""
        signed = f"{encoded(head)}.{encoded(body)}"
        return f"{signed}.{encoded(self.signature(signed, **how))}"


class Issuer:
    """Publishes the public halves of its keys; `asked` are the paths that were asked for. With `tls`, a context of Python's
    ssl, it is an https issuer."""

    def __init__(self, path="/realm", tls=None):
        self.keys = [Key("first")]
        self.path = path
        self.asked = []
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                document = issuer.documents().get(self.path)
                body = json.dumps(document).encode()
                self.send_response(200 if document else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_port}{path}"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def documents(self):
        """What it answers, by path."""
        return {
            f"{self.path}/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            f"{self.path}/keys": {"keys": [key.public for key in self.keys]},
        }

    @property
    def name(self):
        """The provider in ARNs and condition keys."""
        return self.url.partition("://")[2]

    def claims(self, **more):
        """Claims of a token for `app` about `alice`, from now for ten minutes; None leaves one out."""
        now = int(time.time())
        claims = {"iss": self.url, "sub": "alice", "aud": "app", "iat": now, "exp": now + 600, **more}
        return {known: value for known, value in claims.items() if value is not None}

    def token(self, **more):
        return self.keys[-1].sign(self.claims(**more))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
