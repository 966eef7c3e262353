"""The real pywikibot finds its way through the stand-in: what it says of itself is what general clients expect."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks._harvest_requests import pywikibot_requests, world
from harvest.standin.server import StandIn
from harvest.standin.world import Revision, World


def _standing(revision: Revision) -> int:
    return len(revision.entity.statements.get("P180", ())) if revision.entity else 0


@pytest.mark.skipif(find_spec("pywikibot") is None, reason="pywikibot is not installed: pip install 'deboodt[bench]'")
def test_pywikibot_walks_a_category(tmp_path: Path) -> None:
    small: World = world(12)
    with StandIn(small) as standin:
        requests_a_file, statements = pywikibot_requests(standin, tmp_path, histories=True)
        assert standin.broken == []
    assert statements == sum(_standing(file.revisions[-1]) for file in small.files)
    assert requests_a_file > 2
