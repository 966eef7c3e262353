"""The queue for experts with 100,000 open entries: how fast the next is handed out, and a page is read.

    python -m benchmarks.review [entries]

Beside each, the same answer by reading all open entries and sorting them in Python.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks._figure import figure, seconds
from crowd.reviewing import Said, say
from crowd.reviewqueue import Asked, count, follow, hand_out, page
from crowd.rights import ALL, Person
from crowd.taxonsearch import TaxonSearch
from linkeddata.ids import content_id
from linkeddata.records import Ancestor, Identification, Label, MediaFile, Record, Taxon
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
ANNA = Person(account="anna", agent="urn:anna", role="reviewer", branches=(ALL,))
OF_BRANCH = Person(account="bert", agent="urn:bert", role="reviewer", branches=("gbif:9003",))
TAXA = 2_000
TIMES = 30
SORTING = "reading all open entries and sorting them in Python"


def records(number: int) -> Iterator[Record]:
    """Yield ``number`` open entries: two labels and an answer a file, of 2,000 species in 40 families."""
    for at in range(TAXA):
        family = Ancestor("family", f"Family {at % 40}", str(9000 + at % 40))
        spoken = (("nl", f"vlinder {at}"), ("en", f"butterfly {at}"))
        yield Taxon(
            query=f"Q{at + 1}", concept=f"Q{at + 1}", item=f"Q{at + 1}", name=f"Genus species{at}", rank="species",
            lineage=(family,), vernaculars=spoken,
        )  # fmt: skip
    for at in range(number // 3):
        file = f"https://commons.deboodt.example/entity/M{at}"
        yield MediaFile(iri=file, institution=f"Q{at % 7}")
        for side in (0, 1):
            concept = f"Q{(at * 7 + side) % TAXA + 1}"
            yield Label(
                id=content_id("c", file, concept), campaign=f"c{at % 5}", file=file, concept=concept, name=concept,
                item=concept, support=at % 5 + 1, dissent=at % 4, voters=at % 5 + at % 4 + 1, status="single",
                probability=(at % 97) / 97, method="majority",
            )  # fmt: skip
        concept = f"Q{at * 7 % TAXA + 1}"
        yield Identification(
            id=f"a{at}", file=file, model="m", version="1", label=concept, item=concept,
            certainty=(at % 89) / 89, campaign=f"c{at % 5}",
        )  # fmt: skip


def main() -> None:
    """Print the figures."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder, Store(f"sqlite:///{Path(folder) / 's.sqlite'}") as store:
        store.put(records(number), agent="bench", moment=WHEN)
        start = time.perf_counter()
        follow(store)
        scored = number / (time.perf_counter() - start)
        whole = page(store, ANNA, Asked(), number)
        sorting = 1000 * seconds(lambda: sorted(page(store, ANNA, Asked(), number), key=lambda one: one.place)[:1], 3)
        figure("review.scored", scored, "entries/s", beside="entries", beside_value=number)
        middle = whole[len(whole) // 2].place
        for name, work in {
            "hand_out": lambda: hand_out(store, ANNA, Asked(), lambda: WHEN),
            "hand_out_campaign": lambda: hand_out(store, ANNA, Asked(campaign="c3"), lambda: WHEN),
            "hand_out_family": lambda: hand_out(store, ANNA, Asked(taxon=("gbif:9007",)), lambda: WHEN),
            "hand_out_of_branch": lambda: hand_out(store, OF_BRANCH, Asked(), lambda: WHEN),
            "count": lambda: count(store, ANNA, Asked()),
            "count_of_branch": lambda: count(store, OF_BRANCH, Asked()),
            "page_of_50_in_the_middle": lambda: page(store, ANNA, Asked(after=middle), 50),
        }.items():
            took = 1000 * seconds(work, TIMES)
            figure(f"review.{name}", took, "ms", beside=SORTING, beside_value=sorting, at_most=100)
        search = TaxonSearch(store)
        took = 1000 * seconds(lambda: search.suggestions("vlinder 1"), TIMES)
        figure("review.suggestions", took, "ms", beside="taxa", beside_value=TAXA, at_most=20)
        each = iter(whole)

        def verdict() -> None:
            one = next(each)
            say(store, ANNA, Said(target=one.target, verdict="accept", key=one.target), lambda: WHEN)

        took = 1000 * seconds(verdict, TIMES)
        figure("review.verdict", took, "ms", beside=SORTING, beside_value=sorting, at_most=100)


if __name__ == "__main__":
    main()
