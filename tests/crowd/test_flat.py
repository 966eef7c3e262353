"""crowd-kit's ways of counting where we take a shorter way to the same numbers."""

import warnings
from typing import Any

import numpy as np
import pytest

from benchmarks._crowds import over_tree
from crowd import flat

CROWD = over_tree(0, 25, 8, 5)


def fitted(method: Any) -> Any:
    pandas = pytest.importorskip("pandas")
    answers = pandas.DataFrame(CROWD.answers, columns=["task", "worker", "label"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # crowd-kit's own
        return method.fit(answers).probas_


def test_one_coin_believes_what_crowd_kits_does() -> None:
    kit = pytest.importorskip("crowdkit.aggregation")
    theirs, ours = fitted(kit.OneCoinDawidSkene(n_iter=100)), fitted(flat._one_coin(kit)(n_iter=100))
    assert np.array_equal(theirs, ours.loc[theirs.index, theirs.columns])


def test_mace_ends_alike_from_all_its_restarts() -> None:
    kit = pytest.importorskip("crowdkit.aggregation")
    two, one = (fitted(kit.MACE(random_state=flat.SEED, n_iter=10, n_restarts=times)) for times in (2, 1))
    assert np.array_equal(two, one)
