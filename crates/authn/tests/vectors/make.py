#!/usr/bin/env python3
"""Makes the signature vectors beside it, with nothing but Python's standard library.

Each vector is a folder: `request.txt` (as on the wire, signed), `canonical.txt`, `string-to-sign.txt`.
A case states the *decoded* path and query, from which the canonical request is calculated, and separately
the spelling that goes over the wire; so these values do not depend on any decoder.
All are signed at 2026-01-15T12:00:00Z with the secret below. Run it in this folder to make them again.
"""
import hashlib
import hmac
import os
from urllib.parse import quote

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TIME = "20260115T120000Z"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//token+with==signs"


def enc(text):
    return quote(text, safe="-_.~")


def sha(data):
    return hashlib.sha256(data).hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def case(name, *, method="GET", wire_path="/", canonical_path="/", wire_query="", query=(), headers=(),
         signed=None, body=b"", service="sts", region="us-east-1", payload=None, presign=None, token=None,
         token_in_signature=True, akid="AKIAIOSFODNN7EXAMPLE", date_header=None):
    """`headers`: (name, wire value, canonical value); the canonical value None means it is not signed."""
    scope = f"{TIME[:8]}/{region}/{service}/aws4_request"
    headers = list(headers)
    query = list(query)
    if presign is None:
        headers.append(date_header or ("X-Amz-Date", TIME, TIME))
        if token:
            headers.append(("X-Amz-Security-Token", token, token if token_in_signature else None))
    names = {}
    for field, _, canonical in headers:
        if canonical is not None:
            names.setdefault(field.lower(), []).append(canonical)
    listed = ";".join(sorted(names))
    extra = []
    if presign is not None:
        extra = [("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", f"{akid}/{scope}"),
                 ("X-Amz-Date", TIME), ("X-Amz-Expires", str(presign)), ("X-Amz-SignedHeaders", listed)]
        if token:
            extra.append(("X-Amz-Security-Token", token))
        query += [pair for pair in extra if token_in_signature or pair[0] != "X-Amz-Security-Token"]
    canonical_query = "&".join(f"{k}={v}" for k, v in sorted((enc(k), enc(v)) for k, v in query))
    block = "".join(f"{n}:{','.join(names[n])}\n" for n in sorted(names))
    payload = payload or sha(body)
    canonical = "\n".join([method, canonical_path, canonical_query, block, listed, payload])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", TIME, scope, sha(canonical.encode("utf-8"))])
    key = mac(mac(mac(mac(b"AWS4" + SECRET.encode(), TIME[:8]), region), service), "aws4_request")
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    if presign is None:
        headers.append(("Authorization", f"AWS4-HMAC-SHA256 Credential={akid}/{scope}, SignedHeaders={listed}, "
                                         f"Signature={signature}", None))
    else:
        parts = [wire_query] if wire_query else []
        parts += [f"{k}={enc(v)}" for k, v in extra] + [f"X-Amz-Signature={signature}"]
        wire_query = "&".join(parts)
    target = wire_path + ("?" + wire_query if wire_query else "")
    head = f"{method} {target} HTTP/1.1\n" + "".join(f"{n}: {v}\n" for n, v, _ in headers) + "\n"
    os.makedirs(name, exist_ok=True)
    for file, data in [("request.txt", head.encode("utf-8") + body), ("canonical.txt", canonical.encode("utf-8")),
                       ("string-to-sign.txt", to_sign.encode())]:
        with open(os.path.join(name, file), "wb") as out:
            out.write(data)
    print(f"{signature}  {name}")


def plain(name, value):
    return (name, value, value)


STS = plain("Host", "sts.us-east-1.amazonaws.com")
FORM = plain("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
S3 = plain("Host", "lake.s3.eu-west-1.amazonaws.com")
CALLER = b"Action=GetCallerIdentity&Version=2011-06-15"
CALLER_QUERY = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]
CALLER_WIRE = "Action=GetCallerIdentity&Version=2011-06-15"

case("sts-post-form", method="POST", headers=[FORM, STS], body=CALLER)
case("sts-post-session-token", method="POST", headers=[FORM, STS], body=CALLER, token=TOKEN,
     akid="ASIAIOSFODNN7EXAMPLE")
