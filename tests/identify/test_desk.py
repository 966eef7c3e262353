"""Where questions wait: too many are sent away at once, with the time after which to ask again."""

from threading import Barrier, Event

import anyio
import pytest

from identify.asking.desk import MOST_COMING, MOST_WAITING, Desk
from identify.asking.quotas import Policy, Quotas
from identify.asking.received import MAX_UPLOAD_BYTES, Sent
from linkeddata.problem import Problem


def nothing(url: str, limit: int) -> bytes:
    return f"{url} {limit}".encode()


def test_a_question_too_many_is_told_when_to_ask_again() -> None:
    desk = Desk(nothing)
    desk.admit()
    desk.waiting, desk.each_s = MOST_WAITING, 0.1
    with pytest.raises(Problem) as refused:
        desk.admit()
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "7"})
    desk.each_s = 100.0
    with pytest.raises(Problem) as refused:
        desk.admit()
    assert refused.value.headers == {"Retry-After": "60"}


def brought(desk: Desk, *sent: Sent) -> list[bytes | Problem]:
    async def bring() -> list[bytes | Problem]:
        async with desk.brought(sent) as found:
            assert desk.held.bytes == sum(
                len(data) for one, data in zip(sent, found, strict=True) if one.url and isinstance(data, bytes)
            )
            return found

    found = anyio.run(bring)
    assert desk.held.bytes == 0, "nothing is held when the answer is out"
    return found


def test_bytes_are_those_that_were_sent_or_that_an_address_gives() -> None:
    found = brought(Desk(nothing), Sent(data=b"image"), Sent(url="https://a.example/1"))
    assert found == [b"image", b"https://a.example/1 25000000"]


def test_addresses_are_fetched_side_by_side_and_each_fails_alone() -> None:
    together = Barrier(3)

    def fetch(url: str, limit: int) -> bytes:
        together.wait(timeout=30)  # breaks where they come one after the other
        if url.endswith("2"):
            raise Problem(422, "Image cannot be fetched", url)
        return url.encode()

    one, two, three = brought(Desk(fetch), *(Sent(url=f"https://a.example/{number}") for number in (1, 2, 3)))
    assert (one, three) == (b"https://a.example/1", b"https://a.example/3")
    assert isinstance(two, Problem)
    assert (two.status_code, two.detail) == (422, "https://a.example/2")


def test_what_does_not_come_in_time_is_lost_alone() -> None:
    over = Event()

    def fetch(url: str, limit: int) -> bytes:
        if url.endswith("slow"):
            over.wait(timeout=30)
        return b"quick"

    desk = Desk(fetch, together_s=0.2)
    quick, slow = brought(desk, Sent(url="https://a.example/quick"), Sent(url="https://a.example/slow"))
    over.set()
    assert quick == b"quick"
    assert isinstance(slow, Problem)
    assert (slow.status_code, slow.detail) == (422, "It did not come in 0.2 seconds.")


def test_more_addresses_than_can_wait_are_sent_away() -> None:
    many = [Sent(url="https://a.example/1")] * (MOST_COMING + 1)
    with pytest.raises(Problem) as refused:
        brought(Desk(nothing), *many)
    assert refused.value.status_code == 503


def test_of_images_by_address_no_more_is_taken_than_of_uploads() -> None:
    found = brought(Desk(lambda url, limit: b"0" * limit), *[Sent(url="https://a.example/1")] * 5)
    assert [one.status_code if isinstance(one, Problem) else len(one) for one in found] == [MAX_UPLOAD_BYTES] * 4 + [
        413
    ]


def test_of_two_limits_the_tighter_one_decides_and_nothing_is_counted_of_what_is_refused() -> None:
    quotas, policies = Quotas(), [Policy("minute", 3, 60), Policy("day", 4, 86_400), Policy("none", 0, 1)]
    assert [quotas.take("a", policies, 2, 0.0).allowed, quotas.take("a", policies, 2, 1.0).allowed] == [True, False]
    assert quotas.take("a", policies, 1, 2.0).headers == {
        "RateLimit-Policy": '"minute";q=3;w=60, "day";q=4;w=86400',
        "RateLimit": '"minute";r=0;t=58, "day";r=1;t=86398',
    }
    refused = quotas.take("a", policies, 2, 61.0)
    assert not refused.allowed
    assert refused.refusal().headers is not None
    assert quotas.take("b", policies, 3, 61.0).allowed, "another asker has a quota of her own"
    assert quotas.take("a", [], 99, 61.0).headers == {}
