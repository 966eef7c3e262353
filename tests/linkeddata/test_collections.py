"""Lists over HTTP: filters and cursors against a plain Python model, conditions, wrong parameters."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from identify.app import create_app
from linkeddata import selection
from linkeddata.collections import names_of
from linkeddata.records import Agent, Ancestor, Identification, Label, MediaFile, Taxon
from linkeddata.selection import Place, Selection, count_of, page_of
from linkeddata.settings import Settings
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHO: dict[str, Any] = {"agent": "test", "moment": "2026-11-02T10:00:00Z"}
ABOVE = (Ancestor("kingdom", "Animalia", "1"), Ancestor("family", "Nymphalidae", "7017"))
VANESSA = Ancestor("genus", "Vanessa", "1899478")
TAXA = [
    Taxon(query="Q158603", concept="Q158603", item="Q158603", gbif_key="4299368", lineage=(*ABOVE, VANESSA)),
    Taxon(query="Vanessa atalanta", concept="Q26315", item="Q26315", gbif_key="1898286", lineage=(*ABOVE, VANESSA)),
    Taxon(query="Vanessa", concept="Q311218", item="Q311218", gbif_key="1899478", lineage=ABOVE),
    Taxon(query="Q140", concept="Q140", item="Q140", gbif_key="5219404", lineage=ABOVE[:1]),
]
BELOW = {
    "Q311218": {"Q158603", "Q26315", "Q311218", "gbif:1899478"},
    "7017": {"Q158603", "Q26315", "Q311218", "gbif:1899478"},
    "Q140": {"Q140"},
    "Vanessa atalanta": {"Q26315"},
    "https://www.gbif.org/species/1": {"Q158603", "Q26315", "Q311218", "gbif:1899478", "Q140"},
}
FILES = [MediaFile(iri=f"https://files.example/{n}", institution=("Q190804", "Teylers")[n % 2]) for n in range(5)]
NAMED = [("Q158603", "4299368"), ("Q26315", "1898286"), ("Q140", ""), ("", "1899478"), ("", ""), ("Q311218", "")]


def answer(number: int) -> Identification:
    item, key = NAMED[number % len(NAMED)]
    return Identification(
        id=f"{number * 7919 % 1000:03}é",
        file=FILES[number % 5].iri,
        label="x" if item or key else "",
        item=item,
        gbif_key=key,
        rank=("species", "genus")[number % 2],
        certainty=number % 11 / 10,
        model="m",
        version="1",
        status=("unverified", "verified")[number % 3 == 0],
        campaign="c" * (number % 2),
        agent=("", "p", "s")[number % 3],
        moment=f"2026-11-{number % 28 + 1:02}T10:00:00Z",
        supersedes=answer(number - 4).id if number % 7 == 4 else "",
    )


WAYS = [(10**9, 2_000), (0, 2_000), (0, 0)]
"""All ways of finding a taxon give the same: sorting the hits, walking with a list of taxa, asking of each record."""
SUPERSEDED = {answer(number).supersedes for number in range(60)}
ANSWERS = sorted((answer(number) for number in range(60)), key=lambda one: one.id)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path_factory.mktemp('lists') / 'store.sqlite'}") as opened:
        opened.put([*TAXA, *FILES, Agent(id="p"), Agent(id="s", kind="SoftwareAgent"), *ANSWERS], **WHO)
        opened.put([Label(id="l", campaign="c", file=FILES[0].iri, concept="Q140", item="Q140")], **WHO)
        yield opened


@pytest.fixture(scope="module")
def client(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = str(tmp_path_factory.mktemp("home"))
    with TestClient(create_app(Settings(base_url=BASE, home=home), store=store, classifiers={}), base_url=BASE) as one:
        yield one


def concept(one: Identification) -> str:
    return one.item or (f"gbif:{one.gbif_key}" if one.gbif_key else "")


FILTERS: dict[str, tuple[list[str], Callable[[Identification, str], bool]]] = {
    "taxon": (list(BELOW), lambda one, value: concept(one) in BELOW[value]),
    "item": (["Q140", "Q1"], lambda one, value: one.item == value),
    "rank": (["species", "genus"], lambda one, value: one.rank == value),
    "status": (["verified"], lambda one, value: one.status == value),
    "campaign": (["c"], lambda one, value: one.campaign == value),
    "collection": (
        ["Q190804", "Teylers", "nowhere"],
        lambda one, value: next(f.institution for f in FILES if f.iri == one.file) == value,
    ),
    "agent": (
        ["Person", "SoftwareAgent"],
        lambda one, value: {"p": "Person"}.get(one.agent, "SoftwareAgent") == value,
    ),
    "superseded": (["no", "yes"], lambda one, value: (one.id in SUPERSEDED) == (value == "yes")),
    "min_certainty": (["0.3", "0.7"], lambda one, value: one.certainty >= float(value)),
    "max_certainty": (["0.5"], lambda one, value: one.certainty <= float(value)),
    "since": (["2026-11-10"], lambda one, value: one.moment >= value),
    "until": (["2026-11-20T10:00:00Z"], lambda one, value: one.moment < value),
}
asked = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, (values, _) in FILTERS.items()})


def model(wanted: dict[str, str]) -> list[str]:
    """The ids that a list narrowed to ``wanted`` holds."""
    return [one.id for one in ANSWERS if all(FILTERS[name][1](one, value) for name, value in wanted.items())]


def ids(page: dict[str, Any]) -> list[str]:
    start = f"{BASE}/identifications/"
    by_quoted = {quote(one.id): one.id for one in ANSWERS}
    return [by_quoted[item["id"].removeprefix(start)] for item in page["items"]]


@settings(max_examples=60, deadline=None)
@given(wanted=asked, limit=st.integers(1, 25), way=st.sampled_from(WAYS))
def test_lists_hold_what_the_model_says_in_both_directions(
    client: TestClient, store: Store, wanted: dict[str, str], limit: int, way: tuple[int, int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "NEAR", way[0])
        patch.setattr(selection, "FEW_CONCEPTS", way[1])
        store.note("way.chosen", "", {}, **WHO)  # so that the way that was taken before is forgotten
        whole = client.get("/identifications", params={**wanted, "limit": limit}).json()
        expected = model(wanted)
        assert whole["total"] == len(expected)
        page, forwards = whole["first"], ids(whole["first"])
        while "next" in page:
            page = client.get(page["next"]).json()
            forwards += ids(page)
        assert forwards == expected
        page = client.get(whole["last"]).json()
        backwards = ids(page)
        while "prev" in page:
            page = client.get(page["prev"]).json()
            backwards = ids(page) + backwards
        assert backwards == expected


OF_THE_LABEL: dict[str, Callable[[str], bool]] = {
    "taxon": lambda value: "Q140" in BELOW[value],
    "item": lambda value: value == "Q140",
    "max_certainty": lambda value: True,
    "until": lambda value: True,
    "superseded": lambda value: value == "no",
}
"""What the one label meets: it has no rank, status or moment, and no agent."""


@settings(max_examples=60, deadline=None)
@given(wanted=asked)
def test_files_are_narrowed_by_what_one_thing_that_was_said_of_them_meets(
    client: TestClient, wanted: dict[str, str]
) -> None:
    said = {name: value for name, value in wanted.items() if name not in ("campaign", "collection")}
    found = {one.file for one in ANSWERS if all(FILTERS[name][1](one, value) for name, value in said.items())}
    if all(name in OF_THE_LABEL and OF_THE_LABEL[name](value) for name, value in said.items()):
        found.add(FILES[0].iri)
    held = [one for one in FILES if not said or one.iri in found]
    held = [one for one in held if wanted.get("collection", one.institution) == one.institution]
    page = client.get("/media", params=wanted).json()
    assert [one["id"] for one in page["first"]["items"]] == [one.iri for one in held if "campaign" not in wanted]
    assert page["total"] == len(page["first"]["items"])


def test_files_have_a_page_for_people(client: TestClient) -> None:
    page = client.get("/media?taxon=Q140", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert f"/media/{quote(FILES[0].iri, safe='')}" in page.text


@settings(max_examples=30, deadline=None)
@given(cursor=st.text(max_size=30))
def test_a_cursor_of_ones_own_making_never_breaks_anything(client: TestClient, cursor: str) -> None:
    answer = client.get("/identifications", params={"cursor": cursor})
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "wrong",
    [
        "taxn=Q1",
        "limit=0",
        "limit=1001",
        "min_certainty=2",
        "since=yesterday",
        "agent=Dog",
        "superseded=x",
        "taxon=Nobody",
        "cursor=x",
    ],
)
def test_what_means_nothing_is_refused_as_a_problem(client: TestClient, wrong: str) -> None:
    refused = client.get(f"/identifications?{wrong}")
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")


def test_labels_and_files_are_lists_too(client: TestClient) -> None:
    assert client.get("/labels?taxon=Q140").json()["total"] == 1
    files = client.get("/media?collection=Teylers&limit=1").json()
    assert (files["type"], files["total"], files["first"]["type"]) == (
        "OrderedCollection",
        2,
        "OrderedCollectionPage",
    )
    assert client.get(files["first"]["next"]).json()["items"][0]["id"] == FILES[3].iri


def test_conditions_are_kept(client: TestClient) -> None:
    packed = client.get("/identifications?limit=2").headers["etag"]
    first = client.get("/identifications?limit=2", headers={"accept-encoding": "identity"})
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    assert packed == f"W/{tag}"  # the same, in other bytes
    assert modified == "Mon, 02 Nov 2026 10:00:00 GMT"
    for condition, status in [
        ({"if-none-match": tag}, 304),
        ({"if-none-match": packed}, 304),
        ({"if-match": packed}, 412),  # RFC 9110, 13.1.1: a weak tag never matches strongly
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"other"', "if-modified-since": modified}, 200),
        ({"if-modified-since": modified}, 304),
        ({"if-match": '"other"'}, 412),
        ({"if-match": tag}, 200),
        ({"if-unmodified-since": "Sun, 01 Nov 2026 10:00:00 GMT"}, 412),
    ]:
        assert client.get("/identifications?limit=2", headers=condition).status_code == status, condition


@pytest.mark.parametrize("path", ["/identifications", "/identifications/new"])
def test_a_change_with_an_older_moment_is_not_hidden_from_who_asks_by_date(
    store_url: str, path: str, tmp_path: Path
) -> None:
    with Store(store_url) as store:
        client = TestClient(create_app(Settings(base_url=BASE, home=str(tmp_path)), store=store, classifiers={}))
        new = Identification(id="new", file=FILES[0].iri, label="x")

        def written(certainty: float, moment: str) -> None:
            store.put([replace(new, certainty=certainty)], agent="test", moment=moment)

        def answered(since: str) -> tuple[int, str]:
            answer = client.get(path, headers={"if-modified-since": since} if since else {})
            return answer.status_code, answer.headers.get("last-modified", "")

        written(0.1, "2026-11-02T10:00:00Z")
        second = "Mon, 02 Nov 2026 10:00:00 GMT"
        assert answered("") == (200, second)
        assert answered(second) == (304, second)
        written(0.2, "2026-11-01T10:00:00Z")
        assert answered(second) == (200, "")
        assert answered("Sun, 01 Nov 2026 10:00:00 GMT") == (200, "")
        written(0.3, "2026-11-03T10:00:00Z")
        third = "Tue, 03 Nov 2026 10:00:00 GMT"
        assert answered(second) == (200, third)
        assert answered(third) == (304, third)
        with Store(store_url) as again:  # as another process sees it that has read nothing yet
            again.put([replace(new, certainty=0.4)], agent="test", moment="2026-11-02T10:00:00Z")
            assert again.modified() == ""
            assert again.latest() == "2026-11-03T10:00:00Z"
        assert answered(third) == (200, "")


@pytest.mark.parametrize("way", WAYS, ids=["sorted", "listed", "asked"])
def test_both_databases_find_what_is_below_a_taxon(
    store_url: str, way: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "NEAR", way[0])
    monkeypatch.setattr(selection, "FEW_CONCEPTS", way[1])
    with Store(store_url) as store:
        store.put([*TAXA, *FILES, Agent(id="p"), Agent(id="s", kind="SoftwareAgent"), *ANSWERS], **WHO)
        for taxon, below in BELOW.items():
            ones = [one for one in ANSWERS if (one.item or f"gbif:{one.gbif_key}") in below]
            chosen = Selection(taxon=names_of(store, taxon), equals={"rank": "species"}, agent_kind="SoftwareAgent")
            software = [one for one in ones if one.rank == "species" and one.agent in ("", "s")]
            for narrowed, expected in ((Selection(taxon=names_of(store, taxon)), ones), (chosen, software)):
                assert count_of(store, Identification, narrowed) == len(expected)
                assert page_of(store, Identification, narrowed, Place(), 100) == expected
                assert page_of(store, Identification, narrowed, Place(None, True), 7) == expected[-7:]
                assert (
                    page_of(store, Identification, narrowed, Place("500"), 7)
                    == [one for one in expected if one.id > "500"][:7]
                )
        odd = Selection(equals={"status": "\x00\ud800"})
        assert page_of(store, Identification, odd, Place("\x00"), 5) == []
        assert page_of(store, Identification, Selection(institution="Q190804", since="2026-11-05"), Place(), 100) == [
            one for one in ANSWERS if one.file[-1] in "024" and one.moment >= "2026-11-05"
        ]


def test_head_says_what_get_says_without_the_body(client: TestClient) -> None:
    whole, head = client.get("/identifications?limit=2"), client.head("/identifications?limit=2")
    assert head.content == b""
    assert {name: head.headers[name] for name in ("etag", "link", "last-modified", "content-length")} == {
        name: whole.headers[name] for name in ("etag", "link", "last-modified", "content-length")
    }
    assert head.headers["access-control-allow-origin"] == "*"


def test_pages_are_in_the_link_header(client: TestClient) -> None:
    links = client.get("/identifications?limit=2").links
    assert {"first", "next", "last"} <= links.keys()
    assert "prev" in client.get(links["next"]["url"]).links


def test_a_taxon_that_moved_takes_its_answers_along(tmp_path: Any) -> None:
    with Store(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        store.put([TAXA[0], replace(ANSWERS[0], item="Q158603")], **WHO)
        family = Selection(taxon=("gbif:7017",))
        assert count_of(store, Identification, family) == 1
        store.put([replace(TAXA[0], lineage=(Ancestor("family", "Pieridae", "5481"),))], **WHO)
        assert count_of(store, Identification, family) == 0
        assert len(page_of(store, Identification, Selection(taxon=("gbif:5481",)), Place(), 9)) == 1
        store.remove(Taxon, ["Q158603"], reason="gone", **WHO)
        assert count_of(store, Identification, Selection(taxon=("gbif:5481",))) == 0
