"""Key pairs with certificates, in the files that xmlsec1, pysaml2 and samlify read."""

import base64
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa


class Certified:
    """An RSA key in `key` and a certificate that it signed itself in `certificate`, both PEM."""

    def __init__(self, folder, name="idp"):
        self.key, self.certificate = pathlib.Path(folder) / f"{name}.key", pathlib.Path(folder) / f"{name}.pem"
        private = rsa.generate_private_key(65537, 2048)
        pem, text = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        self.key.write_bytes(private.private_bytes(pem, text, serialization.NoEncryption()))
        whose = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        made = x509.CertificateBuilder(whose, whose, private.public_key(), 1, now, now + datetime.timedelta(30))
        certificate = made.sign(private, hashes.SHA256())
        self.certificate.write_bytes(certificate.public_bytes(pem))
        self.base64 = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()

    @property
    def private(self):
        """The key as text, for AddPrivateKey."""
        return self.key.read_text(encoding="ascii")
