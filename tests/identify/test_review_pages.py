"""A reviewer's session in a real browser, by keyboard alone, over real HTTP; and the pages without a script."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from crowd.accounts import add_account
from crowd.reviewing import ask_reviewers
from harvest.imagestore import ImageStore
from identify.app import create_app
from linkeddata.decoding import Facts
from linkeddata.ids import content_id
from linkeddata.records import (
    Alternative,
    Ancestor,
    CampaignFile,
    Identification,
    Label,
    MediaFile,
    Record,
    Review,
    Taxon,
)
from linkeddata.settings import Settings
from linkeddata.store import Store

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSWORD = "correct horse battery"
WHEN = "2026-11-02T10:00:00Z"
FAMILY = (Ancestor("family", "Nymphalidae", "7017"), Ancestor("genus", "Vanessa", "1899478"))


def taxon(item: str, name: str, *spoken: tuple[str, str]) -> Taxon:
    return Taxon(query=item, concept=item, item=item, name=name, rank="species", lineage=FAMILY, vernaculars=spoken)


CARDUI = taxon("Q158603", "Vanessa cardui", ("nl", "distelvlinder"), ("en", "painted lady"))
ATALANTA = taxon("Q154827", "Vanessa atalanta", ("nl", "atalanta"), ("en", "red admiral"))
URTICAE = taxon("Q155161", "Aglais urticae", ("nl", "kleine vos"), ("en", "small tortoiseshell"))


def plate_file(number: int) -> MediaFile:
    return MediaFile(
        iri=f"https://commons.deboodt.example/entity/M{number}",
        title=f"File:Plate {number}.jpg",
        sha1=f"{number:040}",
        mime="image/jpeg",
        institution="Rijksmuseum",
        licence="https://creativecommons.org/publicdomain/zero/1.0/",
    )


def label(number: int, of: Taxon, **values: object) -> Label:
    file = plate_file(number).iri
    known = {"status": "tie", "support": 1, "dissent": 1, "voters": 2, "probability": 0.5, "method": "majority"}
    return Label(
        id=content_id("albums", file, of.concept),
        campaign="albums",
        file=file,
        concept=of.concept,
        name=of.name,
        rank=of.rank,
        item=of.item,
        **{**known, **values},  # type: ignore[arg-type]
    )


ANSWER = Identification(
    id="a" * 24,
    file=plate_file(1).iri,
    model="butterflies",
    version="1",
    label=ATALANTA.name,
    rank="species",
    item=ATALANTA.item,
    certainty=0.61,
    rule="R2",
    campaign="albums",
    moment=WHEN,
    alternatives=(
        Alternative(ATALANTA.name, 0.61, "species", ATALANTA.item),
        Alternative(CARDUI.name, 0.3, "species", CARDUI.item),
    ),
)
RECORDS: list[Record] = [
    *(plate_file(number) for number in range(1, 6)),
    *(CampaignFile(id=f"albums/{number}", campaign="albums", file=plate_file(number).iri) for number in range(1, 6)),
    CARDUI,
    ATALANTA,
    URTICAE,
    label(1, CARDUI),
    ANSWER,
    label(2, CARDUI, status="single", support=1, dissent=0, probability=0.67),
    label(3, CARDUI, status="accepted", support=3, dissent=0, voters=3, probability=0.8),
    label(4, ATALANTA, status="accepted", support=3, dissent=0, voters=3, probability=0.8),
]


@pytest.fixture
def home(tmp_path: Path, picture: Callable[..., bytes]) -> Path:
    """A home with pictures of five plates, labels, one answer, and two accounts."""
    with Store(Settings(home=str(tmp_path)).store) as store:
        store.put(RECORDS, agent="test", moment=WHEN)
        add_account(store, "Anna B.", "reviewer", lambda: WHEN, branches=["gbif:7017"], password=PASSWORD)
        add_account(store, "Cura", "curator", lambda: WHEN, password=PASSWORD)
        add_account(store, "Vera", "viewer", lambda: WHEN, password=PASSWORD)
    for number in range(1, 6):
        draft = tmp_path / "draft"
        draft.write_bytes(picture(("red", "green", "blue")[number % 3]))
        ImageStore(tmp_path / "images").keep(f"{number:040}", Facts("image/jpeg", 0, 0), draft)
    return tmp_path


@pytest.fixture
def store(home: Path) -> Store:
    return Store(Settings(home=str(home)).store)


@pytest.fixture
def url(home: Path, serving: Callable[[Callable[[str], object]], str]) -> str:
    return serving(lambda address: create_app(Settings(home=str(home), base_url=address)))


def type_in(page: "Page", *texts: str) -> None:
    """Type each text into the field that has the focus, once one has it, and go on to the next."""
    page.wait_for_selector("input:focus")
    for text in texts:
        page.keyboard.type(text)
        page.keyboard.press("Tab")


def status(store: Store, record: Label | Identification) -> str:
    found = store.get(type(record), record.id)
    return found.status if found else "gone"


def test_a_reviewers_session_by_keyboard_alone(browser_page: "Page", url: str, store: Store) -> None:
    page = browser_page
    page.goto(f"{url}/review?campaign=albums")
    assert page.url.startswith(f"{url}/login?next=")
    type_in(page, "Anna B.", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/review/item/**")
    assert page.inner_text("h1") == "Is this Vanessa cardui?"
    assert "people disagree: 1 for, 1 against" in page.inner_text("#verdict")
    assert "distelvlinder" in page.inner_text(".candidates li:nth-child(1)")
    assert page.locator(".candidates li:nth-child(1) .references img").count() == 1
    assert page.evaluate("document.querySelector('.plate-large img').naturalWidth") > 0

    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.wait_for_selector(".done")
    assert "accepted as Vanessa cardui" in page.inner_text(".done")
    assert status(store, label(1, CARDUI)) == "reviewed"

    page.keyboard.press("z")  # a slip: take it back, and see the plate again
    page.wait_for_selector(".done:has-text('Taken back')")
    assert page.inner_text("h1") == "Is this Vanessa cardui?"
    assert status(store, label(1, CARDUI)) == "tie"

    page.keyboard.press("o")
    page.keyboard.type("kleine v")
    page.wait_for_selector("#taxa-found li")
    assert "Aglais urticae" in page.inner_text("#taxa-found")
    page.keyboard.press("Enter")
    assert page.input_value("#other") == "Aglais urticae [Q155161]"
    page.keyboard.press("Enter")
    page.wait_for_selector(".done")
    assert "corrected to Aglais urticae" in page.inner_text(".done")
    assert status(store, label(1, CARDUI)) == "rejected"
    assert status(store, label(1, URTICAE)) == "reviewed"
    assert status(store, ANSWER) == "unverified", "nobody judged that answer"

    before = page.url
    page.keyboard.press("2" if "atalanta" not in page.inner_text("h1") else "r")
    page.keyboard.press("t")
    page.keyboard.type("wings too worn")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: address != before)
    assert [one.comment for one in store.each(Review) if one.comment] == ["wings too worn"]
    assert {one.agent for one in store.each(Review)} == {next(iter(store.each(Review))).agent}


def test_what_another_has_open_is_not_handed_out(browser_page: "Page", url: str, store: Store) -> None:
    anna, cura = logged_in(url, "Anna B."), logged_in(url, "Cura")
    first = anna.get(f"{url}/review", timeout=30)
    second = cura.get(f"{url}/review", timeout=30)
    assert first.url.split("?")[0] != second.url.split("?")[0]
    assert "Somebody else has this open" in cura.get(first.url, timeout=30).text


def test_without_a_script_and_with_a_name_that_is_none(url: str, store: Store) -> None:
    anna = logged_in(url, "Anna B.")
    shown = anna.get(f"{url}/review/item/{label(2, CARDUI).id}", timeout=30).text
    fields = {name: hidden(shown, name) for name in ("form", "key", "seen")}
    address = f"{url}/review/item/{label(2, CARDUI).id}"
    wrong = anna.post(address, {**fields, "choice": "other", "other": "Nessie", "comment": "look"}, timeout=30)
    assert wrong.status_code == 422
    assert "Which taxon?" in wrong.text
    assert ">look</textarea>" in wrong.text
    right = anna.post(address, {**fields, "choice": "other", "other": "Red Admiral"}, timeout=30)
    assert "corrected to Vanessa atalanta" in right.text
    again = anna.post(address, {**fields, "choice": "other", "other": "red admiral"}, timeout=30)
    assert "corrected to Vanessa atalanta" in again.text
    assert store.count(Review) == 1, "pressed twice, it is one verdict"


def test_what_follows_is_published(url: str, store: Store) -> None:
    """The annotations that readers of the linked data see: the answer is rejected, a person's stands in its place."""
    anna = logged_in(url, "Anna B.")
    address = f"{url}/review/item/{ANSWER.id}"
    shown = anna.get(address, timeout=30).text
    fields = {name: hidden(shown, name) for name in ("form", "key", "seen")}
    anna.post(address, {**fields, "choice": "other", "other": "Q155161"}, timeout=30)
    data = {"Accept": "application/ld+json"}
    old = requests.get(f"{url}/identifications/{ANSWER.id}", headers=data, timeout=30).json()
    assert old["identificationVerificationStatus"] == "rejected"
    (made,) = [one for one in store.each(Identification) if one.supersedes == ANSWER.id]
    new = requests.get(f"{url}/identifications/{made.id}", headers=data, timeout=30).json()
    assert new["identificationVerificationStatus"] == "verified"
    assert "Aglais urticae" in str(new["body"])
    said = requests.get(f"{url}/labels/{label(1, URTICAE).id}", headers=data, timeout=30).json()
    assert said["labelStatus"] == "reviewed"
    assert PASSWORD not in str(new)
    for page in (f"/identifications/{made.id}", f"/labels/{label(1, URTICAE).id}", f"/media/{made.file}"):
        assert requests.get(url + page, headers={"Accept": "text/html"}, timeout=30).status_code == 200


