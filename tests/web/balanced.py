"""nginx before two pages over one volume, by the block in docs/operations.md: it asks them in turns."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from docs.pages import ROOT, text_of
from harness.nginx import Nginx
from harness.processes import free_port
from web.browser.running_web import RunningWeb

WHICH: Final = "X-Answered-By"
"""The header that tells a test which of them has answered."""
_SERVER: Final = """
  {upstream}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://wiki-live-top/;
      proxy_http_version 1.1;
      add_header {which} $upstream_addr always;
    }}
  }}
"""
_DOCUMENTED: Final = ("127.0.0.1:5000", "127.0.0.1:5001")


class Balanced(Nginx):
    """Started at once; `url` is without a slash at its end."""

    def __init__(self, folder: Path, pages: Sequence[RunningWeb]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        upstream: str
        [upstream] = re.findall(
            r"```nginx\n(upstream .*?)```", text_of(ROOT / "docs/operations.md"), re.DOTALL
        )
        for ours, page in zip(_DOCUMENTED, pages, strict=True):
            assert upstream.count(ours) == 1, ours
            upstream = upstream.replace(ours, page.url.removeprefix("http://"))
        super().__init__(folder, _SERVER.format(upstream=upstream, port=port, which=WHICH), port)
