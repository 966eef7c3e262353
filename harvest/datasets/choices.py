"""Which files and labels somebody wants in a dataset. In: a file or a label, and the rules. Out: why it is not wanted.

Each choice is a small pure function that answers "" for what may stay, or the detail that is told of what may not.
``FILE_CHOICES`` has them by the reason under which what they removed is counted.
"""

import re
from collections.abc import Callable, Iterable

from crowd.campaign import DatasetRules
from crowd.verdicts import STANDS
from linkeddata.records import Label, MediaFile

GONE = "deleted where it was published"
NO_LICENCE = "no licence"
NO_LABEL = "no accepted label"
OTHER_STATUS = "label status not chosen"
NOT_SURE = "label not sure enough"
MACHINE = "machine's word only"

_CREATIVE_COMMONS = "https://creativecommons.org/"
_SHORT = {
    "cc0": "publicdomain/zero/",
    "pdm": "publicdomain/mark/",
    **{f"cc-{kind}": f"licenses/{kind}/" for kind in ("by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd")},
}
_YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(?!\d)")


def label_trouble(label: Label, rules: DatasetRules) -> str:
    """Return the reason why a label does not teach, "" where it does.

    It is what people say by themselves, or, where the rules allow it, with machines' suggestions. What a reviewer
    overruled teaches only what the reviewer said.
    """
    wanted = frozenset(rules.labels or STANDS)
    with_machine = not label.counted and label.machine_status in wanted
    if label.status not in wanted and not (with_machine and rules.machine):
        if with_machine:
            return MACHINE
        return OTHER_STATUS if rules.labels else NO_LABEL
    sure = max(label.probability, label.machine_probability if rules.machine else 0.0)
    # What a person judged is as sure as that person: counting's number says what the crowd thought before.
    return NOT_SURE if label.status != "reviewed" and sure < rules.min_probability else ""


def licence_address(name: str) -> str:
    """Return how the IRIs of a licence begin, for its short name or IRI.

    >>> licence_address("CC-BY"), licence_address("https://creativecommons.org/licenses/by/4.0/")
    ('https://creativecommons.org/licenses/by/', 'https://creativecommons.org/licenses/by/4.0/')
    """
    short = _SHORT.get(name.strip().lower())
    return _CREATIVE_COMMONS + short if short else name


def year_of(created: str) -> int:
    """Return the first year in a date as its source writes it, 0 for none.

    >>> year_of("circa 1596 - 1610"), year_of("17th century")
    (1596, 0)
    """
    found = _YEAR.search(created)
    return int(found[1]) if found else 0


def _excluded(media: MediaFile, rules: DatasetRules) -> str:
    own = (media.iri, media.iri.rpartition("/")[2], media.title, media.title.partition(":")[2], media.sha1)
    return next((name for name in rules.exclude if name and name in own), "")


def _licence(media: MediaFile, rules: DatasetRules) -> str:
    wanted = tuple(map(licence_address, rules.licences))
    return media.licence if wanted and not media.licence.startswith(wanted) else ""


def _year(media: MediaFile, rules: DatasetRules) -> str:
    if not (rules.from_year or rules.until_year):
        return ""
    year = year_of(media.created)
    if year and rules.from_year <= year <= (rules.until_year or year):
        return ""
    return media.created or "no date"


def _creator(media: MediaFile, rules: DatasetRules) -> str:
    wanted = {name.casefold() for name in rules.creators}
    return (media.creator or "no creator") if wanted and media.creator.casefold() not in wanted else ""


def _style(media: MediaFile, rules: DatasetRules) -> str:
    if not rules.styles:
        return ""
    words = " ".join((media.title, media.description, media.group)).casefold()
    return "" if any(style.casefold() in words for style in rules.styles) else "none of the words"


FILE_CHOICES: dict[str, Callable[[MediaFile, DatasetRules], str]] = {
    "excluded": _excluded,
    "licence not chosen": _licence,
    "year not chosen": _year,
    "creator not chosen": _creator,
    "style not chosen": _style,
}
"""The choices that look at a file alone, by the reason of the failure of what they remove."""


def file_trouble(media: MediaFile, rules: DatasetRules) -> tuple[str, str]:
    """Return reason and detail why a file is not taken; two empty texts where it is.

    Nothing that is gone or without a licence is taken, whatever the rules say.

    >>> file_trouble(MediaFile(iri="x"), DatasetRules())
    ('no licence', '')
    """
    if media.gone:
        return GONE, media.gone
    if not media.licence:
        return NO_LICENCE, ""
    told = ((reason, choice(media, rules)) for reason, choice in FILE_CHOICES.items())
    return next(((reason, detail) for reason, detail in told if detail), ("", ""))


def chosen_classes(counts: Iterable[tuple[str, int]], rules: DatasetRules) -> set[str]:
    """Return the classes of those with their numbers of images that have enough altogether.

    >>> sorted(chosen_classes([("Q1", 3), ("Q2", 2)], DatasetRules(min_altogether=3)))
    ['Q1']
    """
    return {concept for concept, images in counts if images >= rules.min_altogether}
