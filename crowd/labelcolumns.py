"""Labels of many files at once. In: heads, and what a method believes. Out: a ``Row`` a file and taxon.

The same as ``crowd.plainly`` says file by file, for files where nothing was taken away and no machine had a say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowd.believed import Nodes
from crowd.chains import Chains
from crowd.headcolumns import Heads, kept
from crowd.heads import STATUSES
from crowd.keys import Floats, Ints, distinct, opened, runs, totals
from crowd.lineage import TaxonTree
from linkeddata.records import Certainty, Voices

EVEN = 0.01
"""Two probabilities that differ by less are a tie."""
PAIRS = 2_000_000
"""Rivals that are compared at once, at most, but for those of one file."""
STANDS = ("same", "below", "above", "against")
NOBODY_STANDS = -1


class Row(NamedTuple):
    """What counting says of one taxon on one file."""

    file: int
    concept: str
    support: int
    dissent: int
    voters: int
    probability: float
    status: str
    path: tuple[Certainty, ...] = ()
    voices: tuple[Voices, ...] = ()
    machine: int = 0
    machine_probability: float = 0.0
    machine_status: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a label must have to be accepted."""

    min_support: int
    min_probability: float


class LabelColumns:
    """Makes rows of heads; keeps the words that come again, such as a step of a path with its probability."""

    def __init__(self, tree: TaxonTree, chains: Chains, limits: Limits) -> None:
        self._tree, self._chains, self._limits = tree, chains, limits
        self._node = np.array([tree.node[concept] for concept in chains.concepts], dtype=np.int64)
        ways = [tree.above(node) for node in range(len(tree.parent))]
        self._way_start = np.cumsum([0, *map(len, ways)])
        self._way = np.array([node for way in ways for node in way], dtype=np.int64)
        steps = [tree.paths[concept] for concept in chains.concepts]
        self._steps = [step for path in steps for step in path]
        self._step_start = np.cumsum([0, *map(len, steps)])
        self._step_node = np.array([step.node for step in self._steps], dtype=np.int64)
        self._certainty: dict[int, Certainty] = {}
        self._voices: dict[str, dict[int, Voices]] = {stand: {} for stand in STANDS}

    def by_heads(self, heads: Heads, first: int) -> Iterator[Row]:
        """Yield what heads alone say; the heads' files count from ``first``."""
        rows = kept(heads, heads.status, self._chains)
        support, dissent = heads.support[rows], heads.against[rows]
        sure = (support + 1) / (support + dissent + 2)
        nothing = [()] * len(rows)
        voices = self._stands(heads, rows, None)
        numbers = heads.file[rows] + first, support, dissent, heads.voters[rows]
        return self._rows(heads.concept[rows], numbers, sure, heads.status[rows], nothing, voices)

    def by_beliefs(self, heads: Heads, first: int, nodes: Nodes, digits: int) -> Iterator[Row]:
        """Yield what a method says, its probabilities rounded to so many digits."""
        sure = nodes.sure(heads.file, self._node[heads.concept])
        status = self._statuses(heads, sure)
        rows = kept(heads, status, self._chains)
        paths = self._paths(heads, rows, nodes, 10**digits)
        voices = self._stands(heads, rows, self._chosen(heads, rows, nodes, 10**digits), 10**digits)
        sure = np.rint(sure[rows] * 10**digits) / 10**digits
        numbers = heads.file[rows] + first, heads.support[rows], heads.against[rows], heads.voters[rows]
        return self._rows(heads.concept[rows], numbers, sure, status[rows], paths, voices)

    def _rows(
        self,
        concept: Ints,
        numbers: tuple[Ints, Ints, Ints, Ints],
        sure: Floats,
        status: Ints,
        paths: list[tuple[Certainty, ...]] | list[tuple[()]],
        voices: list[tuple[Voices, ...]],
    ) -> Iterator[Row]:
        file, support, dissent, voters = (part.tolist() for part in numbers)
        return map(
            Row,
            file,
            map(self._chains.concepts.__getitem__, concept.tolist()),
            support,
            dissent,
            voters,
            sure.tolist(),
            map(STATUSES.__getitem__, status.tolist()),
            paths,
            voices,
        )

    def _statuses(self, heads: Heads, sure: Floats) -> Ints:
        support = heads.support
        unsure = (sure < self._limits.min_probability) & (heads.voters > 1) & (support > 0)
        status = np.select(
            [support == 0, support < self._limits.min_support],
            [STATUSES.index("withdrawn"), STATUSES.index("single")],
            STATUSES.index("accepted"),
        )
        rows = np.flatnonzero(unsure)
        behind = self._best_rival(heads, rows, sure) > sure[rows] + EVEN
        status[rows] = np.where(behind, STATUSES.index("minority"), STATUSES.index("tie"))
        return status

    def _best_rival(self, heads: Heads, rows: Ints, sure: Floats) -> Floats:
        """Return the highest probability that a taxon of another lineage has on the same file, 0 without one."""
        start = np.searchsorted(heads.file, np.arange(int(heads.file.max(initial=-1)) + 2))
        best = np.zeros(len(rows))
        pairs = np.cumsum(np.diff(start)[heads.file[rows]])
        bounds = [*range(0, int(pairs[-1]), PAIRS), int(pairs[-1])] if len(rows) else []
        cuts = np.searchsorted(pairs, bounds).tolist() if len(bounds) else []
        for begin, end in zip(cuts, [*cuts[1:-1], len(rows)], strict=False):
            some = rows[begin:end]
            owner, other = opened(start, heads.file[some])
            one, two = heads.concept[some[owner]], heads.concept[other]
            akin = (one == two) | self._chains.holds(one, two) | self._chains.holds(two, one)
            np.maximum.at(best, begin + owner[~akin], sure[other[~akin]])
        return best

    def _paths(self, heads: Heads, rows: Ints, nodes: Nodes, scale: int) -> list[tuple[Certainty, ...]]:
        owner, step = opened(self._step_start, heads.concept[rows])
        sure = np.rint(nodes.sure(heads.file[rows][owner], self._step_node[step]) * scale).astype(np.int64)
        key = step * (scale + 1) + sure
        known, steps = self._certainty, self._steps
        for one in distinct(key).tolist():
            if one not in known:
                which, well = divmod(one, scale + 1)
                known[one] = Certainty(steps[which].name, steps[which].rank, well / scale)
        made = list(map(known.__getitem__, key.tolist()))
        ends = np.searchsorted(owner, np.arange(len(rows)), "right").tolist()
        somebody = (heads.voters[rows] > 0).tolist()  # of a file of which nobody says anything, nothing is believed
        return [
            tuple(made[begin:end]) if voters else ()
            for begin, end, voters in zip([0, *ends], ends, somebody, strict=False)
        ]

    def _chosen(self, heads: Heads, rows: Ints, nodes: Nodes, scale: int) -> tuple[Ints, ...]:
        """Return of each row the branch it was chosen in and the skill there, and where most turned off, and theirs."""
        file, node = heads.file[rows], self._node[heads.concept[rows]]
        place = nodes.find(file, node)
        skill = np.where(place >= 0, nodes.skill[place], 0.0) if len(nodes.key) else np.zeros(len(rows))
        apart, their = self._turned(file, node, heads.against[rows] > 0, nodes)
        parts = self._tree.parent[node], np.rint(skill * scale), apart, np.rint(their * scale)
        return tuple(part.astype(np.int64) for part in parts)

    def _turned(self, file: Ints, node: Ints, divided: NDArray[np.bool_], nodes: Nodes) -> tuple[Ints, Floats]:
        """Return at which node on the way most turned off, and their mean skill there."""
        parent, size = self._tree.parent, nodes.size
        branch = nodes.key // size * size + parent[nodes.key % size]
        keys, of = np.unique(branch, return_inverse=True)
        gone = totals(of, nodes.voters, len(keys))
        known = totals(of, nodes.voters * nodes.skill, len(keys))
        apart, their = np.zeros(len(node), dtype=np.int64), np.zeros(len(node))
        rows = np.flatnonzero(divided)
        owner, at = opened(self._way_start, node[rows])
        child = self._way[at]
        whose = file[rows][owner]
        total = Nodes(size, keys, known, gone.astype(np.int64), known)
        there = total.find(whose, parent[child])
        own = nodes.find(whose, child)
        went = np.where(own >= 0, nodes.voters[own], 0) if len(nodes.key) else np.zeros(len(own))
        theirs = np.where(own >= 0, nodes.voters[own] * nodes.skill[own], 0.0) if len(nodes.key) else went
        off = np.where(there >= 0, gone[there], 0.0) - went if len(keys) else went
        starts = runs(owner)
        if len(starts):
            most = np.repeat(np.maximum.reduceat(off, starts), np.diff(np.append(starts, len(owner))))
            first = np.flatnonzero((off == most) & (off > 0))
            who, once = np.unique(owner[first], return_index=True)
            best = first[once]
            apart[rows[who]] = parent[child[best]]
            their[rows[who]] = (known[there[best]] - theirs[best]) / off[best]
        return apart, their

    def _stands(
        self, heads: Heads, rows: Ints, chosen: tuple[Ints, ...] | None, scale: int = 1
    ) -> list[tuple[Voices, ...]]:
        nowhere = np.zeros(len(rows), dtype=np.int64)
        branch, skill, apart, their = chosen or (nowhere, nowhere, nowhere, nowhere)
        above = np.where(heads.support > 0, heads.stopped, 0)
        four = (
            self._voices_of("same", heads.same[rows], branch, skill, scale),
            self._voices_of("below", heads.below[rows], branch, skill, scale),
            self._voices_of("above", above[rows], nowhere, nowhere, scale),
            self._voices_of("against", heads.against[rows], apart, their, scale),
        )
        return [tuple(filter(None, voices)) for voices in zip(*four, strict=True)]

    def _voices_of(self, stand: str, number: Ints, branch: Ints, skill: Ints, scale: int) -> list[Voices | None]:
        """Return what stands so, None where nobody does."""
        names, known = self._tree.names, self._voices[stand]
        key = (number * len(names) + branch) * (scale + 1) + skill
        key[number == 0] = NOBODY_STANDS
        for one in distinct(key).tolist():
            if one not in known and one != NOBODY_STANDS:
                which, well = divmod(one, scale + 1)
                known[one] = Voices(stand, which // len(names), names[which % len(names)], well / scale)
        return list(map(known.get, key.tolist()))
