"""daypass's own signer, which services behind daypass ask with, against botocore's: what `examples/bucket` sends is
recorded at a listener of the test, and botocore signs the same once more.
"""

import contextlib
import http.server
import re
import threading

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.bucket import BucketService
from support.client import refused
from support.server import Keys

# Of the examples in AWS's documentation; nobody holds them.
KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
ASIA = Keys("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3Jp+Z2luX2VjE/Q==")
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/([\w-]+)/aws4_request, SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})"
)


@contextlib.contextmanager
def listener():
    """Its address, and every request that came to it: (method, path, headers, body). It refuses them all."""
    seen = []

    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.command, self.path, self.headers.items(), body))
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def signed_by_botocore(keys, service, region, request, signed):
    """The signature over the headers of these names."""
    method, path, headers, body = request
    headers = {name: value for name, value in headers if name.lower() in signed}
    again = AWSRequest(method, f"http://{headers['host']}{path}", headers=headers, data=body)
    again.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(keys.id, keys.secret, keys.token), service, region)
    assert signer.signed_headers(signer.headers_to_sign(again)) == ";".join(signed)
    return signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)


@pytest.mark.parametrize("keys", [KEYS, ASIA], ids=["user", "session"])
def test_botocore_signs_the_same_as_our_signer(environment, tmp_path, keys):
    with listener() as (endpoint, seen):
        service = BucketService(tmp_path, "shelf", endpoint, keys)
        for key in ["plain", "two/parts", "with space + plus & co", "ümläut/日本", "per%20cent"]:
            with refused("InternalError"):
                service.s3(KEYS).get_object(Bucket="shelf", Key=key)
        service.stop()
    assert len(seen) == 5
    for request in seen:
        headers = {name.lower(): value for name, value in request[2]}
        given = AUTHORIZATION.fullmatch(headers["authorization"])
        assert given, headers
        access_key_id, day, region, name, signed, signature = given.groups()
        assert (access_key_id, day, name) == (keys.id, headers["x-amz-date"][:8], "daypass")
        signed = signed.split(";")
        needed = {"host", "x-amz-date", "x-amz-target", "content-type"} | ({"x-amz-security-token"} if keys.token else set())
        assert needed <= set(signed) and headers.get("x-amz-security-token") == keys.token
        assert signed_by_botocore(keys, name, region, request, signed) == signature
        # Another byte is another signature.
        other = (*request[:3], request[3] + b" ")
        assert signed_by_botocore(keys, name, region, other, signed) != signature
