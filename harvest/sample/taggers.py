"""The simulated crowd: who said what of which plate, and when. In: plates and a seed. Out: ``Act`` records, by time.

Nobody of these exists. They have the habits of the people one meets in such campaigns: specialists of one family, good
amateurs, novices who stop at the genus or take one species for its look-alike, one who writes the names of his old
books, one who takes things back, a vandal, and one who tidies up.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from harvest.sample.facts import BY_NAME, ITEMS_ABOVE, SPECIES, Species
from harvest.sample.plan import Plate

FIRST_MOMENT = datetime(2021, 10, 1, 8, 0, 0)
LAST_DAY = 91
"""The campaign runs from 1 October to 31 December 2021."""
LION = "Q140"

TAG, CAPTION, REMOVE, PROMINENT, ROLLBACK = "tag", "caption", "remove", "prominent", "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagger:
    """One simulated person. ``skill`` is the chance to name a butterfly's species rightly."""

    name: str
    kind: str  # specialist, amateur, novice, antiquarian, doubter, vandal, keeper
    skill: float
    share: float  # how often this person turns up
    language: str = "nl"
    family: str = ""  # what a specialist knows
    isa: bool = True  # works in the ISA tool, not in Commons itself


TAGGERS: tuple[Tagger, ...] = (
    Tagger(name="Simulated page-lover", kind="specialist", skill=0.99, share=3, family="Papilionidae"),
    Tagger(name="Simulated white-lover", kind="specialist", skill=0.99, share=2, family="Pieridae", isa=False),
    Tagger(name="Simulated fritillary-lover", kind="specialist", skill=0.99, share=3, family="Nymphalidae"),
    Tagger(name="Gesimuleerde vlinderaar", kind="amateur", skill=0.96, share=4),
    Tagger(name="Simulated lepidopterist", kind="amateur", skill=0.97, share=4, language="en"),
    Tagger(name="Simulierte Falterfreundin", kind="amateur", skill=0.95, share=3, language="de", isa=False),
    Tagger(name="Papillon simulé", kind="amateur", skill=0.95, share=3, language="fr"),
    Tagger(name="Gesimuleerde beginner", kind="novice", skill=0.5, share=1.5),
    Tagger(name="Simulated weekend visitor", kind="novice", skill=0.45, share=1.2, language="en"),
    Tagger(name="Gesimuleerde oude boeken", kind="antiquarian", skill=0.97, share=3),
    Tagger(name="Simulated second thoughts", kind="doubter", skill=0.93, share=2, language="en"),
    Tagger(name="Gesimuleerde grapjas", kind="vandal", skill=0.0, share=0.8),
    Tagger(name="Simulated tidy-up", kind="keeper", skill=1.0, share=0.0, language="en", isa=False),
)
"""The whole crowd; each name says that it is made up."""

KEEPER = TAGGERS[-1]

LOOK_ALIKES = {
    "Papilio paris": "Papilio helenus",
    "Papilio helenus": "Papilio paris",
    "Papilio demodocus": "Papilio helenus",
    "Delias hyparete": "Delias berinda",
    "Delias berinda": "Delias hyparete",
    "Danaus chrysippus": "Vanessa cardui",
    "Vanessa cardui": "Danaus chrysippus",
    "Kallima inachus": "Charaxes brutus",
    "Charaxes brutus": "Kallima inachus",
}
"""What novices take one species for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One edit of one person on one plate. ``item`` for tags, ``text`` and ``language`` for captions."""

    moment: datetime
    plate: int  # its number
    user: str
    kind: str
    isa: bool
    item: str = ""
    text: str = ""
    language: str = ""
    prominent: bool = False
    owner: str = ""  # whose statement is removed or made prominent


def acts(plates: Sequence[Plate], seed: int = 1596) -> list[Act]:
    """Return everything the crowd does to ``plates``, in order of time; the same for the same plates and seed."""
    done = [act for plate in plates for act in _of_plate(plate, random.Random(f"{seed} crowd {plate.seed}"))]
    return sorted(done, key=lambda act: (act.moment, act.plate))


def _of_plate(plate: Plate, chance: random.Random) -> Iterator[Act]:
    """Yield the acts on one plate. They follow one another by minutes to days, never at the same moment."""
    clock = FIRST_MOMENT + timedelta(days=chance.random() * (LAST_DAY - 12), seconds=chance.randrange(3600))
    taken: set[str] = set()  # languages with a caption: there is one of each on a file
    for tagger in _visitors(plate, chance):
        for act in _visit(tagger, plate, taken, chance):
            clock += timedelta(seconds=chance.randrange(40, 900))
            yield replace(act, moment=clock)
        clock += timedelta(hours=chance.expovariate(1 / 20))


def _visitors(plate: Plate, chance: random.Random) -> list[Tagger]:
    """Return who comes by: two to four people for most plates, nobody for a few, hardly anybody for strangers."""
    if plate.stranger:
        passers = [t for t in TAGGERS if t.kind in ("novice", "vandal")]
        return [chance.choice(passers)] if chance.random() < 0.1 else []
    count = chance.choices((0, 1, 2, 3, 4), weights=(2, 1, 18, 42, 37))[0]
    known = {BY_NAME[name].family for name in plate.species}
    weights = {t: t.share * (0.1 if t.family and t.family not in known else 1) for t in TAGGERS if t.share}
    found: list[Tagger] = []
    for _ in range(count):
        rest = [t for t in weights if t not in found]
        found += chance.choices(rest, weights=[weights[t] for t in rest])
    return found


