"""Sockets of kafka-python's clients bear a name, so that a warning of one can be told from one of ours."""

import socket

from kafka.net.inet import KafkaNetSocket


class KafkaSocket(socket.socket):
    """One that nobody closes is kafka-python's fault: it forgets the connection that it is making."""


def name_them() -> None:
    """From now on clients in this process make such sockets."""

    def make(
        _: KafkaNetSocket,
        family: int = socket.AF_UNSPEC,
        kind: int = socket.SOCK_STREAM,
        protocol: int = socket.IPPROTO_TCP,
    ) -> socket.socket:
        return KafkaSocket(family, kind, protocol)

    KafkaNetSocket.socket = make
