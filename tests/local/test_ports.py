import socket
from contextlib import closing

from harness.processes import free_port
from local_stack import ports


def test_a_used_port_is_named_with_its_setting() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        used = server.getsockname()[1]
        [line] = ports.problems("127.0.0.1", {"WEB_PORT": used, "KAFKA_PORT": free_port()})
    assert line.startswith(f"WEB_PORT={used} is in use")


def test_a_port_used_on_every_address_counts() -> None:
    with closing(socket.create_server(("", 0))) as server:
        assert ports.is_used("127.0.0.1", server.getsockname()[1])


def test_one_port_for_two_settings_is_refused() -> None:
    port = free_port()
    [line] = ports.problems("127.0.0.1", {"WEB_PORT": port, "KAFKA_PORT": port})
    assert line == f"KAFKA_PORT={port} is also WEB_PORT: give each its own port"


def test_free_ports_are_no_problem() -> None:
    assert ports.problems("127.0.0.1", {"WEB_PORT": free_port(), "KAFKA_PORT": free_port()}) == []
