"""What the token vending machine and its clients compute: signatures, the salted hash of a password, the sealed answer.

The forms are those of AWS's token vending machine of 2011. What it lacked and an old client passes over is `vouch`.
"""

import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK_BYTES = 16
# A key is hexadecimal text, and an AES key once it is decoded: of 128, 192 or 256 bits.
KEY_LENGTHS = (32, 48, 64)


def new_key():
    """A device key."""
    return os.urandom(16).hex()


def sign(key, text):
    """HMAC-SHA256 in lower-case hexadecimal digits. The key is the text, and not what it decodes to."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def same(expected, given):
    """Compares in a time that does not tell where two texts part."""
    return hmac.compare_digest(expected.encode(), given.encode())


def salted_hash(username, password, application, host):
    """What the machine keeps of a password, and what a client signs its login with. Whoever has it needs no password."""
    return sign(password, username + application + host.lower())


def hash_key(salted):
    """The key that the answer to a login is sealed with."""
    return salted[:32]


def seal(key, text):
    """base64 of the initialization vector and AES-CBC with the padding of PKCS #5."""
    vector = os.urandom(BLOCK_BYTES)
    padder = padding.PKCS7(8 * BLOCK_BYTES).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    cipher = Cipher(algorithms.AES(bytes.fromhex(key)), modes.CBC(vector)).encryptor()
    return base64.b64encode(vector + cipher.update(padded) + cipher.finalize()).decode()


def unseal(key, sealed):
    """The other way. Nothing in it tells whether somebody changed it: ask `vouch` first."""
    data = base64.b64decode(sealed, validate=True)
    cipher = Cipher(algorithms.AES(bytes.fromhex(key)), modes.CBC(data[:BLOCK_BYTES])).decryptor()
    padded = cipher.update(data[BLOCK_BYTES:]) + cipher.finalize()
    unpadder = padding.PKCS7(8 * BLOCK_BYTES).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode()


def vouch(key, signature, sealed):
    """A signature of the answer to the request with this signature: CBC alone lets others change it, or give an old one.
    No timestamp begins like this, so it never is a request's."""
    return sign(key, f"answer\n{signature}\n{sealed}")
