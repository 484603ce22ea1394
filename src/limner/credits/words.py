"""How a sentence says a number of credits."""


def in_words(credits: int) -> str:
    """Such as `1 credit`, `5 credits`, `0 credits`."""
    return f"{credits} credit{'' if credits == 1 else 's'}"


def are_or_is(credits: int) -> str:
    """The verb that belongs to that number."""
    return "is" if credits == 1 else "are"
