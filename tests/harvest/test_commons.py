"""Harvesting a category over HTTP: few requests, every tag with who and when, whatever goes wrong on the way."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from crowd.campaign import CommonsSource
from harvest.commons import harvest_commons
from harvest.records import Harvested
from harvest.standin import faults
from harvest.standin.recorded import mediawiki_world
from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, Recorded, Revision, World, snak, statement, statements
from harvest.wiki import DESCRIBED, Api, by_title
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError, UsageError
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Tag
from linkeddata.store import Store

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/mediawiki/recorded.jsonl"
MOMENT = "2021-10-03T14:05:00Z"
PEOPLE = Pseudonyms("a key for tests")
ANN, BEN = PEOPLE.agent("Ann").id, PEOPLE.agent("Ben").id
R = TypeVar("R")


def _comment(verb: str, item: str) -> str:
    return f"/* {verb} */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/{item}]], campaign165@ISA"


def _file(number: int, *, category: str = "Album", removed: bool = False, title: str = "") -> File:
    """Return a file that Ann tagged with the lion and, if ``removed``, Ben took the tag back."""
    media = f"M{number}"
    lion = statement(media, "P180", "Q140", rank="preferred", qualifiers=[snak("P2677", "pct:1,2,3,4")])
    number_of_it = statement(media, "P217", f"RP-{number}")
    before = Entity(statements=statements(number_of_it))
    tagged = Entity(statements=statements(number_of_it, lion), labels={"nl": "leeuw"})
    steps = [
        ("Uploader", "upload", None),
        ("Uploader", "/* wbeditentity-update:0| */ number", before),
        ("Ann", "/* wbsetlabel-add:1|nl */ leeuw, campaign165@ISA", replace(before, labels={"nl": "leeuw"})),
        ("Ann", _comment("wbsetclaim-create:2||1", "Q140"), tagged),
    ]
    if removed:
        steps.append(("Ben", _comment("wbremoveclaims-remove:1|", "Q140"), replace(before, labels={"nl": "leeuw"})))
    revisions = [
        Revision(
            id=number * 10 + place,
            parent=number * 10 + place - 1 if place else 0,
            user=user,
            moment=f"2021-10-{place + 1:02}T00:00:00Z",
            comment=comment,
            entity=entity,
        )
        for place, (user, comment, entity) in enumerate(steps)
    ]
    return File(
        page_id=number,
        title=title or f"File:Plate {number:04}.jpg",
        revisions=tuple(revisions),
        categories=(category,),
        sha1="0" * 40,
        metadata={"Artist": "<b>Anselmus</b>", "LicenseUrl": "http://creativecommons.org/publicdomain/zero/1.0/deed"},
    )


def _category(name: str, *inside: str) -> Category:
    return Category(page_id=100_000 + len(name), title=f"Category:{name}", moment=MOMENT, categories=inside)


def _world(files: Sequence[File]) -> World:
    circle = (_category("Albums", "Album II"), _category("Album", "Albums"), _category("Album II", "Album"))
    return World(files=tuple(files), categories=circle)


def _harvest(standin: StandIn, category: str = "Album", **options: Any) -> list[Harvested]:
    how = {name: options.pop(name) for name in ("known", "attribution") if name in options}
    source = CommonsSource(category="" if {"search", "uploads", "files"} & set(options) else category, **options)
    with Client(standin.settings(), sleep=lambda _: None) as client:
        settings = standin.settings()
        return list(harvest_commons(client, settings, source, campaign="test", pseudonyms=PEOPLE, **how))


def _only(kind: type[R], records: Sequence[Harvested]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


@pytest.fixture(scope="module")
def album() -> Iterator[StandIn]:
    """An album of 60 files and another of three below it."""
    files = [_file(n, removed=n % 10 == 0) for n in range(1, 61)]
    files += [_file(n, category="Album II") for n in range(201, 204)]
    with StandIn(_world(files)) as running:
        yield running


@pytest.fixture
def server(album: StandIn) -> StandIn:
    album.faults.clear()
    album.requests.clear()
    return album


def test_every_tag_has_who_and_when(server: StandIn) -> None:
    records = _harvest(server)
    tags = {tag.file.rsplit("/", 1)[-1]: tag for tag in _only(Tag, records)}
    assert len(tags) == 60
    standing, taken_back = tags["M1"], tags["M10"]
    assert (standing.item, standing.agent, standing.moment) == ("Q140", ANN, "2021-10-04T00:00:00Z")
    assert (standing.prominent, standing.region, standing.revision) == (True, "pct:1,2,3,4", 13)
    assert standing.statement.startswith("M1$")
    assert (standing.withdrawn, standing.withdrawn_by, standing.route) == ("", "", "commons")
    assert (taken_back.agent, taken_back.withdrawn) == (ANN, "2021-10-05T00:00:00Z")
    assert (taken_back.withdrawn_by, taken_back.statement) == (BEN, "")
    assert not any("Ann" in repr(record) or "Ben" in repr(record) for record in records)


def test_files_are_described(server: StandIn) -> None:
    media = _only(MediaFile, _harvest(server))[0]
    assert media.iri == "https://commons.wikimedia.org/entity/M1"
    assert (media.title, media.inventory_number, media.revision) == ("File:Plate 0001.jpg", "RP-1", 13)
    assert (media.creator, media.group) == ("Anselmus", "Anselmus")
    assert media.licence == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert {m.group for m in _only(MediaFile, _harvest(server, "Albums", depth=2, group="category"))} == {
        "Album",
        "Album II",
    }
    records = _harvest(server, group="uploader")
    assert {m.group for m in _only(MediaFile, records)} == {PEOPLE.agent("Uploader").id}
    assert not any("Uploader" in repr(record) for record in records)


def test_what_was_stored_so_far_is_consistent(server: StandIn) -> None:
    people: set[str] = set()
    complete: set[str] = set()
    described: set[str] = set()
    for record in _harvest(server, "Albums", depth=9):
        if isinstance(record, Agent):
            people.add(record.id)
        elif isinstance(record, Tag):
            assert {record.agent, record.withdrawn_by} - {""} <= people
            assert record.file not in described | complete
        elif isinstance(record, MediaFile):
            described.add(record.iri)
        elif isinstance(record, CampaignFile):
            assert record.file in described
            complete.add(record.file)
    assert len(complete) == len(described) == 63


def test_few_requests(server: StandIn) -> None:
    _harvest(server, attribution=False)
    assert server.requests.count(generator="categorymembers") == 1
    assert server.requests.count(action="wbgetentities") == 2
    assert server.requests.count() == 1 + 2
    assert {asked.params["maxlag"] for asked in server.requests.all()} == {"5"}


def test_histories_of_known_files_are_not_read_again(server: StandIn) -> None:
    first = _harvest(server)
    known = {media.iri: media.revision for media in _only(MediaFile, first)}
    changed = "https://commons.wikimedia.org/entity/M10"
    server.requests.clear()
    again = _harvest(server, known=known | {changed: 101})
    assert server.requests.count(rvlimit="max") == 1
    assert server.requests.count() == 1 + 2 + 1
    assert {tag.file for tag in _only(Tag, again)} == {changed}
    assert {media.iri for media in _only(MediaFile, again)} == {changed}
    assert set(_only(CampaignFile, again)) == set(_only(CampaignFile, first))
    assert set(_only(Tag, again)) <= set(_only(Tag, first))


def test_a_tag_keeps_its_id_when_it_is_taken_back() -> None:
    with StandIn(_world([_file(1)])) as before, StandIn(_world([_file(1, removed=True)])) as after:
        (stood,) = _only(Tag, _harvest(before))
        (gone,) = _only(Tag, _harvest(after, known={stood.file: 13}))
    assert stood.id == gone.id
    assert (stood.withdrawn, gone.withdrawn) == ("", "2021-10-05T00:00:00Z")


def test_captions_are_names_only_where_they_are_meant_to_be(server: StandIn) -> None:
    assert not [tag for tag in _only(Tag, _harvest(server, "Album II")) if tag.verbatim]
    names = [tag for tag in _only(Tag, _harvest(server, "Album II", captions=True)) if tag.verbatim]
    assert [(tag.verbatim, tag.language, tag.agent) for tag in names] == [("leeuw", "nl", ANN)] * 3


@pytest.mark.parametrize(("depth", "files"), [(0, 0), (1, 60), (2, 63), (50, 63)])
def test_a_category_that_is_below_itself_ends(server: StandIn, depth: int, files: int) -> None:
    records = _harvest(server, "category:albums", depth=depth, attribution=False)
    assert len(_only(MediaFile, records)) == files
    assert bool(_only(Failure, records)) == (files == 0)


def test_a_category_that_is_not_there_is_said(server: StandIn) -> None:
    (failure,) = _harvest(server, "No such album")
    assert isinstance(failure, Failure)
    assert (failure.subject, failure.reason) == ("Category:No such album", "category empty or missing")
    with pytest.raises(UsageError, match="known are creator, category, uploader"):
        _harvest(server, group="colour")


@pytest.mark.parametrize("fault", faults.FAULTS.values(), ids=lambda fault: fault.kind)
def test_trouble_on_the_way_changes_nothing(server: StandIn, fault: faults.Fault) -> None:
    expected = _harvest(server, "Album II", captions=True)
    server.requests.clear()
    server.faults.next("/w/api.php", fault, times=2)
    assert _harvest(server, "Album II", captions=True) == expected
    asked_again = 0 if fault in (faults.SLOW_DRIP, faults.SLOW_HEADERS) else 2  # what comes slowly comes
    assert server.requests.count() == 1 + 1 + 3 + asked_again


@pytest.mark.parametrize("fault", faults.FAULTS.values(), ids=lambda fault: fault.kind)
@pytest.mark.parametrize("place", range(5))
def test_whichever_request_fails_nothing_is_lost_or_doubled(server: StandIn, fault: faults.Fault, place: int) -> None:
    expected = _harvest(server, "Album II", captions=True)
    server.faults.next("/w/api.php", fault, after=place)
    assert _harvest(server, "Album II", captions=True) == expected
    assert server.faults.pending == 0


def test_a_wiki_that_is_edited_while_it_is_read_gives_each_file_once(many: StandIn) -> None:
    files = many.world.files
    untagged = replace(files[2], revisions=files[2].revisions[:-1])
    later = replace(files[9], revisions=(*files[9].revisions, _file(10, removed=True).revisions[-1]))
    new = replace(_file(900, title="File:AAA.jpg"))
    for after in (1, 2, 5, 12, 14):
        with StandIn(replace(many.world, files=(*files[:2], untagged, *files[3:]))) as standin:
            # One file leaves the category, one is tagged, of one a tag is taken back, one is new, one is deleted.
            edited = (replace(files[0], categories=()), files[1], files[2], *files[4:9], later, *files[10:], new)
            standin.become(replace(many.world, files=edited), after=after)
            records = _harvest(standin)
        found = [media.iri for media in _only(MediaFile, records)]
        assert len(found) == len(set(found))
        always = {f"https://commons.wikimedia.org/entity/{file.id}" for file in (files[1], *files[4:])}
        assert always <= set(found)
        for media in _only(MediaFile, records):
            of_it = [tag for tag in _only(Tag, records) if tag.file == media.iri]
            assert all(tag.revision <= media.revision for tag in of_it), "what came later belongs to the next harvest"
        assert not [tag for tag in _only(Tag, records) if tag.withdrawn and not tag.agent]


@pytest.fixture(scope="module")
def many() -> Iterator[StandIn]:
    """An album of 530 files: more than one answer lists."""
    with StandIn(_world([_file(n) for n in range(1, 531)])) as running:
        yield running


def test_a_service_that_is_down_ends_the_harvest_after_what_it_gave(many: StandIn) -> None:
    kept: list[Harvested] = []
    with Client(many.settings(tries=2), sleep=lambda _: None) as client:
        source = CommonsSource(category="Album")
        stream = harvest_commons(client, many.settings(), source, campaign="test", pseudonyms=PEOPLE)
        for record in stream:
            kept.append(record)
            if len(_only(CampaignFile, kept)) == 500:
                break
        many.faults.next("/w/api.php", faults.UNAVAILABLE, times=4)
        with pytest.raises(UnreachableError):
            kept.extend(stream)
    assert len(_only(MediaFile, kept)) == len(_only(CampaignFile, kept)) == 500


def test_a_listing_that_is_too_much_at_once_is_asked_in_smaller_pieces(many: StandIn) -> None:
    expected = _harvest(many, attribution=False)
    many.requests.clear()
    many.faults.next("/w/api.php", faults.UNAVAILABLE, times=many.settings().tries)
    assert _only(MediaFile, _harvest(many, attribution=False)) == _only(MediaFile, expected)
    listings = many.requests.all(generator="categorymembers")
    assert [asked.params["gcmlimit"] for asked in listings if asked.status == 200] == ["50"] * 11


def test_descriptions_that_come_in_parts_are_put_together(many: StandIn) -> None:
    expected = _harvest(many, attribution=False)
    with StandIn(replace(many.world, described_at_once=70)) as meagre:
        told = _only(MediaFile, _harvest(meagre, attribution=False))
        assert {(media.iri, media.licence, media.sha1, media.creator) for media in told} == {
            (media.iri, media.licence, media.sha1, media.creator) for media in _only(MediaFile, expected)
        }
        assert meagre.requests.count(generator="categorymembers") == 8 + 1


def _stored(standin: StandIn, runs: Sequence[int | None]) -> list[str]:
    """Return what a store holds after a harvest for each of ``runs``, stopped after so many records."""
    with Store("sqlite://") as store:
        for stop in runs:
            members = {link.file for link in store.each(CampaignFile, campaign="test")}
            known = {media.iri: media.revision for media in store.each(MediaFile) if media.iri in members}
            store.put(_harvest(standin, known=known)[:stop], agent="test", moment=MOMENT, batch=1)
        return list(store.lines())


def test_a_harvest_that_was_stopped_is_finished_by_the_next(server: StandIn) -> None:
    assert _stored(server, [1, 2, 7, 160, 61, 3, None]) == _stored(server, [None])


def test_moved_and_missing_titles(server: StandIn) -> None:
    moved = replace(_file(300, title="File:Old name.jpg"), redirect="File:Plate 0001.jpg")
    with (
        StandIn(_world([_file(1), moved])) as standin,
        Client(standin.settings()) as client,
    ):
        titles = ["File:Old name.jpg", "File:plate_0001.jpg", "File:No such plate.jpg"]
        found = by_title(Api.of(client, standin.settings()), titles)
    assert {title: page.id for title, page in found.items()} == {titles[0]: 1, titles[1]: 1}


@pytest.fixture(scope="module")
def recorded() -> Iterator[StandIn]:
    if not RECORDED.is_file():
        pytest.skip("recorded exchanges are not here")
    with StandIn(mediawiki_world(RECORDED)) as running:
        yield running


def test_a_real_wiki(recorded: StandIn) -> None:
    records = _harvest(recorded, "Panthera", depth=5) + _harvest(recorded, "Felidae")
    counts = Counter((failure.reason, failure.detail.split(" ")[0]) for failure in _only(Failure, records))
    assert counts == {
        ("statement without item", "somevalue"): 1,
        ("statement without item", "novalue"): 1,
        ("deprecated statement", "Q140"): 1,
    }
    tags = {(tag.file.rsplit("/", 1)[-1], tag.item): tag for tag in _only(Tag, records)}
    isa = tags["M30", "Q25234"]
    assert isa.agent == PEOPLE.agent("Plantenvriend").id
    assert isa.withdrawn_by == PEOPLE.agent("Schelpenkenner").id
    assert tags["M30", "Q127960"].prominent
    admin = PEOPLE.agent("Admin").id  # by wbeditentity, which names nothing
    assert (tags["M30", "Q140"].agent, tags["M30", "Q140"].statement[:4]) == (admin, "M30$")
    assert (tags["M27", "Q140"].withdrawn[:10], tags["M27", "Q140"].agent) == ("2026-11-23", "")  # not recorded


def _dark(number: int, *hidden: str) -> File:
    """Return a file that Bot tagged with the lion, in whose place Ben put the tiger, by edits that say nothing."""
    lion, tiger = (statement(f"M{number}", "P180", item, number=1) for item in ("Q140", "Q19939"))
    steps = [("Bot", "upload", None), ("Bot", "/* wbeditentity-update:0| */ data", lion), ("Cas", "+cat", lion)]
    steps.append(("Ben", "/* wbeditentity-update:0| */ better", tiger | {"id": lion["id"]}))
    revisions = [
        Revision(
            id=number * 10 + place,
            parent=number * 10 + place - 1 if place else 0,
            user=user,
            moment=f"2021-10-{place + 1:02}T00:00:00Z",
            comment=comment,
            entity=told and Entity(statements=statements(told)),
            hidden=hidden if place == 1 else (),
        )
        for place, (user, comment, told) in enumerate(steps)
    ]
    return replace(_file(number), revisions=tuple(revisions))


def _who(records: Sequence[Harvested]) -> list[tuple[str, str, str, str]]:
    told = [(tag.file[-2:], tag.item, tag.agent, tag.withdrawn_by) for tag in _only(Tag, records)]
    return sorted(told)


def test_edits_that_do_not_say_what_they_did_are_looked_into() -> None:
    bot, ben = PEOPLE.agent("Bot").id, PEOPLE.agent("Ben").id
    with StandIn(_world([_dark(11), _dark(12), _dark(13, "content"), _file(14)])) as standin:
        records = _harvest(standin)
        assert standin.requests.count(rvslots="mediainfo") == 1, "of all files in one request, of the last none"
        whole = standin.requests.count()
        for fault in (faults.UNAVAILABLE, faults.HTML_PAGE, faults.TRUNCATED, faults.MAXLAG):
            standin.faults.next("/w/api.php", fault, after=whole - 1)  # the last
            assert _harvest(standin) == records
            assert standin.faults.pending == 0
        standin.requests.clear()
        summaries = _harvest(standin, contents=False)
        assert standin.requests.count(rvslots="mediainfo") == 0
    told = [
        (file, "Q140", bot if file != "13" else "", ben) for file in ("11", "12", "13")
    ]  # the content of one is hidden
    told += [(file, "Q19939", ben, "") for file in ("11", "12", "13")]
    assert [who for who in _who(records) if who[0] != "14"] == sorted(told)
    assert [who for who in _who(summaries) if who[0] != "14"] == [(f, "Q19939", "", "") for f in ("11", "12", "13")]


def test_content_that_is_refused_costs_no_file() -> None:
    refused = {"error": {"code": "internal-no", "info": "no"}}
    numbers = "|".join(str(110 + place) for place in range(4))
    with StandIn(_world([_dark(11)])) as standin:
        asked = {"revids": numbers, "prop": "revisions", "rvprop": "ids|content", "rvslots": "mediainfo"}
        standin.become(replace(standin.world, recorded=(_exchange(refused, **asked),)))
        records = _harvest(standin)
    assert _who(records) == [("11", "Q19939", "", "")]


def _exchange(answer: dict[str, Any], **params: str | int) -> Recorded:
    sent = {"action": "query", "format": "json", "formatversion": 2, "maxlag": 5} | params
    return Recorded(path="/w/api.php", params={k: str(v) for k, v in sent.items()}, body=json.dumps(answer).encode())


def test_a_file_that_is_gone_when_asked_for_is_lost_and_the_others_are_not() -> None:
    gone = replace(_file(2), redirect="File:Plate 0001.jpg")
    with StandIn(_world([_file(1), gone])) as standin:
        records = _harvest(standin)
    assert [(f.subject[-2:], f.reason) for f in _only(Failure, records)] == [("M2", "file missing")]
    assert [media.title for media in _only(MediaFile, records)] == ["File:Plate 0001.jpg"]


def test_a_history_that_is_not_given_is_asked_for_next_time() -> None:
    no = {"error": {"code": "rvaccessdenied", "info": "no"}}
    asked = {"prop": "revisions", "rvprop": "ids|user|timestamp|comment|tags", "rvlimit": "max", "pageids": 1}
    world = replace(_world([_file(1), _file(2)]), recorded=(_exchange(no, **asked),))
    with StandIn(world) as standin:
        records = _harvest(standin)
    assert [(f.subject[-2:], f.reason) for f in _only(Failure, records)] == [("M1", "history not given")]
    assert [(media.iri[-2:], media.revision) for media in _only(MediaFile, records)] == [("M1", 0), ("M2", 23)]
    assert [(tag.file[-2:], tag.agent) for tag in _only(Tag, records)] == [("M1", ""), ("M2", ANN)]


def test_a_list_that_goes_round_in_circles_is_an_error() -> None:
    asked = {
        "generator": "categorymembers",
        "gcmtitle": "Category:Album",
        "gcmtype": "file",
        "gcmlimit": 500,
        **DESCRIBED,
    }
    more = {"gcmcontinue": "file|41|1", "continue": "gcmcontinue||"}
    again = {"continue": more, "query": {"pages": []}}
    with StandIn(
        replace(_world([]), recorded=(_exchange(again, **asked), _exchange(again, **asked, **more)))
    ) as standin:
        with pytest.raises(ServiceError, match="continues without end"):
            _harvest(standin)
        assert standin.requests.count() == 2


def test_long_lists_of_titles_go_in_the_body(server: StandIn) -> None:
    titles = [f"File:{'A very long title ' * 6}{n}.jpg" for n in range(49)] + ["File:Plate 0001.jpg"]
    with Client(server.settings()) as client:
        assert list(by_title(Api.of(client, server.settings()), titles)) == ["File:Plate 0001.jpg"]
    assert [asked.method for asked in server.requests.all()] == ["POST"]
