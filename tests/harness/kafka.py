"""A real ZooKeeper and Kafka broker on free ports."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.processes import Process, accepts, free_port, wait_until
from local_stack import broker


class Broker:
    """A ZooKeeper and a broker with their data in `folder`; the broker can be killed and started again.

    Give `port` if the listeners in `extra` say another one; `classpath` is for classes that `extra` names,
        `java_options` are its JVM's.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        extra: Mapping[str, str | int | Path] | None = None,
        classpath: Sequence[Path] = (),
        java_options: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self.port = port or free_port()
        self._zookeeper_port = free_port()
        self._zookeeper_command = broker.zookeeper(folder, port=self._zookeeper_port)
        self._kafka_command = broker.kafka(
            folder,
            port=self.port,
            zookeeper_port=self._zookeeper_port,
            extra=extra or {},
            classpath=classpath,
            java_options=java_options,
        )
        self._zookeeper = self._run(self._zookeeper_command, "zookeeper")
        self._kafka: Process | None = None
        try:
            wait_until(lambda: accepts(self._zookeeper_port), timeout=60, what="ZooKeeper listens")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the broker and wait until it listens.

        A broker that was killed may exit until ZooKeeper ends its old session; it is started again then.
        """
        self._kafka = self._run(self._kafka_command, "kafka")

        def listening() -> bool:
            if self._kafka is None or self._kafka.returncode is not None:
                self._kafka = self._run(self._kafka_command, "kafka")
            return accepts(self.port)

        try:
            wait_until(listening, timeout=90, what="the broker listens", every=0.25)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._kafka.output()[-2000:]}") from None

    def stop(self) -> None:
        """End the broker in an orderly way; its data stays."""
        assert self._kafka is not None
        self._kafka.terminate(60)

    def kill(self) -> None:
        """SIGKILL the broker; its data stays."""
        assert self._kafka is not None
        self._kafka.kill()

    @property
    def zookeeper_pid(self) -> int:
        return self._zookeeper.pid

    def close(self) -> None:
        for process in (self._kafka, self._zookeeper):
            if process is not None:
                process.kill()

    def _run(self, command: broker.Command, name: str) -> Process:
        return Process(command.argv, log=self._folder / f"{name}.log", env=command.env)
