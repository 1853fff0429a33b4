"""Spark's own master or worker of a cluster, from the jars that pyspark brings.

python -m wiki_consumer.cluster master  listens at SPARK_MASTER, and keeps in DATA_DIR who belongs to it
python -m wiki_consumer.cluster worker  offers its cores to the master at SPARK_MASTER

Both become Spark's process, which reads Spark's own variables, such as SPARK_WORKER_CORES. They have to be of
the same Spark as the drivers: of the same image.
"""

import argparse
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

import pyspark

from wiki_common.settings import WRONG_SETTINGS, read_settings_or_exit
from wiki_common.spark import AUTHENTICATION
from wiki_consumer.settings import Settings

_HOME: Final = Path(pyspark.__file__).parent
_ADDRESS: Final = re.compile(r"spark://([^:,]+):([0-9]+)")
_MEMORY: Final = "128m"  # they compute nothing themselves
_CONFIG: Final = {
    # Nobody but their drivers submits or ends applications.
    "spark.master.rest.enabled": "false",
    "spark.ui.killEnabled": "false",
    # A master that was killed goes on with its drivers and workers: a driver doesn't come back by itself.
    "spark.deploy.recoveryMode": "FILESYSTEM",
    # What an ended application leaves with a worker goes soon, and executors' logs stay small.
    "spark.worker.cleanup.enabled": "true",
    "spark.worker.cleanup.interval": "300",
    "spark.worker.cleanup.appDataTtl": "600",
    "spark.executor.logs.rolling.strategy": "size",
    "spark.executor.logs.rolling.maxSize": "1000000",
    "spark.executor.logs.rolling.maxRetainedFiles": "2",
}


def main() -> NoReturn:
    """Becomes Spark's process; ends with WRONG_SETTINGS if SPARK_MASTER names no cluster."""
    parser = argparse.ArgumentParser(prog="python -m wiki_consumer.cluster")
    parser.add_argument("role", choices=("master", "worker"))
    role = parser.parse_args().role
    settings = read_settings_or_exit(Settings)
    address = _ADDRESS.fullmatch(settings.spark_master)
    if address is None:
        sys.stderr.write(f"SPARK_MASTER={settings.spark_master}: expected spark://host:port\n")
        raise SystemExit(WRONG_SETTINGS)
    if role == "master":
        command = ["org.apache.spark.deploy.master.Master", "--host", address[1], "--port", address[2]]
    else:
        command = ["org.apache.spark.deploy.worker.Worker", settings.spark_master]
    env = {**os.environ, **environment(settings, os.environ)}
    os.execve(_HOME / "bin/spark-class", ["spark-class", *command], env)  # noqa: S606 - there is no shell to trust


def environment(settings: Settings, given: Mapping[str, str]) -> dict[str, str]:
    """What Spark's process needs in its environment beside what is `given`."""
    secret = settings.secret_environment()
    config = _CONFIG | {"spark.deploy.recoveryDirectory": str(settings.data_dir)}
    if secret:
        config |= AUTHENTICATION
    options = [f"-D{name}={value}" for name, value in (config | {"wiki.log": settings.log_format}).items()]
    return {
        "SPARK_HOME": str(_HOME),
        "SPARK_DAEMON_MEMORY": _MEMORY,
        "SPARK_DAEMON_JAVA_OPTS": shlex.join(options),
        "SPARK_WORKER_DIR": given.get("SPARK_WORKER_DIR") or str(Path(tempfile.gettempdir(), "spark-work")),
        # A variable, so that a worker's executors have it too: else they write several lines for each task.
        "LOG4J_CONFIGURATION_FILE": (Path(__file__).parent / "query/log4j2.properties").as_uri(),
        **secret,
    }


if __name__ == "__main__":
    main()
