"""Harvesting again: only what changed is asked for; withdrawn tags, moved, deleted and departed files are found."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from crowd.campaign import Campaign, CommonsSource, IsaSource, ListSource
from crowd.erasing import Whom, erase
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.world import Category, Deletion, Entity, File, Json, Revision, World, statement, statements
from identify.pipeline import Outcome, Run, run_steps
from identify.steps import STEPS
from linkeddata.client import Client
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import CampaignFile, Failure, Label, MediaFile, Tag
from linkeddata.settings import Settings
from linkeddata.store import Store

MOMENT = "2026-01-01T00:00:00Z"
ALBUM = Category(page_id=9000, title="Category:Album", moment=MOMENT)
CAMPAIGN = Campaign(id="album", title="Album", commons=(CommonsSource(category="Album"),))
ENTITY = "https://commons.wikimedia.org/entity/"


def _edited(file: File, user: str, comment: str, *standing: Json) -> File:
    last = file.revisions[-1]
    day = len(file.revisions) + 1
    entity = Entity(statements=statements(*standing))
    edit = Revision(
        id=last.id + 1, parent=last.id, user=user, moment=f"2021-10-{day:02}T00:00:00Z", comment=comment, entity=entity
    )
    return replace(file, revisions=(*file.revisions, edit))


def _file(number: int) -> File:
    upload = Revision(id=number * 10, user="Uploader", moment="2021-10-01T00:00:00Z", comment="upload")
    title = f"File:Plate {number:03}.jpg"
    return File(page_id=number, title=title, revisions=(upload,), categories=("Album",), sha1=f"{number:040x}")


def _tagged(number: int, *more: Json) -> File:
    lion = statement(f"M{number}", "P180", "Q140")
    note = "/* wbsetclaim-create:2||1 */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/Q140]]"
    return _edited(_file(number), "Ann", note, lion, *more)


def _world(*files: File, deletions: tuple[Deletion, ...] = ()) -> World:
    return World(files=files, categories=(ALBUM,), deletions=deletions)


FILES = tuple(_tagged(number) for number in range(1, 9))


@contextmanager
def _opened(settings: Settings, campaign: Campaign = CAMPAIGN) -> Iterator[Run]:
    with Store(settings.store) as store, Client(settings, sleep=lambda _: None) as client:
        yield Run(campaign=campaign, settings=settings, store=store, client=client, now=lambda: MOMENT)


def _harvest(settings: Settings, campaign: Campaign = CAMPAIGN, *steps: str) -> Outcome:
    with _opened(settings, campaign) as run:
        return list(run_steps(run, STEPS, steps or ("harvest",), again=True))[-1]


def _failures(settings: Settings) -> set[tuple[str, str, str]]:
    with Store(settings.store) as store:
        return {(f.subject.rsplit("/", 1)[-1], f.reason, f.detail) for f in store.each(Failure)}


@pytest.fixture
def server(stand_in: Callable[[World], StandIn]) -> StandIn:
    return stand_in(_world(*FILES))


@pytest.fixture
def settings(server: StandIn, tmp_path: Path) -> Settings:
    return server.settings(home=str(tmp_path / "home"), pseudonym_key="test", tries=2)


def test_only_what_changed_is_asked_for(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    removed = _edited(
        FILES[1], "Ben", "/* wbremoveclaims-remove:1| */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/Q140]]"
    )
    server.become(_world(FILES[0], removed, *FILES[2:], _tagged(9)))
    server.requests.clear()
    assert _harvest(settings).counts == {"files": 9, "tags": 9, "withdrawn": 1, "taggers": 1}
    assert [asked.params["ids"] for asked in server.requests.all(action="wbgetentities")] == ["M2|M9"]
    with Store(settings.store) as store:
        (withdrawn,) = (tag for tag in store.each(Tag) if tag.withdrawn)
        assert (withdrawn.file, withdrawn.withdrawn) == (f"{ENTITY}M2", "2021-10-03T00:00:00Z")
        assert store.get(MediaFile, f"{ENTITY}M2").revision == 22  # type: ignore[union-attr]
    server.requests.clear()
    _harvest(settings)
    assert server.requests.count() == 1, "nothing had changed"


def test_a_moved_file_is_the_same_file(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    lion = statement("M3", "P180", "Q140")
    moved = replace(_edited(FILES[2], "Admin", "Admin moved page", lion), title="File:Lion of 1596.jpg")
    left_behind = replace(_file(30), title=FILES[2].title, redirect=moved.title, categories=())
    server.become(_world(*FILES[:2], moved, *FILES[3:], left_behind))
    assert _harvest(settings).counts["files"] == 8
    with Store(settings.store) as store:
        assert [m.title for m in store.each(MediaFile) if m.iri == f"{ENTITY}M3"] == ["File:Lion of 1596.jpg"]
        assert store.count(MediaFile) == 8
    assert _failures(settings) == set()


def test_a_deleted_file_is_marked_and_told_and_counts_no_more(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    deleted = Deletion(number=1, page_id=4, title=FILES[3].title, moment="2025-05-05T05:05:05Z", comment="copyvio")
    server.become(_world(*FILES[:3], *FILES[4:], deletions=(deleted,)))
    outcome = _harvest(settings)
    assert (outcome.status, outcome.counts["files"], outcome.counts["deleted"]) == ("done", 7, 1)
    assert _failures(settings) == {("M4", "file deleted", "2025-05-05T05:05:05Z")}
    with Store(settings.store) as store:
        assert {m.iri: m.gone for m in store.each(MediaFile) if m.gone} == {f"{ENTITY}M4": "2025-05-05T05:05:05Z"}
        assert store.count(Tag) == 8, "what was said stays"
        assert f"{ENTITY}M4" not in {member.file for member in store.each(CampaignFile)}
        assert [e.kind for e in store.events() if e.kind == "campaign_file.removed"] == ["campaign_file.removed"]
    assert _harvest(settings, CAMPAIGN, "count").counts["labels"] == 0  # nothing is resolved yet …
    with Store(settings.store) as store:
        assert f"{ENTITY}M4" not in {label.file for label in store.each(Label)}
    server.become(_world(*FILES))
    assert "deleted" not in _harvest(settings).counts
    with Store(settings.store) as store:
        assert not [m for m in store.each(MediaFile) if m.gone], "it was restored"


def test_a_file_that_left_the_category_is_taken_out_and_not_called_deleted(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    server.become(_world(*FILES[:7], replace(FILES[7], categories=())))
    assert _harvest(settings).counts | {"tags": 0} == {"files": 7, "tags": 0, "withdrawn": 0, "taggers": 1, "left": 1}
    assert _failures(settings) == set()
    with Store(settings.store) as store:
        assert store.count(MediaFile) == 8
        assert not [m for m in store.each(MediaFile) if m.gone]


def test_a_source_that_gives_nothing_takes_nothing_back(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    other = replace(CAMPAIGN, commons=(*CAMPAIGN.commons, CommonsSource(category="Not there")))
    server.become(_world(*FILES[:2]))
    outcome = _harvest(settings, other)
    assert outcome.counts["files"] == 8
    assert ("Category:Not there", "category empty or missing", "") in _failures(settings)


def test_a_service_that_fails_takes_nothing_back(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    server.become(_world(*FILES[:2]))
    server.faults.next("/w/api.php", faults.UNAVAILABLE, times=2)
    assert _harvest(settings).status == "incomplete"
    with Store(settings.store) as store:
        assert store.count(CampaignFile) == 8
    assert _harvest(settings).counts["deleted"] == 6


def test_what_was_wrong_with_a_file_is_told_again_though_nothing_changed(
    stand_in: Callable[[World], StandIn], tmp_path: Path
) -> None:
    unknown = statement("M1", "P180", "somevalue")
    server = stand_in(_world(_tagged(1, unknown), *FILES[1:]))
    settings = server.settings(home=str(tmp_path / "home"), pseudonym_key="test")
    _harvest(settings)
    before = _failures(settings)
    assert {(subject, reason) for subject, reason, _ in before} == {("M1", "statement without item")}
    _harvest(settings)
    assert _failures(settings) == before
    mended = _edited(_tagged(1, unknown), "Ann", "/* wbremoveclaims-remove:1| */", statement("M1", "P180", "Q140"))
    server.become(_world(mended, *FILES[1:]))
    _harvest(settings)
    assert _failures(settings) == set()


SINCE = replace(CAMPAIGN, commons=(CommonsSource(category="Large"),))


def _large(number: int) -> File:
    return replace(_file(number), categories=("Large",))


def test_what_was_not_given_at_first_is_no_second_tag(server: StandIn, settings: Settings) -> None:
    """The history says later who gave a tag: then the nameless one was the same, misread."""
    lion = statement("M20", "P180", "Q140")
    dark = _edited(_file(20), "Ann", "/* wbeditentity-update:0| */ data", lion)
    hidden = replace(dark, revisions=(dark.revisions[0], replace(dark.revisions[1], hidden=("content",))))
    server.become(_world(FILES[0], hidden))
    assert _harvest(settings).counts == {"files": 2, "tags": 2, "withdrawn": 0, "taggers": 1}
    server.become(_world(FILES[0], _edited(dark, "Ben", "+cat", lion)))
    assert _harvest(settings).counts == {"files": 2, "tags": 2, "withdrawn": 0, "taggers": 1}
    with Store(settings.store) as store:
        (tag,) = store.each(Tag, file=f"{ENTITY}M20")
    assert (tag.agent, tag.revision) == (Pseudonyms("test").agent("Ann").id, 201)


def _harvest_since(settings: Settings, day: str, campaign: Campaign = SINCE) -> Outcome:
    with _opened(settings, campaign) as run:
        run = replace(run, since=day, now=lambda: "2021-10-20T00:00:00Z")
        return list(run_steps(run, STEPS, ("harvest",), again=True))[-1]


@pytest.fixture(scope="module")
def large() -> tuple[File, ...]:
    return tuple(_large(number) for number in range(1, 1206))


def test_on_a_quiet_wiki_only_what_was_touched_is_asked_for(
    stand_in: Callable[[World], StandIn], tmp_path: Path, large: tuple[File, ...]
) -> None:
    unknown = _edited(large[5], "Ann", "/* wbeditentity-update:0| */", statement("M6", "P180", "somevalue"))
    large = (*large[:5], unknown, *large[6:])
    server = stand_in(_world(*large))
    settings = server.settings(home=str(tmp_path / "home"), pseudonym_key="test")
    _harvest_since(settings, "2021-10-05")
    assert server.requests.count(list="recentchanges") == 0, "there was nothing to compare with"

    lion = statement("M2", "P180", "Q140")
    note = "/* wbsetclaim-create:2||1 */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/Q140]]"
    moment = "2021-10-19T12:00:00Z"
    tagged, left, other, new = (_edited(f, "Ann", note, lion) for f in (large[1], large[2], _file(3000), _large(3001)))
    at = [
        replace(f, revisions=(*f.revisions[:-1], replace(f.revisions[-1], moment=moment)))
        for f in (tagged, left, other, new)
    ]
    gone = Deletion(number=1, page_id=4, title=large[3].title, moment=moment)
    server.become(_world(large[0], at[0], replace(at[1], categories=()), *large[4:], *at[2:], deletions=(gone,)))
    server.requests.clear()
    counts = _harvest_since(settings, "2021-10-18").counts
    assert counts == {"files": 1204, "tags": 2, "withdrawn": 0, "taggers": 1, "deleted": 1, "left": 1}
    assert server.requests.count(generator="categorymembers") == 0
    assert [asked.params["ids"] for asked in server.requests.all(action="wbgetentities")] == ["M2|M6|M3001"]
    assert {(s, r) for s, r, _ in _failures(settings)} == {("M4", "file deleted"), ("M6", "statement without item")}
    with Store(settings.store) as store:
        assert store.get(MediaFile, f"{ENTITY}M4").gone == moment  # type: ignore[union-attr]


def test_on_a_busy_wiki_or_after_too_long_a_time_the_category_is_listed(
    stand_in: Callable[[World], StandIn], tmp_path: Path, large: tuple[File, ...]
) -> None:
    server = stand_in(_world(*large))
    settings = server.settings(home=str(tmp_path / "home"), pseudonym_key="test")
    _harvest_since(settings, "2021-10-01")
    server.requests.clear()
    assert _harvest_since(settings, "2021-10-01").counts["files"] == 1205  # all were uploaded on that day
    assert (server.requests.count(list="recentchanges"), server.requests.count(generator="categorymembers")) == (1, 3)
    server.requests.clear()
    assert _harvest_since(settings, "2021-09-01").counts["files"] == 1205
    assert (server.requests.count(list="recentchanges"), server.requests.count(generator="categorymembers")) == (0, 3)


def test_a_campaign_of_several_sources_is_listed(
    stand_in: Callable[[World], StandIn], tmp_path: Path, large: tuple[File, ...]
) -> None:
    both = replace(SINCE, commons=(*SINCE.commons, CommonsSource(files=("M1",))))
    server = stand_in(_world(*large))
    settings = server.settings(home=str(tmp_path / "home"), pseudonym_key="test")
    _harvest_since(settings, "2021-10-18", both)
    _harvest_since(settings, "2021-10-18", both)
    assert server.requests.count(list="recentchanges") == 0


def test_a_file_that_another_source_still_names_stays(server: StandIn, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file,item\nM1,Q140\n", encoding="utf-8")
    both = replace(CAMPAIGN, files=(ListSource(path="list.csv", item="item"),), folder=str(tmp_path))
    strangers = replace(both, commons=(CommonsSource(category="Album", role="stranger"),))
    _harvest(settings, strangers)
    with Store(settings.store) as store:
        assert {member.role for member in store.each(CampaignFile)} == {"stranger"}
    _harvest(settings, both)
    server.become(_world(replace(FILES[0], categories=("Other",)), *FILES[1:]))
    _harvest(settings, both)
    with Store(settings.store) as store:
        (member,) = store.each(CampaignFile, file=f"{ENTITY}M1")
    assert member.role == "subject"


def test_who_was_erased_does_not_come_back(server: StandIn, settings: Settings) -> None:
    _harvest(settings)
    ann = Pseudonyms("test").agent("Ann").id
    with Store(settings.store) as store:
        assert erase(store, Whom(ann), "test", agent="test", moment=MOMENT)["tags"] == len(FILES)
    note = "/* wbremoveclaims-remove:1| */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/Q140]]"
    server.become(_world(FILES[0], _edited(FILES[1], "Ben", note), *FILES[2:], _tagged(9)))
    assert _harvest(settings).counts == {"files": 9, "tags": 8, "withdrawn": 1, "taggers": 1}
    changed = replace(CAMPAIGN, commons=(CommonsSource(category="Album", captions=True),))  # all is read anew
    assert _harvest(settings, changed).counts == {"files": 9, "tags": 8, "withdrawn": 1, "taggers": 1}
    with Store(settings.store) as store:
        assert all(ann not in line for line in store.lines())
        assert not [event for event in store.events() if ann in event.payload + event.subject + event.agent]


def test_who_was_erased_does_not_come_back_by_an_export(settings: Settings, tmp_path: Path) -> None:
    rows = (
        "username,file,edit_type,edit_action,country,depict_item,depict_prominent,caption_text,caption_language,date",
        "Ann,File:Plate 001.jpg,depicts,add,,Q19,False,,,2021-10-05",
        "Ben,File:Plate 001.jpg,depicts,add,,Q19,False,,,2021-10-05",
        "Ann,File:Nowhere.jpg,depicts,add,,Q19,False,,,2021-10-05",
        "Ann,File:Plate 002.jpg,depicts,edit,,Q7,True,,,2021-10-06",
    )
    export = tmp_path / "all.csv"
    export.write_bytes("".join(f"{row}\r\n" for row in rows).encode())
    campaign = replace(CAMPAIGN, isa=(IsaSource(csv=str(export)),))
    first = _harvest(settings, campaign).counts
    ann = Pseudonyms("test").agent("Ann").id
    with Store(settings.store) as store:
        told = [event.kind for event in store.events() if ann in event.payload]
        assert {"isa.read", "tag.added"} <= set(told)
        erase(store, Whom(ann), "test", agent="test", moment=MOMENT)
    assert _harvest(settings, campaign).counts == first
    with Store(settings.store) as store:
        assert all(ann not in line for line in store.lines())
        assert not [event for event in store.events() if ann in event.payload + event.subject + event.agent]
        assert not list(store.events(kind="tag.withdrawn"))
