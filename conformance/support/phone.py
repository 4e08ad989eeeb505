"""A virtual MFA device as its owner holds it: RFC 6238 by the standard library, apart from the server's own."""

import base64
import hashlib
import hmac
import struct
import time

from .client import name
from .secrets import hold


def totp(seed, counter):
    """The six digits of a counter; `seed` is base32 text."""
    mac = hmac.new(base64.b32decode(seed), struct.pack(">q", counter), hashlib.sha1).digest()
    at = mac[-1] & 0xF
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


class Phone:
    """A device by what was shown when it was made."""

    def __init__(self, serial, seed):
        self.serial, self.seed = serial, seed
        hold("Base32StringSeed", seed)

    @classmethod
    def made(cls, iam, **more):
        """A new device that is nobody's yet."""
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name("phone"), **more)["VirtualMFADevice"]
        return cls(device["SerialNumber"], device["Base32StringSeed"].decode())

    @classmethod
    def of(cls, user):
        """A new device of a user, as an administrator gives it."""
        phone = cls.made(user.account.iam)
        phone.enable(user.account.iam, user.name)
        return phone

    def code(self, steps=0):
        """The code of so many steps from now."""
        return totp(self.seed, int(time.time()) // 30 + steps)

    def pair(self, steps=-1):
        """Two codes in a row, as EnableMFADevice and ResyncMFADevice take them."""
        return {"AuthenticationCode1": self.code(steps), "AuthenticationCode2": self.code(steps + 1)}

    def enable(self, iam, user):
        iam.enable_mfa_device(UserName=user, SerialNumber=self.serial, **self.pair())

    def given(self, steps=0):
        """The parameters of the calls that take a code. Each code counts once: use other steps for the next call."""
        return {"SerialNumber": self.serial, "TokenCode": self.code(steps)}
