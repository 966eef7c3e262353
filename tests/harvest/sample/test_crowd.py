"""The sample's crowd and world: the same from the same seed, right where it must be, broken where it is told to."""

import csv
import hashlib
import io
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from harvest.sample.cabinet import paint_all, path_of
from harvest.sample.crowd import ENTITY, NO_SUCH_ITEM, ROOT, STRANGERS, media_iri, sample_world
from harvest.sample.facts import BY_NAME, SPECIES
from harvest.sample.plan import ENGRAVERS, Plate, plates
from harvest.sample.taggers import CAPTION, LION, REMOVE, ROLLBACK, TAG, TAGGERS, acts
from harvest.standin.index import Index
from harvest.standin.world import File, World

NOWHERE = Path("/nowhere")


@pytest.fixture(scope="module")
def plan() -> tuple[Plate, ...]:
    return plates()


@pytest.fixture(scope="module")
def world(plan: tuple[Plate, ...]) -> World:
    return sample_world(plan, NOWHERE)


def rows(world: World) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(world.isa[0].csv.decode(), newline="")))


def standing(file: File) -> list[str]:
    claims = file.entity.statements.get("P180", []) if file.entity else []
    return [c["mainsnak"]["datavalue"]["value"]["id"] for c in claims]


def test_the_same_plates_and_seed_give_the_same_world(plan: tuple[Plate, ...], world: World) -> None:
    assert sample_world(plan, NOWHERE) == world
    assert sample_world(plan, NOWHERE, seed=7) != world


def test_a_larger_plan_leaves_what_was_said_of_a_plate_as_it_was() -> None:
    def said(plan: tuple[Plate, ...]) -> dict[int, list[tuple[str, str, str, datetime]]]:
        seeds = {p.number: p.seed for p in plan}
        found: dict[int, list[tuple[str, str, str, datetime]]] = {}
        for act in acts(plan):
            found.setdefault(seeds[act.plate], []).append((act.user, act.kind, act.item or act.text, act.moment))
        return found

    small, large = said(plates(1)), said(plates(2))
    assert len(small) > 50
    assert all(large[seed] == told for seed, told in small.items())


def test_people_come_at_different_moments_within_the_campaign(plan: tuple[Plate, ...]) -> None:
    done = acts(plan)
    assert [a.moment for a in done] == sorted(a.moment for a in done)
    assert datetime(2021, 10, 1) <= done[0].moment
    assert done[-1].moment < datetime(2022, 1, 1)
    by_plate: dict[int, list[datetime]] = {}
    for act in done:
        by_plate.setdefault(act.plate, []).append(act.moment)
    assert all(len(set(moments)) == len(moments) for moments in by_plate.values())


def test_there_is_everybody_one_meets_in_a_campaign(plan: tuple[Plate, ...]) -> None:
    done = acts(plan)
    kinds = {t.name: t.kind for t in TAGGERS}
    assert {a.user for a in done} == set(kinds)
    assert all("imul" in name for name in kinds)  # each name says that it is made up
    assert {a.item for a in done if kinds[a.user] == "vandal"} == {LION}
    assert any(a.kind == ROLLBACK for a in done)
    assert any(a.kind == REMOVE and a.user == a.owner for a in done)
    assert any(a.kind == REMOVE and a.user != a.owner for a in done)
    texts = {a.text for a in done if a.kind == CAPTION}
    assert {"distelvlinder", "Papilio cardui Linnaeus, 1758", "Troides priamus", "Papilio"} <= texts
    assert any(a.kind == TAG and not a.isa for a in done)


def test_most_plates_are_named_rightly_by_most(plan: tuple[Plate, ...]) -> None:
    """Right is a species that at least two people named last and for which nobody outvotes them."""
    right = 0
    single = [p for p in plan if len(p.species) == 1]
    names = {s.item: s.name for s in SPECIES}
    for plate in single:
        voices: dict[str, str] = {}
        for act in acts([plate]):
            if act.kind == TAG and act.item in names:
                voices[act.user] = names[act.item]
            elif act.kind == CAPTION:
                voices[act.user] = plate.species[0]  # captions name the species or what is above it
            elif act.kind in (REMOVE, ROLLBACK):
                voices.pop(act.owner, None)
        counted = Counter(voices.values())
        right += counted[plate.species[0]] >= 2 and counted[plate.species[0]] > counted.total() / 2
    assert right / len(single) >= 0.9


def test_strangers_are_hardly_ever_tagged(plan: tuple[Plate, ...], world: World) -> None:
    strange = {media_iri(p) for p in plan if p.stranger}
    tagged = [f for f in world.files if ENTITY + f.id in strange and standing(f)]
    assert len(tagged) <= len(strange) / 5
    assert all(len(standing(f)) == 1 for f in tagged)