case("sts-post-token-added-after-signing", method="POST", headers=[FORM, STS], body=CALLER, token=TOKEN,
     token_in_signature=False, akid="ASIAIOSFODNN7EXAMPLE")
case("sts-get-query", headers=[STS, ("User-Agent", "curl/8", None)], query=CALLER_QUERY, wire_query=CALLER_WIRE)
case("sts-get-absent-path", wire_path="", headers=[STS], query=CALLER_QUERY, wire_query=CALLER_WIRE)
case("sts-date-field-only", headers=[STS], query=CALLER_QUERY, wire_query=CALLER_WIRE,
     date_header=plain("Date", "Thu, 15 Jan 2026 12:00:00 GMT"))
case("sts-host-with-port", headers=[plain("Host", "127.0.0.1:7777")], query=CALLER_QUERY, wire_query=CALLER_WIRE)
case("sts-access-key-id-with-slash", headers=[STS], query=CALLER_QUERY, wire_query=CALLER_WIRE,
     akid="tenant/user/KEYEXAMPLE")
case("sts-presigned", headers=[STS], query=CALLER_QUERY, wire_query=CALLER_WIRE, presign=60)
case("sts-presigned-session-token", headers=[STS], query=CALLER_QUERY, wire_query=CALLER_WIRE, presign=60,
     token=TOKEN, akid="ASIAIOSFODNN7EXAMPLE")
case("sts-presigned-token-added-after-signing", headers=[STS], query=CALLER_QUERY, wire_query=CALLER_WIRE,
     presign=60, token=TOKEN, token_in_signature=False, akid="ASIAIOSFODNN7EXAMPLE")
case("sts-presigned-eks-cluster", headers=[STS, plain("x-k8s-aws-id", "my-cluster")], query=CALLER_QUERY,
     wire_query=CALLER_WIRE, presign=60)
case("query-spellings-and-order", headers=[STS],
     query=[("b", "2"), ("a", "x y"), ("a", "+"), ("A", "/"), ("", "z"), ("empty", ""), ("eq", "=v="), ("é", "ü"),
            ("a-b", "~*")],
     wire_query="b=2&a=x+y&a=%2b&A=/&=z&empty&eq==v=&%C3%A9=%c3%bc&a%2Db=%7E%2A")
case("header-spaces-and-repetition",
     headers=[STS, ("My-Header", "   a    b  ", "a b"), ("My-Header", "c", "c"), plain("Zebra", '"x y"')])
case("path-normalised-and-encoded-twice", service="execute-api", region="eu-west-1",
     wire_path="/v1//a/./b/../c%20d/%C3%A9", canonical_path="/v1/a/c%2520d/%25C3%25A9",
     headers=[plain("Host", "abc.execute-api.eu-west-1.amazonaws.com")])
case("s3-path-as-sent", service="s3", region="eu-west-1", wire_path="/a//b/./c%20d/%c3%a9+(1)",
     canonical_path="/a//b/./c%20d/%C3%A9%2B%281%29",
     headers=[S3, plain("x-amz-content-sha256", sha(b""))])
case("s3-put-hashed", service="s3", region="eu-west-1", method="PUT", wire_path="/b.txt", canonical_path="/b.txt",
     headers=[S3, plain("x-amz-content-sha256", sha(b"hello")), plain("x-amz-meta-who", "jill")], body=b"hello")
case("s3-put-unsigned-payload", service="s3", region="eu-west-1", method="PUT", wire_path="/b.txt",
     canonical_path="/b.txt", headers=[S3, plain("x-amz-content-sha256", "UNSIGNED-PAYLOAD")], body=b"hello",
     payload="UNSIGNED-PAYLOAD")
case("s3-presigned", service="s3", region="eu-west-1", wire_path="/b.txt", canonical_path="/b.txt", headers=[S3],
     presign=3600, payload="UNSIGNED-PAYLOAD")
case("s3-presigned-session-token", service="s3", region="eu-west-1", wire_path="/b.txt", canonical_path="/b.txt",
     headers=[S3], query=[("versionId", "a/b")], wire_query="versionId=a%2Fb", presign=3600,
     payload="UNSIGNED-PAYLOAD", token=TOKEN, akid="ASIAIOSFODNN7EXAMPLE")