def _visit(tagger: Tagger, plate: Plate, taken: set[str], chance: random.Random) -> Iterator[Act]:
    if tagger.kind == "vandal" or plate.stranger:
        yield from _nonsense(tagger, plate, chance)
        return
    seen = [n for n in plate.species if n == plate.species[0] or chance.random() < 0.9]
    for name in seen:
        yield from HABITS[tagger.kind](tagger, plate, BY_NAME[name], taken, chance)


def _tag(tagger: Tagger, plate: Plate, item: str, chance: random.Random) -> Iterator[Act]:
    """Yield a tag, now and then followed by the star that makes it prominent."""
    tag = _act(tagger, plate, TAG, item=item, prominent=tagger.isa and chance.random() < 0.25)
    yield tag
    if tagger.isa and not tag.prominent and chance.random() < 0.05:
        yield _act(tagger, plate, PROMINENT, item=item, owner=tagger.name)


def _expert(tagger: Tagger, plate: Plate, species: Species, taken: set[str], chance: random.Random) -> Iterator[Act]:
    if tagger.family and species.family != tagger.family:  # a specialist says no more than he knows
        yield from _caption(tagger, plate, species.family, taken) or _tag(tagger, plate, ITEMS_ABOVE["Insecta"], chance)
    elif chance.random() < tagger.skill:
        yield from _tag(tagger, plate, species.item, chance)
    else:
        yield from _tag(tagger, plate, _mistaken(species, chance).item, chance)


def _novice(tagger: Tagger, plate: Plate, species: Species, taken: set[str], chance: random.Random) -> Iterator[Act]:
    mood = chance.random()
    wrong = LOOK_ALIKES.get(species.name)
    if mood < tagger.skill:
        yield from _tag(tagger, plate, species.item, chance)
    elif mood < tagger.skill + 0.3:
        yield from _caption(tagger, plate, species.genus, taken) or _tag(tagger, plate, species.item, chance)
    elif mood < tagger.skill + 0.4 or not wrong:
        yield from _tag(tagger, plate, ITEMS_ABOVE["Insecta"], chance)
    else:
        tags = list(_tag(tagger, plate, BY_NAME[wrong].item, chance))
        yield from tags
        if chance.random() < 0.4:
            yield _act(KEEPER, plate, REMOVE, item=BY_NAME[wrong].item, owner=tagger.name)


def _antiquarian(
    tagger: Tagger, plate: Plate, species: Species, taken: set[str], chance: random.Random
) -> Iterator[Act]:
    known = species if chance.random() < tagger.skill else _mistaken(species, chance)
    caption = _caption(tagger, plate, chance.choice(spellings(known)), taken)
    yield from caption or _tag(tagger, plate, known.item, chance)


def _doubter(tagger: Tagger, plate: Plate, species: Species, taken: set[str], chance: random.Random) -> Iterator[Act]:
    if chance.random() < 0.2:
        first = _mistaken(species, chance)
        yield _act(tagger, plate, TAG, item=first.item)
        yield _act(tagger, plate, REMOVE, item=first.item, owner=tagger.name)
        if chance.random() < 0.3:  # and leaves it at that
            return
    yield from _expert(tagger, plate, species, taken, chance)


HABITS = {
    "specialist": _expert,
    "amateur": _expert,
    "novice": _novice,
    "antiquarian": _antiquarian,
    "doubter": _doubter,
}
"""How each kind of tagger goes about a butterfly."""


def _nonsense(tagger: Tagger, plate: Plate, chance: random.Random) -> Iterator[Act]:
    """Yield a lion, or a butterfly where there is none; half of the vandal's lions are rolled back."""
    lion = tagger.kind == "vandal"
    yield _act(tagger, plate, TAG, item=LION if lion else chance.choice(SPECIES).item)
    if lion and chance.random() < 0.5:
        yield _act(KEEPER, plate, ROLLBACK, owner=tagger.name)


def _caption(tagger: Tagger, plate: Plate, text: str, taken: set[str]) -> list[Act]:
    """Return a caption in the tagger's language, or nothing when the plate has one in it."""
    if tagger.language in taken:
        return []
    taken.add(tagger.language)
    return [_act(tagger, plate, CAPTION, text=text, language=tagger.language)]


def _mistaken(species: Species, chance: random.Random) -> Species:
    near = [s for s in SPECIES if s.family == species.family and s != species]
    return BY_NAME.get(LOOK_ALIKES.get(species.name, ""), chance.choice(near))


def spellings(species: Species) -> list[str]:
    """Return how people write a species: its old names, its Dutch name, and slips of pen and shift key.

    The commoner ones stand there more than once.

    >>> spellings(BY_NAME["Ornithoptera priamus"])[1:]
    ['troides priamus', 'Troides priamus', 'troides priamus', 'Ornithoptera priamus', 'ornithoptera priamus', \
'Ornithoptera primus']
    """
    written = []
    for old in species.synonyms:
        written += [old, (old[0].lower() + old[1:]).replace(",", "")] * 2
    written += [name for _, name in species.vernaculars] * 3
    epithet = species.name.split()[1]
    slip = f"{species.genus} {epithet[:3]}{epithet[4:]}"
    return [*written, species.name, species.name.lower(), slip]


def _act(tagger: Tagger, plate: Plate, kind: str, **told: object) -> Act:
    act = Act(moment=FIRST_MOMENT, plate=plate.number, user=tagger.name, kind=kind, isa=tagger.isa)
    return replace(act, **told)  # type: ignore[arg-type]
