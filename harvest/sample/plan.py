"""Which plates the sample has. In: how many, and a seed. Out: ``Plate`` records, at once and always the same.

A plan paints nothing. Each plate has a seed of its own, made from what it shows and not from its place in the plan, so
that a larger plan contains the same pictures as a smaller one; numbers, titles and inventory numbers are dealt after a
shuffle, so that none of them tells what a plate shows.
"""

import hashlib
import random
from dataclasses import dataclass, replace

from harvest.sample.facts import SPECIES


@dataclass(frozen=True, slots=True)
class Engraver:
    """One hand that paints: an invented person, named after the tool."""

    key: str
    name: str
    technique: str


ENGRAVERS: tuple[Engraver, ...] = (
    Engraver("ink", "Joost Rietpen (simulated)", "pen and ink with light tints on laid paper"),
    Engraver("wash", "Neeltje Penseel (simulated)", "sepia wash with touches of colour"),
    Engraver("engraving", "Hendrik Burijn (simulated)", "copper engraving, coloured by hand"),
    Engraver("watercolour", "Maria Natverf (simulated)", "watercolour on vellum"),
    Engraver("gouache", "Pieter Dekverf (simulated)", "gouache on blue paper"),
)
"""The five hands, invented; each has its own line, palette, paper and poses."""

STRANGERS = ("carriage", "cone shell", "flower", "ship", "teapot", "fish", "lute", "armillary sphere")
"""What the cabinet holds beside butterflies."""

SIDES = ("upper", "both", "upper", "under", "both", "upper")
POSES = {
    "upper": ("set", "set", "flight"),
    "under": ("set", "closed"),
    "both": ("half", "pair"),
}
"""How each side can be shown: set on a pin, in flight, wings closed, half upper half under, two specimens."""
FORMATS = ("landscape", "landscape", "square", "portrait")
SETTLED_FORMATS = {"pair": "portrait", "double": "portrait"}
"""Poses that ask for a certain shape of paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """One plate to be painted."""

    number: int
    title: str  # with its prefix: File:De Boodt sample 0123 (painted).jpg
    engraver: str  # key in ENGRAVERS
    species: tuple[str, ...]  # scientific names; two on a double plate, none for a stranger
    stranger: str  # "" or one of STRANGERS
    seed: int
    inventory_number: str
    side: str  # upper, under, both; empty for a stranger
    pose: str  # set, flight, closed, half, pair, double; empty for a stranger
    format: str  # landscape, portrait, square


def plates(
    per_engraver: int = 6, seed: int = 1596, *, doubles: int = 12, strangers_per_engraver: int = 8
) -> tuple[Plate, ...]:
    """Return the plan: ``per_engraver`` plates of each species by each engraver, double plates, strangers.

    >>> len(plates()), len(plates(2, doubles=0, strangers_per_engraver=0))
    (472, 140)
    >>> plates(1)[0].title
    'File:De Boodt sample 0001 (painted).jpg'
    """
    drafts = [*_single(per_engraver, seed), *_double(doubles, seed), *_strange(strangers_per_engraver, seed)]
    random.Random(f"{seed} order").shuffle(drafts)
    return tuple(_numbered(draft, number) for number, draft in enumerate(drafts, start=1))


def _single(per_engraver: int, seed: int) -> list[Plate]:
    drafts = []
    for engraver in ENGRAVERS:
        for species in SPECIES:
            turn = random.Random(f"{seed} {engraver.key} {species.name}").randrange(len(SIDES))
            for copy in range(per_engraver):
                side = SIDES[(turn + copy) % len(SIDES)]
                drafts.append(_draft(engraver.key, (species.name,), side, copy, seed))
    return drafts


def _double(count: int, seed: int) -> list[Plate]:
    """Two species of different genera on one plate, both from above."""
    pairs = [
        (one.name, other.name)
        for i, one in enumerate(SPECIES)
        for other in SPECIES[i + 1 :]
        if one.genus != other.genus
    ]
    random.Random(f"{seed} doubles").shuffle(pairs)
    return [
        replace(_draft(ENGRAVERS[i % len(ENGRAVERS)].key, pairs[i % len(pairs)], "upper", i, seed), pose="double")
        for i in range(count)
    ]


def _strange(per_engraver: int, seed: int) -> list[Plate]:
    return [
        replace(
            _draft(engraver.key, (), "", copy, seed, STRANGERS[copy % len(STRANGERS)]),
        )
        for engraver in ENGRAVERS
        for copy in range(per_engraver)
    ]


def _draft(engraver: str, species: tuple[str, ...], side: str, copy: int, seed: int, stranger: str = "") -> Plate:
    digest = hashlib.sha256(f"{seed}|{engraver}|{'+'.join(species)}|{stranger}|{copy}".encode()).digest()
    own = int.from_bytes(digest[:6], "big")
    pick = random.Random(own)
    pose = pick.choice(POSES[side]) if side else ""
    shape = pick.choice(FORMATS)
    return Plate(
        number=0,
        title="",
        engraver=engraver,
        species=species,
        stranger=stranger,
        seed=own,
        inventory_number="",
        side=side,
        pose=pose,
        format=shape,
    )


def _numbered(draft: Plate, number: int) -> Plate:
    return replace(
        draft,
        number=number,
        title=f"File:De Boodt sample {number:04d} (painted).jpg",
        inventory_number=f"DB-1599-{number:03d}",
        format=SETTLED_FORMATS.get(draft.pose, draft.format),
    )
