"""What models said of a campaign's files, by version. In: identifications. Out: what is stale, what takes whose place.

A new answer takes the place of the last one about the same file, unless a person has verified that or put another in
its place: then it stands beside. An old answer is withdrawn only where nothing new can take its place.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from linkeddata.records import Failure, Identification

Question = tuple[str, str, str]
"""What a model is asked: the file, the sha1 of its bytes, the weights that answer."""
VERIFIED = "verified"


def question_of(answer: Identification) -> Question:
    """Return what an answer answers."""
    return answer.file, answer.sha1, answer.weights


@dataclass(frozen=True, slots=True)
class Answers:
    """A campaign's identifications: those of models, and which of them another one took the place of."""

    of_models: tuple[Identification, ...]
    successors: Mapping[str, tuple[str, ...]]
    """By key, the keys of the answers that took its place."""

    @classmethod
    def of(cls, identifications: Iterable[Identification]) -> "Answers":
        """Read the identifications of one campaign."""
        models, successors = [], dict[str, tuple[str, ...]]()
        for one in identifications:
            if one.model:
                models.append(one)
            if one.supersedes:
                successors[one.supersedes] = (*successors.get(one.supersedes, ()), one.id)
        return cls(tuple(models), successors)

    def answered(self, wanted: Collection[Question]) -> set[str]:
        """Return the files whose question is answered already."""
        return {one.file for one in self.of_models if question_of(one) in wanted}

    def stale(self, wanted: Collection[Question]) -> list[str]:
        """Return the answers about files that are asked no more, and those in the place of one that is said again."""
        files = {file for file, _, _ in wanted}
        own = {one.id for one in self.of_models}
        found = {one.id for one in self.of_models if one.file not in files}
        waiting = [one.id for one in self.of_models if question_of(one) in wanted]
        while waiting:
            for later in self.successors.get(waiting.pop(), ()):
                if later in own and later not in found:
                    found.add(later)
                    waiting.append(later)
        return sorted(found - {one.id for one in self.of_models if question_of(one) in wanted})

    def unanswered(self, files: Collection[str], wanted: Collection[Question]) -> list[str]:
        """Return the answers about those of ``files`` of which nothing is said now, as they are unreadable."""
        silent = set(files) - self.answered(wanted)
        return sorted(one.id for one in self.of_models if one.file in silent)

    def last(self) -> dict[str, str]:
        """Return by file the answer whose place a new one takes, where one may be taken."""
        found: dict[str, Identification] = {}
        for one in sorted(self.of_models, key=lambda answer: (answer.moment, answer.id)):
            if one.id not in self.successors and one.status != VERIFIED:
                found[one.file] = one
        return {file: one.id for file, one in found.items()}


def in_place(
    answers: Iterable[Identification | Failure], took: Mapping[str, str]
) -> Iterator[Identification | Failure]:
    """Yield the answers, each naming the one whose place it takes; ``took`` is by file."""
    for one in answers:
        yield replace(one, supersedes=took.get(one.file, "")) if isinstance(one, Identification) else one


def standing(identifications: Iterable[Identification]) -> list[Identification]:
    """Return those that no other took the place of."""
    every = list(identifications)
    gone = {one.supersedes for one in every if one.supersedes}
    return [one for one in every if one.id not in gone]
