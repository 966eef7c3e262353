"""IIIF manifests and collections over HTTP and from files: versions 2 and 3, tagging annotations, pages, faults."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from crowd.campaign import IiifSource
from harvest.iiif import harvest_iiif
from harvest.records import Harvested
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.world import World
from linkeddata.client import Client
from linkeddata.errors import UnreachableError, UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Tag

PEOPLE = Pseudonyms("a key for tests")
P3 = "http://iiif.io/api/presentation/3/context.json"
P2 = "http://iiif.io/api/presentation/2/context.json"
LION = "http://www.wikidata.org/entity/Q140"
R = TypeVar("R")


@pytest.fixture
def server(stand_in: Callable[[World], StandIn]) -> StandIn:
    return stand_in(World())


def _only(kind: type[R], records: Sequence[Harvested]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def _harvest(server: StandIn, source: IiifSource, **settings: Any) -> list[Harvested]:
    with Client(server.settings(**settings), sleep=lambda seconds: None) as client:
        return list(harvest_iiif(client, source, campaign="test", pseudonyms=PEOPLE))


def _manifest_3(base: str, name: str = "m3", canvases: int = 1, **more: Any) -> dict[str, Any]:
    iri = f"{base}/iiif/{name}"

    def canvas(number: int) -> dict[str, Any]:
        image = f"{base}/img/{name}-{number}"
        body = {
            "id": f"{image}/full/800,/0/default.jpg",
            "type": "Image",
            "format": "image/jpeg",
            "service": [{"id": image, "type": "ImageService3", "profile": "level2", "width": 4000, "height": 2000}],
        }
        painting = {
            "id": f"{iri}/p/{number}",
            "type": "Annotation",
            "motivation": "painting",
            "body": body,
            "target": f"{iri}/canvas/{number}",
        }
        return {
            "id": f"{iri}/canvas/{number}",
            "type": "Canvas",
            "label": {"none": [f"p. {number}"]},
            "width": 1000,
            "height": 500,
            "items": [{"id": f"{iri}/page/{number}", "type": "AnnotationPage", "items": [painting]}],
        }

    return {
        "@context": P3,
        "id": iri,
        "type": "Manifest",
        "label": {"nl": ["Leeuw"], "en": ["Lion"]},
        "items": [canvas(number) for number in range(1, canvases + 1)],
        **more,
    }


def _tagging(base: str, number: int, body: Any, target: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{base}/anno/{number}",
        "type": "Annotation",
        "motivation": "tagging",
        "body": body,
        "target": target,
        **more,
    }


def test_a_manifest_of_version_3(server: StandIn) -> None:
    canvas = f"{server.url}/iiif/m3/canvas/1"
    part = {"type": "FragmentSelector", "value": "xywh=100,50,200,100"}
    svg = {"type": "SvgSelector", "value": "<svg/>"}
    manifest = _manifest_3(
        server.url,
        rights="http://creativecommons.org/licenses/by/4.0/",
        requiredStatement={"label": {"en": ["Attribution"]}, "value": {"en": ["<span>Museum &amp; Co</span>"]}},
        provider=[{"id": "https://museum.example", "type": "Agent", "label": {"en": ["Museum"]}}],
        homepage=[{"id": "https://museum.example/lion", "type": "Text"}],
        summary={"en": ["A lion, walking"]},
        metadata=[
            {"label": {"en": ["Object number"], "nl": ["Objectnummer"]}, "value": {"none": ["RP-1"]}},
            {"label": {"en": ["Species"]}, "value": {"en": ["Panthera leo", "Vulpes vulpes"], "nl": ["leeuw"]}},
            {"label": {"en": ["Depicts"]}, "value": {"none": [f'<a href="{LION}">lion</a>', "a tree"]}},
            {"label": {"en": ["Maker"]}, "value": {"en": ["Maria"]}},
        ],
    )
    annotations = [
        _tagging(
            server.url, 1, LION, f"{canvas}#xywh=percent:10,20,30,40", creator={"name": "Ann"}, created="2021-10-01"
        ),
        _tagging(server.url, 2, {"type": "TextualBody", "value": "beer", "language": "nl"}, canvas, creator="Ben"),
        _tagging(
            server.url, 3, {"type": "SpecificResource", "source": {"id": LION}}, {"source": canvas, "selector": part}
        ),
        _tagging(
            server.url, 4, "https://www.gbif.org/species/2435099", {"source": canvas, "selector": svg}, created="soon"
        ),
        _tagging(server.url, 5, "https://vocab.example/1", canvas),
        _tagging(server.url, 6, "a remark", canvas, motivation="commenting"),
        _tagging(
            server.url, 7, {"type": "TextualBody", "purpose": "tagging", "value": "Q7"}, canvas, motivation="commenting"
        ),
        _tagging(server.url, 8, LION, "https://other.example/canvas"),
    ]
    here = {"id": f"{canvas}/a", "type": "AnnotationPage", "items": annotations[:4]}
    elsewhere = server.publish(
        "/anno/page", {"type": "AnnotationPage", "items": annotations[4:6], "next": f"{server.url}/anno/more"}
    )
    server.publish("/anno/more", {"type": "AnnotationPage", "items": annotations[6:], "next": elsewhere})
    manifest["items"][0]["annotations"] = [here, {"id": elsewhere, "type": "AnnotationPage"}]
    url = server.publish("/iiif/m3", manifest)
    source = IiifSource(manifest=url, name="species", item="Depicts", inventory_number="objectnummer", creator="Maker")
    records = _harvest(server, source)
    assert _only(MediaFile, records) == [
        MediaFile(
            iri=canvas,
            title="Lion: p. 1",
            page="https://museum.example/lion",
            original=f"{server.url}/img/m3-1/full/max/0/default.jpg",
            mime="image/jpeg",
            width_px=4000,
            height_px=2000,
            licence="https://creativecommons.org/licenses/by/4.0/",
            credit="Museum & Co",
            creator="Maria",
            description="A lion, walking",
            inventory_number="RP-1",
            institution="Museum",
            group=url,
        )
    ]
    assert [(t.item, t.verbatim, t.language, t.region, t.moment) for t in _only(Tag, records)] == [
        ("Q140", "", "", "", ""),
        ("", "Panthera leo", "en", "", ""),
        ("", "Vulpes vulpes", "en", "", ""),
        ("Q140", "", "", "pct:10,20,30,40", "2021-10-01"),
        ("", "beer", "nl", "", ""),
        ("Q140", "", "", "pct:10,10,20,20", ""),
        ("", "gbif:2435099", "", "", ""),
        ("Q7", "", "", "", ""),
    ]
    assert [agent.id for agent in _only(Agent, records)] == [PEOPLE.agent("Ann").id, PEOPLE.agent("Ben").id]
    assert [(f.subject.removeprefix(server.url), f.reason, f.detail) for f in _only(Failure, records)] == [
        ("/iiif/m3/canvas/1", "statement without item", "metadata Depicts: 'a tree'"),
        ("/anno/4", "value not understood", "target: no rectangle but a SvgSelector"),
        ("/anno/4", "value not understood", "created: 'soon'"),
        ("/anno/5", "statement without item", "body: 'https://vocab.example/1'"),
    ]
    assert _only(Tag, _harvest(server, source)) == _only(Tag, records)  # the same ids the next time


def test_a_manifest_of_version_2(server: StandIn) -> None:
    canvas = f"{server.url}/iiif/c2"
    resource = {
        "@id": f"{server.url}/img/2/full/full/0/default.jpg",
        "@type": "dctypes:Image",
        "service": {"@context": "http://iiif.io/api/image/2/context.json", "@id": f"{server.url}/img/2"},
    }
    choice = {"@type": "oa:Choice", "default": resource, "item": [{"@id": "https://x.example/b.jpg"}]}
    tags = {
        "@type": "sc:AnnotationList",
        "resources": [
            {
                "@id": f"{server.url}/a1",
                "@type": "oa:Annotation",
                "motivation": ["oa:tagging"],
                "resource": [{"@type": "oa:Tag", "chars": "Panthera leo"}, {"@id": LION, "@type": "oa:SemanticTag"}],
                "on": {
                    "@type": "oa:SpecificResource",
                    "full": canvas,
                    "selector": {
                        "@type": "oa:Choice",
                        "default": {"@type": "oa:FragmentSelector", "value": "xywh=0,0,50,50"},
                        "item": {"@type": "oa:SvgSelector", "chars": "<svg/>"},
                    },
                },
            },
            {"motivation": "oa:tagging", "resource": {"chars": "fox"}, "on": f"{canvas}#xywh=0,0,10,10"},
        ],
    }  # fmt: skip
    manifest = {
        "@context": P2,
        "@id": f"{server.url}/iiif/m2",
        "@type": "sc:Manifest",
        "label": "Album",
        "license": "http://rightsstatements.org/vocab/NoC-OKLR/1.0/",
        "attribution": [{"@value": "Museum", "@language": "en"}, {"@value": "Het museum", "@language": "nl"}],
        "description": "An album",
        "related": {"@id": "https://museum.example/album", "format": "text/html"},
        "metadata": [{"label": "Object number:", "value": "RP-2"}],
        "sequences": [
            {
                "@type": "sc:Sequence",
                "canvases": [
                    {
                        "@id": canvas,
                        "@type": "sc:Canvas",
                        "label": "f. 1",
                        "width": 100,
                        "height": 200,
                        "images": [
                            {"@type": "oa:Annotation", "motivation": "sc:painting", "resource": choice, "on": canvas}
                        ],
                        "otherContent": [{"@id": server.publish("/iiif/list", tags), "@type": "sc:AnnotationList"}],
                    },
                    {"@id": f"{canvas}-empty", "@type": "sc:Canvas", "images": []},
                ],
            }
        ],
    }
    url = server.publish("/iiif/m2", manifest)
    records = _harvest(server, IiifSource(manifest=url, language="nl", inventory_number="object number"))
    (media,) = _only(MediaFile, records)
    assert (media.iri, media.original) == (canvas, f"{server.url}/img/2/full/full/0/default.jpg")
    assert (media.licence, media.credit) == ("https://rightsstatements.org/vocab/NoC-OKLR/1.0/", "Het museum")
    assert (media.title, media.inventory_number, media.page) == ("Album: f. 1", "RP-2", "https://museum.example/album")
    assert [(t.item or t.verbatim, t.region) for t in _only(Tag, records)] == [
        ("Panthera leo", "pct:0,0,50,25"),
        ("Q140", "pct:0,0,50,25"),
        ("fox", "pct:0,0,10,5"),
    ]
    assert [(f.subject, f.reason) for f in _only(Failure, records)] == [(f"{canvas}-empty", "no image")]


def _collection(server: StandIn) -> str:
    """A collection of two pages, with collections in it that lead back to it, and four manifests."""
    base = server.url
    for name in ("a", "b", "c", "d"):
        server.publish(f"/iiif/{name}", _manifest_3(base, name, canvases=2))

    def ref(name: str, kind: str = "Manifest") -> dict[str, str]:
        return {"id": f"{base}/iiif/{name}", "type": kind}

    top = {
        "@context": P3,
        **ref("top", "Collection"),
        "items": [ref("a"), ref("inner", "Collection"), ref("old", "Collection")],
    }
    server.publish(
        "/iiif/inner", {**ref("inner", "Collection"), "items": [ref("b"), ref("a"), ref("top", "Collection")]}
    )
    paged = {
        "@context": P2,
        "@id": f"{base}/iiif/old",
        "@type": "sc:Collection",
        "total": 2,
        "first": f"{base}/iiif/old-1",
    }
    server.publish("/iiif/old", paged)
    first = {"@id": f"{base}/iiif/old-1", "@type": "sc:Collection", "manifests": [{"@id": f"{base}/iiif/c"}]}
    server.publish("/iiif/old-1", {**first, "next": f"{base}/iiif/old-2"})
    second = {
        "@id": f"{base}/iiif/old-2",
        "@type": "sc:Collection",
        "members": [{"@id": f"{base}/iiif/d"}, {"@id": f"{base}/iiif/gone"}],
    }
    server.publish("/iiif/old-2", {**second, "next": f"{base}/iiif/old-1"})
    return server.publish("/iiif/top", top)


def test_collections_are_followed_once_and_to_the_end(server: StandIn) -> None:
    url = _collection(server)
    records = _harvest(server, IiifSource(manifest=url))
    assert [m.iri.removeprefix(f"{server.url}/iiif/") for m in _only(MediaFile, records)] == [
        f"{name}/canvas/{number}" for name in "abcd" for number in (1, 2)
    ]
    assert len(_only(CampaignFile, records)) == 8
    assert [(f.subject, f.reason) for f in _only(Failure, records)] == [(f"{server.url}/iiif/gone", "document missing")]
    asked = [request.path for request in server.requests.all("/iiif/")]
    assert len(set(asked)) == 10
    assert [path for path, times in Counter(asked).items() if times > 1] == ["/iiif/old"], "is it still as large?"


def test_a_collection_that_changes_while_it_is_paged_loses_nothing(server: StandIn) -> None:
    url = _collection(server)
    with Client(server.settings(), sleep=lambda seconds: None) as client:
        asked = harvest_iiif(client, IiifSource(manifest=url), campaign="test", pseudonyms=PEOPLE)
        records = []
        for record in asked:  # into the first page
            records.append(record)
            if isinstance(record, MediaFile) and "/iiif/c/" in record.iri:
                break
        whole = {"@id": f"{server.url}/iiif/old", "@type": "sc:Collection", "total": 1}
        server.publish("/iiif/old", {**whole, "first": f"{server.url}/iiif/old-1"})
        page = {"@id": f"{server.url}/iiif/old-1", "@type": "sc:Collection"}
        server.publish("/iiif/old-1", {**page, "manifests": [{"@id": f"{server.url}/iiif/d"}]})  # c is gone, d moved up
        server.publish("/iiif/old-2", {**page, "@id": f"{server.url}/iiif/old-2", "manifests": []})
        records += asked
    names = [media.iri.removeprefix(f"{server.url}/iiif/")[0] for media in _only(MediaFile, records)]
    assert sorted(names) == list("aabbccdd")


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
    url = _collection(server)
    undisturbed = _harvest(server, IiifSource(manifest=url))
    for path in ("/iiif/top", "/iiif/b", "/iiif/old-2"):
        # What comes slowly comes: it is asked for once.
        server.faults.next(path, fault, times=1 if fault in (faults.SLOW_DRIP, faults.SLOW_HEADERS) else 2)
    assert _harvest(server, IiifSource(manifest=url)) == undisturbed
    assert server.faults.pending == 0


def test_a_fault_that_stays_costs_one_manifest(server: StandIn) -> None:
    url = _collection(server)
    server.faults.next("/iiif/b", faults.HTML_PAGE, times=2)
    records = _harvest(server, IiifSource(manifest=url), tries=2)
    assert len(_only(MediaFile, records)) == 6
    assert (f"{server.url}/iiif/b", "source failed") in [(f.subject, f.reason) for f in _only(Failure, records)]
    server.faults.next("/iiif/top", faults.UNAVAILABLE, times=2)
    with pytest.raises(UnreachableError):
        _harvest(server, IiifSource(manifest=url), tries=2)


def test_files_are_read_without_asking_anybody(server: StandIn, tmp_path: Path) -> None:
    base = "https://iiif.museum.example"
    manifest = _manifest_3(base, "a")
    collection = {"id": f"{base}/iiif/top", "type": "Collection", "items": [{"id": manifest["id"], "type": "Manifest"}]}
    (tmp_path / "a.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    (tmp_path / "top.json").write_text(json.dumps(collection), encoding="utf-8")
    (tmp_path / "broken.json").write_text('{"id": ', encoding="utf-8")
    (tmp_path / "other.json").write_text(
        '{"id": "https://x.example/1", "type": "Range", "items": []}', encoding="utf-8"
    )
    records = _harvest(server, IiifSource(manifest=str(tmp_path)))
    assert [media.iri for media in _only(MediaFile, records)] == [f"{base}/iiif/a/canvas/1"]
    assert [(f.subject, f.reason) for f in _only(Failure, records)] == [
        ("broken.json", "record not understood"),
        ("https://x.example/1", "record not understood"),
    ]
    assert server.requests.count() == 0
    with pytest.raises(UsageError, match="nowhere"):
        _harvest(server, IiifSource(manifest=str(tmp_path / "nowhere")))


def test_canvases_that_are_no_single_image(server: StandIn) -> None:
    manifest = _manifest_3(server.url, canvases=3, rights="see website")
    one, two, three = manifest["items"]
    one["items"][0]["items"][0]["body"] = {"id": "https://x.example/1.mp3", "type": "Sound"}
    two["items"][0]["items"][0]["target"] += "#xywh=0,0,500,500"
    two["items"][0]["items"].append(dict(two["items"][0]["items"][0], id="second"))
    two["annotations"] = [{"items": [_tagging(server.url, 1, LION, f"{two['id']}#xywh=0,0,10,10")]}]
    three["items"][0]["items"][0]["body"] = {"type": "SpecificResource", "source": "not an address"}
    records = _harvest(server, IiifSource(manifest=server.publish("/iiif/m3", manifest)))
    assert [media.iri for media in _only(MediaFile, records)] == [two["id"]]
    assert [(t.item, t.region) for t in _only(Tag, records)] == [("Q140", "")]
    assert [(f.subject.rpartition("/")[2], f.reason, f.detail) for f in _only(Failure, records)] == [
        ("1", "not an image", "Sound"),
        ("2", "value not understood", "2 images on one canvas, the first is taken"),
        ("2", "value not understood", "rights: 'see website'"),
        ("1", "value not understood", "target: a region of a canvas that its image does not fill"),
        ("3", "no image", "image 'not an address'"),
    ]


def test_info_json_that_cannot_be_had_is_tried_again_next_time(server: StandIn) -> None:
    manifest = _manifest_3(server.url)
    del manifest["items"][0]["items"][0]["items"][0]["body"]["service"][0]["width"]
    url = server.publish("/iiif/m3", manifest)
    source = replace(IiifSource(manifest=url), width_px=100)
    server.faults.next("/img/", faults.UNAVAILABLE, times=2)
    assert [f.reason for f in _only(Failure, _harvest(server, source, tries=2))] == ["source failed"]
    server.publish("/img/m3-1/info.json", {"profile": "level2", "width": 4000})
    (media,) = _only(MediaFile, _harvest(server, source))
    assert media.original == f"{server.url}/img/m3-1/full/100,/0/default.jpg"
