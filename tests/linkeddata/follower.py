"""Follows a feed into a file, as an aggregator does: ``python follower.py BASE FILE [PAGES]``; a process of its own.

After each page the state (graphs by record, and how far it got) takes the old file's place in one step, so that a
killed follower goes on where it was. With PAGES it stops after so many pages. Nothing of De Boodt is imported.
"""

import json
import sys
import urllib.request
from pathlib import Path


def fetched(url: str) -> dict:
    asked = urllib.request.Request(url, headers={"Accept": "application/ld+json"})  # noqa: S310
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        return json.load(answer)


def main(base: str, path: Path, pages: int) -> None:
    state = {"next": "", "position": 0, "records": {}}
    if path.exists():
        state = json.loads(path.read_text())
    url = state["next"] or fetched(f"{base}/feed")["view"]["id"]
    while True:
        page = fetched(url)
        for member in page["member"]:
            if member["sequence"] <= state["position"]:
                continue
            if member["type"] == "Delete":
                state["records"].pop(member["isVersionOf"], None)
            else:
                state["records"][member["isVersionOf"]] = member["@graph"]
            state["position"] = member["sequence"]
        onward = page["view"].get("relation", {}).get("node", "")
        state["next"] = onward or url
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(state))
        beside.replace(path)
        pages -= 1
        if not onward or not pages:
            return
        url = onward


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else -1)
