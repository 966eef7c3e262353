"""The log of requests: counts that survive a killed process, from several threads and runs."""

import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.world import World
from linkeddata.client import Client, Ended
from linkeddata.errors import StoreError
from linkeddata.requestlog import FILE, GATHERED_S, UNFINISHED, RequestLog, read_log, summed

MOMENT = "2026-01-01T00:00:00Z"
SITE_INFO = {"action": "query", "meta": "siteinfo", "format": "json"}


def _log(path: Path, subject: str = "eggs") -> RequestLog:
    return RequestLog(path, subject, lambda: MOMENT)


def test_what_a_client_asks_is_counted_by_route_host_and_outcome(tmp_path: Path) -> None:
    path = tmp_path / "home" / FILE
    with StandIn(World()) as standin, _log(path) as log:
        standin.faults.next("/w/api.php", faults.MAXLAG, times=2)
        with Client(standin.settings(), recorder=log, sleep=lambda _: None) as client:
            for route in ("api", "api", "history"):
                client.doing(route).get_json(f"{standin.url}/w/api.php", SITE_INFO)
        asked = standin.requests.count()
    rows = read_log(path)
    assert [(row.run, row.subject, row.begun) for row in rows] == [(1, "eggs", MOMENT)] * 3
    assert [(row.route, row.outcome, row.requests, row.retries, row.waited_s) for row in rows] == [
        ("api", "maxlag", 2, 2, 10.0),
        ("api", "ok", 2, 0, 0.0),
        ("history", "ok", 1, 0, 0.0),
    ]
    assert {row.host for row in rows} == {standin.url.removeprefix("http://")}
    assert all(row.bytes > 0 for row in rows)
    assert sum(row.requests for row in rows) == asked
    api, history = summed(rows)
    assert (api.route, api.requests, api.retries, api.waited_s) == ("api", 4, 2, 10.0)
    assert dict(api.outcomes) == {"maxlag": 2, "ok": 2}
    assert (history.route, history.outcomes) == ("history", (("ok", 1),))


def test_the_question_what_may_be_fetched_has_an_outcome_of_its_own(tmp_path: Path) -> None:
    with StandIn(World()) as standin, _log(tmp_path / FILE) as log:
        with Client(standin.settings(), recorder=log) as client:
            assert client.doing("images").may_fetch(f"{standin.url}/images/1.jpg")
        assert standin.requests.count() == 1
    assert [(row.route, row.outcome, row.requests) for row in read_log(tmp_path / FILE)] == [("robots", "HTTP 404", 1)]


def test_runs_are_told_apart_and_one_that_asks_nothing_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / FILE
    assert read_log(path) == []
    for subject in ("eggs", "none", "shells"):
        with _log(path, subject) as log:
            if subject != "none":
                log.sent("api", "x")
                log.ended("api", "x", Ended(kind="ok", requests=1))
    assert [(row.run, row.subject) for row in read_log(path)] == [(1, "eggs"), (2, "shells")]
    assert [row.subject for row in read_log(path, subject="shells")] == ["shells"]


def _asks_and_is_killed(path: Path) -> None:
    log = _log(path)
    for _ in range(100):
        log.sent("api", "x")
        log.ended("api", "x", Ended(kind="ok", requests=1, bytes=7))
    log.sent("api", "x")
    while sum(row.requests for row in read_log(path)) < 101:
        time.sleep(GATHERED_S / 10)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_has_lost_no_count_that_was_written_by_itself(tmp_path: Path) -> None:
    path = tmp_path / FILE
    process = multiprocessing.get_context("spawn").Process(target=_asks_and_is_killed, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert [(row.outcome, row.requests, row.bytes) for row in read_log(path)] == [("ok", 100, 700), (UNFINISHED, 1, 0)]


def test_reports_that_come_fast_are_gathered_and_all_there_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / FILE
    with _log(path) as log:
        log.sent("image", "x")
        assert [row.outcome for row in read_log(path)] == [UNFINISHED], "the first is written at once"
        for _ in range(1000):
            log.sent("image", "x")
            log.ended("image", "x", Ended(kind="ok", requests=1, bytes=3, took_s=0.5))
    assert [(row.outcome, row.requests, row.bytes, row.took_s) for row in read_log(path)] == [
        ("ok", 1000, 3000, 500.0),
        (UNFINISHED, 1, 0, 0.0),
    ]


def test_a_log_that_another_process_holds_is_written_when_it_lets_go(tmp_path: Path) -> None:
    path = tmp_path / FILE
    with _log(path) as log:
        log.sent("api", "x")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        log.ended("api", "x", Ended(kind="ok", requests=1))
        time.sleep(2 * GATHERED_S)
        other.execute("COMMIT")
        other.close()
    assert [(row.outcome, row.requests) for row in read_log(path)] == [("ok", 1)]


def test_threads_and_runs_count_together(tmp_path: Path) -> None:
    path = tmp_path / FILE

    def ask(log: RequestLog) -> None:
        for _ in range(50):
            log.sent("image", "x")
            log.ended("image", "x", Ended(kind="ok", requests=1))

    with _log(path) as one, _log(path) as other:
        threads = [threading.Thread(target=ask, args=(log,)) for log in (one, other, one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [(row.run, row.requests) for row in read_log(path)] == [(1, 100), (2, 100)]


def test_another_file_in_its_place_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text("no database at all, " * 100)
    with pytest.raises(StoreError, match="the log of requests cannot be used"):
        read_log(path)
    with pytest.raises(StoreError), _log(path):
        pass
    path.unlink()
    sqlite3.connect(path).close()
