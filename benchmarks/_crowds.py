"""Crowds with known truth. In: recorded answers, or a seed. Out: ``Crowd``: who answered what, and what is true.

The generated ones are made by other rules than counting assumes: people's skills are drawn, errors go to look-alikes,
to the same branch or anywhere; spammers have favourites; some questions are hard for everybody; some people copy.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from linkeddata.records import Ancestor, Tag, Taxon

ROOT = Path(__file__).resolve().parents[1] / "../shared/data"
RECORDED = {
    "bluebirds": ("crowd/bluebirds-answers.csv", "crowd/bluebirds-truth.csv"),
    "product": ("crowd/d_jn-product/answer.csv", "crowd/d_jn-product/truth.csv"),
    "faces": (
        "crowd/s4_Face Sentiment Identification/answer.csv",
        "crowd/s4_Face Sentiment Identification/truth.csv",
    ),
}
SHAPES = {
    "binary": (2, 500, 40, 5),
    "many classes": (20, 800, 60, 5),
    "sparse": (4, 1500, 300, 3),
    "adversarial": (3, 500, 40, 7),
    "copying": (3, 600, 30, 5),
    "skewed": (2, 1500, 60, 3),
    "look-alikes": (5, 800, 25, 6),
    "spammers": (4, 700, 60, 5),
    "hard questions": (4, 600, 40, 6),
    "dense": (4, 100, 40, 25),
    "dense binary": (2, 100, 30, 20),
    "few people": (3, 400, 5, 4),
    "two votes each": (5, 1000, 400, 2),
}
"""Kinds of generated crowds: classes, questions, people, answers a question."""
MIXED = (0.45, 0.2, 0.2, 0.15)
"""Shares of amateurs, novices who stop at genus, specialists of one family and spammers in a crowd over birds …"""
NO_AMATEURS = (0.0, 0.4, 0.4, 0.2)
"""… and in one where a good half of what is said names no species."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Answers (question, worker, label) and the true label of each question."""

    answers: list[tuple[str, str, str]]
    truth: Mapping[str, str]
    taxa: Mapping[str, Taxon] = field(default_factory=dict)
    """Label → its taxon, with a lineage where there is one; empty: labels are a flat set."""

    def tags(self) -> Iterator[Tag]:
        """Yield the answers as tags."""
        for number, (question, worker, label) in enumerate(self.answers):
            yield Tag(id=str(number), file=question, item=label, agent=worker)

    def resolved(self) -> Mapping[str, Taxon]:
        """Return the taxa of the labels."""
        if self.taxa:
            return self.taxa
        return {label: Taxon(query=label, concept=label, name=label) for _, _, label in self.answers}


def recorded(name: str) -> Crowd | None:
    """Return a recorded crowd, None where the recordings are not."""
    answers, truth = (ROOT / path for path in RECORDED[name])
    if not answers.is_file():
        return None
    with answers.open(encoding="utf-8-sig") as lines:
        told = [
            (row.get("question") or row["task"], row["worker"], row.get("answer") or row["label"])
            for row in csv.DictReader(lines)
        ]
    with truth.open(encoding="utf-8-sig") as lines:
        known = {row.get("question") or row["task"]: row["truth"] for row in csv.DictReader(lines)}
    return Crowd(told, known)


def flat(kind: str, seed: int) -> Crowd:
    """Return a generated crowd over a flat set of classes."""
    chance = np.random.default_rng(seed)
    classes, questions, people, asked = SHAPES[kind]
    usual = np.array([0.88, 0.12]) if kind == "skewed" else chance.dirichlet(np.full(classes, 4.0))
    truth = chance.choice(classes, questions, p=usual)
    tables = np.array([_habits(kind, worker, classes, chance) for worker in range(people)])
    active = chance.pareto(1.5, people) + 0.3
    hard = chance.beta(2, 2, questions) if kind == "hard questions" else np.zeros(questions)
    answers = []
    for question in range(questions):
        copied = int(chance.integers(classes)) if kind == "copying" and chance.random() < 0.3 else -1
        for worker in chance.choice(people, asked, replace=False, p=active / active.sum()):
            likely = (1 - hard[question]) * tables[worker, truth[question]] + hard[question] / classes
            label = copied if copied >= 0 and worker < people // 3 else chance.choice(classes, p=likely / likely.sum())
            answers.append((f"q{question}", f"w{worker}", f"Q{label + 1}"))
    return Crowd(answers, {f"q{number}": f"Q{true + 1}" for number, true in enumerate(truth)})


def _habits(kind: str, worker: int, classes: int, chance: np.random.Generator) -> np.ndarray:
    """Return what a worker says for each truth."""
    if kind == "spammers" and worker % 2 == 0:
        return np.tile(chance.dirichlet(np.full(classes, 0.7)), (classes, 1))
    right = chance.beta(6, 3, classes) if kind == "skewed" else np.full(classes, chance.beta(6, 3))
    if kind == "adversarial" and worker % 4 == 0:
        right[:] = 0.2
    table = np.empty((classes, classes))
    for true in range(classes):
        wrong = np.full(classes, 1.0)
        if kind == "look-alikes":
            wrong[(true + 1) % classes] = 10.0
        wrong[true] = 0.0
        table[true] = (1 - right[true]) * wrong / wrong.sum()
        table[true, true] = right[true]
    return table


