"""What Spark needs to keep its checkpoint in an object store."""

from typing import Final

from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place

JARS: Final = ("hadoop-aws-*.jar", "object-store-checkpoints.jar")

_CONFIG: Final = {
    # Ours: Spark's own either renames, which is a copy here, or passes over a write that failed.
    "spark.sql.streaming.checkpointFileManagerClass": "wiki.ObjectStoreCheckpoints",
    # The store and its client have checksums of their own; a file with ours beside each doubles the requests.
    "spark.sql.streaming.checkpoint.fileChecksum.enabled": "false",
    # As botocore finds them: the environment, a profile, a container's, a pod's or a machine's role.
    "spark.hadoop.fs.s3a.aws.credentials.provider": (
        "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
    ),
    # Without looks at what is there before a write, and without objects that stand for folders.
    "spark.hadoop.fs.s3a.performance.flags": "create,delete,mkdir",
    # Snapshots of the state are sent as all else is. The client that is meant for whole files takes a second
    # "100 Continue" for the answer, and fails with a store or a proxy that sends one.
    "spark.hadoop.fs.s3a.optimized.copy.from.local.enabled": "false",
    "spark.hadoop.fs.s3a.connection.establish.timeout": "15s",
    "spark.hadoop.fs.s3a.connection.timeout": "15s",
    "spark.hadoop.fs.s3a.attempts.maximum": "4",
    "spark.hadoop.fs.s3a.retry.limit": "3",
    "spark.hadoop.fs.s3a.retry.throttle.limit": "5",
}


def config(data_dir: Place) -> dict[str, str]:
    """Spark's settings for a checkpoint below `data_dir`; none for one on a disk."""
    if not isinstance(data_dir, ObjectPath):
        return {}
    from wiki_common.store import client  # not loaded for a volume on a disk

    where = {"spark.hadoop.fs.s3a.endpoint.region": client.region()}
    if endpoint := client.endpoint():
        # A bucket in the host's name is AWS's; others have it in the path, and botocore does so too.
        where |= {
            "spark.hadoop.fs.s3a.endpoint": endpoint,
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.hadoop.fs.s3a.connection.ssl.enabled": str(endpoint.startswith("https://")).lower(),
        }
    return _CONFIG | where
