"""Review over HTTP: every role at every route, inside and outside a branch; problems, keys, conditions, undoing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crowd.accounts import add_account
from crowd.api import router
from crowd.entry import add_token
from crowd.rights import RIGHTS
from crowd.verdicts import digest
from linkeddata.ids import content_id
from linkeddata.parts import Parts
from linkeddata.problem import Problem, problem_response
from linkeddata.records import Ancestor, Identification, Label, MediaFile, Record, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
FILE = "https://commons.deboodt.example/entity/M1"
ROLES = {
    "viewer": ("viewer", []),
    "contributor": ("contributor", []),
    "inside": ("reviewer", ["gbif:7017"]),
    "outside": ("reviewer", ["gbif:9417"]),
    "reviewer": ("reviewer", ["all"]),
    "curator": ("curator", []),
    "admin": ("admin", []),
}
TAXA = [
    Taxon(query=item, concept=item, item=item, name=name, rank="species", lineage=(Ancestor("family", "F.", key),))
    for item, name, key in (
        ("Q1", "Vanessa cardui", "7017"),
        ("Q2", "Vanessa atalanta", "7017"),
        ("Q3", "Papilio paris", "9417"),
    )
]
LABEL = Label(
    id=content_id("albums", FILE, "Q1"),
    campaign="albums",
    file=FILE,
    concept="Q1",
    name="Vanessa cardui",
    item="Q1",
    support=1,
    voters=2,
    dissent=1,
    probability=0.5,
    status="tie",
    method="majority",
)
ANSWER = Identification(id="a1", file=FILE, model="m", version="1", label="Vanessa atalanta", item="Q2", certainty=0.6)
RECORDS: list[Record] = [MediaFile(iri=FILE), *TAXA, LABEL, ANSWER]


def now() -> str:
    return WHEN


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        opened.put(RECORDS, agent="test", moment=WHEN)
        yield opened


@pytest.fixture
def client(store: Store) -> TestClient:
    app = FastAPI()
    app.include_router(router(Parts(store, Settings()), now=now))

    @app.exception_handler(Problem)
    async def problem(request: Any, error: Problem) -> Any:
        return problem_response(error.status_code, error.title, error.detail, headers=error.headers)

    return TestClient(app, base_url="http://127.0.0.1:8000")


@pytest.fixture
def tokens(store: Store) -> dict[str, dict[str, str]]:
    """Headers with a token for everything, by who it is."""
    made = {}
    for name, (role, branches) in ROLES.items():
        account = add_account(store, name, role, now, branches=branches)
        secret, _ = add_token(store, account, now, label="", scopes=RIGHTS, days=1)
        made[name] = {"Authorization": f"Bearer {secret}"}
    return made


def verdict(**values: Any) -> dict[str, Any]:
    return {"target": LABEL.id, "verdict": "accept", "key": "k"} | values


CALLS: dict[str, tuple[str, str, Any]] = {
    "queue": ("GET", "/review/queue", None),
    "taxa": ("GET", "/review/taxa?q=van", None),
    "me": ("GET", "/me", None),
    "comment": ("POST", "/review/verdicts", verdict(verdict="comment", comment="hm")),
    "next": ("POST", "/review/next", {}),
    "accept": ("POST", "/review/verdicts", verdict()),
    "correct inside": ("POST", "/review/verdicts", verdict(verdict="correct", correction="Q2")),
    "correct outside": ("POST", "/review/verdicts", verdict(verdict="correct", correction="Q3")),
    "decide": ("POST", "/review/verdicts", verdict(decides=True)),
    "undo others": ("POST", "/review/verdicts/{review}/undo", None),
    "accounts": ("GET", "/accounts", None),
    "disable": ("POST", "/accounts/viewer/disable", None),
}
ALLOWED = {
    # call: nobody, viewer, contributor, reviewer inside, outside, of all, curator, admin
    "queue": "-vciorCA",
    "taxa": "-vciorCA",
    "me": "-vciorCA",
    "comment": "--ciorCA",
    "next": "---iorCA",
    "accept": "---i-rCA",
    "correct inside": "---i-rCA",
    "correct outside": "-----rCA",
    "decide": "------CA",
    "undo others": "------CA",
    "accounts": "-------A",
    "disable": "-------A",
}


@pytest.mark.parametrize("call", CALLS)
def test_every_role_at_every_call(
    client: TestClient, store: Store, tokens: dict[str, dict[str, str]], call: str
) -> None:
    method, path, body = CALLS[call]
    for number, name in enumerate(["nobody", *ROLES]):
        given = client.post("/review/verdicts", json=verdict(key="first"), headers=tokens["reviewer"]).json()
        if name == "reviewer" and call == "undo others":
            continue  # it is the reviewer's own
        asked = {**body, "key": f"{call} {name}"} if body else body
        response = client.request(method, path.format(review=given["id"]), json=asked, headers=tokens.get(name, {}))
        allowed = ALLOWED[call][number] != "-"
        expected = {200, 201, 204} if allowed else {401} if name == "nobody" else {403}
        assert response.status_code in expected, f"{name} at {call}: {response.text}"
        if not allowed:
            assert response.headers["content-type"] == "application/problem+json"
            assert ("www-authenticate" in response.headers) == (name == "nobody")


def test_a_token_is_good_for_its_scopes_alone(client: TestClient, store: Store) -> None:
    account = add_account(store, "C.", "curator", now)
    secret, _ = add_token(store, account, now, label="", scopes=["see"], days=1)
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/review/queue", headers=headers).status_code == 200
    assert client.post("/review/verdicts", json=verdict(), headers=headers).status_code == 403
    assert client.get("/me", headers=headers).json()["may"] == ["see"]
    assert client.get("/me", headers={"Authorization": "Bearer deboodt_x"}).status_code == 401


def test_a_session_by_api(client: TestClient, store: Store, tokens: dict[str, dict[str, str]]) -> None:
    queue = client.get("/review/queue?limit=1", headers=tokens["reviewer"]).json()
    assert queue["items"][0]["target"] == LABEL.id
    assert queue["items"][0]["reasons"][0]["words"] == "people disagree: 1 for, 1 against"
    rest = client.get("/review/queue", params={"cursor": queue["next"]}, headers=tokens["reviewer"]).json()
    assert [one["target"] for one in rest["items"]] == ["a1"]
    assert rest["next"] == ""
    handed = client.post("/review/next", json={"campaign": "albums"}, headers=tokens["reviewer"]).json()
    assert [one["concept"] for one in handed["candidates"]] == ["Q1", "Q2"]
    assert handed["seen"] == digest(LABEL)
    body = verdict(verdict="correct", correction="vanessa ATALANTA", seen=handed["seen"])
    first = client.post("/review/verdicts", json=body, headers=tokens["reviewer"])
    assert (first.status_code, first.json()["correction"]) == (201, "Q2")
    again = client.post("/review/verdicts", json=body, headers=tokens["reviewer"])
    assert (again.status_code, again.json()) == (200, first.json())
    found = client.get("/review/accepted", params={"file": FILE}).json()
    assert [(one["concept"], one["campaign"]) for one in found] == [("Q2", "albums")]
    undone = client.post(f"/review/verdicts/{first.json()['id']}/undo", headers=tokens["reviewer"]).json()
    assert undone["undone"] == WHEN
    assert client.get("/review/accepted", params={"file": FILE}).json() == []
    assert client.post("/review/next", json={"campaign": "none"}, headers=tokens["reviewer"]).status_code == 204


@pytest.mark.parametrize(
    ("body", "headers", "status", "title"),
    [
        (verdict(seen="0" * 24), {}, 409, "Changed meanwhile"),
        (verdict(), {"If-Match": '"000000000000000000000000"'}, 412, "Changed meanwhile"),
        (verdict(), {"If-Match": f'"{digest(LABEL)}"'}, 201, ""),
        (verdict(verdict="correct", correction="Nessie"), {}, 422, "Which taxon?"),
        (verdict(verdict="correct", correction="Q1"), {}, 422, "No correction"),
        (verdict(target="x"), {}, 404, "Not found"),
    ],
)
def test_what_cannot_be_said_is_a_problem(
    client: TestClient, tokens: dict[str, dict[str, str]], body: Any, headers: dict[str, str], status: int, title: str
) -> None:
    response = client.post("/review/verdicts", json=body, headers=tokens["reviewer"] | headers)
    assert response.status_code == status
    assert response.json().get("title", "") == title


@pytest.mark.parametrize("query", ["cursor=x", "cursor=WzFd", "taxon=Nessie", "kind=fish", "colour=red", "limit=0"])
def test_what_cannot_be_asked_is_refused(client: TestClient, tokens: dict[str, dict[str, str]], query: str) -> None:
    assert client.get(f"/review/queue?{query}", headers=tokens["reviewer"]).status_code == 422


def test_the_examples_in_the_documentation_are_what_they_claim(client: TestClient) -> None:
    from crowd import reviewmodels

    examples = client.get("/openapi.json").json()["components"]["schemas"]
    shown = {name: schema["example"] for name, schema in examples.items() if "example" in schema}
    assert {"VerdictIn", "ReviewOut", "QueueOut", "HandedOut", "SuggestionOut", "AcceptedOut"} <= shown.keys()
    for name, example in shown.items():
        getattr(reviewmodels, name).model_validate(example)


def test_taxa_are_found_by_what_they_are_called(
    client: TestClient, store: Store, tokens: dict[str, dict[str, str]]
) -> None:
    store.put(
        [Taxon(query="pp", concept="Q3", item="Q3", name="Papilio paris", vernaculars=(("nl", "Parijse page"),))],
        agent="test",
        moment=WHEN,
    )
    for typed, matched in (("parijse", "Parijse page"), ("PAGE", "Parijse page"), ("paris", ""), ("papilio par", "")):
        (found,) = client.get("/review/taxa", params={"q": typed}, headers=tokens["viewer"]).json()
        assert (found["concept"], found["name"], found["matched"]) == ("Q3", "Papilio paris", matched)
    assert len(client.get("/review/taxa", params={"q": "va"}, headers=tokens["viewer"]).json()) == 2
    assert client.get("/review/taxa", params={"q": " "}, headers=tokens["viewer"]).json() == []