def birds(species: int, chance: np.random.Generator) -> list[tuple[str, str, str]]:
    """Return order or family, genus and name of some species, from AviList, or made up where it is not there."""
    path = ROOT / "names/avilist_2025_taxonomy.csv"
    if path.is_file():
        with path.open(encoding="utf-8-sig") as lines:
            rows = [row for row in csv.DictReader(lines) if row["avilist_taxon_rank"] == "species"]
        known = [(row["avilist_family"], row["scientific_name"].split()[0], row["scientific_name"]) for row in rows]
    else:
        known = [
            (f"Family{f}", f"Genus{f}x{g}", f"Genus{f}x{g} species{s}")
            for f in range(60)
            for g in range(5)
            for s in range(6)
        ]
    families = sorted({family for family, _, _ in known})
    some = set(chance.permutation(families)[: max(4, species // 12)].tolist())
    near = [one for one in known if one[0] in some]  # whole families, so that there is something to mistake
    return [near[at] for at in sorted(chance.permutation(len(near))[:species].tolist())]


def over_tree(
    seed: int,
    questions: int,
    people: int,
    species: int,
    mean_votes: float = 4.0,
    kinds: tuple[float, float, float, float] = MIXED,
) -> Crowd:
    """Return a generated crowd over birds: amateurs, novices who stop at genus, specialists of a family, spammers."""
    chance = np.random.default_rng(seed)
    known = birds(species, chance)
    size = len(known)
    family = np.array([f for f, _, _ in known])
    genus = np.array([g for _, g, _ in known])
    ids = {name: f"Q{number + 1}" for number, name in enumerate(sorted({*family, *genus, *(n for _, _, n in known)}))}
    truth = chance.choice(size, questions, p=chance.dirichlet(np.full(size, 0.7)))
    kind = chance.choice(4, people, p=kinds)
    skill = np.where(kind == 0, chance.beta(9, 3, people), np.where(kind == 1, chance.beta(4, 4, people), 0.45))
    own = chance.choice(np.unique(family), people)
    favourites = chance.dirichlet(np.full(size, 0.5))
    same_genus = [np.flatnonzero(genus == g) for g in genus]
    same_family = [np.flatnonzero(family == f) for f in family]
    alike = np.array([chance.choice(same_genus[s] if chance.random() < 0.7 else same_family[s]) for s in range(size)])
    active = chance.pareto(1.3, people) + 0.2
    workers = chance.choice(people, (questions, int(2 * mean_votes)), p=active / active.sum())
    number = chance.integers(1, int(2 * mean_votes), questions)
    spam = chance.choice(size, questions * 2, p=favourites)
    answers = []
    for question, true in enumerate(truth.tolist()):
        for worker in dict.fromkeys(workers[question, : number[question]].tolist()):
            if kind[worker] == 3:
                said, stop = int(spam[(question * 7 + worker) % len(spam)]), 1.0
            else:
                at_home = kind[worker] == 2 and family[true] == own[worker]
                knows = 0.97 if at_home else skill[worker]
                said = true if chance.random() < knows else _mistake(true, alike, same_genus, same_family, chance)
                stop = 1.0 if at_home else chance.random()
            depth = {0: (0.0, 0.2), 1: (0.2, 0.75), 2: (0.4, 0.7), 3: (0.0, 0.0)}[int(kind[worker])]
            name = family[said] if stop < depth[0] else genus[said] if stop < depth[1] else known[said][2]
            answers.append((f"q{question}", f"w{worker}", ids[name]))
    return Crowd(
        answers, {f"q{question}": ids[known[true][2]] for question, true in enumerate(truth)}, _taxa(known, ids)
    )


def _mistake(
    true: int, alike: np.ndarray, genus: list[np.ndarray], family: list[np.ndarray], chance: np.random.Generator
) -> int:
    way = chance.random()
    if way < 0.35:
        return int(alike[true])
    if way < 0.85:
        near = genus[true] if way < 0.6 else family[true]
        return int(near[int(chance.random() * len(near))])
    return int(chance.integers(len(alike)))


def _taxa(known: list[tuple[str, str, str]], ids: Mapping[str, str]) -> dict[str, Taxon]:
    found = {}
    for family, genus, name in known:
        above = (Ancestor("family", family),)
        for one, rank, lineage in (
            (family, "family", ()),
            (genus, "genus", above),
            (name, "species", (*above, Ancestor("genus", genus))),
        ):
            found[ids[one]] = Taxon(query=ids[one], concept=ids[one], name=one, rank=rank, lineage=lineage)
    return found
