"""The store on SQLite and on PostgreSQL: the same tests, real engines, real kills."""

import json
import os
import signal
import subprocess
import sys
import threading
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from linkeddata.batches import Changes
from linkeddata.errors import StoreError
from linkeddata.records import (
    KEYS,
    Agent,
    Ancestor,
    CampaignFile,
    Event,
    Failure,
    Identification,
    Label,
    MediaFile,
    Step,
    Tag,
    Taxon,
)
from linkeddata.reviewtables import ACCOUNT
from linkeddata.store import Store
from linkeddata.tables import METADATA, NAMES, SCHEMA

WHO = {"agent": "urn:deboodt:software:test", "moment": "2026-01-02T03:04:05Z"}


@pytest.fixture
def url(store_url: str) -> str:
    return store_url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as opened:
        yield opened


def tag(number: int, **values: Any) -> Tag:
    return Tag(
        **{"id": f"t{number:06}", "file": f"https://commons.example/entity/M{number // 3 + 1}", "item": "Q1"} | values
    )


def kinds(store: Store) -> list[tuple[int, str, str]]:
    return [(event.seq, event.kind, event.subject) for event in store.events()]


# what put does


def test_put_adds_changes_and_leaves_alone(store: Store) -> None:
    first, second = tag(1), tag(2)
    assert store.put([first, second], **WHO) == Changes(added=2)
    assert store.put([first, replace(second, prominent=True), tag(3)], **WHO) == Changes(
        added=1, changed=1, unchanged=1
    )
    assert store.get(Tag, second.id) == replace(second, prominent=True)
    assert kinds(store) == [
        (1, "tag.added", first.id),
        (2, "tag.added", second.id),
        (3, "tag.changed", second.id),
        (4, "tag.added", tag(3).id),
    ]
    event = next(store.events(after=2))
    assert (event.agent, event.moment) == (WHO["agent"], WHO["moment"])
    assert json.loads(event.payload)["prominent"] is True


def test_kinds_mix_in_one_stream_and_are_logged_in_its_order(store: Store) -> None:
    taxon = Taxon(
        query="Vanessa cardui",
        lineage=(Ancestor("kingdom", "Animalia", "1"), Ancestor("genus", "Vanessa")),
        vernaculars=(("nl", "distelvlinder"),),
    )
    stream = [
        Agent(id="a"),
        tag(1),
        taxon,
        Agent(id="b"),
        Step(id="c/s", campaign="c", name="s", fingerprint="f", counts=(("x", 3),)),
    ]
    assert store.put(stream, **WHO) == Changes(added=5)
    assert store.get(Taxon, taxon.query) == taxon
    assert store.get(Step, "c/s") == stream[-1]
    assert [kind for _, kind, _ in kinds(store)] == [
        "agent.added",
        "tag.added",
        "taxon.added",
        "agent.added",
        "step.added",
    ]


def test_the_same_key_twice_in_one_batch_counts_one_after_the_other(store: Store) -> None:
    stream = [tag(1), tag(1), tag(1, prominent=True), tag(1), tag(1, withdrawn="2022")]
    assert store.put(stream, **WHO) == Changes(added=1, changed=3, unchanged=1)
    assert store.get(Tag, tag(1).id) == tag(1, withdrawn="2022")
    assert [kind for _, kind, _ in kinds(store)] == ["tag.added", "tag.changed", "tag.changed", "tag.withdrawn"]


def test_a_stored_record_may_change_twice_in_one_batch(store: Store) -> None:
    store.put([tag(1)], **WHO)
    assert store.put([tag(1, item="Q2"), tag(1, item="Q3"), tag(1, item="Q3")], **WHO) == Changes(
        changed=2, unchanged=1
    )
    assert store.get(Tag, tag(1).id) == tag(1, item="Q3")


def test_a_tag_taken_back_is_withdrawn_and_one_that_returns_is_changed(store: Store) -> None:
    for each in (
        tag(1),
        tag(1, withdrawn="2022", withdrawn_by="b"),
        tag(1, withdrawn="2023", withdrawn_by="b"),
        tag(1),
    ):
        store.put([each], **WHO)
    assert [kind for _, kind, _ in kinds(store)] == ["tag.added", "tag.withdrawn", "tag.changed", "tag.changed"]


