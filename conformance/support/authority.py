"""Certificates for https servers of the tests, made with `cryptography`."""

import datetime
import hashlib
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER


class Authority:
    """One that signs certificates. Two may have one name."""

    def __init__(self, folder, name="test authority"):
        self.folder, self.name = folder, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.number = len(list(folder.iterdir()))
        self.certificate = self._sign(self.name, self.key, x509.BasicConstraints(True, None), days=30)
        self.path = folder / f"ca-{self.number}.pem"
        self.path.write_bytes(self.certificate.public_bytes(PEM))

    def _sign(self, subject, key, *extensions, days):
        """Valid from a month before `days` from now until then."""
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days)
        begin = end - datetime.timedelta(60)
        number = x509.random_serial_number()
        made = x509.CertificateBuilder(self.name, subject, key.public_key(), number, begin, end)
        for extension in extensions:
            made = made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return made.sign(self.key, hashes.SHA256())

    def leaf(self, address="127.0.0.1", days=10):
        """A certificate for a server at this address, or of this name, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        where = x509.SubjectAlternativeName([alternative(address)])
        whose = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
        return self._sign(whose, key, x509.BasicConstraints(False, None), where, days=days), key

    def context(self, *others, **leaf):
        """What a server needs that sends a new certificate, and these `others` behind it."""
        certificate, key = self.leaf(**leaf)
        path = self.folder / f"chain-{len(list(self.folder.iterdir()))}.pem"
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(private + b"".join(one.public_bytes(PEM) for one in (certificate, *others)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def alternative(address):
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def thumbprint(certificate):
    """As ThumbprintList has it."""
    return hashlib.sha1(certificate.public_bytes(DER)).hexdigest()
