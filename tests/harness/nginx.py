"""A real nginx with blocks of a test's own."""

import os
import shutil
from pathlib import Path

from harness.processes import Process, accepts, wait_until

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
  {server}
}}
"""


class Nginx:
    """Started at once, with its files in `folder`; `server` is its server block, which listens on `port`."""

    def __init__(self, folder: Path, server: str, port: int) -> None:
        self._folder = folder
        self._port = port
        user = "user root;" if os.geteuid() == 0 else ""  # else its workers could not enter the folder
        text = _CONFIGURATION.format(folder=folder, user=user, server=server)
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
        try:
            wait_until(lambda: accepts(self._port), timeout=30, what="nginx listens")
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"{error}\n{self._process.output()}") from None

    def stop(self) -> None:
        self._process.terminate()
