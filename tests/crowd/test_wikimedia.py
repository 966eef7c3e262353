"""Logging in by Wikimedia, over loopback, against a stand-in that checks what the real one does: PKCE and secret."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crowd.accounts import account_of_wikimedia, accounts, add_account, disable
from crowd.api import router
from crowd.wikimedia import parse_profile
from linkeddata.parts import Parts
from linkeddata.problem import Problem, problem_response
from linkeddata.settings import Settings
from linkeddata.store import Store

WHEN = "2026-11-02T10:00:00Z"
BASE = "http://127.0.0.1:8000"


def now() -> str:
    return WHEN


class Meta(ThreadingHTTPServer):
    """A stand-in for meta.wikimedia.org's OAuth 2, for one consumer and one user."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.profile: dict[str, object] = {"sub": 4711, "username": "Anna B.", "blocked": False}
        self.challenges: dict[str, str] = {}
        self.asked: list[str] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/w/rest.php/oauth2"

    def agree(self, address: str) -> str:
        """Do what the user does who is sent to ``address``: agree; return where the browser is sent."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.base}/authorize?")
        assert (query["response_type"], query["client_id"]) == ("code", "consumer")
        assert query["code_challenge_method"] == "S256"
        assert query["redirect_uri"] == f"{BASE}/login/wikimedia/back"
        code = f"code{len(self.challenges)}"
        self.challenges[code] = query["code_challenge"]
        return f"/login/wikimedia/back?{urlencode({'code': code, 'state': query['state']})}"


class _Answers(BaseHTTPRequestHandler):
    server: Meta

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def answer(self, status: int, body: object) -> None:
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def do_POST(self) -> None:
        """Give a token for a code, once, to who knows the secret and the verifier."""
        length = int(self.headers["Content-Length"])
        form = {key: values[0] for key, values in parse_qs(self.rfile.read(length).decode()).items()}
        self.server.asked.append(self.headers["User-Agent"])
        challenge = self.server.challenges.pop(form.get("code", ""), "")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        fine = (
            self.path == "/w/rest.php/oauth2/access_token"
            and form.get("grant_type") == "authorization_code"
            and (form.get("client_id"), form.get("client_secret")) == ("consumer", "secret")
            and form.get("redirect_uri") == f"{BASE}/login/wikimedia/back"
            and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        )
        if fine:
            self.answer(200, {"token_type": "Bearer", "expires_in": 14400, "access_token": "t", "refresh_token": "r"})
        else:
            self.answer(400, {"error": "invalid_grant", "message": "no"})

    def do_GET(self) -> None:
        """Tell who it is to who has the token."""
        known = self.path == "/w/rest.php/oauth2/resource/profile" and self.headers["Authorization"] == "Bearer t"
        self.answer(200, self.server.profile) if known else self.answer(401, {"error": "no"})


@pytest.fixture
def meta() -> Iterator[Meta]:
    server = Meta()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


@pytest.fixture
def client(meta: Meta, store: Store) -> TestClient:
    settings = Settings(
        base_url=BASE, wikimedia_oauth=meta.base, wikimedia_client="consumer", wikimedia_secret="secret", contact="me@x"
    )
    app = FastAPI()
    app.include_router(router(Parts(store, settings, lambda name, data: name), now=now))

    @app.exception_handler(Problem)
    async def problem(request: object, error: Problem) -> object:
        return problem_response(error.status_code, error.title, error.detail)

    return TestClient(app, base_url=BASE, follow_redirects=False)


def sent(client: TestClient) -> str:
    """Where somebody is sent who wants to log in by Wikimedia."""
    answer = client.get("/login/wikimedia?next=/account")
    assert answer.status_code == 303
    return answer.headers["location"]


def test_a_new_user_comes_in_as_a_viewer_and_again_as_the_same(client: TestClient, meta: Meta, store: Store) -> None:
    back = client.get(meta.agree(sent(client)))
    assert (back.status_code, back.headers["location"]) == (303, "/account")
    me = client.get("/me").json()
    assert (me["name"], me["role"]) == ("Anna B.", "viewer")
    assert meta.asked[0].startswith("DeBoodt/")
    meta.profile["username"] = "Anna Renamed"
    client.cookies.clear()
    client.get(meta.agree(sent(client)))
    assert client.get("/me").json()["name"] == "Anna B."
    assert len(accounts(store)) == 1
    assert "4711" not in "".join(store.lines())


def test_an_account_is_joined_by_who_is_logged_in_and_by_nobody_else(
    client: TestClient, meta: Meta, store: Store
) -> None:
    add_account(store, "Anna B.", "curator", now, password="correct horse battery")
    refused = client.get(meta.agree(sent(client)))
    assert (refused.status_code, refused.json()["title"]) == (409, "Name in use")
    assert account_of_wikimedia(store, "4711") is None
    client.get("/login")
    form = client.cookies.get("deboodt-form")
    client.post("/login", data={"form": form, "name": "Anna B.", "password": "correct horse battery"})
    assert client.get(meta.agree(sent(client))).status_code == 303
    joined = account_of_wikimedia(store, "4711")
    assert joined is not None
    assert joined.role == "curator"
    client.cookies.clear()
    disable(store, joined, now)
    assert client.get(meta.agree(sent(client))).status_code == 403


def test_a_strange_state_a_used_code_and_a_no_are_refused(client: TestClient, meta: Meta, store: Store) -> None:
    address = meta.agree(sent(client))
    assert client.get(address.replace("state=", "state=x")).status_code == 403
    other = TestClient(client.app, base_url=BASE, follow_redirects=False)
    assert other.get(address).status_code == 403, "another browser brings it"
    assert client.get(address).status_code == 303
    client.cookies.clear()
    sent(client)
    state = client.cookies.get("deboodt-state")
    assert client.get(f"/login/wikimedia/back?code=code0&state={state}").status_code == 502, "the code was used"
    sent(client)
    state = client.cookies.get("deboodt-state")
    assert client.get(f"/login/wikimedia/back?error=access_denied&state={state}").status_code == 403
    assert len(accounts(store)) == 1


def test_a_code_without_its_verifier_opens_nothing(client: TestClient, meta: Meta, store: Store) -> None:
    address = meta.agree(sent(client))
    client.cookies.set("deboodt-verifier", "x" * 64, domain="127.0.0.1", path="/")
    assert client.get(address).status_code in (403, 502)
    assert accounts(store) == []


def test_who_is_blocked_stays_out(client: TestClient, meta: Meta, store: Store) -> None:
    meta.profile["blocked"] = True
    assert client.get(meta.agree(sent(client))).status_code == 502
    assert accounts(store) == []
    for wrong in ({}, [], {"sub": 1}, {"username": "x"}):
        with pytest.raises(ValueError, match="profile"):
            parse_profile(wrong)


def test_without_a_consumer_there_is_no_such_log_in(store: Store) -> None:
    app = FastAPI()
    app.include_router(router(Parts(store, Settings(), lambda name, data: name), now=now))
    client = TestClient(app, base_url=BASE, follow_redirects=False)
    assert client.get("/login/wikimedia").status_code == 404
    assert client.get("/login/wikimedia/back").status_code == 404
