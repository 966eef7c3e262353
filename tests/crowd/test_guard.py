"""Cookies and where they may go; log-ins that are tried too often; nothing of one person's in a cache."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crowd.accounts import add_account
from crowd.api import router
from crowd.guard import within
from linkeddata.parts import Parts
from linkeddata.problem import Problem, problem_response
from linkeddata.settings import Settings
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
PASSWORD = "correct horse battery"


def now() -> str:
    return WHEN


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        add_account(opened, "Anna B.", "admin", now, password=PASSWORD)
        yield opened


def client_of(store: Store, base: str) -> TestClient:
    app = FastAPI()
    app.include_router(router(Parts(store, Settings(base_url=base), lambda name, data: f"{name} {data}"), now=now))

    @app.exception_handler(Problem)
    async def problem(request: object, error: Problem) -> object:
        return problem_response(error.status_code, error.title, error.detail, headers=error.headers)

    return TestClient(app, base_url=base, follow_redirects=False)


def entered(client: TestClient, prefix: str, password: str = PASSWORD, following: str = "/review") -> object:
    client.get("/login")
    form = client.cookies.get(f"{prefix}-form")
    return client.post("/login", data={"form": form, "name": "Anna B.", "password": password, "next": following})


@pytest.mark.parametrize(
    ("base", "name", "secure"),
    [("http://127.0.0.1:8000", "deboodt", False), ("https://plates.example", "__Host-deboodt", True)],
)
def test_the_sessions_cookie_is_kept_from_scripts_and_other_sites(
    store: Store, base: str, name: str, secure: bool
) -> None:
    client = client_of(store, base)
    answer = entered(client, name)
    cookie = answer.headers["set-cookie"]  # type: ignore[attr-defined]
    assert cookie.startswith(f"{name}=")
    for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert ("Secure" in cookie) is secure
    assert "Domain" not in cookie
    assert client.get("/me").json()["role"] == "admin"
    assert client.get("/me").headers["cache-control"] == "no-store, no-transform"


def test_logging_out_ends_the_session_itself_and_not_only_the_cookie(store: Store) -> None:
    client = client_of(store, "http://127.0.0.1:8000")
    entered(client, "deboodt")
    secret = client.cookies["deboodt"]
    form = client.get("/account").text.split("'form': '")[1].split("'")[0]
    assert client.post("/logout", data={"form": form}).status_code == 303
    client.cookies.set("deboodt", secret)
    assert client.get("/me").status_code == 401


def test_a_call_that_changes_something_by_cookie_brings_the_forms_word(store: Store) -> None:
    client = client_of(store, "http://127.0.0.1:8000")
    entered(client, "deboodt")
    form = client.get("/account").text.split("'form': '")[1].split("'")[0]
    add_account(store, "Bob", "viewer", now)
    assert client.post("/accounts/Bob/disable").status_code == 403
    headers = {"X-Form-Token": form}
    evil = client.post("/accounts/Bob/disable", headers={**headers, "Origin": "https://evil.example"})
    assert evil.status_code == 403
    assert client.post("/accounts/Bob/disable", headers=headers).json()["disabled"] == WHEN
    assert client.post("/accounts/Nobody/disable", headers=headers).status_code == 404


def test_who_guesses_is_told_to_wait(store: Store) -> None:
    client = client_of(store, "http://127.0.0.1:8000")
    for _ in range(5):
        assert entered(client, "deboodt", "a wrong password").status_code == 401  # type: ignore[attr-defined]
    answer = entered(client, "deboodt")
    assert answer.status_code == 429  # type: ignore[attr-defined]
    assert answer.headers["retry-after"] == "900"  # type: ignore[attr-defined]


def test_nobody_is_led_to_another_site(store: Store) -> None:
    client = client_of(store, "http://127.0.0.1:8000")
    for evil in ("https://evil.example/review", "//evil.example/review", "/\\evil.example", "javascript:alert(1)"):
        answer = entered(client, "deboodt", following=evil)
        assert answer.headers["location"] == "/review"  # type: ignore[attr-defined]
        assert within(evil) == "/review"


def test_a_new_password_ends_other_sessions(store: Store) -> None:
    one, other = client_of(store, "http://127.0.0.1:8000"), client_of(store, "http://127.0.0.1:8000")
    entered(one, "deboodt")
    entered(other, "deboodt")
    form = one.get("/account").text.split("'form': '")[1].split("'")[0]
    wrong = one.post("/account/password", data={"form": form, "old": "not it", "new": "another password"})
    assert wrong.status_code == 422
    one.post("/account/password", data={"form": form, "old": PASSWORD, "new": "another password"})
    assert one.get("/me").status_code == 200
    assert other.get("/me").status_code == 401
