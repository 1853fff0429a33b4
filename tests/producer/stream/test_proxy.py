import pytest

from wiki_common.settings import read_settings
from wiki_producer.settings import Settings
from wiki_producer.stream.proxy import proxy_for_stream

PROXY = "http://proxy.example:3128"
LIVE = "https://stream.wikimedia.org/v2/stream/recentchange"


@pytest.mark.parametrize(
    ("url", "env", "proxy"),
    [
        (LIVE, {}, None),
        (LIVE, {"HTTPS_PROXY": PROXY}, PROXY),
        (LIVE, {"HTTPS_PROXY": "proxy.example:3128"}, PROXY),
        (LIVE, {"https_proxy": PROXY}, PROXY),
        (LIVE, {"HTTP_PROXY": PROXY}, None),
        ("http://stream.example/", {"HTTP_PROXY": PROXY}, PROXY),
        ("http://stream.example/", {"HTTPS_PROXY": PROXY}, None),
        (LIVE, {"HTTPS_PROXY": PROXY, "NO_PROXY": "stream.wikimedia.org"}, None),
        (LIVE, {"HTTPS_PROXY": PROXY, "NO_PROXY": ".wikimedia.org,localhost"}, None),
        (LIVE, {"HTTPS_PROXY": PROXY, "no_proxy": "other, Wikimedia.ORG"}, None),
        (LIVE, {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        (LIVE, {"HTTPS_PROXY": PROXY, "NO_PROXY": "stream.wikimedia.org:443"}, None),
        (LIVE, {"HTTPS_PROXY": PROXY, "NO_PROXY": "stream.wikimedia.org:80"}, PROXY),
        (LIVE, {"HTTPS_PROXY": PROXY, "NO_PROXY": "media.org"}, PROXY),
        (LIVE, {"HTTPS_PROXY": PROXY, "NO_PROXY": ""}, PROXY),
        ("http://127.0.0.1:8010/", {"HTTP_PROXY": PROXY}, None),
        ("http://[::1]:8010/", {"HTTP_PROXY": PROXY}, None),
        ("http://localhost:8010/", {"HTTP_PROXY": PROXY}, None),
    ],
)
def test_the_proxy_is_that_of_the_scheme_unless_the_host_is_left_out(
    monkeypatch: pytest.MonkeyPatch, url: str, env: dict[str, str], proxy: str | None
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in {"WIKI_STREAM_URL": url, **env}.items():
        monkeypatch.setenv(name, value)
    found = proxy_for_stream(read_settings(Settings))
    assert (None if found is None else str(found).rstrip("/")) == proxy


def test_a_login_of_the_proxy_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cret@proxy.example:3128")
    settings = read_settings(Settings)
    assert "s3cret" not in repr(settings)
    assert str(proxy_for_stream(settings)) == "http://me:s3cret@proxy.example:3128"
