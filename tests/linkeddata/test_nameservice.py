"""Names over HTTP, and the reconciliation service against what its specification asks for. The names are made up.

The schemas here say again, in our own words, what the JSON Schemas of the Reconciliation Service API 0.2 demand
(https://github.com/reconciliation-api/specs, folder 0.2/schemas).
"""

import html
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from harvest.standin.faults import UNAVAILABLE
from harvest.standin.server import StandIn
from harvest.standin.world import Usage, World
from linkeddata.answercache import AnswerCache
from linkeddata.client import Client
from linkeddata.nameindex.build import build_index
from linkeddata.nameindex.index import NameIndex, open_index
from linkeddata.nameindex.sources import open_source
from linkeddata.nameservice import Answering, router
from linkeddata.namesources import Services
from linkeddata.settings import Settings

BASE = "https://deboodt.example"

TEXT = {"type": "string"}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split()}


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


TYPE = _object("id name", id=TEXT, name=TEXT, description=TEXT, broader=_list(_object("id name", id=TEXT, name=TEXT)))
TYPE_OF_ENTITY = {"oneOf": [_object("id", id=TEXT, name=TEXT), TEXT]}
TEMPLATE = {"type": "string", "pattern": r".*\{\{id\}\}.*"}
PLACE = _object("", service_url=TEXT, service_path=TEXT)
MANIFEST = _object(
    "versions name identifierSpace schemaSpace",
    versions={**_list(TEXT), "contains": {"enum": ["0.2"]}},
    name=TEXT,
    identifierSpace=TEXT,
    schemaSpace=TEXT,
    documentation=TEXT,
    serviceVersion=TEXT,
    view=_object("url", url=TEMPLATE),
    defaultTypes={**_list(TYPE), "uniqueItems": True},
    suggest=_object("", entity=PLACE, property=PLACE, type=PLACE),
    preview=_object("url width height", url=TEMPLATE, width={"type": "integer"}, height={"type": "integer"}),
    extend=_object("", propose_properties=PLACE, property_settings=_list(_object("type label name"))),
)
CANDIDATE = _object(
    "id name score",
    id=TEXT,
    name=TEXT,
    description=TEXT,
    score={"type": "number"},
    features=_list(_object("", id=TEXT, value={"oneOf": [{"type": "boolean"}, {"type": "number"}]})),
    match={"type": "boolean"},
    type=_list(TYPE_OF_ENTITY),
)
RESULTS = {"type": "object", "patternProperties": {"^.*$": _object("result", result=_list(CANDIDATE))}}
ENTITIES = _object(
    "result", result=_list(_object("id name", id=TEXT, name=TEXT, description=TEXT, notable=_list(TYPE_OF_ENTITY)))
)
TYPES = _object("result", result=_list(TYPE))
PROPERTIES = _object("result", result=_list(_object("id name", id=TEXT, name=TEXT, description=TEXT)))
VALUES = [
    _object("id name", id=TEXT, name=TEXT, description=TEXT),
    _object("str", str=TEXT),
    _object("float", float={"type": "number"}),
    _object("int", int={"type": "integer"}),
    _object("date", date=TEXT),
    _object(""),
]
CELLS = _list({"oneOf": [{**value, "additionalProperties": False} for value in VALUES]})
EXTENSION = _object(
    "rows meta",
    meta=_list(_object("id name", id=TEXT, name=TEXT)),
    rows={"type": "object", "additionalProperties": {"type": "object", "additionalProperties": CELLS}},
)

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
COLUMNS = ("usageKey", "acceptedUsageKey", "scientificName", "canonicalName", "rank", "status", "synonym", *RANKS)
COLUMNS += tuple(f"{rank}Key" for rank in RANKS)
ROWS = (
    ("1", "", "Animalia", "Animalia", "KINGDOM", "ACCEPTED", "Animalia", "", ""),
    ("6", "", "Plantae", "Plantae", "KINGDOM", "ACCEPTED", "Plantae", "", ""),
    ("9990010", "", "Cyanistes Kaup, 1829", "Cyanistes", "GENUS", "ACCEPTED", "Animalia", "Cyanistes", ""),
    ("9990011", "", "Cyanistes caeruleus (Linnaeus, 1758)", "Cyanistes caeruleus", "SPECIES", "ACCEPTED", "Animalia",
     "Cyanistes", "Cyanistes caeruleus"),
    ("9990012", "9990011", "Parus caeruleus Linnaeus, 1758", "Parus caeruleus", "SPECIES", "SYNONYM", "Animalia",
     "Cyanistes", "Cyanistes caeruleus"),
    ("9990013", "", "Oenanthe Vieillot, 1816", "Oenanthe", "GENUS", "ACCEPTED", "Animalia", "Oenanthe", ""),
    ("9990014", "", "Oenanthe L.", "Oenanthe", "GENUS", "ACCEPTED", "Plantae", "Oenanthe", ""),
)  # fmt: skip


