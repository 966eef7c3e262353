"""Two versions on the same pictures: what is counted, and when a new one is worse."""

from identify.learning.comparing import Said, compared, in_words


def said(label: str, *, before: int, after: int, both: int = 0, known: bool = True) -> list[Said]:
    """Return pictures that only the older, only the newer, or both get right."""
    return (
        [Said(label=label, known=known, before=True, after=False)] * before
        + [Said(label=label, known=known, before=False, after=True)] * after
        + [Said(label=label, known=known, before=True, after=True)] * both
    )


def test_what_got_worse_is_listed_the_worst_first() -> None:
    told = compared(
        [
            *said("Conus a", before=1, after=0, both=9),
            *said("Conus b", before=3, after=0, both=1),
            *said("Conus c", before=0, after=9, both=1),
            *said("Conus d", before=0, after=2, known=False),
        ],
        "conidae@3",
        "conidae@4",
        "old",
        "new",
    )
    assert (told.images, told.before, told.after, told.better, told.worse) == (24, 15, 20, 9, 4)
    assert (told.new_images, told.new_after) == (2, 2)
    assert [one.label for one in told.lost] == ["Conus b", "Conus a"]
    assert not told.is_worse
    words = in_words(told)
    assert words[0].startswith(
        "conidae@4 beside conidae@3, on the same 24 held-out pictures: 83.3% right, before 62.5%"
    )
    assert words[1:] == [
        "new classes: 2 of 2 pictures right",
        "worse: Conus b, 1 of 4 right, before 4",
        "worse: Conus a, 9 of 10 right, before 10",
    ]


def test_a_few_pictures_fewer_may_be_chance_and_many_are_not() -> None:
    few = compared(said("a", before=3, after=1, both=50), "m@1", "m@2", "", "")
    many = compared(said("a", before=30, after=10, both=50), "m@1", "m@2", "", "")
    assert (few.is_worse, many.is_worse) == (False, True)


def test_where_nothing_is_held_out_nothing_is_said_to_be_compared() -> None:
    told = compared([], "m@1", "m@2", "", "")
    assert not told.is_worse
    assert "nothing is compared" in in_words(told)[0]
