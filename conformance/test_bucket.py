"""An unmodified S3 client against `examples/bucket`: the whole way, from a vended session to bytes in a folder.

AWS sources: the operations' pages in the Amazon S3 API Reference; "Authenticating Requests: Using Query
Parameters" there for presigned URLs.
"""

import json
import urllib.error
import urllib.request

import pytest

from support.bucket import BucketService
from support.client import deny, name, policy, refused, statement


@pytest.fixture(scope="module")
def bucket(home, server, tmp_path_factory):
    made = name("bucket")
    resources = [f"arn:aws:s3:::{made}", f"arn:aws:s3:::{made}/*"]
    keeper = home.user(policy(statement("daypass:CheckRequest", resources)), prefix="keeper")
    service = BucketService(tmp_path_factory.mktemp("bucket"), made, server.endpoint, keeper.keys)
    yield service
    service.stop()


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


def fetch(url, method="GET", body=None):
    request = urllib.request.Request(url, data=body, method=method)
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
