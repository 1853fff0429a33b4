"""Whatever a variable is set to, it is taken, or refused in one line that names it."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_settings import BaseSettings

import local_stack.settings
import stream_simulator.settings
import wiki_consumer.settings
import wiki_producer.settings
import wiki_web.settings
from common.commands import COMMANDS
from harness.fuzzing import tries
from wiki_common.settings import InvalidSettings, read_settings

SERVICES: dict[str, tuple[type[BaseSettings], Callable[[], object]]] = {
    "producer": (wiki_producer.settings.Settings, partial(read_settings, wiki_producer.settings.Settings)),
    "consumer": (wiki_consumer.settings.Settings, partial(read_settings, wiki_consumer.settings.Settings)),
    "web": (wiki_web.settings.Settings, partial(read_settings, wiki_web.settings.Settings)),
    "run-local": (
        local_stack.settings.Settings,
        partial(local_stack.settings.read_settings, simulate=True),
    ),
    "simulator": (
        stream_simulator.settings.Settings,
        partial(stream_simulator.settings.read_settings, []),
    ),
}
REFUSALS = (InvalidSettings, stream_simulator.settings.InvalidSettings)

# No environment has a NUL; bytes that are no UTF-8 are lone surrogates in it.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | st.binary(
    min_size=1, max_size=6
).map(lambda raw: raw.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
SERVERS = ("a:1", "b.c:65536", "[::1]:9092", ":", "é:1", "*", "en.wikipedia.org", "enwiki")
ODD = (
    *("/", "/dev/null", "~nobody-here/x", "~", "\udcff", "a\nb", "a\x1b[31mb", "x" * 5000, "9" * 5000),
    *("http://[", "http://a:b@c", "https://x..y/", "a..b", "127.0.0.1", "::1", "1.2.3"),
    *("local[*]", "local[0]", "localhost", "spark://", "SASL_SSL", "PLAIN", "AWS_MSK_IAM"),
    *("json", "DEBUG", "duckdb", "NaN", "inf", "-0", "١", "1_0", "0x1"),
)
values = (
    texts
    | st.integers().map(str)
    | st.builds(
        "{}{}".format,
        st.integers(0, 10**10),
        st.sampled_from(["ms", "s", "m", "h", "d", "D", " s"]),
    )
    | st.lists(st.sampled_from(SERVERS)).map(",".join)
    | st.sampled_from(ODD)
)


def variables(settings: type[BaseSettings]) -> list[str]:
    prefix = settings.model_config["env_prefix"]
    return [
        str(field.validation_alias or f"{prefix}{name}".upper())
        for name, field in settings.model_fields.items()
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_a_value_is_taken_or_refused_in_a_line_that_names_the_variable(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, read = SERVICES[service]
    names = variables(settings)
    line = re.compile(rf"(?:{'|'.join(names)})=.*: .+")

    @tries(150)
    @given(st.dictionaries(st.sampled_from(names), values, min_size=1, max_size=3))
    @example({"BIND_ADDRESS": "a..b"})
    @example({"LOG_LEVEL": "loud\nand \x1b[31mred"})
    @example({"LOG_LEVEL": "\udcff"})
    @example({"KAFKA_SASL_PASSWORD_FILE": "\udcff"})
    @example({"KAFKA_SSL_CAFILE": "\udcff"})
    def check(env: dict[str, str]) -> None:
        with monkeypatch.context() as setting:
            for name, value in env.items():
                setting.setenv(name, value)
            try:
                read()
            except REFUSALS as error:
                for each in str(error).split("\n"):
                    assert line.fullmatch(each), each
                    assert each.isprintable(), each

    check()


@pytest.mark.parametrize(
    ("variable", "value", "services"),
    [
        ("BIND_ADDRESS", "a..b", SERVICES),
        ("MAX_EVENT_AGE", "999999999d", ["producer", "consumer"]),
        ("HISTORY_RETENTION", "999999999d", ["consumer"]),
        ("MAX_OFFSETS_PER_TRIGGER", str(10**19), ["consumer"]),
        ("SPARK_MASTER", "localhost", ["consumer", "web"]),
        ("SPARK_MASTER", "local[0]", ["consumer", "web"]),
        ("SPARK_LOCAL_IP", "127.0.0.1 127.0.0.2", ["run-local"]),
        ("AWS_REGION", "eu west 1", ["producer", "consumer"]),
        ("SIMULATOR_START", str(10**18), ["simulator"]),
    ],
)
def test_what_a_service_would_fail_at_later_is_refused_at_its_start(
    variable: str, value: str, services: Iterable[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    for service in services:
        _, read = SERVICES[service]
        with pytest.raises(REFUSALS, match=rf"^{variable}={re.escape(value)}: "):
            read()


@pytest.mark.parametrize(
    "master",
    [
        *("local", "local[1]", "local[*]", "local[*,3]", "local-cluster[2,1,1024]"),
        *("spark://host:7077", "spark://one:7077,two:7077", "k8s://https://host:443", "yarn"),
    ],
)
def test_what_spark_can_read_is_a_master(master: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_MASTER", master)
    assert read_settings(wiki_consumer.settings.Settings).spark_master == master


@pytest.mark.parametrize(
    "address", ["0:0:0:0::", "::", "::1", "fe80::1%eth0", "localhost", "my-host.example"]
)
def test_what_can_be_listened_on_is_an_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIND_ADDRESS", address)
    assert read_settings(wiki_web.settings.Settings).bind_address == address


def test_the_doctor_says_in_one_line_what_a_terminal_can_not_show(tmp_path: Path) -> None:
    doctor = COMMANDS["doctor"]
    assert doctor.start(tmp_path, {"LOG_LEVEL": "\x1b[31m\nloud\udcff"}).wait(60) == 2
    assert (tmp_path / "stderr").read_bytes() == b""
    (line,) = (tmp_path / "stdout").read_text(encoding="utf-8").splitlines()
    assert line.startswith(r"FAIL settings: LOG_LEVEL=\x1b[31m\nloud\udcff: ")
