"""run-local's settings: ports, folders and the stream. The services read the rest of the environment."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from local_stack.broker import ROOT

Port = Annotated[int, Field(ge=1, le=65535)]
WIKIMEDIA = "https://stream.wikimedia.org/v2/stream/recentchange"


class WrongSettings(Exception):
    """One line per setting that is wrong: the variable, its value and what is allowed."""


class Settings(BaseSettings):
    """Read from variables of the same names in capitals; an empty variable counts as unset."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    bind_address: IPv4Address = IPv4Address("127.0.0.1")
    web_port: Port = 5000
    kafka_port: Port = 9092
    zookeeper_port: Port = 2181
    simulator_port: Port = 8010
    producer_metrics_port: Port = 9101
    consumer_metrics_port: Port = 9102
    spark_local_ip: str = "127.0.0.1"
    """Where Spark's driver listens; its executors are elsewhere only if SPARK_MASTER says so."""
    wiki_stream_url: str = WIKIMEDIA
    kafka_bootstrap_servers: str = ""
    """Empty: a broker of our own is started. Set: that one is used."""
    state_dir: Path = ROOT / ".local"
    """Broker data, Parquet and logs; simulated ones lie apart from it in `simulate/`."""
    data_dir: Path | None = None
    simulate: bool = False
    """--simulate on the command line."""

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
    def data(self) -> Path:
        return self.data_dir.absolute() if self.data_dir else self.state / "data"

    @property
    def own_broker(self) -> bool:
        return not self.kafka_bootstrap_servers

    @property
    def host(self) -> str:
        """The address at which this machine reaches what listens on BIND_ADDRESS."""
        return "127.0.0.1" if self.bind_address.is_unspecified else str(self.bind_address)

    @property
    def stream_url(self) -> str:
        if self.simulate:
            return f"http://{self.host}:{self.simulator_port}/v2/stream/recentchange"
        return self.wiki_stream_url

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
        return ports


def read_settings(*, simulate: bool) -> Settings:
    """The settings from the environment. WrongSettings names each variable that is wrong."""
    try:
        return Settings(simulate=simulate)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            reason = problem["msg"].removeprefix("Value error, ")
            names = [str(name).upper() for name in problem["loc"]]
            lines.append(f"{names[0]}={problem['input']}: {reason}" if names else reason)
        raise WrongSettings("\n".join(lines)) from None
