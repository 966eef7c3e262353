"""Where questions wait: too many are sent away at once, with the time after which to ask again."""

import anyio
import pytest

from identify.asking.desk import MOST_WAITING, Desk
from identify.asking.quotas import Policy, Quotas
from identify.asking.received import Sent
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


def test_bytes_are_those_that_were_sent_or_that_an_address_gives() -> None:
    desk = Desk(nothing)
    assert anyio.run(desk.bytes_of, Sent(data=b"image")) == b"image"
    assert anyio.run(desk.bytes_of, Sent(url="https://a.example/1")) == b"https://a.example/1 25000000"


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
