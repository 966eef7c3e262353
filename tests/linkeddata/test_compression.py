"""Compressed answers over real HTTP: the same bytes when unpacked, and headers that caches can trust."""

import gzip
from pathlib import Path

import brotli
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from identify.app import create_app
from linkeddata.compression import coding_of
from linkeddata.records import Identification
from linkeddata.settings import Settings
from linkeddata.store import Store
from tests.conftest import Serving

WHEN = "2026-11-02T10:00:00Z"
PATHS = ["/identifications", "/identifications/a1", "/feed/ldes/1", "/vocab", "/context.jsonld"]
UNPACKED = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}


@pytest.fixture(scope="module")
def address(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> str:
    home: Path = tmp_path_factory.mktemp("compressed")

    def create(base: str) -> object:
        store = Store(f"sqlite:///{home / 'store.sqlite'}")
        answers = [Identification(id=f"a{number}", file="https://files.example/1") for number in range(300)]
        store.put(answers, agent="test", moment=WHEN)
        return create_app(Settings(base_url=base, home=str(home)), store=store, classifiers={})

    return serving(create)


def raw(address: str, path: str, headers: dict[str, str]) -> tuple[requests.Response, bytes]:
    answer = requests.get(address + path, headers={"Accept-Encoding": "identity", **headers}, stream=True, timeout=30)
    return answer, answer.raw.read(decode_content=False)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("again", [1, 2])
def test_every_coding_holds_the_same(address: str, path: str, again: int) -> None:
    plain, body = raw(address, path, {})
    assert "content-encoding" not in plain.headers
    for accepted, coding in (("gzip", "gzip"), ("gzip, br", "br"), ("br;q=0.1, gzip", "gzip"), ("zstd", "")):
        answer, packed = raw(address, path, {"Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding", "") == coding
        assert UNPACKED[coding](packed) == body
        assert int(answer.headers["content-length"]) == len(packed)
        assert answer.headers["etag"].removeprefix("W/") == plain.headers["etag"]
        vary = [name.strip().lower() for name in answer.headers.get("vary", "").split(",")]
        assert vary.count("accept-encoding") == (1 if coding or "vary" in plain.headers else 0)
        same, nothing = raw(address, path, {"Accept-Encoding": accepted, "If-None-Match": answer.headers["etag"]})
        assert (same.status_code, nothing) == (304, b"")


@pytest.mark.parametrize("path", PATHS)
def test_who_has_another_is_told_so(address: str, path: str) -> None:
    answer = requests.get(address + path, headers={"If-Match": '"another"'}, timeout=30)
    assert answer.status_code == 412


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_may_ask_with_conditions_for_another_site(address: str, path: str) -> None:
    asked = {"Origin": "https://viewer.example", "Access-Control-Request-Method": "GET"}
    leave = requests.options(address + path, headers=asked, timeout=30)
    assert (leave.status_code, leave.content) == (204, b"")
    assert leave.headers["access-control-allow-origin"] == "*"
    assert "If-None-Match" in leave.headers["access-control-allow-headers"]
    writing = requests.options(address + path, headers=asked | {"Access-Control-Request-Method": "PUT"}, timeout=30)
    assert writing.status_code == 405


@given(st.text(max_size=40))
def test_any_header_comes_to_a_coding(accepted: str) -> None:
    assert coding_of(accepted) in ("", "br", "gzip")
