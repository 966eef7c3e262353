"""A followed graph says what the documents say: after any history, whoever was killed in the middle of it."""

import ast
from contextlib import closing, suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import pyoxigraph as ox
from hypothesis import given, settings
from hypothesis import strategies as st

from linkeddata import graphdocuments, modeldocuments, quads
from linkeddata.graphbooks import Books, Difference
from linkeddata.graphdocuments import MADE_BY
from linkeddata.graphfollower import Following
from linkeddata.records import Agent, Identification, Label, MediaFile, ModelClass, Taxon
from linkeddata.sayings import Sorter
from linkeddata.store import Store
from linkeddata.withdrawals import withdrawal

BASE = "https://deboodt.example"
SAID = {"agent": "test", "moment": "2026-11-02T10:00:00Z"}
ITEMS = ("Q158603", "Q1", "")
FILES = ("https://plates.example/1", "https://plates.example/2")

names = st.sampled_from(["Vanessa cardui", "Vanessa", 'Dist"el\\u0041 \n🦋', "سيدة"])
numbers = st.integers(0, 3)


def of_its_file(said: Identification | Label) -> Identification | Label:
    """Return what was said, of the file that its id always stands for."""
    return replace(said, file=FILES[int(said.id[1:]) % len(FILES)])


records = st.one_of(
    st.builds(
        Identification,
        id=numbers.map("a{}".format),
        file=st.just(FILES[0]),
        label=names,
        rank=st.sampled_from(["species", ""]),
        item=st.sampled_from(ITEMS),
        gbif_key=st.sampled_from(["", "4299368"]),
        certainty=st.sampled_from([0.0, 0.25, 1 / 3]),
        agent=st.sampled_from(["", "urn:robot", "urn:person"]),
        moment=st.just("2026-11-02T10:00:00Z"),
        supersedes=st.sampled_from(["", "a0"]),
        region=st.sampled_from(["", "xywh=percent:1,1,20,20"]),
    ).map(of_its_file),
    st.builds(
        Label,
        id=numbers.map("l{}".format),
        campaign=st.just("c"),
        file=st.just(FILES[0]),
        concept=st.just("Q1"),
        item=st.sampled_from(ITEMS),
        name=names,
        support=numbers,
        voters=numbers,
    ).map(of_its_file),
    st.builds(MediaFile, iri=st.sampled_from(FILES), title=names, width_px=numbers, simulated=st.booleans()),
    st.builds(
        Taxon,
        query=st.sampled_from(["Q158603", "Q1", "cardui"]),
        concept=st.sampled_from(ITEMS),
        name=names,
        item=st.sampled_from(ITEMS),
        gbif_key=st.sampled_from(["", "4299368"]),
        vernaculars=st.sampled_from([(), (("nl", "Distelvlinder"),), (("nl", "Distelvlinder"), ("en", "Lady"))]),
    ),
    st.builds(
        Agent, id=st.sampled_from(["urn:robot", "urn:person"]), kind=st.sampled_from(["Person", "SoftwareAgent"])
    ),
    st.builds(
        ModelClass,
        id=numbers.map("m@1/{}".format),
        model=st.just("m"),
        version=st.just("1"),
        index=numbers,
        label=names,
        item=st.sampled_from(ITEMS),
    ).map(lambda one: replace(one, index=int(one.id[-1]))),
)
removals = st.one_of(
    st.tuples(st.just(Identification), numbers.map("a{}".format)),
    st.tuples(st.just(Label), numbers.map("l{}".format)),
    st.tuples(st.just(MediaFile), st.sampled_from(FILES)),
    st.tuples(st.just(Taxon), st.sampled_from(["Q158603", "Q1", "cardui"])),
    st.tuples(st.just(ModelClass), numbers.map("m@1/{}".format)),
)
catching_up = st.sampled_from(["follow", "killed before", "killed after"])
histories = st.lists(st.one_of(st.lists(records, min_size=1, max_size=6), removals, catching_up), max_size=12)


class KilledError(Exception):
    """The process ends here."""


class Triples:
    """A graph in memory that can be killed before it changes or before it is remembered that it did."""

    def __init__(self) -> None:
        self.number = 0
        self.held: set[str] = set()
        self.kill = "follow"

    def clear(self) -> None:
        self.number = 0
        self.held = set()

    def apply(self, difference: Difference) -> None:
        if self.kill == "killed before":
            raise KilledError
        self.held = (self.held - difference.dropped) | difference.statements()
        if self.kill == "killed after":
            raise KilledError
        self.number = difference.number


def said_by_all(store: Store) -> set[str]:
    """What every document says, each made from the store alone."""
    said: set[str] = set()
    for made in graphdocuments.KINDS.values():
        for one in made.made(store, [one for one in store.each(made.record) if withdrawal(one) is None], BASE):
            said |= set(quads.statements(one, BASE))
    for name in graphdocuments.models(store):
        model, _, version = name.rpartition("@")
        classes = list(store.each(ModelClass, model=model, version=version))
        said |= set(quads.statements(modeldocuments.model_document(classes, base_url=BASE), BASE))
    return said


