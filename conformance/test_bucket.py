"""An unmodified S3 client against `examples/bucket`: the whole way, from a vended session to bytes in a folder.

AWS sources: the operations' pages in the Amazon S3 API Reference; "Authenticating Requests: Using Query
Parameters" there for presigned URLs.
"""

import base64
import contextlib
import hashlib
import json
import re
import urllib.error
import urllib.request

import pytest

from support.bucket import BucketService
from support.client import deny, name, policy, refused, seconds_from_now, statement
from support.signing import EMPTY, Request


@pytest.fixture(scope="module")
def bucket(home, server, tmp_path_factory):
    made = name("bucket")
    resources = [f"arn:aws:s3:::{made}", f"arn:aws:s3:::{made}/*"]
    keeper = home.user(policy(statement("daypass:CheckRequest", resources)), prefix="keeper")
    service = BucketService(tmp_path_factory.mktemp("bucket"), made, server.endpoint, keeper.keys)
    yield service
    service.stop()
    assert service.lines == [], "a service that is well says nothing"


@pytest.fixture(scope="module")
def jill(home, bucket):
    """Keys of a federated user with a folder of her own."""
    objects = f"arn:aws:s3:::{bucket.bucket}/jill/*"
    mine = policy(
        statement(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], objects),
        statement("s3:ListBucket", f"arn:aws:s3:::{bucket.bucket}", condition={"StringLike": {"s3:prefix": "jill/*"}}),
    )
    broker = home.user(policy(statement("sts:GetFederationToken"), statement("s3:*")), prefix="Broker")
    return home.federated("Jill", mine, by=broker)


@pytest.mark.parametrize("key", ["plain", "two/parts", "with space + plus & co", "ümläut/日本", "per%20cent", "a=b;c,d"])
def test_an_object_comes_back_as_it_was_put(bucket, jill, key):
    s3, key = bucket.s3(jill), f"jill/{key}"
    s3.put_object(Bucket=bucket.bucket, Key=key, Body=b"text of " + key.encode())
    assert (bucket.objects / key).read_bytes() == b"text of " + key.encode()
    got = s3.get_object(Bucket=bucket.bucket, Key=key)
    assert (got["Body"].read(), got["ContentLength"]) == (b"text of " + key.encode(), len(b"text of " + key.encode()))
    assert s3.head_object(Bucket=bucket.bucket, Key=key)["ContentLength"] == got["ContentLength"]
    listed = s3.list_objects_v2(Bucket=bucket.bucket, Prefix="jill/")["Contents"]
    assert key in [item["Key"] for item in listed]
    s3.delete_object(Bucket=bucket.bucket, Key=key)
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=bucket.bucket, Key=key)


@pytest.mark.parametrize("key", ["susan/file", "jill", "jillian/file", "JILL/file"])
def test_what_is_not_hers_stays_shut(bucket, jill, key):
    s3 = bucket.s3(jill)
    with refused("AccessDenied", status=403):
        s3.put_object(Bucket=bucket.bucket, Key=key, Body=b"no")
    assert not (bucket.objects / key).is_file()
    with refused("AccessDenied", status=403):
        s3.get_object(Bucket=bucket.bucket, Key=key)
    with refused("AccessDenied", status=403):
        s3.list_objects_v2(Bucket=bucket.bucket, Prefix="susan/")
    with refused("AccessDenied", status=403):
        s3.list_objects_v2(Bucket=bucket.bucket)


def test_every_way_to_learn_of_an_object_tells_the_same(bucket, jill):
    s3 = bucket.s3(jill)
    tag = s3.put_object(Bucket=bucket.bucket, Key="jill/told", Body=b"told")["ETag"]
    head = s3.head_object(Bucket=bucket.bucket, Key="jill/told")
    got = s3.get_object(Bucket=bucket.bucket, Key="jill/told")
    [listed] = s3.list_objects_v2(Bucket=bucket.bucket, Prefix="jill/told")["Contents"]
    assert (head["ETag"], got["ETag"]) == (tag, tag)
    assert head["LastModified"] == got["LastModified"] == listed["LastModified"]
    assert -60 < seconds_from_now(head["LastModified"]) < 5
    assert (head["ContentLength"], listed["Size"]) == (4, 4)
    with refused("404", status=404):
        s3.head_object(Bucket=bucket.bucket, Key="jill/untold")


