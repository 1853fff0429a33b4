"""A connection that kafka-python forgets fails no test; one of ours does."""

import socket
import warnings

from kafka.net.inet import KafkaNetSocket

from harness.kafka_sockets import KafkaSocket


def test_one_that_kafka_python_forgets_is_passed_over() -> None:
    made = KafkaNetSocket().socket(socket.AF_INET)
    assert isinstance(made, KafkaSocket)
    del made  # its warning would fail this test


def test_one_of_ours_is_told() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        socket.socket()
    assert ["unclosed <socket.socket" in str(each.message) for each in told] == [True]
