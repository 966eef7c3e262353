"""What lists share: values as people write them, forms of JSON files; and that no broken document stops a harvest."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crowd.campaign import IiifSource, LinkedArtSource
from crowd.campaignfile import parse_campaign
from harvest.iiif import harvest_iiif
from harvest.linkedart import harvest_linked_art
from harvest.lists import json_documents, licence_of, moment_of, region_of
from harvest.nba import harvest_nba
from harvest.records import Harvested
from harvest.standin.server import StandIn
from harvest.standin.world import World
from linkeddata.client import Client
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import MediaFile, Tag

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = Pseudonyms("a key for tests")
CANVAS = "https://museum.example/canvas"
MANIFEST: dict[str, Any] = {
    "id": "https://museum.example/manifest",
    "type": "Manifest",
    "label": {"en": ["Lion"]},
    "rights": "http://creativecommons.org/licenses/by/4.0/",
    "requiredStatement": {"label": {"en": ["By"]}, "value": {"en": ["Museum"]}},
    "provider": [{"label": {"en": ["Museum"]}}],
    "metadata": [{"label": {"en": ["Species"]}, "value": {"en": ["Panthera leo"]}}],
    "items": [
        {
            "id": CANVAS,
            "type": "Canvas",
            "width": 100,
            "height": 100,
            "items": [
                {
                    "items": [
                        {
                            "motivation": "painting",
                            "body": {
                                "type": "Image",
                                "service": [
                                    {
                                        "id": "https://m.example/1",
                                        "type": "ImageService3",
                                        "width": 9,
                                        "profile": "level1",
                                    }
                                ],
                            },
                        }
                    ]
                }
            ],
            "annotations": [
                {
                    "items": [
                        {
                            "motivation": ["tagging"],
                            "body": [{"value": "lion", "language": "en"}],
                            "creator": {"name": "Ann"},
                            "created": "2021-10-01",
                            "target": {
                                "source": CANVAS,
                                "selector": {"type": "FragmentSelector", "value": "xywh=1,1,2,2"},
                            },
                        }
                    ]
                }
            ],
        }
    ],
}
THING: dict[str, Any] = {
    "id": "urn:thing",
    "type": "HumanMadeObject",
    "identified_by": [{"type": "Name", "content": "Lion", "classified_as": [{"id": "x"}], "language": [{"id": "y"}]}],
    "produced_by": {
        "timespan": {"identified_by": [{"content": "1600"}]},
        "part": [{"carried_out_by": [{"_label": "A"}]}],
    },
    "subject_of": [{"digitally_carried_by": [{"access_point": [{"id": "https://m.example"}]}]}],
    "current_owner": [{"notation": [{"@language": "en", "@value": "Museum"}]}],
    "shows": [
        {
            "represents": [{"equivalent": ["http://www.wikidata.org/entity/Q140"]}],
            "subject_to": [{"classified_as": [{"id": "https://creativecommons.org/licenses/by/4.0/"}]}],
            "digitally_shown_by": [{"access_point": [{"id": "https://m.example/1.jpg"}]}],
        }
    ],
}
SPECIMEN: dict[str, Any] = {
    "sourceSystem": {"code": "CRS"},
    "sourceSystemId": "1",
    "unitID": "1",
    "license": "CC0",
    "identifications": [
        {
            "scientificName": {"fullScientificName": "Parus major"},
            "identifiers": [{"agentText": "Vos"}],
            "dateIdentified": "2012-01-13",
            "vernacularNames": [{"name": "great tit", "language": "en"}],
        }
    ],
    "associatedMultiMediaUris": [{"accessUri": "http://m.example/1.jpg", "format": "image/jpeg"}],
}
ODD: tuple[Any, ...] = (None, "", "text", 7, -1.5, True, [], {}, [None], ["x"], {"id": 3}, [[{}]], {"@value": []})


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value in a document."""
    if way:
        yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*way, key))