def test_lists_come_in_pages_and_in_folders(bucket, jill):
    s3 = bucket.s3(jill)
    keys = [f"jill/pages/{key}" for key in ["a", "b/1", "b/2", "c+d", "e&f/1"]]
    for key in keys:
        s3.put_object(Bucket=bucket.bucket, Key=key, Body=b"")
    pages = s3.get_paginator("list_objects_v2")
    found = list(pages.paginate(Bucket=bucket.bucket, Prefix="jill/pages/", PaginationConfig={"PageSize": 2}))
    assert [page["KeyCount"] for page in found] == [2, 2, 1]
    assert [item["Key"] for page in found for item in page["Contents"]] == keys
    found = list(
        pages.paginate(Bucket=bucket.bucket, Prefix="jill/pages/", Delimiter="/", PaginationConfig={"PageSize": 3})
    )
    assert [page["KeyCount"] for page in found] == [3, 1]
    assert [item["Key"] for page in found for item in page.get("Contents", [])] == [keys[0], keys[3]]
    folders = [item["Prefix"] for page in found for item in page.get("CommonPrefixes", [])]
    assert folders == ["jill/pages/b/", "jill/pages/e&f/"]


def test_the_command_line_copies_and_lists(bucket, jill, aws, tmp_path):
    def s3(*arguments):
        done = aws("s3", *arguments, "--endpoint-url", bucket.endpoint, keys=jill, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    sent, fetched, there = tmp_path / "sent", tmp_path / "fetched", f"s3://{bucket.bucket}/jill/cli"
    sent.write_bytes(b"by command line")
    s3("cp", str(sent), f"{there}/folder/file")
    assert re.search(r"15 folder/file\n$|15 jill/cli/folder/file\n$", s3("ls", "--recursive", f"{there}/"))
    assert "PRE folder/" in s3("ls", f"{there}/")
    s3("cp", f"{there}/folder/file", str(fetched))
    assert fetched.read_bytes() == b"by command line"
    s3("rm", f"{there}/folder/file")
    assert not (bucket.objects / "jill/cli/folder/file").exists()


def fetch(url, method="GET", body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_presigned_url_opens_what_it_was_signed_for(bucket, jill):
    s3 = bucket.s3(jill)
    s3.put_object(Bucket=bucket.bucket, Key="jill/shared", Body=b"shared")
    made = {"Bucket": bucket.bucket, "Key": "jill/shared"}
    url = s3.generate_presigned_url("get_object", Params=made, ExpiresIn=60)
    assert fetch(url) == (200, b"shared")
    assert fetch(url.replace("jill/shared", "jill/other"))[0] == 403
    assert fetch(url, method="DELETE")[0] == 403
    put = s3.generate_presigned_url("put_object", Params={**made, "Key": "jill/sent"}, ExpiresIn=60)
    assert fetch(put, method="PUT", body=b"by url")[0] == 200
    assert s3.get_object(Bucket=bucket.bucket, Key="jill/sent")["Body"].read() == b"by url"


def test_the_wrong_secret_and_no_credential_are_told_apart(bucket, jill):
    with refused("SignatureDoesNotMatch", status=403):
        bucket.s3(jill.but(secret="x" * 40)).get_object(Bucket=bucket.bucket, Key="jill/a")
    assert fetch(f"{bucket.endpoint}/{bucket.bucket}/jill/a")[0] == 403


def test_access_ends_with_the_issuers_next_policy(home, bucket):
    broker = home.user(policy(statement("sts:GetFederationToken"), statement("s3:*")), prefix="Broker")
    s3 = bucket.s3(home.federated("Jill", json.dumps({"Version": "2012-10-17", "Statement": statement("s3:*")}), by=broker))
    s3.put_object(Bucket=bucket.bucket, Key="once", Body=b"")
    broker.permit(deny("s3:*"))
    with refused("AccessDenied", status=403):
        s3.get_object(Bucket=bucket.bucket, Key="once")


def checksum(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def code(answer):
    """The error code of S3's XML, or nothing."""
    status, body = answer
    found = re.search(rb"<Code>(.*?)</Code>", body)
    return status, found and found[1].decode()


def test_a_presigned_checksum_binds_the_body(bucket, jill):
    made = {"Bucket": bucket.bucket, "Key": "jill/checked", "ChecksumSHA256": checksum(b"good")}
    url = bucket.s3(jill).generate_presigned_url("put_object", Params=made, ExpiresIn=60)
    assert "x-amz-checksum-sha256" in url, "signed, not in the query"
    headers = {"x-amz-checksum-sha256": checksum(b"good")}
    assert code(fetch(url, "PUT", b"evil", headers)) == (400, "BadDigest")
    assert code(fetch(url, "PUT", b"evil", {"x-amz-checksum-sha256": checksum(b"evil")}))[0] == 403
    assert not (bucket.objects / "jill/checked").exists()
    assert fetch(url, "PUT", b"good", headers)[0] == 200
    assert (bucket.objects / "jill/checked").read_bytes() == b"good"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("x-amz-checksum-sha256", checksum(b"evil"), (200, None)),
        ("x-amz-checksum-sha256", checksum(b"good"), (400, "BadDigest")),
        ("x-amz-checksum-crc32", "AAAAAA==", (501, "NotImplemented")),
        ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=", (501, "NotImplemented")),
        ("content-md5", base64.b64encode(hashlib.md5(b"good").digest()).decode(), (501, "NotImplemented")),
    ],
)
def test_a_checksum_beside_an_unsigned_payload_is_compared_or_refused(bucket, jill, field, value, expected):
    path = f"/{bucket.bucket}/jill/unsigned"
    headers = [("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), (field, value)]
    answer = Request(bucket.host, "PUT", path, body=b"evil", headers=headers).sign(jill, service="s3").send()
    assert code((answer.status, answer.body)) == expected, answer
    assert (bucket.objects / "jill/unsigned").exists() == (expected[0] == 200)
    (bucket.objects / "jill/unsigned").unlink(missing_ok=True)


def test_a_body_in_place_of_the_signed_one_is_refused(bucket, jill):
    headers = [("X-Amz-Content-Sha256", hashlib.sha256(b"good").hexdigest())]
    request = Request(bucket.host, "PUT", f"/{bucket.bucket}/jill/other", body=b"good", headers=headers)
    request.sign(jill, service="s3").body = b"evil"
    answer = request.send()
    assert answer.find("Code") == "XAmzContentSHA256Mismatch", answer
    assert not (bucket.objects / "jill/other").exists()


@pytest.mark.parametrize(
    "parameter",
    ["X-Amz-Acl=public-read", "x-amz-tagging=a%3Db", "X-Amz-Copy-Source=b%2Fc", "x-amz-checksum-crc32=AAAAAA%3D%3D"],
)
def test_what_a_presigned_url_asks_for_beside_is_refused(bucket, jill, parameter):
    path = f"/{bucket.bucket}/jill/beside"
    request = Request(bucket.host, "PUT", path, query=parameter, body=b"text")
    answer = request.presign(jill, service="s3", payload="UNSIGNED-PAYLOAD").send()
    assert (answer.status, answer.find("Code")) == (501, "NotImplemented"), answer
    assert not (bucket.objects / "jill/beside").exists()


@pytest.mark.parametrize(
    ("method", "field", "value"),
    [
        ("PUT", "Content-Encoding", "aws-chunked"),
        ("PUT", "Content-Range", "bytes 0-0/2"),
        ("PUT", "x-amz-meta-colour", "red"),
        ("PUT", "If-None-Match", "*"),
        ("GET", "Range", "bytes=0-0"),
        ("GET", "If-Match", '"x"'),
    ],
)
def test_what_a_field_asks_for_beside_is_refused(bucket, jill, method, field, value):
    path = f"/{bucket.bucket}/jill/beside"
    headers = [("X-Amz-Content-Sha256", EMPTY), (field, value)]
    answer = Request(bucket.host, method, path, headers=headers).sign(jill, service="s3").send()
    assert (answer.status, answer.find("Code")) == (501, "NotImplemented"), answer


@pytest.mark.parametrize(
    ("key", "pattern", "headers"),
    [
        ("aws:UserAgent", "evil*", [("User-Agent", "evil/1")]),
        ("aws:Referer", "*leech*", [("Referer", "http://leech.example/")]),
        ("aws:RequestedRegion", "us-east-1", []),
    ],
)
def test_a_deny_on_how_the_request_came_holds(home, bucket, key, pattern, headers):
    user = home.user(policy(statement("s3:*")))
    path = f"/{bucket.bucket}/denied"
    headers = [("X-Amz-Content-Sha256", EMPTY), *headers]

    def put():
        answer = Request(bucket.host, "PUT", path, headers=headers).sign(user.keys, service="s3").send()
        return code((answer.status, answer.body))

    assert put() == (200, None)
    user.permit(deny("s3:*", condition={"StringLike": {key: pattern}}))
    assert put() == (403, "AccessDenied")


def test_what_was_signed_for_another_service_is_refused(bucket, jill):
    made = [bucket.host, "GET", f"/{bucket.bucket}/jill/a"]
    headers = [("X-Amz-Content-Sha256", EMPTY)]
    answer = Request(*made, headers=headers).sign(jill, service="foo").send()
    assert (answer.status, answer.find("Code")) == (400, "AuthorizationHeaderMalformed"), answer
    answer = Request(*made).presign(jill, service="foo").send()
    assert (answer.status, answer.find("Code")) == (400, "AuthorizationQueryParametersError"), answer


def test_signature_version_2_is_refused_by_name(bucket, jill):
    s3 = bucket.s3(jill, signature_version="s3")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket.bucket, "Key": "jill/a"})
    status, body = fetch(url)
    assert code((status, body)) == (400, "InvalidRequest")
    assert b"Signature Version 4" in body


def test_parameters_are_few(bucket):
    query = "&".join(f"{number:x}" for number in range(5000))
    assert code(fetch(f"{bucket.endpoint}/{bucket.bucket}?{query}")) == (400, "InvalidArgument")


@contextlib.contextmanager
def another(bucket, folder, server, keys):
    """The same bucket, served with other keys."""
    service = BucketService(folder, bucket.bucket, server.endpoint, keys)
    try:
        yield service
    finally:
        service.stop()


def test_why_daypass_does_not_answer_is_told_to_the_operator_alone(home, server, bucket, jill, tmp_path):
    elsewhere = {"StringEquals": {"daypass:RequestHost": "elsewhere.example"}}
    narrow = home.user(policy(statement("daypass:CheckRequest", condition=elsewhere)), prefix="keeper")
    for keys, said in [
        (narrow.keys.but(secret="x" * 40), "SignatureDoesNotMatch"),
        (narrow.keys, "is not authorized to perform: daypass:CheckRequest"),
    ]:
        with another(bucket, tmp_path, server, keys) as service:
            with refused("InternalError", "We encountered an internal error. Please try again.", status=500):
                service.s3(jill).get_object(Bucket=bucket.bucket, Key="jill/a")
        assert any(said in line for line in service.lines), service.lines