def write_checklist(path: Path) -> Path:
    """Write the checklist of this test as a table with the backbone's columns."""
    named = (
        "usageKey",
        "acceptedUsageKey",
        "scientificName",
        "canonicalName",
        "rank",
        "status",
        "kingdom",
        "genus",
        "species",
    )
    keys = {"Animalia": "1", "Plantae": "6", "Cyanistes": "9990010", "Cyanistes caeruleus": "9990011"}
    lines = ["\t".join(COLUMNS)]
    for row in ROWS:
        told = dict(zip(named, row, strict=True))
        told |= {f"{rank}Key": keys.get(told[rank], "") for rank in ("kingdom", "genus", "species")}
        told["synonym"] = str(told["status"] == "SYNONYM")
        lines.append("\t".join(told.get(column, "") for column in COLUMNS))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameIndex]:
    folder = tmp_path_factory.mktemp("index")
    build_index([open_source(write_checklist(folder / "names.tsv"))], folder / "names.index")
    with open_index(folder / "names.index") as opened:
        yield opened


@pytest.fixture(scope="module")
def client(index: NameIndex) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router(Answering(index), BASE))
    with TestClient(app) as client:
        yield client


def resolved(client: TestClient, *names: Any, **params: str) -> list[dict[str, Any]]:
    answer = client.post("/names/resolve", json=list(names), params=params)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


def reconciled(client: TestClient, **queries: Any) -> dict[str, Any]:
    answer = client.post("/reconcile", data={"queries": json.dumps(queries)})
    assert answer.status_code == 200
    found = answer.json()
    jsonschema.validate(found, RESULTS)
    return {key: value["result"] for key, value in found.items()}


def test_one_answer_for_each_name_in_order(client: TestClient) -> None:
    names = [
        "Parus caeruleus",
        {"scientificName": "Oenanthe", "kingdom": "Plantae"},
        "gbif:9990011",
        "Xyzzyx",
        "Oenanthe",
    ]
    synonym, plant, identified, nothing, homonym = resolved(client, *names)
    assert (synonym["usageKey"], synonym["acceptedUsageKey"], synonym["status"]) == ("9990012", "9990011", "SYNONYM")
    assert synonym["acceptedName"] == "Cyanistes caeruleus (Linnaeus, 1758)"
    assert synonym["note"]
    assert (plant["usageKey"], plant["matchType"]) == ("9990014", "EXACT")
    assert (identified["matchType"], identified["gbifKey"]) == ("IDENTIFIER", "9990011")
    assert (nothing["matchType"], nothing["usageKey"], nothing["reason"]) == ("NONE", "", "not found")
    assert homonym["matchType"] == "NONE"
    assert {one["usageKey"] for one in homonym["alternatives"]} == {"9990013", "9990014"}
    assert [one["verbatimName"] for one in (synonym, plant, nothing)] == ["Parus caeruleus", "Oenanthe", "Xyzzyx"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("no JSON", 422),
        ('{"scientificName": "Oenanthe"}', 422),
        ("[1]", 422),
        ('[{"name": "Oenanthe"}]', 422),
        ('[{"scientificName": ["Oenanthe"]}]', 422),
        ("[" + ",".join(['"x"'] * 10_001) + "]", 413),
        ("[]", 200),
        ('["lone \\ud800"]', 200),
        ('[{"scientificName": null, "kingdom": null}]', 200),
    ],
)
def test_what_is_no_list_of_names_is_a_problem(client: TestClient, body: str, status: int) -> None:
    sent = client.post("/names/resolve", content=body, headers={"Content-Type": "application/json"})
    assert sent.status_code == status