def _broken(document: dict[str, Any], way: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    at: Any = made
    for key in way[:-1]:
        at = at[key]
    at[way[-1]] = copy.deepcopy(odd)
    return made


@pytest.mark.parametrize("kind", ["iiif", "linkedart", "nba"])
def test_no_broken_document_stops_a_harvest(kind: str, tmp_path: Path, stand_in: Callable[[World], StandIn]) -> None:
    path = tmp_path / "one.json"
    settings = stand_in(World()).settings()
    with Client(settings) as client:

        def harvest(document: Any) -> list[Harvested]:
            path.write_text(json.dumps(document), encoding="utf-8")
            if kind == "nba":
                return list(harvest_nba(path, campaign="test", pseudonyms=PEOPLE))
            if kind == "iiif":
                manifest = IiifSource(manifest=str(path), name="species")
                return list(harvest_iiif(client, manifest, campaign="test", pseudonyms=PEOPLE))
            records = LinkedArtSource(records=str(path))
            return list(harvest_linked_art(client, records, campaign="test", pseudonyms=PEOPLE))

        whole = {"iiif": MANIFEST, "linkedart": THING, "nba": SPECIMEN}[kind]
        assert [type(record) for record in harvest(whole) if isinstance(record, MediaFile)] == [MediaFile]
        assert [record for record in harvest(whole) if isinstance(record, Tag)]
        chance = random.Random(1596)
        for way in _places(whole):
            for odd in chance.sample(ODD, 6):
                records = harvest(_broken(whole, way, odd))
                assert records, f"{way} = {odd!r} was lost without a word"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("CC BY-SA 4.0 International", "https://creativecommons.org/licenses/by-sa/4.0/"),
        ("cc-by-3.0-nl", "https://creativecommons.org/licenses/by/3.0/nl/"),
        ("CC0_1_0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("CC0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("PDM", "https://creativecommons.org/publicdomain/mark/1.0/"),
        ("http://rightsstatements.org/vocab/InC/1.0", "https://rightsstatements.org/vocab/InC/1.0/"),
        ("CC BY-NC", ""),
        ("all rights reserved", ""),
        ("", ""),
    ],
)
def test_licences_as_people_write_them(written: str, meant: str) -> None:
    assert licence_of(written) == meant


@pytest.mark.parametrize("written", ["soon", "2021-13", "2021-02-30", "12-01-2021", "2014-01/2014-02", "20", "٢٠٢١"])
def test_what_is_no_moment(written: str) -> None:
    assert _refuses(moment_of, written)


@pytest.mark.parametrize(
    "written", ["xywh=1,2,3", "1,2,3,4", "pct:0,0,0,10", "pct:100,0,10,10", "xywh=percent:a,b,c,d", "-1,0,5,5"]
)
def test_what_is_no_region(written: str) -> None:
    assert _refuses(region_of, written)


def _refuses(read: Callable[[str], str], written: str) -> bool:
    try:
        read(written)
    except ValueError:
        return True
    return False


def test_a_region_ends_at_the_edge() -> None:
    assert region_of("xywh=percent:90,90,20,20") == "pct:90,90,10,10"


def test_a_broken_first_line_costs_that_line(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"a": \n{"b": 1}\n"text"\n{"c": "\xff"}\n{"d": 2}\n')
    assert [(one.place, dict(one.value), bool(one.trouble)) for one in json_documents(path)] == [
        ("lines.jsonl:1", {}, True),
        ("lines.jsonl:2", {"b": 1}, False),
        ("lines.jsonl:3", {}, True),
        ("lines.jsonl:4", {}, True),
        ("lines.jsonl:5", {"d": 2}, False),
    ]


def test_the_examples_in_the_manual_are_campaigns() -> None:
    lists = (ROOT / "docs/harvest.md").read_text(encoding="utf-8").split("## Lists people have")[1].split("\n## ")[0]
    blocks = [block.split("```")[0] for block in lists.split("```toml")[1:]]
    head = '[campaign]\nid = "lists"\ntitle = "Lists"\n'
    made = parse_campaign(head + "".join(blocks), name="docs/harvest.md")
    assert [len(kind) for kind in (made.files, made.dwca, made.nba, made.iiif, made.linkedart)] == [2, 1, 1, 1, 1]
