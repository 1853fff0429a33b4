"""A variable that several services read is taken, or refused with the same words, by each of them."""

from collections import defaultdict

import pytest
from pydantic_settings import BaseSettings

from wiki_common.settings import InvalidSettings, read_settings
from wiki_consumer.settings import Settings as ConsumerSettings
from wiki_producer.settings import Settings as ProducerSettings
from wiki_web.settings import Settings as WebSettings

RUBBISH = (
    "",
    " ",
    "0",
    "0s",
    "1x",
    "-1",
    "a b",
    "é",
    ",",
    "a:b",
    "no\\name",
    "~none/x",
    "[",
    "[*]",
    "{",
    "x" * 300,
)


def shared() -> dict[str, list[type[BaseSettings]]]:
    readers: dict[str, list[type[BaseSettings]]] = defaultdict(list)
    for settings in (ProducerSettings, ConsumerSettings, WebSettings):
        for name in settings.model_fields:
            readers[name].append(settings)
    return {name: of for name, of in readers.items() if len(of) > 1}


def answer(settings: type[BaseSettings], field: str) -> object:
    try:
        value = getattr(read_settings(settings), field)
    except InvalidSettings as error:
        return str(error)
    # Spark takes a list of brokers as one text.
    return ",".join(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("field", shared())
def test_every_service_takes_or_refuses_a_value_alike(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in RUBBISH:
        monkeypatch.setenv(field.upper(), value)
        answers = {str(answer(settings, field)) for settings in shared()[field]}
        assert len(answers) == 1, answers
