"""The pages in a real browser: its own engine decides what our policy allows and what a keyboard reaches."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from identify.app import create_app
from linkeddata.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def url(serving: Callable[[Callable[[str], object]], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of an installation that has nothing yet."""
    home = tmp_path_factory.mktemp("home")
    return serving(lambda address: create_app(Settings(home=str(home), base_url=address)))


def test_a_keyboard_reaches_the_content_first(browser_page: "Page", url: str) -> None:
    browser_page.goto(url)
    assert browser_page.inner_text("h1") == "What do these pictures show?"
    browser_page.keyboard.press("Tab")
    assert browser_page.evaluate("document.activeElement.textContent") == "To the content"
    browser_page.keyboard.press("Enter")
    assert browser_page.url == f"{url}/#content"


def test_the_policy_lets_the_style_sheet_through(browser_page: "Page", url: str) -> None:
    browser_page.goto(url)
    assert browser_page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "1152px"
