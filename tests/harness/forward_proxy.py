"""A forwarding proxy, as offices have one: absolute URLs and CONNECT, with or without a login."""

import base64
import select
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class ForwardProxy:
    """`routes` are the only way from a host name to a port of 127.0.0.1; `login` is `user:password`."""

    routes: Mapping[str, int]
    login: str | None = None
    asked: list[str] = field(default_factory=list)
    """Method and target of each request that was let through."""
    port: int = 0


@contextmanager
def forwarding(proxy: ForwardProxy) -> Iterator[ForwardProxy]:
    """Run the proxy on a free port of 127.0.0.1 while the context lasts."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            _forward(proxy, self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            server.shutdown()


def _forward(proxy: ForwardProxy, client: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        received = client.recv(65_536)
        if not received:
            return
        head += received
    method, target, _version = head.split(b"\r\n", 1)[0].decode().split(" ")
    if proxy.login is not None:
        token = base64.b64encode(proxy.login.encode())
        if b"proxy-authorization: basic " + token.lower() not in head.lower():
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
    host = target.rpartition(":")[0] if method == "CONNECT" else urlsplit(target).hostname
    port = proxy.routes.get(host or "")
    if port is None:
        client.sendall(b"HTTP/1.1 502 No such host\r\nContent-Length: 0\r\n\r\n")
        return
    proxy.asked.append(f"{method} {target}")
    with socket.create_connection(("127.0.0.1", port)) as server:
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            server.sendall(head)
        _relay(client, server)


def _relay(one: socket.socket, other: socket.socket) -> None:
    while True:
        for source in select.select([one, other], [], [])[0]:
            data = source.recv(65_536)
            if not data:
                return
            (other if source is one else one).sendall(data)
