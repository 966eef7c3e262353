"""Answer names from an index. In: an open index and queries. Out: one ``NameAnswer`` a query, in order."""

from collections.abc import Iterable, Iterator

from linkeddata.nameindex.answers import NameAnswer, NameQuery
from linkeddata.nameindex.index import NameIndex
from linkeddata.records import Taxon


def resolve_names(index: NameIndex, queries: Iterable[NameQuery]) -> Iterator[NameAnswer]:
    """Yield one answer for each query, in order, streamed in batches; equal queries have equal answers."""
    raise NotImplementedError


def to_taxon(answer: NameAnswer, moment: str) -> Taxon:
    """Return the answer as the record the rest of the project works with; ``moment`` is when it was asked."""
    raise NotImplementedError
