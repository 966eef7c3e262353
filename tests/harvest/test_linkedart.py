"""Linked Art over HTTP and from files: the way from object to image, terms, lists, faults, the recorded records."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from crowd.campaign import LinkedArtSource
from harvest.linkedart import AAT, harvest_linked_art
from harvest.records import Harvested
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.world import World
from linkeddata.client import Client
from linkeddata.errors import UnreachableError, UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import CampaignFile, Failure, MediaFile, Tag

PEOPLE = Pseudonyms("a key for tests")
ENGLISH, DUTCH = {"id": f"{AAT}300388277"}, {"id": f"{AAT}300388256"}
RECORDED = "rijksmuseum/linked-art/scripts/tests"
R = TypeVar("R")


@pytest.fixture
def server(stand_in: Callable[[World], StandIn]) -> StandIn:
    return stand_in(World())


def _only(kind: type[R], records: Sequence[Harvested]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def _harvest(server: StandIn, records: str, language: str = "en", **settings: Any) -> list[Harvested]:
    with Client(server.settings(**settings), sleep=lambda seconds: None) as client:
        source = LinkedArtSource(records=records, language=language)
        return list(harvest_linked_art(client, source, campaign="test", pseudonyms=PEOPLE))


def _said(content: str, language: Any, *classes: str) -> dict[str, Any]:
    return {"type": "Name", "content": content, "language": [language], "classified_as": [{"id": c} for c in classes]}


def _object(base: str, number: int) -> dict[str, Any]:
    return {
        "@context": "https://linked.art/ns/v1/linked-art.json",
        "id": f"{base}/200{number}",
        "type": "HumanMadeObject",
        "identified_by": [
            {"type": "Identifier", "content": f"RP-{number}", "classified_as": [f"{AAT}300312355"]},
            _said("Lion", ENGLISH, f"{AAT}300404670"),
            _said("Leeuw", DUTCH, f"{AAT}300404670"),
        ],
        "produced_by": {
            "type": "Production",
            "timespan": {"identified_by": [_said("c. 1600", ENGLISH), _said("ca. 1600", DUTCH)]},
            "part": [{"carried_out_by": [{"id": f"{base}/21", "type": "Person", "_label": "Anselmus de Boodt"}]}],
        },
        "referred_to_by": [_said("Gift", ENGLISH, f"{AAT}300026687")],
        "subject_of": [
            {
                "type": "LinguisticObject",
                "digitally_carried_by": [
                    {"format": "text/html", "access_point": [{"id": f"https://museum.example/{number}"}]}
                ],
            }
        ],
        "shows": [{"id": f"{base}/202{number}", "type": "VisualItem"}],
    }


def _visual(base: str, number: int, *represents: Any) -> dict[str, Any]:
    public_domain = {"id": "http://creativecommons.org/publicdomain/mark/1.0/", "type": "Type"}
    return {
        "id": f"{base}/202{number}",
        "type": "VisualItem",
        "represents": list(represents),
        "subject_to": [{"type": "Right", "classified_as": [public_domain]}],
        "digitally_shown_by": [{"id": f"{base}/500{number}", "type": "DigitalObject"}],
    }


def _digital(base: str, number: int) -> dict[str, Any]:
    point = {"id": f"https://iiif.example/{number}/full/max/0/default.jpg", "type": "DigitalObject"}
    return {"id": f"{base}/500{number}", "type": "DigitalObject", "access_point": [point]}


def _publish(server: StandIn, number: int, *represents: Any) -> str:
    base = server.url
    server.publish(f"/202{number}", _visual(base, number, *represents))
    server.publish(f"/500{number}", _digital(base, number))
    return server.publish(f"/200{number}", _object(base, number))


def test_an_object_its_image_and_what_it_represents(server: StandIn) -> None:
    base = server.url
    iconclass = {"id": f"{base}/224", "type": "Type", "equivalent": ["http://iconclass.org/25F23(LION)"]}
    server.publish(
        "/221", {"id": f"{base}/221", "type": "Type", "equivalent": [{"id": "http://www.wikidata.org/entity/Q140"}]}
    )
    url = _publish(
        server,
        1,
        {"id": f"{base}/221", "type": "Type"},
        {"id": "http://www.wikidata.org/entity/Q7378", "type": "Type"},
        {"id": f"{base}/223", "type": "Place", "equivalent": ["http://www.wikidata.org/entity/Q727"]},
        {**iconclass, "notation": [{"@language": "nl", "@value": "leeuw"}, {"@language": "en", "@value": "lion"}]},
        {"id": f"{base}/229", "type": "Type"},
    )
    records = _harvest(server, url)
    assert _only(MediaFile, records) == [
        MediaFile(
            iri=f"{base}/5001",
            title="Lion",
            page="https://museum.example/1",
            original="https://iiif.example/1/full/max/0/default.jpg",
            licence="https://creativecommons.org/publicdomain/mark/1.0/",
            credit="Gift",
            creator="Anselmus de Boodt",
            created="c. 1600",
            inventory_number="RP-1",
            group=url,
        )
    ]
    assert [(t.item, t.route) for t in _only(Tag, records)] == [
        (item, "linkedart") for item in ("Q140", "Q7378", "Q727")
    ]
    assert [(f.subject, f.reason, f.detail[:58]) for f in _only(Failure, records)] == [
        (f"{base}/2021", "statement without item", "$.represents[3]: lion (http://iconclass.org/25F23(LION))"),
        (f"{base}/229", "document missing", f"{base}/229: HTTP 404 <!DOCTYPE html>\n<html>"[:58]),
    ]
    (dutch,) = _only(MediaFile, _harvest(server, url, "nl"))
    assert (dutch.title, dutch.created, dutch.credit) == ("Leeuw", "ca. 1600", "Gift")


def _list(server: StandIn) -> str:
    base = server.url
    term = {"id": f"{base}/221", "type": "Type"}
    server.publish("/221", {**term, "equivalent": ["http://www.wikidata.org/entity/Q140"]})
    items = [{"id": _publish(server, number, term), "type": "HumanMadeObject"} for number in (1, 2, 3)]
    page = {"type": "OrderedCollectionPage"}
    first = {**page, "id": f"{base}/page1", "orderedItems": items[:2], "next": {"id": f"{base}/page2"}}
    second = {**page, "id": f"{base}/page2", "orderedItems": items[1:], "next": {"id": f"{base}/page1"}}
    server.publish("/page2", second)
    return server.publish("/page1", first)


def test_a_search_is_followed_to_its_end_and_terms_are_asked_for_once(server: StandIn) -> None:
    records = _harvest(server, _list(server))
    assert [media.inventory_number for media in _only(MediaFile, records)] == ["RP-1", "RP-2", "RP-3"]
    assert len(_only(Tag, records)) == len(_only(CampaignFile, records)) == 3
    assert _only(Failure, records) == []
    assert server.requests.count("/") == 2 + 3 * 3 + 1


def _pages(server: StandIn, *pages: Sequence[int]) -> str:
    """Publish a list of objects, three a page, that says how many it holds, and return its address."""
    base, total = server.url, sum(map(len, pages))
    for place, numbers in enumerate(pages, start=1):
        page = {"id": f"{base}/page{place}", "type": "OrderedCollectionPage", "partOf": {"totalItems": total}}
        items = [{"id": f"{base}/200{number}", "type": "HumanMadeObject"} for number in numbers]
        more = {"next": {"id": f"{base}/page{place + 1}"}} if place < len(pages) else {}
        server.publish(f"/page{place}", {**page, "orderedItems": items, **more})
    return f"{base}/page1"


def test_a_list_that_changes_while_it_is_paged_loses_and_doubles_nothing(server: StandIn) -> None:
    term = {"id": f"{server.url}/221", "type": "Type", "equivalent": ["http://www.wikidata.org/entity/Q140"]}
    for number in range(1, 8):
        _publish(server, number, term)
    url = _pages(server, (1, 2, 3), (4, 5, 6), (7,))
    with Client(server.settings(), sleep=lambda seconds: None) as client:
        source = LinkedArtSource(records=url)
        asked = harvest_linked_art(client, source, campaign="test", pseudonyms=PEOPLE)
        records = [next(asked)]
        _pages(server, (1, 3, 4), (5, 6, 7), ())  # one is gone, and the fourth on a page that was read
        records += asked
    numbers = [media.inventory_number for media in _only(MediaFile, records)]
    assert sorted(numbers) == [f"RP-{number}" for number in range(1, 8)]
    assert server.requests.count("/page") == 3 + 3, "a list that is another in the middle is read once more"


@pytest.mark.parametrize(
    "fault",
    [
        faults.TOO_MANY_REQUESTS,
        faults.UNAVAILABLE,
        faults.TRUNCATED,
        faults.HTML_PAGE,
        faults.CUT_CONNECTION,
        faults.SLOW_DRIP,
        faults.SLOW_HEADERS,
    ],
    ids=lambda fault: fault.kind,
)
def test_a_fault_that_passes_costs_nothing(server: StandIn, fault: faults.Fault) -> None:
    url = _list(server)
    undisturbed = _harvest(server, url)
    for path in ("/page2", "/2002", "/2021", "/5003", "/221"):
        server.faults.next(path, fault)
    assert _harvest(server, url) == undisturbed
    assert server.faults.pending == 0


@pytest.mark.parametrize(("path", "files", "tags"), [("/2002", 2, 2), ("/2022", 2, 2), ("/5002", 2, 2), ("/221", 3, 2)])
def test_a_fault_that_stays_costs_what_hangs_on_it(server: StandIn, path: str, files: int, tags: int) -> None:
    url = _list(server)
    server.faults.next(path, faults.HTML_PAGE, times=2)
    records = _harvest(server, url, tries=2)
    assert (len(_only(MediaFile, records)), len(_only(Tag, records))) == (files, tags)
    assert [(f.subject, f.reason) for f in _only(Failure, records)] == [(server.url + path, "source failed")]
    server.faults.next("/page1", faults.UNAVAILABLE, times=2)
    with pytest.raises(UnreachableError):
        _harvest(server, url, tries=2)


def test_what_is_no_image_is_named(server: StandIn) -> None:
    base = server.url
    things = [_object(base, number) for number in (1, 2, 3, 4)]
    things[0]["shows"] = []
    things[1]["shows"] = [{"id": f"{base}/2022", "type": "VisualItem", "represents": []}]
    things[2]["shows"] = [{**_visual(base, 3), "digitally_shown_by": [{"access_point": [{"id": "nowhere"}]}]}]
    rights = [{"type": "Right", "identified_by": [_said("Copyright of somebody", ENGLISH)]}]
    service = {"id": "https://iiif.example/4", "conforms_to": [{"id": "http://iiif.io/api/image/3"}]}
    things[3]["shows"] = [
        {**_visual(base, 4), "subject_to": rights, "digitally_shown_by": [{"access_point": [service]}]}
    ]
    for number, thing in enumerate(things, start=1):
        server.publish(f"/200{number}", thing)
    listed = [{"id": thing["id"]} for thing in things] + [{"id": server.publish("/31", {"id": "x", "type": "Person"})}]
    records = _harvest(server, server.publish("/list", {"type": "OrderedCollection", "orderedItems": listed}))
    (media,) = _only(MediaFile, records)
    assert (media.iri, media.original) == (f"{base}/2004#image-1", "https://iiif.example/4/full/max/0/default.jpg")
    assert [(f.subject.removeprefix(base), f.reason, f.detail) for f in _only(Failure, records)] == [
        ("/2001", "no image", "$.shows: empty"),
        ("/2002", "no image", "$.shows"),
        ("/2003", "no image", "$.access_point: no address"),
        ("/2004", "value not understood", "$.subject_to: 'Copyright of somebody'"),
        ("/31", "record not understood", "no object but Person"),
    ]


def test_the_recorded_object_is_read_completely(recordings: Path, server: StandIn, tmp_path: Path) -> None:
    shutil.copy(recordings / RECORDED / "fixtures/hmo-200117708-linked-art.json", tmp_path)
    museum = "https://id.rijksmuseum.nl"
    (tmp_path / "visual.json").write_text(json.dumps({**_visual(museum, 117708), "id": f"{museum}/202117708"}))
    (tmp_path / "digital.json").write_text(json.dumps(_digital(museum, 117708)))
    records = _harvest(server, str(tmp_path))
    assert _only(Failure, records) == []
    (media,) = _only(MediaFile, records)
    assert (media.iri, media.inventory_number, media.title) == (
        f"{museum}/500117708",
        "RP-T-1930-54(V)",
        "Three Scribes",
    )
    assert (media.creator, media.created) == ("Rembrandt van Rijn", "c. 1628 - c. 1629")
    assert media.credit == "Gift of C. Hofstede de Groot, The Hague"
    assert media.page.startswith("https://www.rijksmuseum.nl/nl/collectie/object/RP-T-1930-54(V)")
    assert media.group == f"{museum}/200117708"
    assert server.requests.count() == 0


def test_every_recorded_file_is_accounted_for(recordings: Path, server: StandIn) -> None:
    counts: Counter[str] = Counter()
    for path in sorted((recordings / RECORDED).rglob("*.json")):
        if "hmo-" in path.name or "external-ids" in path.name:
            continue  # these lead on to what is at the museum's own addresses
        given = json.loads(path.read_text(encoding="utf-8"))
        lost = [f.reason for f in _only(Failure, _harvest(server, str(path)))]
        if isinstance(given, dict) and given.get("type") == "HumanMadeObject":
            assert lost == ["no image"], path.name
        else:
            pieces = len(given) if isinstance(given, list) else 1
            assert lost == ["record not understood"] * pieces + ["no image"], path.name
        counts.update(lost)
    assert counts == {"no image": 10, "record not understood": 6 + 8}
    assert server.requests.count() == 0


def test_a_file_that_is_not_there_is_named(server: StandIn, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        _harvest(server, str(tmp_path / "nowhere.json"))