def caught_up(store: Store, graph: Triples, folder: Path, kill: str) -> None:
    """Follow to the end in a new process, or until it is killed."""
    graph.kill = kill
    with (
        closing(Books(folder / "books.sqlite")) as books,
        suppress(KilledError),
        closing(Following(graph, books, BASE)) as following,
    ):
        following.open("memory")
        while following.advance(store):
            pass
        assert following.position == store.state()[0]


@settings(max_examples=60, deadline=None)
@given(histories)
def test_the_graph_is_the_union_of_the_documents_after_any_history(history: list[object]) -> None:
    graph = Triples()
    with TemporaryDirectory() as home, Store("sqlite://") as store:
        for step in history:
            if isinstance(step, list):
                store.put(step, **SAID)
            elif isinstance(step, tuple):
                store.remove(step[0], [step[1]], reason="wrong", **SAID)
            else:
                caught_up(store, graph, Path(home), str(step))
        caught_up(store, graph, Path(home), "follow")
        assert graph.held == said_by_all(store)


def test_a_graph_that_is_not_at_the_number_of_the_books_is_made_again(tmp_path: Path) -> None:
    graph = Triples()
    with Store("sqlite://") as store:
        store.put([MediaFile(iri=FILES[0], title="Plate")], **SAID)
        caught_up(store, graph, tmp_path, "follow")
        graph.number, graph.held = graph.number - 2, set()  # a power cut took the end of it
        caught_up(store, graph, tmp_path, "follow")
        assert graph.held == said_by_all(store) != set()


@given(st.lists(names, min_size=1, unique=True))
def test_updates_put_into_sparql_what_n_triples_say(texts: list[str]) -> None:
    said = {str(ox.Triple(ox.NamedNode("urn:a"), ox.NamedNode("urn:p"), ox.Literal(text))) for text in texts}
    by_update, by_file = ox.Store(), ox.Store()
    for update in Difference(0, set(), list(said)).updates(most=2):
        by_update.update(update)
    by_file.load("".join(f"{one} .\n" for one in said).encode(), format=ox.RdfFormat.N_TRIPLES)
    assert set(by_update) == set(by_file)
    assert {str(quad.triple.object.value) for quad in by_update} == set(texts)
    for update in Difference(0, said).updates():
        by_update.update(update)
    assert not set(by_update)


def test_what_documents_are_made_by_is_there_and_marked() -> None:
    assert len(graphdocuments.shape()) == 16


BESIDE = {"errors", "profiles", "records", "settings", "store", "tables"}
"""What those files use that decides nothing of what the graph says: the version is in the mark by itself."""


def test_what_makes_documents_uses_nothing_that_the_mark_leaves_out() -> None:
    """Who lets documents depend on another file puts it into ``MADE_BY``, or else graphs keep what it said before."""
    used: set[str] = set()
    for name in MADE_BY:
        if name.endswith(".py"):
            tree = ast.parse((files("linkeddata") / name).read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.module == "linkeddata":
                    used |= {one.name for one in node.names}
                elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("linkeddata."):
                    used.add(str(node.module).split(".")[1])
    made = {name.removesuffix(".py") for name in MADE_BY}
    assert used - made == BESIDE
    assert {"why", "percents", "jsonld", "documents"} <= made


def test_what_is_said_of_one_thing_in_two_places_is_one_text() -> None:
    plate = {"id": "urn:b", "title": "Plate", "source": {"id": "urn:c", "title": "Book"}}
    again = {"id": "urn:b", "type": "Image", "source": {"id": "urn:a#part", "title": "Part"}}
    doc = {"id": "urn:a", "title": "Answer", "target": [plate, again, plate], "creator": {"id": "urn:d"}}
    sorter = Sorter(BASE)
    for _ in range(2):  # sorted, and then remembered
        said = sorter.said("urn:a", doc, own=True)
        assert set(said.statements()) == set(quads.statements(doc, BASE))
        assert sorted(block.split(" ")[0] for block in said.blocks) == ["<urn:b>", "<urn:c>"]
        assert "<urn:a#part>" in said.own
        assert not sorter.said("urn:a", doc, own=False).own


def test_a_difference_whose_file_is_not_whole_is_not_believed(tmp_path: Path) -> None:
    graph = Triples()
    with Store("sqlite://") as store:
        store.put([MediaFile(iri=FILES[0], title="Plate")], **SAID)
        caught_up(store, graph, tmp_path, "killed before")
        (left,) = tmp_path.glob("books.sqlite-difference-*")
        left.write_bytes(left.read_bytes()[:-1])  # a power cut took the end of it
        caught_up(store, graph, tmp_path, "follow")
        assert graph.held == said_by_all(store) != set()
    assert not list(tmp_path.glob("books.sqlite-difference-*"))
