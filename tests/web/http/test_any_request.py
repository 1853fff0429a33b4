"""Whatever is asked, with whatever headers: an answer, or a 4xx that names the parameter; never a 500."""

import socket
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from harness.fuzzing import tries
from web.committed import Change, CommittedChanges, now
from wiki_web.data.queries import TYPES
from wiki_web.http.parameters import ALLOWED
from wiki_web.push.streams import Streams

LISTS = [f"/api/v1/{kind}" for kind in ALLOWED]
STREAM = "/api/v1/stream"
MAY_REFUSE = (STREAM, "/readyz")
"""The one has no socket here, the other tells of changes that are older than half a minute."""

texts = st.text(max_size=12) | st.binary(max_size=8).map(lambda raw: raw.decode("latin-1"))
NAMES = (*ALLOWED["changes"], "on", "at_least")
names = st.sampled_from(NAMES) | st.sampled_from(["Window", "title[]", "", "_"]) | texts
ODD_VALUES = (
    *("1m", "30m", "24h", "0m", "999999999d", "9" * 5000, "1" * 300, "-1", "0x1", "1e9", "٣", "²"),
    *("2026-03-01T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2026-03-01T12:00"),
    *("all", "json", "csv", "only", "edit,new", "0,1", "enwiki", "Ada Lovelace"),
    *("' OR 1=1 --", "<script>", "\0", "\ud800"),
)
values = (
    texts
    | st.sampled_from(ODD_VALUES)
    | st.lists(st.sampled_from([*TYPES, "", "0", "enwiki", "-0", "００"]), max_size=25).map(",".join)
)


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


# Of an unknown name the values are not looked at.
pairs = st.lists(st.tuples(st.sampled_from(ALLOWED["top"]), values), min_size=1, max_size=2) | st.lists(
    st.tuples(names, values), max_size=3
)
queries = pairs.map(
    lambda pairs: "&".join(f"{encoded(name)}={encoded(value)}" for name, value in pairs)
) | st.binary(max_size=20).map(lambda raw: raw.decode("latin-1").replace("#", ""))
PAGES = ("/", "/page", "/readyz", "/metrics", "/api/v1/openapi.json", STREAM, "/feed.atom")
paths = st.sampled_from([*LISTS, *LISTS, *PAGES]) | st.builds(
    "{}/{}".format,
    st.sampled_from(["", "/static", "/api/v1", "/api/v1/top", "/static/.."]),
    texts.map(encoded),
)
ODD_HEADERS = (
    *("*", '"', 'W/"', '"a", W/"b"', "bytes=0-0", "bytes=9-1,-5", "bytes=-"),
    *("gzip;q=x", "text/html;q=1e9", ";;q=,", "en;q=-1", "a=b; c", "localhost:x", "[::"),
    *("Thu, 99 Foo 2026 99:99:99 GMT", "chunked", "0", "-1", "9" * 400),
)
header_values = st.sampled_from(ODD_HEADERS) | st.text(
    st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=20
)
HEADERS = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Content-Length", "Transfer-Encoding"),
    *("If-None-Match", "If-Match", "If-Modified-Since", "If-Range", "Range", "Last-Event-ID", "Expect"),
    *("Cookie", "Authorization", "Referer", "X-Forwarded-Proto", "Upgrade", "Sec-Fetch-Mode"),
)
headers = st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=4)
methods = st.sampled_from(["GET", "GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "PROPFIND"])


@pytest.fixture
def loaded(committed: CommittedChanges, refresh: Callable[[], bool]) -> None:
    committed.commit(Change(now(), "Ada Lovelace"), Change(now(), "<script>", "@Eve", wiki="dewiki"))
    assert refresh()


@pytest.mark.usefixtures("loaded")
def test_any_request_is_answered_and_a_wrong_parameter_is_named(client: FlaskClient) -> None:
    @tries(500)
    @given(path=paths, query=queries, headers=headers, method=methods)
    @example(path="/", query="title=a", headers={"Range": "bytes=-"}, method="GET")
    def check(path: str, query: str, headers: dict[str, str], method: str) -> None:
        with client.open(f"{path}?{query}", method=method, headers=headers) as response:
            assert response.status_code < 500 or (path in MAY_REFUSE and response.status_code == 503)
            if (
                response.status_code == 400
                and response.mimetype == "application/problem+json"
                and method != "HEAD"
            ):
                problem = response.get_json()
                assert problem["detail"].startswith(f"{problem['parameter']}: ")

    check()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.mark.usefixtures("loaded")
def test_a_stream_is_begun_whatever_its_headers_say(
    app: Flask, client: FlaskClient, listener: socket.socket
) -> None:
    streams: Streams = app.extensions["streams"]
    streams.start()

    @tries(60)
    @given(headers=headers, last=header_values)
    def check(headers: dict[str, str], last: str) -> None:
        for refused in ("Content-Length", "Transfer-Encoding"):
            headers.pop(refused, None)
        with socket.create_connection(listener.getsockname(), timeout=10) as reader:
            connection, _ = listener.accept()
            with pytest.raises(StopIteration):
                client.get(
                    STREAM,
                    headers={**headers, "Last-Event-ID": last},
                    environ_overrides={"gunicorn.socket": connection},
                )
            with reader.makefile("rb") as answer:
                assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
                assert b"retry: 2000\n" in iter(answer.readline, b"")

    check()
    streams.stop()
