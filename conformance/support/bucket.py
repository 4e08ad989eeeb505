"""The example service `examples/bucket`, started from its built binary, behind the server under test."""

import os
import re
import subprocess
import threading

import boto3
from botocore.config import Config

from .client import ONCE, REGION
from .server import START_SECONDS, binary, clean_environment


class BucketService:
    """One `bucket` on a free port of the loopback interface; it asks daypass with its own keys."""

    def __init__(self, folder, bucket, endpoint, keys):
        self.bucket = bucket
        self.objects = folder / "objects"
        program = os.path.join(os.path.dirname(binary()), "bucket")
        # In a file, which nobody has to read on so that the service can go on writing.
        with open(folder / "bucket.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [program, "--listen", "127.0.0.1:0", "--folder", str(self.objects), "--bucket", bucket],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
                env={
                    **clean_environment(),
                    "DAYPASS_ENDPOINT": endpoint,
                    "AWS_ACCESS_KEY_ID": keys.id,
                    "AWS_SECRET_ACCESS_KEY": keys.secret,
                },
            )
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        line = self.process.stderr.readline()
        watchdog.cancel()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/", line)
        if not found:
            self.process.wait()
            raise RuntimeError(f"the bucket said no address: {line}")
        self.endpoint = found[1]
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def s3(self, keys):
        """boto3's S3 client as anybody has it, but for the address."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys.id,
            aws_secret_access_key=keys.secret,
            aws_session_token=keys.token,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries=ONCE),
        )

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
