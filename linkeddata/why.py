"""Why a label stands or falls, in a person's words. In: a label. Out: a sentence or two in each language.

The numbers are those of counting: who says the taxon itself, who something below or above it (both support it), who
turned off where, and who took it away. Nothing is said that the label does not hold, and nobody is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from linkeddata.percents import percent
from linkeddata.records import Label, Voices

One = tuple[str, str]
"""A phrase of one person, and of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The phrases of one language; in braces what is filled in."""

    of_all: str
    stands: Mapping[str, One]
    parent: str
    above: str
    branch: str
    skill: str
    support: str
    machine: One
    with_machine: str
    statuses: Mapping[str, str]


WORDS: dict[str, Words] = {
    "en": Words(
        of_all="{number} of {voters} people",
        stands={
            "same": ("says {name}", "say {name}"),
            "below": ("names something below it, which supports it", "name something below it, which supports it"),
            "above": ("says only {parent}, which supports it", "say only {parent}, which supports it"),
            "against": ("chose another taxon{branch}", "chose another taxon{branch}"),
            "removed": ("took it away", "took it away"),
        },
        parent="{parent} or something above it",
        above="something above it",
        branch=" of {branch}",
        skill="right {skill} of the time in such choices",
        support="{support} of {voters} people support it, {dissent} do not",
        machine=(
            "1 accepted it when a machine suggested it, which is counted apart",
            "{number} accepted it when a machine suggested it, which is counted apart",
        ),
        with_machine="; counted in, its probability would be {probability}",
        statuses={
            "accepted": "That is enough to accept it",
            "single": "So few are not enough yet to accept it",
            "minority": "Something else has more behind it",
            "tie": "As much speaks for something else",
            "machine": "Nobody says so but machines",
            "withdrawn": "Nobody stands by it any more",
            "reviewed": "A reviewer has confirmed it",
            "rejected": "A reviewer has rejected it",
            "unfit": "A reviewer finds the image unfit to tell",
            "disputed": "Reviewers disagree about it",
        },
    ),
    "nl": Words(
        of_all="{number} van de {voters} mensen",
        stands={
            "same": ("zegt {name}", "zeggen {name}"),
            "below": ("noemt iets daaronder, en steunt het zo", "noemen iets daaronder, en steunen het zo"),
            "above": ("zegt alleen {parent}, en steunt het zo", "zeggen alleen {parent}, en steunen het zo"),
            "against": ("koos een ander taxon{branch}", "kozen een ander taxon{branch}"),
            "removed": ("haalde het weg", "haalden het weg"),
        },
        parent="{parent} of iets daarboven",
        above="iets daarboven",
        branch=" van {branch}",
        skill="bij zulke keuzes in {skill} van de gevallen goed",
        support="{support} van de {voters} mensen steunen het, {dissent} niet",
        machine=(
            "1 nam het over toen een machine het voorstelde, wat apart wordt geteld",
            "{number} namen het over toen een machine het voorstelde, wat apart wordt geteld",
        ),
        with_machine="; meegeteld zou de kans {probability} zijn",
        statuses={
            "accepted": "Dat is genoeg om het te aanvaarden",
            "single": "Zo weinig is nog niet genoeg om het te aanvaarden",
            "minority": "Voor iets anders is meer steun",
            "tie": "Voor iets anders spreekt evenveel",
            "machine": "Niemand zegt het behalve machines",
            "withdrawn": "Niemand staat er nog achter",
            "reviewed": "Een beoordelaar heeft het bevestigd",
            "rejected": "Een beoordelaar heeft het verworpen",
            "unfit": "Een beoordelaar vindt de afbeelding ongeschikt",
            "disputed": "Beoordelaars zijn het er niet over eens",
        },
    ),
}


def why(label: Label) -> dict[str, str]:
    """Return by language how many people stand how to a label, and what follows; empty where nothing is to be told.

    >>> voices = (Voices("same", 6), Voices("above", 2))
    >>> label = Label(id="l", campaign="c", file="f", concept="Q1", name="Lucanus cervus", voters=8, voices=voices)
    >>> why(label)["en"]
    '6 of 8 people say Lucanus cervus; 2 say only something above it, which supports it.'
    """
    told = {language: _told(label, words) for language, words in WORDS.items()}
    return {language: sentence for language, sentence in told.items() if sentence}


def _told(label: Label, words: Words) -> str:
    clauses = [_clause(voices, label, words, first=not at) for at, voices in enumerate(label.voices)]
    if not label.voices and label.voters:
        counted = {"support": label.support, "voters": label.voters, "dissent": label.dissent}
        clauses = [words.support.format(**counted)]
    if label.machine:
        accepted = words.machine[label.machine != 1].format(number=label.machine)
        chance = (
            words.with_machine.format(probability=percent(label.machine_probability))
            if label.machine_probability
            else ""
        )
        clauses.append(accepted + chance)
    sentences = ["; ".join(clauses), words.statuses.get(label.status, "")]
    return " ".join(f"{one}." for one in sentences if one)


def _clause(voices: Voices, label: Label, words: Words, *, first: bool) -> str:
    many = voices.voters != 1
    who = words.of_all.format(number=voices.voters, voters=label.voters) if first else str(voices.voters)
    phrase = words.stands[voices.stand][many] if voices.stand in words.stands else voices.stand
    filled = phrase.replace("{name}", label.name or label.concept)
    filled = filled.replace("{parent}", _parent(label, words))
    filled = filled.replace("{branch}", words.branch.replace("{branch}", voices.branch) if voices.branch else "")
    known = f" ({words.skill.format(skill=percent(voices.skill))})" if voices.skill else ""
    return f"{who} {filled}{known}"


def _parent(label: Label, words: Words) -> str:
    """Return what is said of the taxon right above, as far as the label knows it."""
    names = [step.name for step in label.path[:-1] if step.name]
    if not names:
        return words.above
    return names[0] if len(names) == 1 else words.parent.replace("{parent}", names[-1])