def test_what_changed_under_the_reviewers_hands_is_shown_again(url: str, store: Store) -> None:
    anna = logged_in(url, "Anna B.")
    address = f"{url}/review/item/{label(2, CARDUI).id}"
    shown = anna.get(address, timeout=30).text
    store.put([label(2, CARDUI, status="minority", support=1, dissent=3)], agent="count", moment=WHEN)
    fields = {name: hidden(shown, name) for name in ("form", "key", "seen")}
    answer = anna.post(address, {**fields, "choice": "accept"}, timeout=30)
    assert answer.status_code == 409
    assert "Changed meanwhile" in answer.text
    assert store.count(Review) == 0


def test_forms_of_other_sites_and_of_nobody_are_refused(url: str, store: Store) -> None:
    anna = logged_in(url, "Anna B.")
    address = f"{url}/review/item/{label(2, CARDUI).id}"
    answer = anna.get(address, timeout=30)
    assert answer.headers["cache-control"] == "no-store, no-transform"
    assert "content-encoding" not in answer.headers, "the length of a page with a form's word tells nothing"
    fields = {name: hidden(answer.text, name) for name in ("form", "key", "seen")} | {"choice": "accept"}
    for changed in ({"form": "x"}, {"form": ""}):
        assert anna.post(address, {**fields, **changed}, timeout=30).status_code == 403
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert anna.post(address, fields, headers=headers, timeout=30).status_code == 403
    assert requests.post(address, fields, timeout=30, allow_redirects=False).headers["location"].startswith("/login")
    for path in ("/logout", "/account/credit", "/account/password", "/account/tokens", "/account/sessions/close"):
        assert anna.post(url + path, {"form": "x", "name": "Eve"}, timeout=30).status_code == 403
    refused = requests.post(f"{url}/login", {"name": "Anna B.", "password": PASSWORD, "form": "x"}, timeout=30)
    assert refused.status_code == 403
    assert store.count(Review) == 0


