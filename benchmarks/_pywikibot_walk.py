"""pywikibot walking a category with ``data_item()``, in a process of its own.

In: the address of a MediaWiki, a category, and perhaps ``histories``, as arguments; ``PYWIKIBOT_DIR`` and
``PYWIKIBOT_NO_USER_CONFIG`` in the environment. Out: how many files, P180 statements and revisions it saw, on stdout.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import pywikibot
from pywikibot import config

FAMILY = """
from pywikibot import family

class Family(family.DefaultWikibaseFamily):
    name = "standin"
    langs = {{"standin": "{host}"}}
    def protocol(self, code):
        return "{scheme}"
    def scriptpath(self, code):
        return "/w"
    def shared_image_repository(self, code):
        return ("standin", "standin")
    def entity_sources(self, code):
        return {{"item": ("standin", "standin"), "property": ("standin", "standin")}}
"""


def walk(url: str, category: str, *, histories: bool) -> tuple[int, int, int]:
    """Return how many files the category has, and how many P180 statements and revisions pywikibot finds on them."""
    parts = urlsplit(url)
    path = Path(config.base_dir) / "standin_family.py"
    path.write_text(FAMILY.format(host=parts.netloc, scheme=parts.scheme), encoding="utf-8")
    config.family_files["standin"] = str(path)
    config.put_throttle = config.minthrottle = config.maxthrottle = 0
    site = pywikibot.Site("standin", "standin")
    files = statements = revisions = 0
    for page in pywikibot.Category(site, f"Category:{category}").articles(namespaces=6):
        data = pywikibot.FilePage(page).data_item().get()
        statements += len(data["statements"].get("P180", ()))
        revisions += len(list(page.revisions())) if histories else 0
        files += 1
    return files, statements, revisions


if __name__ == "__main__":
    print(*walk(sys.argv[1], sys.argv[2], histories="histories" in sys.argv[3:]))
