"""The way of counting that knows the tree and who knows it: our own. In: a ``Poll``. Out: ``Beliefs``.

The model and its sources are told in ``crowd.skill``, for people in ``docs/crowd.md``.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from crowd.descent import descent
from crowd.poll import Beliefs, Poll, Skill
from crowd.skill import Learned, learn

LEAST = 0.001
"""Nobody is surer than this that something is not, or is: a thousand people may be wrong in the same way."""
TOLD_VOTES = 0.5
"""A skill learned by fewer choices than this is not told."""


def tree_with_skill(poll: Poll) -> Beliefs:
    """Return how sure each node of each question is, and how well those who chose it know their way there."""
    tree = poll.tree
    laid = descent(poll.votes, tree.parent, tree.depth)
    learned = learn(laid, tree.parent, tree.depth, poll.gold)
    cell = laid.step_cell
    skill = learned.branch_skill[learned.branch_of_step]
    count = np.bincount(cell, minlength=len(laid.cell_group))
    mean = np.bincount(cell, weights=skill, minlength=len(laid.cell_group)) / np.maximum(count, 1)
    told = ~laid.another
    question = laid.question_of_cell[told]
    order = np.argsort(question, kind="stable")
    return Beliefs(
        question=question[order],
        node=laid.cell_child[told][order].astype(np.int64),
        probability=np.clip(learned.cell[told][order], LEAST, 1 - LEAST),
        voters=count[told][order],
        skill=mean[told][order],
        skills=_Skills(poll, learned),
    )


class _Skills(Iterable[Skill]):
    """Who knows which branch: made while it is asked for, since there are more branches than anybody looks at."""

    def __init__(self, poll: Poll, learned: Learned) -> None:
        told = learned.branch_votes >= TOLD_VOTES
        self._voters, self._names = poll.voters, poll.tree.names
        self._columns = tuple(
            column[told]
            for column in (learned.branch_voter, learned.branch_node, learned.branch_skill, learned.branch_votes)
        )

    def __iter__(self) -> Iterator[Skill]:
        for voter, node, skill, votes in zip(*(column.tolist() for column in self._columns), strict=True):
            yield Skill(self._voters[voter], self._names[node], skill, votes, node)