def test_the_manifest_is_what_the_specification_asks_for(client: TestClient) -> None:
    answer = client.get("/reconcile")
    jsonschema.validate(answer.json(), MANIFEST)
    assert answer.headers["access-control-allow-origin"] == "*"
    told = answer.json()
    assert told["suggest"]["entity"] == {"service_url": f"{BASE}/reconcile", "service_path": "/suggest/entity"}
    assert client.post("/reconcile").json() == told


def test_a_batch_is_answered_by_its_keys(client: TestClient) -> None:
    plant = {"query": "Oenanthe", "properties": [{"pid": "kingdom", "v": {"id": "6", "name": "Plantae"}}]}
    queries = {
        "q0": {"query": "Cyanistes caeruleus"},
        "q1": plant,
        "q2": {"query": "Oenanthe"},
        "q3": {"query": "Xyzzyx"},
        "q4": {"query": "Cyanistes caeruleus", "type": "genus", "type_strict": "any"},
        "q5": {"query": "Cyanistes caerulus", "limit": 1, "type": ["taxon", "species"]},
        "q6": {"properties": [{"pid": "taxonID", "v": "gbif:9990011"}]},
    }
    found = reconciled(client, **queries)
    assert list(found) == list(queries)
    assert [(one["id"], one["match"]) for one in found["q0"]] == [("9990011", True)]
    assert [(one["id"], one["match"]) for one in found["q1"]][:1] == [("9990014", True)]
    assert {(one["id"], one["match"]) for one in found["q2"]} == {("9990013", False), ("9990014", False)}
    assert found["q3"] == []
    assert found["q4"] == []
    assert [(one["id"], one["match"]) for one in found["q5"]] == [("9990011", False)]
    assert found["q6"][0]["id"] == "9990011"
    assert found["q0"][0]["type"] == [{"id": "species", "name": "species"}, {"id": "taxon", "name": "taxon"}]
    shown = client.get("/reconcile", params={"queries": json.dumps(queries)}).json()
    assert {key: value["result"] for key, value in shown.items()} == found


@pytest.mark.parametrize(
    "sent",
    [
        {"queries": "no JSON"},
        {"queries": "[]"},
        {"queries": '{"q0": {}}'},
        {"queries": '{"q0": {"query": 1}}'},
        {"queries": '{"q0": {"query": "x", "properties": [{"pid": "kingdom"}]}}'},
        {"extend": "{}"},
        {"extend": '{"ids": ["1"], "properties": [{"id": "colour"}]}'},
        {"queries": json.dumps({f"q{n}": {"query": "x"} for n in range(1001)})},
    ],
)
def test_what_cannot_be_meant_is_a_problem(client: TestClient, sent: dict[str, str]) -> None:
    assert client.post("/reconcile", data=sent).status_code == 422


def test_suggestions_while_typing(client: TestClient) -> None:
    entities = client.get("/reconcile/suggest/entity", params={"prefix": "Cyanistes c"}).json()
    jsonschema.validate(entities, ENTITIES)
    assert [one["id"] for one in entities["result"]] == ["9990011"]
    homonyms = client.get("/reconcile/suggest/entity", params={"prefix": "Oenan"}).json()
    assert {one["id"] for one in homonyms["result"]} == {"9990013", "9990014"}
    assert client.get("/reconcile/suggest/entity", params={"prefix": " "}).json() == {"result": []}
    types = client.get("/reconcile/suggest/type", params={"prefix": "s"}).json()
    jsonschema.validate(types, TYPES)
    assert [one["id"] for one in types["result"]] == ["species", "subspecies"]
    properties = client.get("/reconcile/suggest/property", params={"prefix": "king"}).json()
    jsonschema.validate(properties, PROPERTIES)
    assert [one["id"] for one in properties["result"]] == ["kingdom"]


