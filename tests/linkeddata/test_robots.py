"""What a host says to machines, in its robots.txt and in headers."""

import pytest

from linkeddata.robots import Robots, is_allowed, parse_robots, reservation

GROUPS = """\ufeff# a robots.txt as they are
User-agent: GPTBot
User-agent: CCBot
Disallow: /

User-agent: *
Crawl-delay: 5
Disallow: /w/
Allow: /w/load.php?
Disallow: /*.pdf$
Sitemap: https://x.example/sitemap.xml

User-agent: DeBoodt/1.0
Disallow: /tiles/
"""


def test_the_group_of_our_name_holds_and_else_that_of_all() -> None:
    rules = parse_robots(GROUPS)
    assert not is_allowed(rules, "https://x.example/tiles/1.jpg")
    assert is_allowed(rules, "https://x.example/w/index.php")
    others = parse_robots(GROUPS, "somebody")
    assert is_allowed(others, "https://x.example/tiles/1.jpg")
    assert not is_allowed(others, "https://x.example/w/index.php")
    assert is_allowed(others, "https://x.example/w/load.php?a=b")
    assert not is_allowed(others, "https://x.example/a.pdf")
    assert is_allowed(others, "https://x.example/a.pdf?page=1")
    assert not any(is_allowed(parse_robots(GROUPS, bot), "https://x.example/") for bot in ("gptbot", "ccbot"))


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/fish", "/fish.html", True),
        ("/fish", "/Fish", False),
        ("/fish/", "/fish", False),
        ("/fish*.php", "/fishheads/catfish.php?id=1", True),
        ("/*.php$", "/a.php?b", False),
        ("/a%3cd.html", "/a%3Cd.html", True),
        ("/é", "/%C3%A9", True),
        ("/", "", True),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    rules = parse_robots(f"user-agent:*\ndisallow:{pattern}")
    assert is_allowed(rules, f"https://x.example{path}") is not matches


def test_the_longest_rule_wins_and_of_two_alike_the_kind_one() -> None:
    rules = parse_robots("User-agent: *\nDisallow: /a\nAllow: /a\nAllow: /a/b\nDisallow: /a/b/c")
    found = [is_allowed(rules, f"https://x.example{path}") for path in ("/a", "/a/b", "/a/b/c")]
    assert found == [True, True, False]


@pytest.mark.parametrize(
    ("headers", "reserved"),
    [
        ({}, False),
        ({"X-Robots-Tag": "noindex, nofollow"}, False),
        ({"X-Robots-Tag": "NoAI"}, True),
        ({"X-Robots-Tag": "noindex, noimageai"}, True),
        ({"X-Robots-Tag": "otherbot: noai, noimageai"}, False),
        ({"X-Robots-Tag": "otherbot: noindex, deboodt: noai"}, True),
        ({"X-Robots-Tag": "max-image-preview: large, noai"}, True),
        ({"tdm-reservation": "1"}, True),
        ({"tdm-reservation": "0"}, False),
    ],
)
def test_headers(headers: dict[str, str], reserved: bool) -> None:
    assert bool(reservation(headers)) is reserved


def test_each_host_is_asked_once() -> None:
    asked: list[str] = []

    def fetch(url: str) -> str:
        asked.append(url)
        return "User-agent: *\nDisallow: /private/"

    robots = Robots(fetch)
    urls = [f"https://{host}.example/{path}/1.jpg" for host in "ab" for path in ("private", "public")]
    assert [robots.allow(url) for url in urls] == [False, True, False, True]
    assert asked == ["https://a.example/robots.txt", "https://b.example/robots.txt"]
