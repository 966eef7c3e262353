"""Names asked of each service in its own right, over loopback. Keys and items from 9990001 up are made up."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harvest.standin.faults import UNAVAILABLE
from harvest.standin.server import StandIn
from harvest.standin.world import Entity, Item, Recorded, Usage, World, statement, statements
from linkeddata.answercache import AnswerCache
from linkeddata.client import Client
from linkeddata.errors import UsageError
from linkeddata.ids import COL_XR, GBIF_BACKBONE
from linkeddata.nameindex.answers import Candidate, NameAnswer, NameQuery
from linkeddata.names import PATIENCE
from linkeddata.namesources import Services, ask
from linkeddata.records import Ancestor, Failure

MOMENT = "2026-10-01T12:00:00Z"
LATER = "2026-10-20T12:00:00Z"
MUCH_LATER = "2027-10-20T12:00:00Z"


def usage(key: int, name: str, kingdom: str = "Animalia", **more: object) -> Usage:
    rank = "SPECIES" if " " in name else "GENUS"
    higher = (("KINGDOM", kingdom, 1 if kingdom == "Animalia" else 6),)
    return Usage(key=key, scientific_name=name, canonical_name=name, **{"rank": rank, "higher": higher, **more})  # type: ignore[arg-type]


def item(key: str, label: str = "", **said: str) -> Item:
    told = statements(*(statement(key, prop, value) for prop, value in said.items()))
    return Item(id=key, page_id=int(key[1:]), entity=Entity(labels={"nl": label}, statements=told))


def aphia(number: int, name: str, valid: str, kingdom: str = "Animalia") -> dict[str, object]:
    own = name == valid
    return {
        "AphiaID": number,
        "scientificname": name,
        "authority": "",
        "status": "accepted" if own else "unaccepted",
        "rank": "Species",
        "valid_AphiaID": number if own else number + 1,
        "valid_name": valid,
        "valid_authority": "",
        "kingdom": kingdom,
    }


COL = {
    "usage": {"key": "99A", "name": "Pica pica", "canonicalName": "Pica pica", "rank": "SPECIES", "status": "ACCEPTED"},
    "classification": [{"key": "N", "name": "Animalia", "rank": "KINGDOM"}],
    "diagnostics": {"matchType": "EXACT", "confidence": 99},
    "synonym": False,
}
WORLD = World(
    usages=(
        usage(9990001, "Pica pica"),
        usage(9990002, "Corvus pica", status="SYNONYM", accepted=9990001),
        usage(9990003, "Oenanthe"),
        usage(9990004, "Oenanthe", "Plantae"),
    ),
    items=(
        item("Q9990001", "ekster", P225="Pica pica", P846="9990001", P850="9990011"),
        item("Q9990002", "mees", P225="Parus ater"),
        item("Q9990003", "mees", P225="Parus major"),
        item("Q9990004", "Pica pica"),
    ),
    aphia=(aphia(9990011, "Pica pica", "Pica nova"), aphia(9990021, "Oenanthe", "Oenanthe", "Plantae")),
    recorded=(
        Recorded(
            path="/gbif/v2/species/match",
            params={"scientificName": "Pica pica", "checklistKey": COL_XR, "verbose": "false", "kingdom": "Animalia"},
            body=json.dumps(COL).encode(),
        ),
    ),
)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(WORLD) as running:
        yield running


def answers(
    standin: StandIn,
    sources: Sequence[str],
    *queries: NameQuery | str,
    cache: AnswerCache | None = None,
    moment: str = MOMENT,
) -> list[NameAnswer | Failure]:
    settings = standin.settings(tries=1)
    with Client(settings, sleep=lambda _: None) as client:
        asked = [NameQuery(query) if isinstance(query, str) else query for query in queries]
        return list(ask(sources, Services(client, settings, moment, cache=cache))(asked))


CASES = [
    ("gbif", "PICA  PICA", "EXACT", "Pica pica", {"gbif_key": "9990001", "checklist_key": GBIF_BACKBONE}),
    ("gbif", "Corvus pica", "EXACT", "Pica pica", {"usage_key": "9990002", "accepted_usage_key": "9990001"}),
    ("gbif", "Pica pika", "FUZZY", "Pica pica", {"note": "spelt Pica pica"}),
    ("gbif", "Oenanthe", "NONE", "", {"gbif_key": ""}),
    ("gbif", NameQuery("Oenanthe", kingdom="Plantae"), "EXACT", "Oenanthe", {"gbif_key": "9990004"}),
    ("gbif", "gbif:9990001", "IDENTIFIER", "Pica pica", {"confidence": 100}),
    ("gbif", "gbif:9990099", "NONE", "", {"reason": "not found: GBIF has no key 9990099"}),
    ("gbif", "Q140", "NONE", "", {"reason": "not a name"}),
    (
        "col",
        NameQuery("Pica pica", kingdom="Animalia"),
        "EXACT",
        "Pica pica",
        {"col_id": "99A", "checklist_key": COL_XR},
    ),
    ("col", "Xyzzyx", "NONE", "", {"reason": "not found"}),
    ("col", "gbif:1", "NONE", "", {"reason": "not a name"}),
    ("worms", "Pica pica", "EXACT", "Pica nova", {"aphia_id": "9990012", "accepted_usage_key": "9990012"}),
    ("worms", NameQuery("Oenanthe", kingdom="Animalia"), "NONE", "", {"reason": "not found: only in another kingdom"}),
    ("worms", "Xyzzyx plughus", "NONE", "", {"reason": "not found"}),
    ("wikidata", "Pica pica", "EXACT", "Pica pica", {"item": "Q9990001", "gbif_key": "9990001", "aphia_id": "9990011"}),
    ("wikidata", "ekster", "VERNACULAR", "Pica pica", {"item": "Q9990001"}),
    ("wikidata", "mees", "NONE", "", {"reason": "tie: Q9990002 (Parus ater), Q9990003 (Parus major)"}),
    ("wikidata", "AphiaID:9990011", "IDENTIFIER", "Pica pica", {"item": "Q9990001"}),
    ("wikidata", "Q9990004", "NONE", "", {"reason": "not found"}),
    ("all", "ekster", "VERNACULAR", "Pica pica", {"item": "Q9990001", "gbif_key": "9990001"}),
]


@pytest.mark.parametrize(
    ("source", "query", "match_type", "name", "told"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES]
)
def test_each_source_in_its_own_right(
    standin: StandIn, source: str, query: NameQuery | str, match_type: str, name: str, told: dict[str, object]
) -> None:
    [found] = answers(standin, [source], query)
    assert isinstance(found, NameAnswer)
    assert (found.match_type, found.accepted_canonical, found.moment) == (match_type, name, MOMENT)
    assert {field: getattr(found, field) for field in told} == told
    assert found.reason or match_type != "NONE"


def test_sources_that_disagree_are_named(standin: StandIn) -> None:
    [found] = answers(standin, ["gbif", "worms", "wikidata"], "Pica pica")
    assert isinstance(found, NameAnswer)
    assert (found.accepted_canonical, found.note) == ("Pica pica", "worms says Pica nova")


def test_the_second_source_answers_for_the_first(standin: StandIn) -> None:
    [found] = answers(standin, ["gbif", "wikidata"], "ekster")
    assert isinstance(found, NameAnswer)
    assert (found.source, found.note) == ("wikidata", "gbif says nothing (not found)")


def test_a_source_that_is_down_is_never_nothing_found(standin: StandIn) -> None:
    standin.faults.next("/gbif/", UNAVAILABLE, times=1000)
    [found] = answers(standin, ["gbif"], "Pica pica")
    assert isinstance(found, Failure)
    assert found.reason == "service unreachable"
    [other] = answers(standin, ["gbif", "worms"], "Pica pica")
    assert isinstance(other, NameAnswer)
    assert other.note == "Pica pica is a synonym of Pica nova; gbif did not answer"


def test_nothing_found_is_no_answer_while_a_source_is_down(standin: StandIn) -> None:
    standin.faults.next("/gbif/", UNAVAILABLE, times=1000)
    [found] = answers(standin, ["worms", "gbif"], "Xyzzyx plughus")
    assert isinstance(found, Failure)


def test_a_key_is_asked_of_whoever_gave_it(standin: StandIn) -> None:
    by_gbif, by_aphia, by_item = answers(standin, ["all"], "gbif:9990002", "AphiaID:9990011", "Q9990001")
    assert isinstance(by_gbif, NameAnswer)
    assert (by_gbif.usage_key, by_gbif.gbif_key, by_gbif.match_type) == ("9990002", "9990001", "IDENTIFIER")
    assert [one.item for one in (by_aphia, by_item) if isinstance(one, NameAnswer)] == ["Q9990001", "Q9990001"]


def test_a_dead_source_is_soon_left_alone(standin: StandIn) -> None:
    standin.faults.next("/gbif/", UNAVAILABLE, times=1000)
    found = answers(standin, ["gbif"], *(f"Parus novus{number:03}" for number in range(300)))
    assert {type(one) for one in found} == {Failure}
    assert len(found) == 300
    assert standin.requests.count("/gbif/") == PATIENCE


def test_an_unknown_source_is_told_with_those_there_are(standin: StandIn) -> None:
    with pytest.raises(UsageError, match="no source 'itis'; there are index, gbif, col, worms, wikidata, all"):
        answers(standin, ["itis"], "Pica")


def test_below_a_rank_is_merged(standin: StandIn) -> None:
    higher = (("KINGDOM", "Animalia", 1), ("SPECIES", "Pica pica", 9990001))
    world = replace(WORLD, usages=(*WORLD.usages, usage(9990009, "Pica pica nova", rank="SUBSPECIES", higher=higher)))
    with StandIn(world) as running:
        [found] = answers(running, ["gbif"], NameQuery("Pica pica nova", merge_to="species"))
    assert isinstance(found, NameAnswer)
    assert (found.usage_key, found.gbif_key, found.accepted_name) == ("9990009", "9990001", "Pica pica")
    assert found.note == "merged into its species"


def test_answers_are_kept_with_their_date(standin: StandIn, tmp_path: Path) -> None:
    with AnswerCache(tmp_path / "answers.sqlite") as cache:
        first = answers(standin, ["gbif"], "Oenanthe", "Xyzzyx plughus", cache=cache)
        asked = standin.requests.count("/gbif/")
        assert answers(standin, ["gbif"], "Oenanthe", "Xyzzyx plughus", cache=cache, moment=LATER) == first
        assert standin.requests.count("/gbif/") == asked
        [again, _] = answers(standin, ["gbif"], "Oenanthe", "Xyzzyx plughus", cache=cache, moment=MUCH_LATER)
    assert isinstance(again, NameAnswer)
    assert again.moment == MUCH_LATER
    assert standin.requests.count("/gbif/") == 2 * asked


def test_a_failure_is_not_kept(standin: StandIn, tmp_path: Path) -> None:
    with AnswerCache(tmp_path / "answers.sqlite") as cache:
        standin.faults.next("/gbif/", UNAVAILABLE, times=1)
        assert isinstance(answers(standin, ["gbif"], "Pica pica", cache=cache)[0], Failure)
        assert isinstance(answers(standin, ["gbif"], "Pica pica", cache=cache)[0], NameAnswer)


def test_what_is_kept_is_what_was_answered(tmp_path: Path) -> None:
    answer = NameAnswer(
        query="x",
        classification=(Ancestor("kingdom", "Animalia", "1"),),
        vernaculars=(("nl", "ekster"),),
        alternatives=(Candidate("1", "Pica", "Pica", "GENUS", "ACCEPTED", "EXACT", 90, evidence=(("name", 110),)),),
        evidence=(("name", 110),),
        moment=MOMENT,
    )
    with AnswerCache(tmp_path / "answers.sqlite") as cache:
        cache.keep("gbif", [(NameQuery("x"), answer)])
        assert cache.known("gbif", [NameQuery("x"), NameQuery("y")], LATER) == {NameQuery("x"): answer}
        assert cache.known("worms", [NameQuery("x")], LATER) == {}


def test_a_file_that_is_no_cache_is_told(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_text("Dear registrar, " * 100)
    with pytest.raises(UsageError, match="may be deleted"):
        AnswerCache(tmp_path / "answers.sqlite")