def test_a_table_is_extended(client: TestClient) -> None:
    proposed = client.get("/reconcile/properties", params={"type": "species", "limit": 3}).json()
    assert (proposed["type"], proposed["limit"], len(proposed["properties"])) == ("species", 3, 3)
    wanted = ["acceptedName", "kingdom", "genus", "vernacularName", "gbifKey"]
    query = {"ids": ["9990012", "9990010", "nothing"], "properties": [{"id": pid, "settings": {}} for pid in wanted]}
    found = client.post("/reconcile", data={"extend": json.dumps(query)}).json()
    jsonschema.validate(found, EXTENSION)
    assert [one["id"] for one in found["meta"]] == wanted
    tit = found["rows"]["9990012"]
    assert tit["acceptedName"] == [{"str": "Cyanistes caeruleus (Linnaeus, 1758)"}]
    assert (tit["kingdom"], tit["genus"], tit["vernacularName"]) == ([{"str": "Animalia"}], [{"str": "Cyanistes"}], [])
    assert found["rows"]["9990010"]["genus"] == [{"str": "Cyanistes"}]
    assert found["rows"]["nothing"] == {pid: [] for pid in wanted}


def test_the_preview_is_a_small_page_without_scripts(client: TestClient) -> None:
    page = client.get("/reconcile/preview", params={"id": "9990012"})
    assert page.headers["content-type"].startswith("text/html")
    assert "frame-ancestors *" in page.headers["content-security-policy"]
    assert "Accepted: <b>Cyanistes caeruleus (Linnaeus, 1758)</b>" in page.text
    assert "script" not in page.text
    assert client.get("/reconcile/preview", params={"id": "<b>"}).status_code == 404


# ---- several checklists, and services ----------------------------------------------------------------------------


def test_ids_say_their_scheme_where_several_checklists_answer(tmp_path: Path) -> None:
    birds = tmp_path / "birds.tsv"
    birds.write_text("taxonID\tscientificName\trank\nb1\tPica pica\tspecies\n", encoding="utf-8")
    sources = [open_source(write_checklist(tmp_path / "names.tsv")), open_source(birds)]
    build_index(sources, tmp_path / "names.index")
    app = FastAPI()
    with open_index(tmp_path / "names.index") as index:
        app.include_router(router(Answering(index), BASE))
        with TestClient(app) as client:
            manifest = client.get("/reconcile").json()
            jsonschema.validate(manifest, MANIFEST)
            assert manifest["identifierSpace"] == f"{BASE}/reconcile/entity/"
            assert manifest["view"]["url"] == f"{BASE}/reconcile/entity/{{{{id}}}}"
            found = reconciled(client, a={"query": "Cyanistes"}, b={"query": "Pica pica"}, c={"query": "Oenanthe"})
            assert [one["id"] for one in found["a"] + found["b"]] == ["gbif:9990010", "b1"]
            assert {one["id"] for one in found["c"]} == {"gbif:9990013", "gbif:9990014"}
            for one in (*found["a"], *found["b"], *found["c"]):
                assert one["name"] in html.unescape(client.get(f"/reconcile/entity/{one['id']}").text)
                assert client.get("/reconcile/preview", params={"id": one["id"]}).status_code == 200


WORLD = World(
    usages=(
        Usage(key=9990001, scientific_name="Pica pica", canonical_name="Pica pica", rank="SPECIES",
              higher=(("KINGDOM", "Animalia", 1),)),
        Usage(key=9990003, scientific_name="Oenanthe", canonical_name="Oenanthe", rank="GENUS",
              higher=(("KINGDOM", "Animalia", 1),)),
        Usage(key=9990004, scientific_name="Oenanthe", canonical_name="Oenanthe", rank="GENUS",
              higher=(("KINGDOM", "Plantae", 6),)),
    ),
    aphia=(
        {"AphiaID": 9990011, "scientificname": "Pica pica", "authority": "", "status": "unaccepted", "rank": "Species",
         "valid_AphiaID": 9990012, "valid_name": "Pica nova", "valid_authority": "", "kingdom": "Animalia"},
    ),
)  # fmt: skip


