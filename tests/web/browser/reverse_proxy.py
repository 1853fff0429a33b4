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
    location {prefix}/ {{ proxy_pass {target}/; }}
    location / {{ return 404; }}
  }}
}}
"""


class ReverseProxy:
    """Runs until `stop`; `url` is `target`'s address below the proxy, without a slash at its end."""

    def __init__(self, folder: Path, target: str, prefix: str) -> None:
        port = free_port()
        configuration = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""  # else its workers could not enter the folder
        text = _CONFIGURATION.format(folder=folder, user=user, port=port, prefix=prefix, target=target)
        configuration.write_text(text, encoding="utf-8")
        # Debian's folder for it is not on everyone's PATH.
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert nginx, "nginx is missing: apt-get install nginx-light"
        self._process = Process(
            [nginx, "-p", str(folder), "-c", str(configuration)], log=folder / "nginx.log"
        )
        wait_until(lambda: accepts(port), timeout=30, what="nginx listens")
        self.url = f"http://127.0.0.1:{port}{prefix}"

    def stop(self) -> None:
        self._process.terminate()
