"""Roles Anywhere from the machine's side: authorities, certificates, and the signature by a certificate's key.

Sources: "The IAM Roles Anywhere authentication signing process" in the IAM Roles Anywhere User Guide; RFC 5280. Written after
these with Python's `cryptography`, apart from the server's own reader. As a program it is a `credential_process`:

    python anywhere.py ENDPOINT REGION CERTIFICATE KEY ANCHOR PROFILE ROLE
"""

import base64
import datetime
import hashlib
import http.client
import json
import pathlib
import sys
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
KEY_USAGES = (
    "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
    "encipher_only decipher_only"
).split()
SHORT = {
    "CN": x509.NameOID.COMMON_NAME,
    "O": x509.NameOID.ORGANIZATION_NAME,
    "OU": x509.NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": x509.NameOID.COUNTRY_NAME,
    "L": x509.NameOID.LOCALITY_NAME,
}


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def elliptic(curve=None):
    return ec.generate_private_key(curve or ec.SECP256R1())


def rsa_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def distinguished(*parts):
    """A name of `("CN", "host")` and the like, in order."""
    return x509.Name([x509.NameAttribute(SHORT[kind], text) for kind, text in parts])


def usage(*names):
    return x509.KeyUsage(**{name: name in names for name in KEY_USAGES})


class Holder:
    """A certificate with its private key."""

    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    @property
    def der(self):
        return self.certificate.public_bytes(DER)

    @property
    def pem(self):
        return self.certificate.public_bytes(PEM).decode()

    def issue(self, *subject, key=None, ca=None, **how):
        """A certificate of this authority's; `ca` is its path length constraint (or True), `how` what is unusual."""
        return make(subject or (("CN", "host1"),), key=key, by=self, ca=ca, **how)

    def revoke(self, *serials, days=30, extra=()):
        """A list of revocations of this authority's, in PEM."""
        made = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        made = made.last_update(now() - datetime.timedelta(1)).next_update(now() + datetime.timedelta(days))
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now())
            made = made.add_revoked_certificate(entry.build())
        for extension, critical in extra:
            made = made.add_extension(extension, critical)
        return made.sign(self.key, hashes.SHA256()).public_bytes(PEM)


def make(
    subject,
    key=None,
    by=None,
    ca=None,
    from_days=-1,
    to_days=30,
    usages=None,
    extended=(),
    serial=None,
    digest=None,
    san=(),
    extra=(),
    issuer=None,
):
    """A certificate; without `by` it signs itself."""
    key = key or elliptic()
    signer = by.key if by else key
    name = distinguished(*subject)
    made = x509.CertificateBuilder().subject_name(name).public_key(key.public_key())
    made = made.issuer_name(issuer or (by.certificate.subject if by else name))
    made = made.serial_number(serial or x509.random_serial_number())
    made = made.not_valid_before(now() + datetime.timedelta(from_days))
    made = made.not_valid_after(now() + datetime.timedelta(to_days))
    if ca is not None:
        length = None if ca is True else ca
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=length), critical=True)
    if usages is None:
        usages = ("digital_signature",) if ca is None else ("key_cert_sign", "crl_sign")
    if usages:
        made = made.add_extension(usage(*usages), critical=True)
    if extended:
        made = made.add_extension(x509.ExtendedKeyUsage(list(extended)), critical=False)
    if san:
        made = made.add_extension(x509.SubjectAlternativeName(list(san)), critical=False)
    for extension, critical in extra:
        made = made.add_extension(extension, critical)
    return Holder(made.sign(signer, digest or hashes.SHA256()), key)


def authority(common_name="Test CA", key=None, **how):
    """A root."""
    return make((("O", "Example"), ("CN", common_name)), key=key, ca=how.pop("ca", True), **how)


def quote(text):
    return urllib.parse.quote(text, safe="-_.~")


def canonical_query(query):
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    return "&".join(sorted(f"{quote(name)}={quote(value)}" for name, value in pairs))


class Call:
    """A CreateSession: change what you like before `sign` and after it, then `send`."""

    def __init__(self, endpoint, query, body=None, region="us-east-1", chain=(), holder=None, time=None):
        self.target = urllib.parse.urlsplit(endpoint)
        self.host, self.path = self.target.netloc, "/sessions"
        self.query = urllib.parse.urlencode(query)
        self.body = json.dumps(body or {}).encode() if not isinstance(body, bytes) else body
        self.region, self.service = region, "rolesanywhere"
        self.holder = holder
        self.time = (time or now()).strftime("%Y%m%dT%H%M%SZ")
        self.headers = {
            "content-type": "application/json",
            "host": self.host,
            "x-amz-date": self.time,
            "x-amz-x509": base64.b64encode(holder.der).decode(),
        }
        if chain:
            self.headers["x-amz-x509-chain"] = ",".join(base64.b64encode(one.der).decode() for one in chain)
        self.serial = str(holder.certificate.serial_number)

    def sign(self, key=None, algorithm=None, unsigned=(), digest=None):
        """`unsigned` are fields that the signature does not cover."""
        key = key or self.holder.key
        named = sorted(name for name in self.headers if name not in unsigned and name != "authorization")
        fields = "".join(f"{name}:{self.headers[name].strip()}\n" for name in named)
        canonical = "\n".join(
            [
                "POST",
                self.path,
                canonical_query(self.query),
                fields,
                ";".join(named),
                hashlib.sha256(self.body).hexdigest(),
            ]
        )
        is_rsa = isinstance(key, rsa.RSAPrivateKey)
        algorithm = algorithm or ("AWS4-X509-RSA-SHA256" if is_rsa else "AWS4-X509-ECDSA-SHA256")
        scope = f"{self.time[:8]}/{self.region}/{self.service}/aws4_request"
        text = "\n".join([algorithm, self.time, scope, hashlib.sha256(canonical.encode()).hexdigest()]).encode()
        digest = digest or hashes.SHA256()
        made = key.sign(text, padding.PKCS1v15(), digest) if is_rsa else key.sign(text, ec.ECDSA(digest))
        self.headers["authorization"] = (
            f"{algorithm} Credential={self.serial}/{scope}, SignedHeaders={';'.join(named)}, Signature={made.hex()}"
        )
        return self

    def send(self):
        """Status, code and body of the answer."""
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=30)
        connection.putrequest("POST", f"{self.path}?{self.query}", skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(self.body)))
        connection.endheaders(self.body)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.getheader("x-amzn-errortype"), json.loads(body or b"{}")


def main(endpoint, region, certificate, key, anchor, profile, role):
    leaf = x509.load_pem_x509_certificate(pathlib.Path(certificate).read_bytes())
    holder = Holder(leaf, serialization.load_pem_private_key(pathlib.Path(key).read_bytes(), None))
    query = {"profileArn": profile, "roleArn": role, "trustAnchorArn": anchor}
    status, code, body = Call(endpoint, query, {}, region, holder=holder).sign().send()
    if status != 201:
        sys.exit(f"{status} {code}: {body.get('message')}")
    got = body["credentialSet"][0]["credentials"]
    print(
        json.dumps(
            {
                "Version": 1,
                "AccessKeyId": got["accessKeyId"],
                "SecretAccessKey": got["secretAccessKey"],
                "SessionToken": got["sessionToken"],
                "Expiration": got["expiration"],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
