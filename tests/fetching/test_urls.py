"""Reading a user's URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limner.fetching.urls import UrlRefused, parse


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("HTTPS://EXAMPLE.com:443/a/../b?c=d#e", "example.com", 443, "/a/../b?c=d"),
        ("https://example.com:8443/?q", "example.com", 8443, "/?q"),
        ("https://xn--bcher-kva.example/bücher|1.png", "xn--bcher-kva.example", 443, "/b%C3%BCcher%7C1.png"),
        ("https://my_bucket.s3.example.com/a%2Fb+c", "my_bucket.s3.example.com", 443, "/a%2Fb+c"),
        ("https://8.8.8.8/x.png", "8.8.8.8", 443, "/x.png"),
        ("https://[2606:4700:0::1111]/x", "2606:4700::1111", 443, "/x"),
    ],
)
def test_a_plain_url_is_read_into_its_parts(url: str, host: str, port: int, path: str) -> None:
    read = parse(url)
    assert (read.host, read.port, read.path) == (host, port, path)
    assert parse(str(read)) == read


@given(st.text() | st.text().map("https://{}".format) | st.from_regex(r"https://[\[\]:@.0-9a-fx%]{1,30}/?.*"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = parse(text)
    except UrlRefused:
        return
    assert parse(str(read)) == read
    assert str(read).isascii()
