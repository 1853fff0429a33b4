"""A real nginx that serves the web service below a path of its own, as on a host with other pages."""

import os
import shutil
from pathlib import Path

from harness.processes import Process, accepts, free_port, wait_until

_CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{ proxy_pass {target}/; {directives} }}
    location / {{ return 404; }}
  }}
}}
"""


class ReverseProxy:
    """Started at once; `url` is `target`'s address below it, without a slash at its end.

    `directives` are more of nginx' for that path.
    """

    def __init__(self, folder: Path, target: str, prefix: str, directives: str = "") -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}{prefix}"
        user = "user root;" if os.geteuid() == 0 else ""  # else its workers could not enter the folder
        text = _CONFIGURATION.format(
            folder=folder, user=user, port=self._port, prefix=prefix, target=target, directives=directives
        )
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        self.start()

    def start(self) -> None:
        """Returns once it listens."""
        # Debian's folder for it is not on everyone's PATH.
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert nginx, "nginx is missing: apt-get install nginx-light"
        self._process = Process(
            [nginx, "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")],
            log=self._folder / "nginx.log",
        )
        wait_until(lambda: accepts(self._port), timeout=30, what="nginx listens")

    def stop(self) -> None:
        self._process.terminate()
