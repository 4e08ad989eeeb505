"""A program with boto3 as it ships: for each line of its input it says who it is, by the credentials that it finds."""

import json
import sys

import boto3
import botocore.exceptions

SESSION = boto3.Session()
STS = SESSION.client("sts")
for _ in sys.stdin:
    try:
        told = {"Arn": STS.get_caller_identity()["Arn"], "Key": SESSION.get_credentials().get_frozen_credentials().access_key}
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        told = {"Error": str(error)}
    print(json.dumps(told), flush=True)
