"""The example service `examples/bucket`, started from its built binary, behind the server under test."""

import os
import re
import subprocess
import threading

import boto3
from botocore.config import Config

from .client import ONCE, REGION
from .secrets import watch
from .server import START_SECONDS, binary, clean_environment


class BucketService:
    """One `bucket` on a free port of the loopback interface; it asks daypass with its own keys."""

    def __init__(self, folder, bucket, endpoint, keys):
        self.bucket = bucket
        self.objects = folder / "objects"
        self.lines = []
        program = os.path.join(os.path.dirname(binary()), "bucket")
        self.process = subprocess.Popen(
            [program, "--listen", "127.0.0.1:0", "--folder", str(folder), "--bucket", bucket],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **clean_environment(),
                "DAYPASS_ENDPOINT": endpoint,
                "AWS_ACCESS_KEY_ID": keys.id,
                "AWS_SECRET_ACCESS_KEY": keys.secret,
                **({"AWS_SESSION_TOKEN": keys.token} if keys.token else {}),
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
        # The pipe is read on, or a talkative service would wait for us.
        self.log = threading.Thread(target=self._drain, daemon=True)
        self.log.start()

    def _drain(self):
        self.lines.extend(self.process.stderr)

    @property
    def host(self):
        """`127.0.0.1:port`, as clients put it into the Host header."""
        return self.endpoint.removeprefix("http://")

    def s3(self, keys, **more):
        """boto3's S3 client as anybody has it, but for the address."""
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys.id,
            aws_secret_access_key=keys.secret,
            aws_session_token=keys.token,
            config=Config(**{"signature_version": "s3v4", "s3": {"addressing_style": "path"}, "retries": ONCE, **more}),
        )
        watch(client.meta.events)
        return client

    def stop(self):
        """Ends it; `lines` are complete then."""
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.join(timeout=30)
