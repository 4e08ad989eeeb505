"""An OpenID Connect provider made for the tests: plain HTTP on the loopback interface, signing with openssl's RSA."""

import base64
import http.server
import json
import pathlib
import subprocess
import threading
import time


def encoded(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A key pair in a file."""

    def __init__(self, folder, identifier):
        self.id, self.path = identifier, pathlib.Path(folder) / f"{identifier}.pem"
        self._openssl("genrsa", "-out", str(self.path), "2048")
        modulus = self._openssl("rsa", "-in", str(self.path), "-noout", "-modulus").decode().strip().partition("=")[2]
        number = encoded(bytes.fromhex(modulus))
        self.public = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": identifier, "n": number, "e": "AQAB"}

    def _openssl(self, *arguments, text=None):
        done = subprocess.run(["openssl", *arguments], input=text, check=True, capture_output=True, timeout=60)
        return done.stdout

    def sign(self, claims, **header):
        """A token in compact form."""
        head = {"alg": "RS256", "kid": self.id, "typ": "JWT", **header}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
        signature = self._openssl("dgst", "-sha256", "-sign", str(self.path), text=signed.encode())
        return f"{signed}.{encoded(signature)}"


class Issuer:
    """Publishes the public halves of its keys; `asked` are the paths that were asked for."""

    def __init__(self, folder):
        self.keys = [Key(folder, "first")]
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
        self.url = f"http://127.0.0.1:{self.server.server_port}/realm"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def documents(self):
        """What it answers, by path."""
        return {
            "/realm/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/realm/keys": {"keys": [key.public for key in self.keys]},
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
