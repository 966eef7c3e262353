"""Counting heads of many files at once. In: a roll. Out: ``Heads``, a row a file and taxon.

The same numbers as ``crowd.heads.majority`` gives file by file, for files where nobody took anything away.
"""

from dataclasses import dataclass

import numpy as np

from crowd.chains import Chains
from crowd.heads import STATUSES
from crowd.keys import Ints, distinct, opened, place_in, runs, totals
from crowd.roll import Roll


@dataclass(frozen=True, slots=True)
class Heads:
    """Equally long columns, sorted by file and taxon; ``file`` counts from the first of the files asked for."""

    file: Ints
    concept: Ints
    same: Ints
    below: Ints
    stopped: Ints
    """Who named a taxon above it, and nothing at or below it."""
    against: Ints
    voters: Ints
    status: Ints
    """Place in ``STATUSES``, by heads alone."""

    @property
    def support(self) -> Ints:
        """Return how many stand by each taxon; who stopped above it does when somebody else went on."""
        firm = self.same + self.below
        return np.where(firm > 0, firm + self.stopped, 0)


def heads_of(roll: Roll, first: int, last: int, min_support: int) -> Heads:
    """Count the files from ``first`` up to ``last``, which is left out."""
    chains = roll.chains
    size = len(chains.concepts)
    begin, end = np.searchsorted(roll.named_file, (first, last))
    file, concept = roll.named_file[begin:end] - first, roll.named[begin:end]
    named = file * size + concept
    begin, end = np.searchsorted(roll.file, (first, last))
    whose = roll.ballot[begin:end]
    votes = (roll.file[begin:end] - first) * size + roll.concept[begin:end]
    same = np.bincount(place_in(named, votes), minlength=len(named))
    voters = np.bincount(votes[runs(whose)] // size, minlength=last - first) if len(votes) else np.zeros(last - first)
    total = voters.astype(np.int64)[file]
    along = same + _below(votes, whose, named, chains)
    owner, place = _ways(file, concept, named, chains)
    own = place == owner
    stopped = totals(owner[~own], same[place[~own]], len(named)).astype(np.int64)
    starts = runs(owner)
    branch = np.empty(len(place), dtype=np.int64)
    branch[1:] = (along - same)[place[:-1]]  # of those who went on, how many turn off here
    branch[starts] = total
    margin = np.minimum.reduceat(2 * along[place] - branch, starts) if len(starts) else total
    support = np.where(along > 0, along + stopped, 0)
    margin = np.minimum(margin, support - (total - along - stopped))
    status = np.select(
        [support == 0, margin < 0, margin == 0, support < min_support],
        [STATUSES.index(name) for name in ("withdrawn", "minority", "tie", "single")],
        STATUSES.index("accepted"),
    )
    return Heads(
        file=file,
        concept=concept,
        same=same,
        below=along - same,
        stopped=np.where(along > 0, stopped, 0),
        against=total - along - stopped,
        voters=total,
        status=status,
    )


def kept(heads: Heads, status: Ints, chains: Chains) -> Ints:
    """Return the rows without taxa below which another does as well: its voices are in that one."""
    size = len(chains.concepts)
    owner, place = _ways(heads.file, heads.concept, heads.file * size + heads.concept, chains)
    best = np.full(len(status), -1)
    lower = place != owner
    np.maximum.at(best, place[lower], status[owner[lower]])
    return np.flatnonzero(best < np.maximum(status, STATUSES.index("minority")))


def _below(votes: Ints, whose: Ints, named: Ints, chains: Chains) -> Ints:
    """Return for each named taxon how many voters named one below it."""
    size = len(chains.concepts)
    owner, at = opened(chains.start, votes % size)
    place = place_in(named, votes[owner] // size * size + chains.above[at])
    there = place >= 0
    place, voter = place[there], whose[owner[there]]
    if (whose[1:] == whose[:-1]).any():  # who named two species of a genus is one voter for the genus
        base = int(whose[0])
        many = int(whose[-1]) - base + 1
        place = distinct(place * many + voter - base) // many
    return np.bincount(place, minlength=len(named))


def _ways(file: Ints, concept: Ints, named: Ints, chains: Chains) -> tuple[Ints, Ints]:
    """Return for each row the rows of the same file on the way down to it, itself last: whose way, and which row."""
    size = len(chains.concepts)
    owner, at = opened(chains.start, concept)
    place = place_in(named, file[owner] * size + chains.above[at])
    there = place >= 0
    owner, place = owner[there], place[there]
    ends = np.searchsorted(owner, np.arange(len(named)), "right")
    return np.insert(owner, ends, np.arange(len(named))), np.insert(place, ends, np.arange(len(named)))