def test_reviewers_disagree_and_a_curator_decides(url: str, store: Store) -> None:
    ask_reviewers(store, "albums", 2, agent="test", now=lambda: WHEN)
    add_account(store, "Bert", "reviewer", lambda: WHEN, branches=["all"], password=PASSWORD)
    address = f"{url}/review/item/{label(2, CARDUI).id}"

    def judge(name: str, choice: str, **more: str) -> str:
        session = logged_in(url, name)
        shown = session.get(address, timeout=30).text
        fields = {field: hidden(shown, field) for field in ("form", "key", "seen")}
        assert session.post(address, {**fields, "choice": choice, **more}, timeout=30).status_code == 200
        return shown

    judge("Anna B.", "accept")
    assert "a second reviewer is asked for" in judge("Bert", "reject")
    assert status(store, label(2, CARDUI)) == "disputed"
    shown = judge("Cura", "accept", decides="1")
    assert "They disagree; a curator decides." in shown
    assert "This decides what the reviewers disagree about" in shown
    assert status(store, label(2, CARDUI)) == "reviewed"


def test_a_viewer_looks_and_is_told_so(url: str, store: Store) -> None:
    vera = logged_in(url, "Vera")
    assert "What is open" in vera.get(f"{url}/review", timeout=30).text
    address = f"{url}/review/item/{label(2, CARDUI).id}"
    shown = vera.get(address, timeout=30).text
    fields = {name: hidden(shown, name) for name in ("form", "key", "seen")}
    assert "Somebody else" not in logged_in(url, "Anna B.").get(address, timeout=30).text, "a look keeps it from nobody"
    answer = vera.post(address, {**fields, "choice": "accept"}, timeout=30)
    assert (answer.status_code, "Not allowed" in answer.text) == (403, True)


def test_the_account_page_by_keyboard(browser_page: "Page", url: str, store: Store) -> None:
    page = browser_page
    page.goto(f"{url}/account")
    type_in(page, "Anna B.", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Tokens for programs")
    page.focus("#credit")
    type_in(page, "Anna Bijns", "0000-0002-1825-0097")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=You are credited as you chose.")
    page.focus("#label")
    page.keyboard.type("a script")
    page.keyboard.press("Enter")
    page.wait_for_selector(".secret")
    token = page.inner_text(".secret")
    told = requests.get(f"{url}/me", headers={"Authorization": f"Bearer {token}"}, timeout=30).json()
    assert (told["name"], told["may"]) == ("Anna B.", ["see"])
    page.goto(f"{url}/account")
    assert token not in page.content()
    cookies = page.context.cookies()
    assert [(one["httpOnly"], one["sameSite"]) for one in cookies if one["name"] == "deboodt"] == [(True, "Lax")]


def logged_in(url: str, name: str) -> requests.Session:
    """A session of somebody who has logged in."""
    session = requests.Session()
    word = hidden(session.get(f"{url}/login", timeout=30).text, "form")
    answer = session.post(
        f"{url}/login", {"form": word, "name": name, "password": PASSWORD, "next": "/account"}, timeout=30
    )
    assert answer.url == f"{url}/account"
    return session


def hidden(text: str, name: str) -> str:
    """What a form's hidden field holds."""
    return text.split(f'name="{name}" value="')[1].split('"')[0]
