"""Probabilities as people read them. In: a number from 0 to 1. Out: text."""


def percent(value: float) -> str:
    """Return a probability for people; never 0 % or 100 % for what is not quite.

    >>> percent(0.871), percent(0.9996), percent(0.001), percent(0.0)
    ('87 %', '> 99 %', '< 1 %', '0 %')
    """
    if 0 < value < 0.005:
        return "< 1 %"
    if 0.995 < value < 1:
        return "> 99 %"
    return f"{100 * value:.0f} %"
