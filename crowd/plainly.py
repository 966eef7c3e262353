"""Labels of one file, said plainly. In: a ``Ballot``, and what a method believes of the file. Out: ``Row``s.

For files where something was taken away, a machine had a say, or classifications disagree; all others are counted
many at once, by ``crowd.labelcolumns``, to the same result.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crowd.ballots import Ballot
from crowd.believed import NOBODY_WENT, Node, turned
from crowd.heads import Above, Count, lowest, majority
from crowd.labelcolumns import EVEN, Limits, Row
from crowd.lineage import TaxonTree
from linkeddata.records import Certainty, Voices


class Plainly:
    """Says what counting makes of a ballot."""

    def __init__(self, tree: TaxonTree, above: Above, limits: Limits, digits: int) -> None:
        self._tree, self._above, self._limits, self._digits = tree, above, limits, digits

    def rows(self, file: int, ballot: Ballot, believed: Sequence[Mapping[int, Node]]) -> Iterator[Row]:
        """Yield the rows of a file, by taxon; ``believed`` is of people alone, then with machines; empty: by heads."""
        heads = self._heads(ballot)
        own = self._decided(heads, believed[0]) if believed else heads
        other: dict[str, Count] = {}
        if ballot.machine:
            counts = self._heads(ballot.with_machine())
            other = self._decided(counts, believed[1]) if believed else counts
            own = {concept: _only_machine(count, ballot, self._above) for concept, count in own.items()}
        for count in lowest(own, self._above):
            more = self._words(count, believed[0] if believed else {})
            if ballot.machine:
                more |= self._beside(count, ballot, other[count.concept])
            sure = round(count.probability, self._digits) if believed else count.probability
            yield Row(file, count.concept, count.support, count.dissent, count.voters, sure, count.status, **more)

    def _heads(self, ballot: Ballot) -> dict[str, Count]:
        return {count.concept: count for count in majority(ballot, self._above, self._limits.min_support)}

    def _decided(self, heads: Mapping[str, Count], nodes: Mapping[int, Node]) -> dict[str, Count]:
        """Return the counts with the method's probabilities, and the status that these give them."""
        node = self._tree.node
        sure = {concept: nodes[node[concept]].probability if node[concept] in nodes else 0.0 for concept in heads}
        return {
            concept: count._replace(probability=sure[concept], status=self._status(count, sure))
            for concept, count in heads.items()
        }

    def _status(self, count: Count, sure: Mapping[str, float]) -> str:
        if not count.support:
            return "withdrawn"
        own = sure[count.concept]
        if own < self._limits.min_probability and count.voters > 1:  # of a lone voter only the support is asked
            rivals = [p for other, p in sure.items() if not self._akin(count.concept, other)]
            return "minority" if max(rivals, default=0.0) > own + EVEN else "tie"
        return "single" if count.support < self._limits.min_support else "accepted"

    def _akin(self, one: str, other: str) -> bool:
        return one == other or one in self._above.get(other, ()) or other in self._above.get(one, ())

    def _words(self, count: Count, nodes: Mapping[int, Node]) -> dict[str, Any]:
        """Return the path down to a label's taxon, and who stands how."""
        if not nodes:
            return {"voices": tuple(Voices(how, number) for how, number in count.stands)}
        node, tree = self._tree.node[count.concept], self._tree
        sure = {step.node: nodes[step.node].probability for step in tree.paths[count.concept] if step.node in nodes}
        path = tuple(
            Certainty(step.name, step.rank, round(sure.get(step.node, 0.0), self._digits))
            for step in tree.paths[count.concept]
        )
        chosen = nodes.get(node, NOBODY_WENT)
        branch = tree.names[tree.parent[node]]
        divided = any(how == "against" for how, _ in count.stands)
        apart, their_skill = turned(node, nodes, tree) if divided else (0, 0.0)
        voices = []
        for how, number in count.stands:
            if how in ("same", "below"):
                voices.append(Voices(how, number, branch, round(chosen.skill, self._digits)))
            elif how == "against":
                voices.append(Voices(how, number, tree.names[apart], round(their_skill, self._digits)))
            else:
                voices.append(Voices(how, number))
        return {"path": path, "voices": tuple(voices)}

    def _beside(self, count: Count, ballot: Ballot, other: Count) -> dict[str, Any]:
        """Return what the label says of the counting with machines."""
        return {
            "machine": _accepting(ballot, count.concept, self._above),
            "machine_probability": round(other.probability, self._digits),
            "machine_status": other.status,
        }


def _accepting(ballot: Ballot, concept: str, above: Above) -> int:
    """Return how many people accepted a machine's suggestion of this taxon or of one below it."""
    return sum(
        any(one == concept or concept in above.get(one, ()) for one in named) for named in ballot.machine.values()
    )


def _only_machine(count: Count, ballot: Ballot, above: Above) -> Count:
    """Return the count with its status said to be a machine's, where nobody else stands by it."""
    if count.status == "withdrawn" and _accepting(ballot, count.concept, above):
        return count._replace(status="machine")
    return count
