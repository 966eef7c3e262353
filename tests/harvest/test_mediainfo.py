"""What the API's answers mean: recorded ones, and the surprises one by one."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.commons import statement_failures
from harvest.mediainfo import (
    NO_STRUCTURED_DATA,
    Page,
    Site,
    Statement,
    media_file,
    parse_entities,
    parse_pages,
    plain_text,
)
from harvest.records import licence_iri

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
COMMONS = Site("https://commons.wikimedia.org/entity/")
recorded = pytest.mark.skipif(not SHARED.is_dir(), reason="recorded answers are not here")


def _value(value: Any) -> dict[str, Any]:
    return {"snaktype": "value", "datavalue": {"value": value}}


def _claims(**properties: Any) -> dict[str, Any]:
    return {"entities": {"M1": {"id": "M1", "lastrevid": 9, "statements": properties}}}


@pytest.mark.parametrize("empty", [[], {}, None])
def test_an_empty_object_may_be_a_list(empty: Any) -> None:
    (info,) = parse_entities({"entities": {"M1": {"id": "M1", "labels": empty, "statements": empty}}}).values()
    assert (info.missing, info.depicts, info.captions) == (False, (), ())
    assert parse_entities({"entities": empty}) == {}


def test_missing_is_missing() -> None:
    assert parse_entities({"entities": {"M17": {"id": "M17", "missing": ""}}})["M17"].missing
    assert parse_entities({"entities": {"-1": {"site": "commonswiki", "title": "File:No.jpg", "missing": ""}}}) == {}


def test_ids_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="not a MediaInfo id"):
        parse_entities({"entities": {"Q1": {"id": "Q1"}}})


@pytest.mark.parametrize(
    ("snak", "kind", "item"),
    [
        ({"snaktype": "somevalue"}, "somevalue", ""),
        ({"snaktype": "novalue"}, "novalue", ""),
        (_value({"entity-type": "item", "numeric-id": 140, "id": "Q140"}), "value", "Q140"),
        (_value({"entity-type": "item", "numeric-id": 140}), "value", "Q140"),
        (_value({"entity-type": "property", "id": "P180"}), "value", ""),
        (_value("Q140 or so"), "value", ""),
    ],
)
def test_what_is_depicted(snak: dict[str, Any], kind: str, item: str) -> None:
    info = parse_entities(_claims(P180=[{"id": "M1$A", "rank": "normal", "mainsnak": snak}]))["M1"]
    assert info.depicts == (Statement(id="M1$A", item=item, rank="normal", kind=kind),)
    assert info.depicts[0].counts == bool(item)


def test_part_and_region_are_qualifiers() -> None:
    qualifiers = {
        "P518": [{"snaktype": "somevalue"}, _value({"id": "Q23445"})],
        "P2677": [_value("pct:10,20,30,40")],
    }
    claim = {"id": "M1$A", "rank": "preferred", "mainsnak": _value({"id": "Q140"}), "qualifiers": qualifiers}
    (statement,) = parse_entities(_claims(P180=[claim]))["M1"].depicts
    assert (statement.part, statement.region, statement.rank) == ("Q23445", "pct:10,20,30,40", "preferred")
    assert statement.further == ()


def test_of_several_regions_the_first_is_the_tags_and_the_others_are_told() -> None:
    qualifiers = {"P2677": [_value("pct:1,2,3,4"), {"snaktype": "somevalue"}, _value("pct:5,6,7,8")]}
    claim = {"id": "M1$A", "mainsnak": _value({"id": "Q140"}), "qualifiers": qualifiers}
    info = parse_entities(_claims(P180=[claim]))["M1"]
    assert info.depicts[0].region == "pct:1,2,3,4"
    (failure,) = statement_failures("file", info, "test")
    assert (failure.reason, failure.detail) == ("further part or region", "Q140 P2677=pct:5,6,7,8 M1$A")


def test_structured_data_comes_first() -> None:
    unknown = {"mainsnak": {"snaktype": "somevalue"}, "qualifiers": {"P2093": [_value("Anselmus de Boodt")]}}
    numbers = [
        {"mainsnak": _value("old"), "rank": "deprecated"},
        {"mainsnak": _value("RP-T-1")},
        {"mainsnak": _value("RP-T-2"), "rank": "preferred"},
    ]
    made = {"mainsnak": _value({"time": "+1596-00-00T00:00:00Z", "precision": 9})}
    info = parse_entities(
        _claims(P170=[unknown], P217=numbers, P195=[{"mainsnak": _value({"id": "Q190804"})}], P571=[made])
    )["M1"]
    page = Page(id=1, title="File:A.jpg", revision=9, image={"extmetadata": {"Artist": {"value": "somebody"}}})
    media = media_file(COMMONS, page, info)
    assert (media.creator, media.inventory_number) == ("Anselmus de Boodt", "RP-T-2")
    assert (media.institution, media.created) == ("Q190804", "1596")
    assert media_file(COMMONS, page, NO_STRUCTURED_DATA).creator == "somebody"


@pytest.mark.parametrize(
    ("properties", "address"),
    [
        ({"P275": ["Q18199165"]}, "https://creativecommons.org/licenses/by-sa/4.0/"),
        ({"P275": ["Q50829104", "Q14946043"]}, "https://creativecommons.org/licenses/by-sa/3.0/"),
        ({"P275": ["Q6938433"], "P6216": ["Q88088423"]}, "https://creativecommons.org/publicdomain/zero/1.0/"),
        ({"P6216": ["Q19652", "Q19652"]}, "https://creativecommons.org/publicdomain/mark/1.0/"),
        ({"P6216": ["Q19652", "Q50423863"]}, "https://x.example/page"),
        ({"P275": ["Q50829104"]}, "https://x.example/page"),
        ({}, "https://x.example/page"),
    ],
)
def test_the_licence_is_a_statements_before_it_is_the_pages(properties: dict[str, list[str]], address: str) -> None:
    told = {key: [{"mainsnak": _value({"id": item})} for item in items] for key, items in properties.items()}
    image = {"extmetadata": {"LicenseUrl": {"value": "https://x.example/page"}}}
    page = Page(id=1, title="File:A.jpg", revision=9, image=image)
    assert media_file(COMMONS, page, parse_entities(_claims(**told))["M1"]).licence == address


def test_a_creator_with_an_item_alone_is_that_item() -> None:
    info = parse_entities(_claims(P170=[{"mainsnak": _value({"id": "Q1234"})}]))["M1"]
    named = Page(id=1, title="File:A.jpg", revision=9, image={"extmetadata": {"Artist": {"value": "somebody"}}})
    nameless = Page(id=1, title="File:A.jpg", revision=9, image={})
    assert media_file(COMMONS, named, info).creator == "somebody"
    assert media_file(COMMONS, nameless, info).creator == "Q1234"


def test_references_are_kept_in_words() -> None:
    one = {"snaks": {"P248": [_value({"id": "Q36578"})], "P813": [_value({"time": "+2021-10-03T00:00:00Z"})]}}
    other = {"snaks": {"P854": [_value("https://x.example/")], "P887": [{"snaktype": "somevalue"}]}}
    claim = {"id": "M1$A", "mainsnak": _value({"id": "Q140"}), "references": [one, {"snaks": []}, other]}
    (statement,) = parse_entities(_claims(P180=[claim]))["M1"].depicts
    assert statement.reference == "P248=Q36578; P813=+2021-10-03T00:00:00Z | P854=https://x.example/"


def test_what_is_painted_is_called_simulated() -> None:
    page = Page(id=1, title="File:A.jpg", revision=9, image={})
    assert media_file(Site("https://commons.deboodt.example/entity/"), page, NO_STRUCTURED_DATA).simulated
    assert not media_file(COMMONS, page, NO_STRUCTURED_DATA).simulated


def test_a_page_may_have_no_file() -> None:
    pages = [{"pageid": 1, "title": "File:Moved.jpg", "lastrevid": 4}, {"title": "File:No.jpg", "missing": True}]
    (page,) = parse_pages({"query": {"pages": pages}})
    assert (page.id, page.revision, page.image, page.newest) == (1, 4, {}, None)


@given(st.text())
def test_text_of_anything_is_one_line_without_tags(html: str) -> None:
    text = plain_text(html)
    assert text == " ".join(text.split())


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("5 &lt; 6 &amp; 7", "5 < 6 & 7"),
        ("<p>One</p><p>two<br/>three</p>", "One two three"),
        ("<style>.a{}</style>Jan<script>x</script> <b>de</b> Vries", "Jan de Vries"),
        ('<span style="display:none"><span>a</span>b</span>c<img style="display: none">d', "cd"),
        ("<a href='x'>Jan", "Jan"),
    ],
)
def test_html_to_text(html: str, text: str) -> None:
    assert plain_text(html) == text


@given(st.text() | st.from_regex(r"https?://(creativecommons\.org|x\.example)/[a-z/.]{0,20}", fullmatch=True))
def test_a_licence_is_canonical_or_nothing(url: str) -> None:
    found = licence_iri(url)
    assert found == licence_iri(found)
    assert not found or found.startswith(("https://", "http://"))


@recorded
def test_recorded_files() -> None:
    exchanges = [orjson.loads(line) for line in (SHARED / "mediawiki/recorded.jsonl").read_bytes().splitlines()]
    answers = [e["json"] for e in exchanges if e["note"].startswith("generator") and "version 1" not in e["note"]]
    pages = [page for answer in answers for page in parse_pages(answer)]
    assert len(pages) == 60
    media = media_file(COMMONS, pages[0], NO_STRUCTURED_DATA)
    assert (media.iri, media.title) == ("https://commons.wikimedia.org/entity/M30", "File:Bulk 000.jpg")
    assert (media.width_px, media.height_px, media.size_bytes, media.mime) == (200, 150, 2752, "image/jpeg")
    assert media.sha1 == "3c9d01b2952dbd28f03a50b6d05f8781cce99e07"
    assert (media.licence, media.credit) == ("https://creativecommons.org/licenses/by-sa/4.0/", "Own work")
    assert (media.creator, media.created, media.description) == ("Jane Doe", "2021-05-06", "Bulk 000.jpg")


@recorded
def test_every_recorded_entity_is_read() -> None:
    exchanges = [orjson.loads(line) for line in (SHARED / "mediawiki/recorded.jsonl").read_bytes().splitlines()]
    answers = [e["json"] for e in exchanges if e["note"].startswith("wbgetentities of M-ids, batch")]
    infos = {key: info for answer in answers for key, info in parse_entities(answer).items()}
    assert len(infos) == 79
    assert [key for key, info in infos.items() if info.missing] == ["M17", "M90"]
    assert [s.kind for s in infos["M14"].depicts + infos["M15"].depicts] == ["somevalue", "novalue"]
    assert [(s.item, s.rank, s.part) for s in infos["M12"].depicts] == [
        ("Q140", "preferred", "Q23445"),
        ("Q19939", "normal", ""),
    ]
    assert infos["M11"].captions == (("de", "Ein Löwe"), ("en", "A lion"))
    assert (infos["M11"].creator, infos["M11"].created) == ("Jane Doe", "2021-05-06")
    lines = (SHARED / "commons/mediainfo-dump-lines.ndjson").read_text().splitlines()
    dumped = [orjson.loads(line.rstrip(",")) for line in lines if line.strip()]
    assert all(parse_entities({"entities": {d["id"]: d}})[d["id"]].id == d["id"] for d in dumped)


@recorded
def test_every_recorded_media_entity_of_other_wikis_is_read() -> None:
    answers = {path: orjson.loads(path.read_bytes()) for path in sorted((SHARED / "wikibase-api").rglob("*.json"))}
    fixtures = (SHARED / "commons/wikibase-mediainfo").rglob("*.json")
    bare = [json for path in fixtures if isinstance(json := orjson.loads(path.read_bytes()), dict)]
    bare += [json for json in answers.values() if isinstance(json, dict)]
    found = {json["id"]: json for json in bare if str(json.get("id", "")).startswith("M")}
    for json in answers.values():
        entities = json.get("entities") if isinstance(json, dict) else None
        found |= {k: e for k, e in (entities or {}).items() if k.startswith("M")}
    infos = parse_entities({"entities": found})
    assert infos.keys() == found.keys()
    assert {"M91629437", "M4215516"} <= {key for key, info in infos.items() if info.missing}
    assert infos["M74698470"].revision == 363818804