def test_some_plates_have_no_tag_and_doubles_have_two_species(plan: tuple[Plate, ...], world: World) -> None:
    by_iri = {ENTITY + f.id: f for f in world.files}
    butterflies = [p for p in plan if p.species]
    untagged = [p for p in butterflies if not standing(by_iri[media_iri(p)])]
    assert 0 < len(untagged) < len(butterflies) / 10
    doubles = [p for p in plan if len(p.species) == 2]
    both = [p for p in doubles if {BY_NAME[n].item for n in p.species} <= set(standing(by_iri[media_iri(p)]))]
    assert len(both) > len(doubles) / 2


def test_categories_are_albums_below_a_root_with_a_circle(plan: tuple[Plate, ...], world: World) -> None:
    members = Index(world).members
    albums = [m.title for m in members[f"Category:{ROOT}"]]
    assert len(albums) == len(ENGRAVERS)
    assert f"Category:{ROOT}" in [m.title for title in albums for m in members[title]]
    in_albums = [m for title in albums for m in members[title] if m.kind == "file"]
    strangers = members[f"Category:{STRANGERS}"]
    assert len(in_albums) + len(strangers) == len(plan)
    assert all("simulated" in f.metadata["ImageDescription"] for f in world.files)


def test_histories_lead_to_what_stands(world: World) -> None:
    numbers = [r.id for f in world.files for r in f.revisions]
    assert len(set(numbers)) == len(numbers)
    for file in world.files:
        parents = [0, *(r.id for r in file.revisions)]
        assert [r.parent for r in file.revisions] == parents[:-1]
        ids = [s["id"] for claims in file.revisions[-1].entity.statements.values() for s in claims]  # type: ignore[union-attr]
        assert len(set(ids)) == len(ids)
        rolled = [i for i, r in enumerate(file.revisions) if "mw-rollback" in r.tags]
        for place in rolled:
            assert "mw-reverted" in file.revisions[place - 1].tags
            assert file.revisions[place].entity == file.revisions[place - 2].entity


def test_isa_knows_days_and_only_what_was_done_in_the_tool(plan: tuple[Plate, ...], world: World) -> None:
    raw = world.isa[0].csv
    told = rows(world)
    assert raw.count(b"\r\n") == len(told) + 1
    assert len(told[0]) == 10
    assert all(len(row["date"]) == 10 for row in told)
    assert {row["edit_action"] for row in told} == {"add", "edit", "remove"}
    in_tool = [a for a in acts(plan) if a.isa and a.kind != ROLLBACK]
    assert [row["username"] for row in told] == [a.user for a in in_tool]
    summaries = [r.comment for f in world.files for r in f.revisions]
    assert sum(s.endswith("campaign1@ISA") for s in summaries) == len(told)


def test_ids_are_those_that_have_a_source(world: World) -> None:
    true = {s.item for s in SPECIES} | {"Q729", "Q1390", LION}
    assert {i.id for i in world.items} == true
    made_up = {u.key for u in world.usages if u.key >= 2_000_000_000}
    accepted = {u.key for u in world.usages if u.status == "ACCEPTED"}
    assert all(u.accepted in accepted for u in world.usages if u.key in made_up)
    assert not made_up & accepted


def test_images_are_announced_as_they_are(tmp_path: Path) -> None:
    few = plates(1, doubles=0, strangers_per_engraver=0)[:3]
    list(paint_all(few, tmp_path, workers=1, size_px=64))
    for plate, file in zip(few, sample_world(few, tmp_path).files, strict=True):
        body = path_of(plate, tmp_path).read_bytes()
        assert file.sha1 == hashlib.sha1(body, usedforsecurity=False).hexdigest()
        assert file.size_bytes == len(body)
        assert 0 < file.height_px <= file.width_px == 64 or 0 < file.width_px <= file.height_px


def test_what_is_broken_on_purpose(tmp_path: Path) -> None:
    few = plates(1, doubles=0, strangers_per_engraver=0)[:6]
    list(paint_all(few, tmp_path, workers=1, size_px=64))
    sound, broken = sample_world(few, tmp_path), sample_world(few, tmp_path, broken=True)
    changed = [b for s, b in zip(sound.files, broken.files, strict=True) if s != b]
    assert [file.image is None for file in changed] == [True, False, False]
    garbage = changed[1].image
    assert isinstance(garbage, bytes)
    assert hashlib.sha1(garbage, usedforsecurity=False).hexdigest() == changed[1].sha1
    assert standing(changed[2])[-1] == NO_SUCH_ITEM
    extra = rows(broken)[-3:]
    assert [row["depict_item"] for row in extra] == [None, "Q0x", "Q158603"]
    assert rows(sound) == [row for row in rows(broken)[:-3] if row["depict_item"] != NO_SUCH_ITEM]
