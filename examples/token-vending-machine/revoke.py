#!/usr/bin/env python3
"""Revokes a device: no token for it any more, and the sessions that it has are over.

Run it where the machine's file is, with the keys of an operator who may call daypass:ListSessions and daypass:RevokeSession.
Needs boto3, AWS_ENDPOINT_URL_DAYPASS, and the model of daypass's API (AWS_DATA_PATH, the folder `api` of a checkout).
"""

import argparse
import os
import pathlib
import sys
import time

import boto3

from devices import Devices


def end(daypass, issued):
    """Ends one session with all that came of it (a federated user may be in the console by now). False if the log of sessions
    does not know it: it is bounded, and each server has its own."""
    pages = daypass.get_paginator("list_sessions").paginate(AccessKeyId=issued.access_key_id, IncludeEnded=True)
    found = [row for page in pages for row in page["Sessions"] if row["AccessKeyId"] == issued.access_key_id]
    for row in found:
        daypass.revoke_session(SessionId=row["SessionId"], IncludeIssued=True)
    return bool(found)


def revoke(devices, daypass, uid, say):
    """The device first: what it is given meanwhile is in its list, or not given. False if there is no such device."""
    sessions = devices.revoke(uid, time.time())
    if sessions is None:
        return False
    unknown = [issued for issued in sessions if not end(daypass, issued)]
    for issuer in sorted({issued.issuer for issued in unknown}):
        # The machine knows for sure that there was a session; so all of its sessions end. Other devices ask again.
        daypass.revoke_session(PrincipalArn=issuer)
        say(f"ended every session that {issuer} gave: the log of sessions did not know one of this device")
    say(f"revoked, with {len(sessions)} sessions")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uid")
    parser.add_argument("--data", default="devices.sqlite", metavar="FILE", help="the machine's")
    given = parser.parse_args()
    if not pathlib.Path(given.data).is_file():
        sys.exit(f"{given.data} is not there")
    daypass = boto3.client("daypass", region_name=os.environ.get("AWS_REGION", "us-east-1"))
    if not revoke(Devices(given.data), daypass, given.uid, print):
        sys.exit("there is no such device")


if __name__ == "__main__":
    main()
