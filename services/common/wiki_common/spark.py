"""Where Spark computes, and what a driver must know of a cluster."""

import os
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from wiki_common.settings import ServiceSettings, SparkMaster, secret_in

SECRET_VARIABLE: Final = "_SPARK_AUTH_SECRET"  # noqa: S105 - the name by which Spark takes it
"""Goes before the setting, and shows neither on a command line nor on Spark's pages."""
AUTHENTICATION: Final = {"spark.authenticate": "true", "spark.network.crypto.enabled": "true"}
"""Who hasn't the secret is refused, and the rest is encrypted: logins to Kafka are a part of it."""
# An executor's share of one batch or of the page's window, with RocksDB's part of the state outside of it.
_EXECUTOR_MEMORY: Final = "512m"


def is_local(master: str) -> bool:
    """Whether Spark computes on this machine alone, where what it starts sees the same files."""
    return master.startswith("local")


class SparkSettings(ServiceSettings):
    """The part of a service's settings that says where Spark computes.

    `spark_cores_max` is how many cores of a cluster it takes; on one machine that is in the master's name.
    """

    spark_master: SparkMaster = "local[*]"
    spark_cores_max: Annotated[int, Field(ge=1, le=10_000)] = 4
    spark_authenticate_secret_file: Path | None = None

    @model_validator(mode="after")
    def _has_its_secret(self) -> Self:
        self.secret_environment()
        return self

    def secret_environment(self) -> dict[str, str]:
        """The secret that the cluster's parts share, as a variable for a JVM; nothing without one."""
        file = self.spark_authenticate_secret_file
        return {SECRET_VARIABLE: secret_in("SPARK_AUTHENTICATE_SECRET_FILE", file)} if file else {}

    def cluster_config(self) -> dict[str, str]:
        """Spark's settings for a driver on a cluster, nothing on this machine alone.

        The secret goes to its JVM by the environment of this process.
        """
        if is_local(self.spark_master):
            return {}
        config = {"spark.cores.max": str(self.spark_cores_max), "spark.executor.memory": _EXECUTOR_MEMORY}
        if secret := self.secret_environment():
            os.environ.update(secret)
            # Spark insists on the setting, and then reads the variable.
            config |= AUTHENTICATION | {"spark.authenticate.secret": "in the environment"}
        return config
