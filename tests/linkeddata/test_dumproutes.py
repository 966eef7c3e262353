"""Dumps over HTTP: what is listed is what is there, by checksum, by range, by condition; and nothing else."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from identify.app import create_app
from linkeddata.dumps import SUMS, write_dumps
from linkeddata.records import Identification, MediaFile, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
PICTURE = MediaFile(iri="https://files.example/1", width_px=30, height_px=20)
FAMILY = Taxon(query="gbif:7017", concept="gbif:7017", gbif_key="7017", name="Nymphalidae", rank="family")
ANSWERS = [
    Identification(id=f"a{n}", file=PICTURE.iri, label="Vanessa cardui", moment=f"2026-11-0{n + 1}T10:00:00Z")
    for n in range(3)
]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with Store(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        store.put([PICTURE, FAMILY, *ANSWERS], agent="test", moment="2026-11-03T10:00:00Z")
        write_dumps(store, BASE, tmp_path / "dumps/whole")
        write_dumps(store, BASE, tmp_path / "dumps/2026-11-02", day="2026-11-02")
        app = create_app(Settings(base_url=BASE, home=str(tmp_path)), store=store, classifiers={})
        with TestClient(app, base_url=BASE) as opened:
            yield opened


def test_what_is_listed_can_be_had_and_is_what_its_checksum_says(client: TestClient) -> None:
    listed = client.get("/dumps").json()["dumps"]
    assert [(one["id"], len(one["files"])) for one in listed] == [("2026-11-02", 3), ("whole", 5)]
    for one in listed:
        sums = client.get(f"/dumps/{one['id']}/{SUMS}").text
        for file in one["files"]:
            got = client.get(file["url"], headers={"accept-encoding": "identity"})
            assert got.headers["content-type"] == file["mediaType"]
            assert len(got.content) == file["bytes"]
            digest = hashlib.sha256(got.content).hexdigest()
            assert got.headers["etag"] == f'"{file["sha256"]}"' == f'"{digest}"'
            assert f"{digest}  {file['url'].rsplit('/', 1)[1]}\n" in sums


def test_who_has_it_is_told_so_and_who_has_half_of_it_gets_the_rest(client: TestClient) -> None:
    path = "/dumps/whole/deboodt.nq.gz"
    whole = client.get(path)
    assert client.get(path, headers={"if-none-match": whole.headers["etag"]}).status_code == 304
    rest = client.get(path, headers={"range": "bytes=20-", "if-range": whole.headers["etag"]})
    assert (rest.status_code, rest.content) == (206, whole.content[20:])


def test_a_part_of_a_text_is_sent_as_it_is(client: TestClient) -> None:
    path = "/dumps/whole/context.jsonld"
    whole = client.get(path, headers={"accept-encoding": "identity"}).content
    part = client.get(path, headers={"range": "bytes=1-1500", "accept-encoding": "gzip"})
    assert (part.status_code, part.content) == (206, whole[1:1501])
    assert "content-encoding" not in part.headers


@pytest.mark.parametrize(
    "path", ["whole/nothing.gz", "2026-11-09/deboodt.nq.gz", "..%2F/s.sqlite", "%2e%2e/s.sqlite", "2026-11-02/secret"]
)
def test_nothing_else_is_sent(client: TestClient, tmp_path: Path, path: str) -> None:
    (tmp_path / "dumps/2026-11-02/secret").write_text("no")
    assert client.get(f"/dumps/{path}").status_code == 404


def test_a_dump_that_is_not_whole_is_not_shown(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "dumps/whole" / SUMS).unlink()
    assert [one["id"] for one in client.get("/dumps").json()["dumps"]] == ["2026-11-02"]
    assert client.get("/dumps/whole/deboodt.nq.gz").status_code == 404


CALLS = re.findall(r"`GET (\S+)`", (Path(__file__).parents[2] / "docs/aggregators.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("call", CALLS)
def test_what_aggregators_are_told_to_call_answers(client: TestClient, call: str) -> None:
    path = call.replace("{id}", "a1").replace("{file}", quote(PICTURE.iri, safe=""))
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200
