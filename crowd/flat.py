"""Ways of counting that know no tree: those of crowd-kit. In: a ``Poll``. Out: ``Beliefs``.

Each named taxon is a class of its own; a node is as sure as the classes at and below it together. crowd-kit
(https://github.com/Toloka/crowd-kit) is loaded when one of these counts, not before: it brings pandas, scikit-learn and
more, which nothing else here needs. It comes with the extra ``crowd``.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from crowd.keys import Floats, Ints, totals
from crowd.poll import Beliefs, Poll
from linkeddata.errors import UsageError

LARGEST = 50_000_000
"""Cells of the table, questions by taxa, beyond which crowd-kit's memory is more than a small machine has."""
SEED = 1596
LEAST = 1e-10
"""What crowd-kit's tables of errors hold at least."""


def weighted(poll: Poll) -> Beliefs:
    """Weigh each voter by one skill of his own (crowd-kit's ``OneCoinDawidSkene``; Zhang et al. 2014)."""
    return _counted(poll, lambda kit: _one_coin(kit)(n_iter=100))


def dawid_skene(poll: Poll) -> Beliefs:
    """Learn a table of confusions for each voter (Dawid & Skene 1979)."""
    return _counted(poll, lambda kit: kit.DawidSkene(n_iter=100))


def glad(poll: Poll) -> Beliefs:
    """Learn the ability of each voter and the difficulty of each question (GLAD; Whitehill et al. 2009)."""
    return _counted(poll, lambda kit: kit.GLAD(n_iter=100))


def mace(poll: Poll) -> Beliefs:
    """Learn how often each voter answers without looking, and how then (MACE; Hovy et al. 2013)."""
    # crowd-kit begins each of its ten restarts from the same random numbers: they all end alike, so one is enough.
    return _counted(poll, lambda kit: kit.MACE(random_state=SEED, n_restarts=1))


def _one_coin(kit: Any) -> Any:
    """Return crowd-kit's ``OneCoinDawidSkene``, which here fills its table of errors at once, not cell by cell."""

    class OneCoin(kit.OneCoinDawidSkene):  # type: ignore[misc]
        @staticmethod
        def _process_skills_to_errors(data: Any, probas: Any, skills: Any) -> Any:
            errors = kit.DawidSkene._m_step(data, probas)
            worker, label = (errors.index.get_level_values(level) for level in (0, 1))
            skill = skills.loc[worker].to_numpy()[:, None]
            same = label.to_numpy()[:, None] == errors.columns.to_numpy()
            errors[:] = np.where(same, skill, (1 - skill) / max(1, len(errors.columns) - 1))
            return errors.clip(lower=LEAST, upper=1 - LEAST)

    return OneCoin


def _counted(poll: Poll, method: Callable[[Any], Any]) -> Beliefs:
    votes = poll.votes
    if not len(votes.question):
        return _summed(poll, votes.question, votes.node, np.zeros(0))
    labels = len(np.unique(votes.node))
    if votes.questions * labels > LARGEST:
        raise UsageError(
            f"{votes.questions:,} questions by {labels:,} taxa are too many for crowd-kit's tables; take method = "
            '"tree", which holds only what was said'
        )
    try:
        import pandas
        from crowdkit import aggregation
    except ImportError as error:
        raise UsageError(
            f"this way of counting needs crowd-kit: install De Boodt with the extra crowd ({error})"
        ) from error
    answers = pandas.DataFrame({"task": votes.question, "worker": votes.voter, "label": votes.node})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about what crowd-kit will have to change
        found = method(aggregation).fit(answers).probas_
    table = found.to_numpy(dtype=np.float64, na_value=0.0)
    row, column = np.nonzero(table > 1e-9)
    question, node = found.index.to_numpy(), found.columns.to_numpy()
    return _summed(poll, question[row].astype(np.int64), node[column].astype(np.int64), table[row, column])


def _summed(poll: Poll, question: Ints, node: Ints, probability: Floats) -> Beliefs:
    """Return the beliefs in each node: those in the classes at and below it."""
    tree, votes = poll.tree, poll.votes
    size = len(tree.parent)
    believed = _up(question * size + node, probability, tree.parent)
    went = _up(votes.question * size + votes.node, np.ones(len(votes.node)), tree.parent)
    keys = np.union1d(believed[0], went[0])
    value, count = np.zeros(len(keys)), np.zeros(len(keys), dtype=np.int64)
    value[np.searchsorted(keys, believed[0])] = believed[1]
    count[np.searchsorted(keys, went[0])] = went[1]
    return Beliefs(keys // size, keys % size, np.clip(value, 0.0, 1.0), count, np.zeros(len(keys)))


def _up(keys: Ints, weights: Floats, parent: Ints) -> tuple[Ints, Floats]:
    """Return the sums of weights by question and node, each given to all nodes above as well, but the root."""
    size = len(parent)
    found, given = [], []
    while len(keys):
        inside = keys % size > 0
        keys, weights = keys[inside], weights[inside]
        found.append(keys)
        given.append(weights)
        keys = keys - keys % size + parent[keys % size]
    total, place = np.unique(np.concatenate(found) if found else keys, return_inverse=True)
    return total, totals(place, np.concatenate(given) if given else weights, len(total))
