"""A local S3 server (moto) with one bucket, for the tests of documents."""

from collections.abc import Iterator
from contextlib import contextmanager

BUCKET = "documents"
ACCESS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


@contextmanager
def s3_server() -> Iterator[dict]:
    """A running server; yields the setting of a storage in its bucket."""
    # Here, because only these tests need the packages.
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        boto3.client("s3", endpoint_url=address, **ACCESS).create_bucket(Bucket=BUCKET)
        yield storage(address)
    finally:
        server.stop()


def storage(address: str) -> dict:
    """The entry of STORAGES, as DOCUMENTS_BACKEND and DOCUMENTS_OPTIONS set it."""
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": BUCKET,
            "endpoint_url": address,
            "access_key": ACCESS["aws_access_key_id"],
            "secret_key": ACCESS["aws_secret_access_key"],
            "region_name": ACCESS["region_name"],
            "file_overwrite": True,
        },
    }


def empty(setting: dict) -> None:
    """Delete all objects of the bucket."""
    import boto3

    bucket = boto3.resource("s3", endpoint_url=setting["OPTIONS"]["endpoint_url"], **ACCESS).Bucket(BUCKET)
    bucket.objects.all().delete()
