"""What a model's numbers are worth: each part by itself, and fitted together on made-up pictures."""

from functools import cache

import numpy as np
import pytest

from identify.decide import MOST, Asked, Judge, judged
from identify.judging.calibration import Calibration, fit_calibration
from identify.judging.conformal import coverage_for
from identify.judging.crossfit import cross_fitted, folds_of
from identify.judging.fitting import Evidence, fit
from identify.judging.judgement import Judgement, from_files, to_files
from identify.judging.openset import MEASURES, fit_openness, measures
from identify.judging.priors import Trait, with_priors
from identify.judging.ranks import ranks_of
from identify.judging.words import NEVER, Rung, Words, words_for
from linkeddata.errors import UsageError
from linkeddata.records import Ancestor, ModelClass

GENERA = ("Papilio", "Papilio", "Papilio", "Vanessa", "Vanessa", "Apatura")
FAMILIES = ("Papilionidae", "Papilionidae", "Papilionidae", "Nymphalidae", "Nymphalidae", "Nymphalidae")
CLASSES = tuple(
    ModelClass(
        id=f"m@1/{i}",
        model="m",
        version="1",
        index=i,
        label=f"{genus} {i}",
        rank="species",
        item=f"Q{i + 1}",
        gbif_key=str(100 + i),
        lineage=(
            Ancestor("class", "Insecta"),
            Ancestor("family", family, f"9{family[0]}"),
            Ancestor("genus", genus),
        ),
    )
    for i, (genus, family) in enumerate(zip(GENERA, FAMILIES, strict=True))
)
COUNT = len(CLASSES)


class Means:
    """A head: the cosine to each class's mean, eight times; "none of these" is never likelier than the rest."""

    def __init__(self, features: np.ndarray, truth: np.ndarray) -> None:
        self._means = np.zeros((COUNT, features.shape[1]))
        for index in np.unique(truth):
            mean = features[truth == index].mean(axis=0)
            self._means[index] = mean / np.linalg.norm(mean)

    def units(self, features: np.ndarray) -> np.ndarray:
        return (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)

    def logits(self, features: np.ndarray) -> np.ndarray:
        return np.append(8 * self.units(features) @ self._means.T, np.full((len(features), 1), 1.0), axis=1)


