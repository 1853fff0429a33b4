"""A real nginx that serves the web service below a path of its own, as on a host with other pages."""

from pathlib import Path

from harness.nginx import Nginx
from harness.processes import free_port

_SERVER = """
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{ proxy_pass {target}/; {directives} }}
    location / {{ return 404; }}
  }}
"""


class ReverseProxy(Nginx):
    """Started at once; `url` is `target`'s address below it, without a slash at its end.

    `directives` are more of nginx' for that path.
    """

    def __init__(self, folder: Path, target: str, prefix: str, directives: str = "") -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}{prefix}"
        server = _SERVER.format(port=port, prefix=prefix, target=target, directives=directives)
        super().__init__(folder, server, port)
