"""run-local's settings: ports, folders and the stream. The services read the rest of the environment."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator
from pydantic_settings import NoDecode

from local_stack.broker import ROOT
from wiki_common import settings
from wiki_common.settings import Address, Port, ServiceSettings
from wiki_common.store.place import DataDir, FolderPath, Place

WIKIMEDIA = "https://stream.wikimedia.org/v2/stream/recentchange"


def _ipv4(address: str) -> str:
    try:
        return str(IPv4Address(address))
    except ValueError:
        raise ValueError("expected an IPv4 address, such as 127.0.0.1") from None


class Settings(ServiceSettings):
    """Ports, folders and the stream; what the services alone need is checked by service_settings."""

    bind_address: Annotated[str, AfterValidator(_ipv4)] = "127.0.0.1"
    web_port: Port = 5000
    kafka_port: Port = 9092
    zookeeper_port: Port = 2181
    simulator_port: Port = 8010
    producer_metrics_port: Port = 9101
    consumer_metrics_port: Port = 9102
    kafka_metrics_port: Port = 9103
    prometheus_port: Port = 9095
    spark_local_ip: Address = "127.0.0.1"
    """Where Spark's driver listens; its executors are elsewhere only if SPARK_MASTER says so."""
    wiki_stream_url: str = WIKIMEDIA
    kafka_bootstrap_servers: str = ""
    """Empty: a broker of our own is started. Set: that one is used."""
    state_dir: FolderPath = ROOT / ".local"
    """Broker data, Parquet and logs; simulated ones lie apart from it in `simulate/`."""
    data_dir: Annotated[DataDir | None, NoDecode] = None
    simulate: bool = False
    """--simulate on the command line."""
    observe: bool = False
    """--observe on the command line."""

    @model_validator(mode="after")
    def _one_stream(self) -> Self:
        if self.simulate and self.wiki_stream_url != WIKIMEDIA:
            raise ValueError(
                f"WIKI_STREAM_URL={self.wiki_stream_url}: leave it out or leave out --simulate, "
                "both name the stream to read"
            )
        return self

    @property
    def state(self) -> Path:
        folder = self.state_dir.absolute()
        return folder / "simulate" if self.simulate else folder

    @property
    def data(self) -> Place:
        if isinstance(self.data_dir, Path):
            return self.data_dir.absolute()
        return self.data_dir or self.state / "data"

    @property
    def own_broker(self) -> bool:
        return not self.kafka_bootstrap_servers

    @property
    def host(self) -> str:
        """The address at which this machine reaches what listens on BIND_ADDRESS."""
        return "127.0.0.1" if self.bind_address == "0.0.0.0" else self.bind_address  # noqa: S104

    @property
    def stream_url(self) -> str:
        if self.simulate:
            return f"http://{self.host}:{self.simulator_port}/v2/stream/recentchange"
        return self.wiki_stream_url

    @property
    def metrics(self) -> dict[str, str]:
        """Where Prometheus reads each service, by job; the same jobs as in the containers."""
        ports = {"producer": self.producer_metrics_port, "consumer": self.consumer_metrics_port}
        found = {job: f"{self.host}:{port}" for job, port in (ports | {"web": self.web_port}).items()}
        return found | ({"kafka": self.kafka_metrics} if self.own_broker else {})

    @property
    def kafka_metrics(self) -> str:
        return f"127.0.0.1:{self.kafka_metrics_port}"

    @property
    def prometheus(self) -> str:
        return f"{self.host}:{self.prometheus_port}"

    @property
    def page_url(self) -> str:
        return f"http://{self.host}:{self.web_port}"

    @property
    def ports(self) -> dict[str, int]:
        """Each port that will be listened on, by the variable that sets it."""
        ports = {"WEB_PORT": self.web_port}
        if self.own_broker:
            ports |= {"KAFKA_PORT": self.kafka_port, "ZOOKEEPER_PORT": self.zookeeper_port}
        if self.simulate:
            ports["SIMULATOR_PORT"] = self.simulator_port
        ports["PRODUCER_METRICS_PORT"] = self.producer_metrics_port
        ports["CONSUMER_METRICS_PORT"] = self.consumer_metrics_port
        if self.observe:
            ports["PROMETHEUS_PORT"] = self.prometheus_port
            if self.own_broker:
                ports["KAFKA_METRICS_PORT"] = self.kafka_metrics_port
        return ports


def read_settings(*, simulate: bool, observe: bool = False) -> Settings:
    """The settings from the environment. InvalidSettings names each variable that is wrong."""
    return settings.read_settings(Settings, simulate=simulate, observe=observe)