@pytest.fixture
def services(tmp_path: Path) -> Iterator[tuple[TestClient, StandIn]]:
    """An application without an index, whose services are the stand-in's."""
    with StandIn(WORLD) as standin:
        settings = standin.settings(tries=1)
        with Client(settings, sleep=lambda _: None) as asking:

            @contextmanager
            def opened() -> Iterator[Services]:
                with AnswerCache(tmp_path / "answers.sqlite") as cache:
                    yield Services(asking, settings, "2026-10-01T12:00:00Z", cache=cache)

            app = FastAPI()
            app.include_router(router(Answering(None, opened), BASE))
            with TestClient(app) as client:
                yield client, standin


def test_without_an_index_the_services_are_asked_and_their_answers_kept(services: tuple[TestClient, StandIn]) -> None:
    client, standin = services
    [magpie, nothing, homonym] = resolved(client, "PICA  pica", "Xyzzyx plughus", "Oenanthe")
    assert (magpie["gbifKey"], magpie["matchType"], magpie["source"]) == ("9990001", "EXACT", "gbif")
    assert (nothing["matchType"], nothing["confidence"], nothing["reason"]) == ("NONE", 0, "not found")
    assert homonym["reason"].startswith("tie: ")
    asked = standin.requests.count("/gbif/")
    assert resolved(client, "PICA  pica")[0] == magpie
    assert standin.requests.count("/gbif/") == asked


def test_sources_are_named_and_their_disagreement_is_shown(services: tuple[TestClient, StandIn]) -> None:
    client, _ = services
    answer = client.post("/names/resolve", json=["Pica pica"], params={"source": ["gbif", "worms"]})
    assert answer.json()[0]["note"] == "worms says Pica nova"
    assert client.post("/names/resolve", json=["Pica"], params={"source": "index"}).status_code == 422
    assert client.post("/names/resolve", json=["Pica"], params={"source": "itis"}).status_code == 422
    assert client.post("/names/resolve", json=["Pica"] * 201).status_code == 413


def test_a_service_that_is_down_is_a_failure_and_never_no_match(services: tuple[TestClient, StandIn]) -> None:
    client, standin = services
    standin.faults.next("/gbif/", UNAVAILABLE, times=1000)
    [told] = resolved(client, "Pica pica")
    assert (told["failure"], "matchType" in told) == ("service unreachable", False)
    refused = client.post("/reconcile", data={"queries": json.dumps({"q0": {"query": "Pica pica"}})})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
    assert client.get("/reconcile/suggest/entity", params={"prefix": "Pica"}).status_code == 503


def test_services_reconcile_too(services: tuple[TestClient, StandIn]) -> None:
    client, _ = services
    jsonschema.validate(client.get("/reconcile").json(), MANIFEST)
    found = reconciled(client, a={"query": "Pica pica"}, b={"query": "Xyzzyx plughus"})
    assert ([one["id"] for one in found["a"]], found["b"]) == (["gbif:9990001"], [])
    wanted = {"ids": ["gbif:9990001"], "properties": [{"id": "gbifKey"}]}
    rows = client.post("/reconcile", data={"extend": json.dumps(wanted)}).json()["rows"]
    assert rows == {"gbif:9990001": {"gbifKey": [{"str": "9990001"}]}}
    assert client.get("/reconcile/entity/gbif:9990001").status_code == 200
    entities = client.get("/reconcile/suggest/entity", params={"prefix": "Pica pica"}).json()
    assert [one["id"] for one in entities["result"]] == ["gbif:9990001"]


def test_without_a_contact_address_nobody_is_asked(tmp_path: Path) -> None:
    settings = Settings(gbif_api="https://api.gbif.org", home=str(tmp_path))
    with Client(settings) as asking:
        opened = partial(nullcontext, Services(asking, settings, "2026-10-01T12:00:00Z"))
        app = FastAPI()
        app.include_router(router(Answering(None, opened), BASE))
        with TestClient(app) as client:
            assert client.post("/names/resolve", json=["Pica pica"]).status_code == 503
