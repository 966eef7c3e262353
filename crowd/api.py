"""What people say, over HTTP: review, accounts and their pages. In: the store, settings, pages. Out: a router."""

from fastapi import APIRouter

from crowd import accountroutes, reviewpages, reviewroutes
from crowd.accounts import Now
from crowd.guard import Guard
from crowd.taxonsearch import TaxonSearch
from linkeddata.nameindex.index import NameIndex
from linkeddata.parts import Parts


def router(parts: Parts, *, now: Now, index: NameIndex | None = None) -> APIRouter:
    """Return the routes. ``now`` tells the moment of a verdict; ``index`` knows taxa that the store does not."""
    api = APIRouter()
    guard = Guard(parts.store, parts.settings, now)
    search = TaxonSearch(parts.store, index)
    api.include_router(accountroutes.router(parts, guard))
    api.include_router(reviewroutes.router(guard, search))
    api.include_router(reviewpages.router(parts, guard, search))
    return api
