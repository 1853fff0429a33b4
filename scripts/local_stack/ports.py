"""Whether the ports that the stack will listen on are there to be had."""

import socket
from collections.abc import Mapping
from contextlib import closing


def accepts(host: str, port: int) -> bool:
    """Whether something on `host`:`port` takes a connection."""
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def is_used(host: str, port: int) -> bool:
    """Whether something listens on `host`:`port`, or on that port of every address."""
    if accepts(host, port):
        return True
    with closing(socket.socket()) as probe:
        # Connections of an earlier run that linger in TIME_WAIT keep nobody from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def problems(host: str, ports: Mapping[str, int]) -> list[str]:
    """A line for each port that is used already or asked for twice; `ports` is by variable."""
    found = []
    taken: dict[int, str] = {}
    for variable, port in ports.items():
        if port in taken:
            found.append(f"{variable}={port} is also {taken[port]}: give each its own port")
        elif is_used(host, port):
            hint = " (on macOS, AirPlay Receiver listens on 5000)" if port == 5000 else ""
            found.append(
                f"{variable}={port} is in use by another program{hint}: set {variable} to a free port"
            )
        taken.setdefault(port, variable)
    return found