def made(hands: int, each: int, spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return features, truth and groups: classes are directions, near each other within a genus; hands shift all."""
    random = np.random.default_rng(seed)
    genus = {name: random.normal(0, 1, 24) for name in dict.fromkeys(GENERA)}
    kinds = np.stack([genus[name] + random.normal(0, 0.55, 24) for name in GENERA])
    truth = np.tile(np.repeat(np.arange(COUNT), each), hands)
    shifts = random.normal(0, 0.5, (hands, 24))
    hand = np.repeat(np.arange(hands), COUNT * each)
    rows = kinds[truth] + shifts[hand] + random.normal(0, spread, (len(truth), 24))
    return rows.astype(np.float32), truth, [f"hand {h}" for h in hand]


@cache
def fitted(spread: float = 0.9) -> tuple[Judgement, Evidence]:
    features, truth, groups = made(6, 12, spread)
    evidence = cross_fitted(lambda places: Means(features[places], truth[places]), features, truth, groups)
    return fit(evidence, CLASSES, use=[name for name in MEASURES if name != "none"]), evidence


def test_who_is_sure_for_no_reason_is_made_less_sure_and_a_strange_hand_even_less() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 4, 400)
    near = np.repeat([True, False], 200)
    logits = random.normal(0, 1, (400, 4)) * 4
    logits[near, truth[near]] += 12  # right nearly always
    logits[~near, truth[~near]] += 3
    novelty = np.where(near, 0.1, 0.9)
    found = fit_calibration(logits, novelty, list(truth))
    assert found.temperature > 1.0
    assert found.heat > 0.0
    probabilities = found.probabilities(logits, novelty)
    for some in (near, ~near):
        right = (probabilities[some].argmax(axis=1) == truth[some]).mean()
        assert probabilities[some].max(axis=1).mean() == pytest.approx(right, abs=0.06)


def test_few_pictures_get_one_number_and_none_get_none() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (20, 3))
    assert fit_calibration(logits, np.linspace(0, 1, 20), [0] * 20).heat == 0.0
    assert fit_calibration(np.zeros((0, 3)), np.zeros(0), []) == Calibration()


def test_the_measure_that_tells_strangers_apart_gets_the_weight() -> None:
    random = np.random.default_rng(2)
    known, strange = random.normal(0, 1, (300, len(MEASURES))), random.normal(0, 1, (200, len(MEASURES)))
    strange[:, MEASURES.index("neighbours")] += 3
    found = fit_openness(known, strange)
    assert max(found.weights) == found.weights[MEASURES.index("neighbours")]
    assert min(found.weights) >= 0.0
    assert np.mean(found.novelty(known) < 1.0) == pytest.approx(0.95, abs=0.01)
    assert np.mean(found.novelty(strange) == 1.0) > 0.6


def test_a_measure_that_says_nothing_counts_nothing() -> None:
    known = np.zeros((10, len(MEASURES)))
    known[:, 2] = np.arange(10)
    found = fit_openness(known, known[:0])
    assert [bool(weight) for weight in found.weights] == [False, False, True, False, False, False]


def test_what_is_farther_from_all_that_was_learned_measures_more() -> None:
    bank = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]], np.float32)
    features = np.array([[1.0, 0.9, 0], [0.2, 0.2, 0.9]])
    logits = np.array([[9.0, 1.0, 0.5, 1.0, 0.0], [2.0, 1.9, 0.5, 1.0, 0.0]])
    near, far = measures(logits, features, bank)
    assert (far > near).all()


def test_masses_add_up_the_tree() -> None:
    genus, family, highest = ranks_of(CLASSES)
    assert (genus.name, family.name, highest.name) == ("genus", "family", "class")
    place, mass = genus.heaviest(np.array([[0.2, 0.2, 0.2, 0.3, 0.0, 0.1]]))
    assert genus.taxa[place[0]].name == "Papilio"
    assert mass[0] == pytest.approx(0.6)


def test_a_rank_is_judged_on_what_lower_ranks_left() -> None:
    """The species is right above 0.5 only; of what is left to the genus, sure or not, a half is wrong."""
    certain = np.linspace(0.0, 1.0, 400)
    species = Rung("own", certain, certain > 0.5, ("x",) * 400)
    genus = Rung("genus", np.full(400, 0.99), (np.arange(400) % 2 == 0) | (certain > 0.5))
    words = words_for(0.9, [species, genus])
    assert words.by_rank["genus"] == NEVER
    assert words.right["own"] >= 0.9 * words.answered["own"] > 0


def test_few_pictures_promise_nothing() -> None:
    assert words_for(0.95, [Rung("own", np.array([0.9, 0.8, 0.7]), np.array([True, True, True]))]).by_rank == {
        "own": NEVER
    }


def test_a_class_that_is_often_wrong_must_be_surer() -> None:
    certain = np.tile(np.linspace(0.5, 1.0, 200), 2)
    right = np.concatenate([np.ones(200, bool), np.linspace(0.5, 1.0, 200) > 0.9])
    words = words_for(0.8, [Rung("own", certain, right, ("good",) * 200 + ("bad",) * 200)])
    assert words.needed("own", "bad") > words.needed("own", "good")
    assert words.needed("own", "never met") == words.by_rank["own"]


@pytest.mark.parametrize("asked", [0.8, 0.9, 0.95])
def test_prediction_sets_hold_the_truth_as_often_as_was_asked(asked: float) -> None:
    random = np.random.default_rng(3)
    raw = random.dirichlet(np.full(5, 0.5), 3000)
    truth = np.array([random.choice(5, p=row) for row in raw])
    coverage = coverage_for(asked, raw[:1500], list(truth[:1500]))
    held = np.mean([t in coverage.within(row) for row, t in zip(raw[1500:], truth[1500:], strict=True)])
    assert held == pytest.approx(asked, abs=0.03)


def test_with_few_pictures_a_set_names_everything() -> None:
    coverage = coverage_for(0.99, np.full((10, 4), 0.25), [0] * 10)
    assert coverage.within(np.array([0.9, 0.1, 0.0, 0.0])) == [0, 1, 2, 3]


def test_groups_are_never_in_two_folds_and_all_folds_are_used() -> None:
    groups = [f"g{n % 30}" for n in range(300)]
    folds = folds_of(groups, 3)
    assert sorted(set(folds)) == list(range(8))
    assert len({(group, fold) for group, fold in zip(groups, folds, strict=True)}) == 30


def test_fitted_on_left_out_hands_it_keeps_its_word_on_new_ones() -> None:
    judgement, evidence = fitted()
    assert judgement.basis.groups == tuple(f"hand {n}" for n in range(6))
    assert (evidence.truth < 0).sum() == (evidence.truth >= 0).sum()  # each class played the stranger once
    features, truth, _ = made(6, 12, 0.9)
    head = Means(features, truth)
    new, kinds, hands = made(14, 12, 0.9)  # the same classes; hands from 6 on are new
    unseen = [int(h.split()[1]) >= 6 for h in hands]
    judge = Judge(judgement, CLASSES)
    answers = [
        (judge.judged(head.logits(row[None]), head.units(row[None])), CLASSES[kind])
        for row, kind in zip(new[unseen], kinds[unseen], strict=True)
    ]
    certain = [(d, t) for d, t in answers if d.word == "certain"]
    assert sum(d.rule == "R2" for d, _ in certain) > 0.1 * len(answers)  # not by what is said of the rank "class"
    right = [d.label in (t.label, *(step.name for step in t.lineage)) for d, t in certain]
    assert len(certain) > 0.2 * len(answers)
    assert np.mean(right) > 0.9
    held = np.mean([any(one.name == t.label for one in d.within) for d, t in answers])
    assert held >= 0.88
    random = np.random.default_rng(5).normal(0, 1.2, (200, 24)).astype(np.float32)
    strangers = [judge.judged(head.logits(row[None]), head.units(row[None])).word for row in random]
    assert strangers.count("unknown") > 3 * np.mean([d.word == "unknown" for d, _ in answers]) * len(strangers)


def test_a_judgement_is_the_same_after_it_lay_in_files() -> None:
    judgement, _ = fitted()
    files = to_files(judgement)
    assert from_files(*files.values()) == judgement
    with pytest.raises(ValueError, match="format"):
        from_files(files["judgement.json"].replace(b'"none"', b'"all"'))


def test_several_pictures_of_one_object_are_one_observation() -> None:
    judge = Judge(Judgement(), CLASSES)
    logits = np.array([[3.0, 2.0, 0, 0, 0, 0, 0], [0.0, 2.0, 0, 0, 0, 0, 0]])
    together = judge.judged(logits, np.ones((2, 3)))
    assert together.alternatives[0].label == "Papilio 1"
    assert judge.judged(logits[:1], np.ones((1, 3))).alternatives[0].label == "Papilio 0"
    with pytest.raises(ValueError, match="11 pictures"):
        judge.judged(np.zeros((MOST + 1, 7)), np.zeros((MOST + 1, 3)))


def test_the_word_follows_the_precision_that_is_asked() -> None:
    grid = ((0.8, 0.4), (0.9, 0.6), (0.95, 0.8))
    words = tuple(Words(precision=precision, by_rank={"own": needed}) for precision, needed in grid)
    judge = Judge(Judgement(words=words), CLASSES)
    sure = np.array([0.7, 0.06, 0.06, 0.06, 0.06, 0.06])
    found = [judge.decided(sure, 0.0, Asked(precision=p)).word for p in (0.5, 0.85, 0.9, 0.91, 0.999)]
    assert found == ["certain", "certain", "certain", "likely", "likely"]
    assert judge.decided(np.full(6, 1 / 6), 0.0).word == "uncertain"


PROBABILITIES = np.array([0.5, 0.3, 0.1, 0.05, 0.03, 0.02])


def test_a_checklist_by_name_by_key_or_by_family_makes_others_unlikely_and_says_so() -> None:
    for checklist in ({"Papilio 1", "Q4"}, {"101", "Vanessa"}):
        after, (changed,) = with_priors(PROBABILITIES, CLASSES, Asked(checklist=frozenset(checklist)))
        assert after.argmax() == 1
        assert (changed.prior, changed.before, changed.after) == ("checklist", "Papilio 0", "Papilio 1")
        assert changed.moved > 0.4
        assert after[0] > 0.0
    same, _ = with_priors(PROBABILITIES, CLASSES, Asked(checklist=frozenset({"9P", "9N"})))
    assert same == pytest.approx(PROBABILITIES)


def test_eggs_that_differ_only_in_size_are_told_apart_by_it() -> None:
    traits = {"Papilio 0": Trait(size_mm=(20, 24)), "Papilio 1": Trait(size_mm=(30, 36))}
    after, (changed,) = with_priors(PROBABILITIES, CLASSES, Asked(size_mm=(33, 33)), traits)
    assert after.argmax() == 1
    assert changed.asked == "33 mm"
    assert after[2] / after[1] < PROBABILITIES[2] / PROBABILITIES[1]  # nothing is known of it: neither helped nor hurt
    between, _ = with_priors(PROBABILITIES, CLASSES, Asked(size_mm=(5, 60)), traits)
    assert between.argmax() == 0


def test_a_period_in_which_it_was_not_known_counts_against_it() -> None:
    traits = {"Papilio 0": Trait(years=(1900, 1950))}
    asked = Asked(years=(1600, 1650))
    after, (changed,) = with_priors(PROBABILITIES, CLASSES, asked, traits)
    assert changed.asked == "1600 to 1650"
    assert after[0] < 0.1
    answer = Judge(Judgement(), CLASSES, traits).decided(PROBABILITIES, 0.0, asked)
    assert answer.priors == (changed,)


@pytest.mark.parametrize(
    "wrong", [{"precision": 1.5}, {"coverage": -0.1}, {"size_mm": (5.0, 2.0)}, {"size_mm": (-1.0, 2.0)}]
)
def test_what_cannot_be_asked_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Asked(**wrong)  # type: ignore[arg-type]


def test_judged_needs_nothing_made_ready() -> None:
    judgement, evidence = fitted()
    row = evidence.logits[:1]
    assert judged(row, np.zeros((1, 1)), judgement, CLASSES) == Judge(judgement, CLASSES).judged(row, np.zeros((1, 1)))
