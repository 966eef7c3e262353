"""The plan of the sample: complete, repeatable, and silent about what a plate shows."""

from collections import Counter

from harvest.sample.facts import SPECIES
from harvest.sample.plan import ENGRAVERS, POSES, STRANGERS, plates


def test_every_engraver_paints_every_species() -> None:
    counts = Counter((plate.engraver, plate.species) for plate in plates() if plate.pose != "double")
    for engraver in ENGRAVERS:
        for species in SPECIES:
            assert counts[engraver.key, (species.name,)] == 6
        assert counts[engraver.key, ()] == 8


def test_at_least_twelve_plates_a_species_by_default() -> None:
    counts = Counter(name for plate in plates() for name in plate.species)
    assert min(counts.values()) >= 12


def test_double_plates_show_two_genera() -> None:
    doubles = [plate for plate in plates() if len(plate.species) == 2]
    assert len(doubles) == 12
    for plate in doubles:
        assert plate.pose == "double"
        assert len({name.split()[0] for name in plate.species}) == 2


def test_strangers_are_no_butterflies() -> None:
    strangers = [plate for plate in plates() if plate.stranger]
    assert {plate.stranger for plate in strangers} == set(STRANGERS)
    assert all(plate.species == () and plate.side == plate.pose == "" for plate in strangers)


def test_the_same_plan_every_time_and_another_for_another_seed() -> None:
    assert plates(2) == plates(2)
    assert {plate.seed for plate in plates(2, seed=1)}.isdisjoint(plate.seed for plate in plates(2, seed=2))


def test_numbers_titles_inventory_numbers_and_seeds_are_unique() -> None:
    plan = plates()
    for field in ("number", "title", "inventory_number", "seed"):
        assert len({getattr(plate, field) for plate in plan}) == len(plan)


def test_a_title_does_not_tell_what_the_plate_shows() -> None:
    told = {word.lower() for species in SPECIES for word in species.name.split()} | set(STRANGERS)
    for plate in plates():
        assert not any(word in (plate.title + plate.inventory_number).lower() for word in told)
    runs = sum(a.species == b.species for a, b in zip(plates(), plates()[1:], strict=False))
    assert runs < len(plates()) / 5


def test_a_larger_plan_contains_the_pictures_of_a_smaller_one() -> None:
    assert {plate.seed for plate in plates(1)} <= {plate.seed for plate in plates(3)}


def test_poses_fit_their_side() -> None:
    for plate in plates():
        assert plate.pose == "double" or not plate.species or plate.pose in POSES[plate.side]
    assert {plate.side for plate in plates() if plate.species} == {"upper", "under", "both"}
