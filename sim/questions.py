"""Made-up prediction markets: a question and a symbol each, by faker."""

import random

from matchbox_tui.engine import Market

_QUESTIONS = (
    "Will it rain in {city} on Friday?",
    "Will {name} be elected mayor of {city}?",
    "Will {company} go public this year?",
    "Will the {city} marathon be run under two hours?",
    "Will {name} win the {city} open?",
    "Will {city} see snow before the month ends?",
    "Will {company} ship its product on time?",
)


def make_markets(count: int, seed: int) -> list[Market]:
    """`count` prediction markets with different symbols; the same seed, the same markets."""
    # Here, since most who import this package make no markets, and it takes long to load.
    from faker import Faker

    fake = Faker("en_US")
    fake.seed_instance(seed)
    rng = random.Random(seed)
    markets: dict[str, Market] = {}
    while len(markets) < count:
        city, company = fake.city(), fake.company().split(",")[0].split(" ")[0]
        question = rng.choice(_QUESTIONS)
        subject = city if "{city}" in question else company
        symbol = "".join(filter(_is_plain, subject.upper()))
        symbol = symbol[:8] if len(markets) < 500 else f"{symbol[:8]}{len(markets)}"
        if len(symbol) >= 3 and symbol not in markets:
            title = question.format(city=city, name=fake.name(), company=company)
            markets[symbol] = Market.prediction(symbol, title)
    return list(markets.values())


def _is_plain(letter: str) -> bool:
    return letter.isascii() and letter.isalpha()