def test_superseding_is_logged_on_the_old_identification_once(store: Store) -> None:
    new = Identification(id="new", file="f", supersedes="old")
    store.put([Identification(id="old", file="f"), new], **WHO)
    store.put([new], **WHO)
    store.put([replace(new, status="verified")], **WHO)
    assert [(kind, subject) for _, kind, subject in kinds(store)] == [
        ("identification.added", "old"),
        ("identification.added", "new"),
        ("identification.superseded", "old"),
        ("identification.changed", "new"),
    ]
    assert json.loads(next(store.events(kind="identification.superseded")).payload) == {"superseded_by": "new"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Taxon(query="q", moment="1"), Taxon(query="q", moment="2"), Changes(unchanged=1)),
        (Taxon(query="q", moment="1"), Taxon(query="q", moment="2", rank="genus"), Changes(changed=1)),
        (Label(id="l", campaign="c", file="f", concept="Q1", moment="1"),
         Label(id="l", campaign="c", file="f", concept="Q1", moment="2"), Changes(unchanged=1)),
        (Failure(id="x", step="names", subject="s", reason="r", moment="1"),
         Failure(id="x", step="names", subject="s", reason="r", moment="2"), Changes(unchanged=1)),
        (Step(id="s", campaign="c", name="n", fingerprint="f", moment="1", seconds=1.5),
         Step(id="s", campaign="c", name="n", fingerprint="f", moment="2", seconds=2.5), Changes(unchanged=1)),
        (tag(1, moment="1"), tag(1, moment="2"), Changes(changed=1)),
        (Identification(id="i", file="f", moment="1"),
         Identification(id="i", file="f", moment="2"), Changes(changed=1)),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_finding_the_same_again_later_is_no_change(store: Store, one: Any, other: Any, expected: Changes) -> None:
    store.put([one], **WHO)
    assert store.put([other], **WHO) == expected
    kept = other if expected.changed else one
    assert store.get(type(one), getattr(one, KEYS[type(one)])) == kept


def test_nothing_to_put_writes_nothing(store: Store) -> None:
    assert store.put([], **WHO) == Changes()
    assert kinds(store) == []


def test_what_came_before_an_error_in_the_stream_is_kept(store: Store) -> None:
    def broken() -> Iterator[Tag]:
        yield from (tag(n) for n in range(7))
        raise ConnectionResetError("the service went away")

    with pytest.raises(ConnectionResetError):
        store.put(broken(), **WHO, batch=5)
    assert [t.id for t in store.each(Tag)] == [tag(n).id for n in range(7)]


def test_a_value_of_the_wrong_type_is_refused_and_its_batch_is_not_written(store: Store) -> None:
    with pytest.raises(TypeError):
        store.put([tag(1), tag(2, item={1, 2})], **WHO)
    with pytest.raises(StoreError):
        store.put([tag(1), tag(2, item=None)], **WHO)
    assert store.count(Tag) == 0
    assert kinds(store) == []


# reading


def test_each_goes_through_all_pages_in_key_order(store: Store) -> None:
    numbers = [n * 7919 % 2503 for n in range(2503)]
    store.put((tag(n, campaign="even" if n % 2 == 0 else "odd") for n in numbers), **WHO)
    assert [t.id for t in store.each(Tag)] == [tag(n).id for n in range(2503)]
    assert [t.id for t in store.each(Tag, campaign="odd", item="Q1")] == [tag(n).id for n in range(1, 2503, 2)]
    assert store.count(Tag) == 2503
    assert store.count(Tag, campaign="even") == 1252
    assert store.count(Tag, prominent=True) == 0
    assert [e.seq for e in store.events()] == list(range(1, 2504))


def test_keys_are_ordered_by_code_point_whatever_the_database_speaks(store: Store) -> None:
    names = ["zebra", "Zebra", "éclair", "eclair", "a b", "ab", "a-b", "Ångström", "日本", "😀", "_", "~"]
    store.put([Taxon(query=name) for name in names], **WHO)
    assert [t.query for t in store.each(Taxon)] == sorted(names)


def test_one_may_write_while_reading(store: Store) -> None:
    store.put((tag(n) for n in range(2100)), **WHO)
    for each in store.each(Tag):
        if each.id in {"t000000", "t002099"}:
            store.put([replace(each, prominent=True)], **WHO)
    assert store.count(Tag, prominent=True) == 2


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.get(Tag, "t") is None
    assert list(store.each(MediaFile)) == []
    assert store.count(MediaFile) == 0


def test_an_unknown_field_is_named(store: Store) -> None:
    with pytest.raises(TypeError, match="Tag has no field 'concept'"):
        list(store.each(Tag, concept="Q1"))


def test_remove_takes_the_record_and_leaves_the_event(store: Store) -> None:
    store.put([tag(1), tag(2)], **WHO)
    ids = [tag(1).id, "absent", tag(1).id]
    assert store.remove(Tag, ids, **WHO, reason="file left the campaign") == 1
    assert store.get(Tag, tag(1).id) is None
    assert store.count(Tag) == 1
    [event] = store.events(kind="tag.removed")
    assert (event.subject, json.loads(event.payload)) == (tag(1).id, {"reason": "file left the campaign"})
    assert store.put([tag(1)], **WHO) == Changes(added=1)


