"""The configuration of nginx in docs/operations.md, with TLS and a path, for a client without a browser."""

import http.client
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from docs.pages import ROOT, text_of
from harness.certificates import Authority
from harness.nginx import Nginx
from harness.processes import free_port
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, now


@dataclass(frozen=True)
class Proxied:
    """nginx on a port of this machine, before a service whose folder grows."""

    port: int
    trust: ssl.SSLContext
    committed: CommittedChanges

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", self.port, context=self.trust, timeout=20)

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        with closing(self.connect()) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()


def documented(folder: Path, port: int, target: str) -> str:
    """The page's server block, with names of this test in the place of its own."""
    block: str
    [block] = re.findall(r"```nginx\n(server .*?)```", text_of(ROOT / "docs/operations.md"), re.DOTALL)
    authority = Authority(folder / "certificates")
    issued = authority.issue("localhost", hosts=("DNS:localhost",))
    for ours, theirs in {
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "/etc/ssl/example.org.pem": str(issued.certificate),
        "/etc/ssl/example.org.key": str(issued.key),
        "http://127.0.0.1:5000": target,
    }.items():
        assert block.count(ours) == 1, ours
        block = block.replace(ours, theirs)
    return block


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    with RunningWeb(folder) as web:
        committed = CommittedChanges(web.data_dir)
        committed.commit(Change(now(), title="The first"))
        web.wait_until_ready()
        nginx = Nginx(folder, documented(folder, port, web.url), port)
        try:
            trust = ssl.create_default_context(cafile=str(folder / "certificates/ca.pem"))
            yield Proxied(port, trust, committed)
        finally:
            nginx.stop()


def test_page_and_api_are_below_the_path(proxied: Proxied) -> None:
    status, headers, page = proxied.get("/wiki/")
    assert status == 200
    assert "X-Wiki-Live-Top" in headers
    assert b"The first" in page
    status, _, answer = proxied.get("/wiki/api/v1/top?limit=1")
    assert status == 200
    assert [each["title"] for each in json.loads(answer)["titles"]] == ["The first"]
    assert proxied.get("/")[0] == 404


def test_the_path_without_its_slash_leads_there(proxied: Proxied) -> None:
    status, headers, _ = proxied.get("/wiki")
    assert status == 301
    assert urlsplit(headers["Location"]).path == "/wiki/"


def test_the_stream_comes_through_as_it_is_written(proxied: Proxied) -> None:
    with closing(proxied.connect()) as connection:
        connection.request("GET", "/wiki/api/v1/stream")
        stream = connection.getresponse()
        assert stream.status == 200
        as_of = set()
        for number in range(3):
            proxied.committed.commit(Change(now(), title=f"Streamed {number}"))
            while not (line := stream.readline()).startswith(b"data: "):
                assert line, "the stream has ended"
            as_of.add(json.loads(line.removeprefix(b"data: "))["etag"])
        assert len(as_of) == 3


def test_what_the_description_of_the_api_names_is_there(proxied: Proxied) -> None:
    where = f"https://localhost:{proxied.port}/wiki/api/v1/openapi.json"
    described = json.loads(proxied.get(urlsplit(where).path)[2])
    [server] = described["servers"]
    base = urljoin(where, server["url"]).rstrip("/")
    for path in described["paths"]:
        if not path.endswith("/stream"):
            assert proxied.get(urlsplit(base + path).path)[0] == 200, path