def test_notes_and_filters_of_the_log(store: Store) -> None:
    store.put([tag(1), tag(2)], **WHO)
    store.note("export.written", "out.csv", {"rows": 3, "title": "papillón"}, **WHO)
    assert [e.seq for e in store.events(kind="export.written")] == [3]
    assert [e.kind for e in store.events(subject=tag(2).id)] == ["tag.added"]
    assert next(store.events(after=2)).payload == '{"rows":3,"title":"papillón"}'
    assert list(store.events(after=3)) == []


def test_lines_are_the_same_whatever_the_order_of_writing(store: Store, tmp_path: Path) -> None:
    things = [tag(n) for n in range(5)] + [Agent(id="a"), CampaignFile(id="cf", campaign="c", file="f")]
    store.put(things, **WHO)
    with Store(f"sqlite:///{tmp_path / 'other.sqlite'}") as other:
        other.put(reversed(things), agent="x", moment="y", batch=2)
        assert list(other.lines()) == list(store.lines())
        other.put([tag(1, moment="2022")], **WHO)
        assert list(other.lines()) != list(store.lines())
        assert list(other.lines(leave_out={Tag: {"moment"}})) == list(store.lines(leave_out={Tag: {"moment"}}))
    values = {"id": "a", "kind": "Person", "name": "", "version": "", "homepage": ""}
    assert json.loads(next(store.lines())) == {"record": "agent"} | values


# properties

NASTY = st.text(alphabet=st.characters() | st.sampled_from("\x00\ud800\udfff'\"\\%;:\n\r\t\u2028\ufeff😀"), max_size=20)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if hint is str:
        return NASTY
    if hint is int:
        return st.integers(0, 2**62)
    if hint is bool:
        return st.booleans()
    if hint is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    inner = typing.get_args(hint)[0]
    if is_dataclass(inner):
        return st.lists(_records(inner), max_size=3).map(tuple)
    return st.lists(st.tuples(*map(_values, typing.get_args(inner))), max_size=3).map(tuple)


def _records(kind: type) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{f.name: _values(hints[f.name]) for f in fields(kind)})


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, tuple):
        return tuple(_storable(v) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _storable(getattr(value, f.name)) for f in fields(value)})
    return value


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=st.one_of([_records(kind) for kind in NAMES]))
def test_what_is_put_is_got(store: Store, record: Any) -> None:
    key = KEYS[type(record)]
    record = replace(record, **{key: f"{store.state()[0]} {getattr(record, key)}"})  # no earlier example's
    assert store.put([record], **WHO) == Changes(added=1)
    assert store.get(type(record), getattr(record, key)) == _storable(record)
    assert store.put([record], **WHO) == Changes(unchanged=1)
    again = {f.name: getattr(record, f.name) for f in fields(record) if isinstance(getattr(record, f.name), str)}
    assert _storable(record) in list(store.each(type(record), **again))


_small_tags = st.builds(
    tag, st.integers(0, 3), item=st.sampled_from(["Q1", "Q2"]), withdrawn=st.sampled_from(["", "2022"])
)
_small_labels = st.builds(
    Label,
    id=st.sampled_from("ab"),
    campaign=st.just("c"),
    file=st.just("f"),
    concept=st.just("Q1"),
    status=st.sampled_from(["accepted", "single"]),
    moment=st.sampled_from("12"),
)
_acts = st.lists(
    st.tuples(st.just("put"), st.lists(_small_tags | _small_labels, max_size=6), st.integers(1, 4))
    | st.tuples(st.just("remove"), st.lists(st.integers(0, 3).map(lambda n: tag(n).id), max_size=3), st.just(0)),
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=_acts)
def test_the_tables_are_what_the_log_adds_up_to(store: Store, acts: list[tuple[str, list[Any], int]]) -> None:
    for kind in (Tag, Label):
        store.remove(kind, [r.id for r in store.each(kind)], **WHO, reason="test")
    start = max((e.seq for e in store.events()), default=0)
    for act, things, batch in acts:
        if act == "put":
            changes = store.put(things, **WHO, batch=batch)
            assert changes.added + changes.changed + changes.unchanged == len(things)
        else:
            store.remove(Tag, things, **WHO, reason="test")
    state: dict[tuple[str, str], Any] = {}
    events = list(store.events(after=start))
    for event in events:
        name, _, verb = event.kind.partition(".")
        if verb == "removed":
            del state[name, event.subject]
        else:
            assert ((name, event.subject) in state) == (verb != "added")
            state[name, event.subject] = {"record": name} | json.loads(event.payload)
    assert [json.loads(line) for line in store.lines()] == [
        state[key] for key in sorted(state, key=lambda k: (k[0] == "label", k))
    ]
    assert [e.seq for e in events] == list(range(start + 1, start + 1 + len(events)))


# several processes, kills

WRITER = """
import sys
from linkeddata.records import Tag
from linkeddata.store import Store
url, name, total, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
def tags():
    for n in range(total):
        if n % batch == 0:
            print(n, flush=True)  # n tags are committed
        yield Tag(id=f"{name}{n:08}", file="f", item="Q1")
with Store(url) as store:
    store.put(tags(), agent=name, moment="m", batch=batch)
print("done", flush=True)
"""


def _writer(url: str, name: str, total: int, batch: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", WRITER, url, name, str(total), str(batch)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("after", [1, 4])
def test_kill_9_loses_nothing_committed_and_leaves_no_half_batch(url: str, after: int) -> None:
    with _writer(url, "k", 10_000_000, 50) as process:
        assert process.stdout is not None
        committed = 0
        for _ in range(after + 1):
            committed = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with Store(url) as store:
        count = store.count(Tag)
        assert committed == after * 50
        assert count >= committed
        assert count % 50 == 0
        assert [e.seq for e in store.events()] == list(range(1, count + 1))
        assert [e.subject for e in store.events()] == [t.id for t in store.each(Tag)]
        assert store.put([tag(1)], **WHO) == Changes(added=1)


def test_processes_that_open_a_new_store_at_once_all_write(url: str) -> None:
    names = ["a", "b", "shared", "shared"]
    processes = [_writer(url, name, 300, 20) for name in names]
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0, output
    with Store(url) as store:
        assert store.count(Tag) == 3 * 300
        events = list(store.events())
        assert [e.seq for e in events] == list(range(1, 3 * 300 + 1))
        assert {e.kind for e in events} == {"tag.added"}


def test_whoever_follows_the_log_misses_nothing(store: Store) -> None:
    def write(name: str) -> None:
        for n in range(30):
            store.put([Agent(id=f"{name}{n}")], agent=name, moment="m")

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    seen: list[Event] = []
    while len(seen) < 90:
        alive = any(writer.is_alive() for writer in writers)
        seen.extend(store.events(after=seen[-1].seq if seen else 0))
        assert [e.seq for e in seen] == list(range(1, len(seen) + 1))
        assert alive or len(seen) == 90
    for writer in writers:
        writer.join()
    assert {e.subject for e in seen} == {f"{name}{n}" for name in "abc" for n in range(30)}


# opening


def test_a_store_is_opened_again_without_loading_alembic(url: str) -> None:
    with Store(url) as store:
        store.put([tag(1)], **WHO)
    code = (
        "import sys; from linkeddata.store import Store; from linkeddata.records import Tag\n"
        "with Store(sys.argv[1]) as store: print(store.count(Tag), 'alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code, url], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]


def test_the_migrations_make_the_tables_that_the_records_ask_for(store: Store, url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from linkeddata.migrations import head

    assert head() == SCHEMA
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        assert ACCOUNT.metadata is METADATA
        assert context.get_current_revision() == SCHEMA
    engine.dispose()


def test_a_store_of_a_newer_version_is_refused(url: str) -> None:
    Store(url).close()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="another version"):
        Store(url)


def test_the_folder_of_a_new_sqlite_store_is_made(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'new' / 'deep' / 's.sqlite'}") as store:
        assert store.put([tag(1)], **WHO) == Changes(added=1)


def test_sqlite_writes_ahead(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    Store(f"sqlite:///{path}").close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("nonsense", "nonsense"),
        ("mysql://user:secret@host/db", "only sqlite and postgresql"),
        ("postgresql://user:secret@127.0.0.1:1/db?connect_timeout=2", "127.0.0.1"),
        ("sqlite:////proc/nowhere/s.sqlite", "/proc/nowhere"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_store_error_without_the_password(bad: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as raised:
        Store(bad)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear registrar, " * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(f"sqlite:///{path}")
    assert path.read_text() == "Dear registrar, " * 100


def test_what_is_done_in_a_transaction_is_done_whole_or_not_at_all(store: Store) -> None:
    with store.transaction() as work:
        work.put([tag(1), tag(2)], **WHO)
        assert work.remove(Tag, [tag(1).id], **WHO, reason="a slip") == 1
        assert work.get(Tag, tag(1).id) is None
    before = list(store.events())

    def pulled() -> None:
        with store.transaction() as work:
            work.put([tag(3)], **WHO)
            work.note("export.written", "x", {}, **WHO)
            raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="plug"):
        pulled()
    assert [event.kind for event in before] == ["tag.added", "tag.added", "tag.removed"]
    assert list(store.events()) == before
    assert store.get(Tag, tag(3).id) is None
