"""Numbers and times as text: integers in, aligned characters out."""

from datetime import UTC, datetime, tzinfo

_UNITS = "kMGTPE"


def grouped(value: int) -> str:
    """All digits, in threes: 1,250."""
    return f"{value:,}"


def signed(value: int) -> str:
    """All digits with their sign; zero has none."""
    return f"{value:+,}" if value else "0"


def short(value: int) -> str:
    """At most six characters, exact below 100,000 and rounded down above: 12,400, 1.25M, 10^21."""
    if value < 100_000:
        return f"{value:,}"
    power = (len(str(value)) - 1) // 3
    if power > len(_UNITS):
        return f"10^{len(str(value)) - 1}"
    whole, rest = divmod(value, 1000**power)
    decimals = 3 - len(str(whole))
    unit = _UNITS[power - 1]
    if not decimals:
        return f"{whole}{unit}"
    part = rest * 10**decimals // 1000**power
    return f"{whole}.{part:0{decimals}d}{unit}"


def thousandths(value: int) -> str:
    """A number of thousandths to two decimals, halves away from zero: 50500 is 50.50."""
    hundredths = (abs(value) + 5) // 10
    sign = "-" if value < 0 and hundredths else ""
    return f"{sign}{hundredths // 100:,}.{hundredths % 100:02d}"


def ticks(value: int) -> str:
    """A signed number of thousandths, with decimals where it has any: 37500 is +37.50, -4000 -4."""
    if not value % 1000:
        return signed(value // 1000)
    return f"{'+' if value > 0 else ''}{thousandths(value)}"


def fitted(text: str, value: int, width: int) -> str:
    """The text, or where it is too long the value in few characters with the text's sign."""
    if len(text) <= width:
        return text
    return f"{text[0] if text[0] in '+-' else ''}{short(abs(value))}"


def half(value: int) -> str:
    """A number of halves without a sign: 99 is 49.5, 100 is 50."""
    return grouped(value // 2) + (".5" if value % 2 else "")


def clock_time(time: int, zone: tzinfo | None = None) -> str:
    """The time of day of a time in nanoseconds, in the local zone where none is given."""
    try:
        moment = datetime.fromtimestamp(time // 1_000_000_000, UTC).astimezone(zone)
    except (OverflowError, OSError, ValueError):
        return "--:--:--"
    return moment.strftime("%H:%M:%S")


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(time: int) -> str:
    """A stretch of time in ns, with its unit: 420 us, 1.2 ms, 84 ms, 1.25 s, 42 s, 3 m, 5 h."""
    if time < 1_000_000:
        return f"{max(time, 0) // 1000} us"
    if time < 10_000_000:
        return f"{time // 1_000_000}.{time // 100_000 % 10} ms"
    if time < 1_000_000_000:
        return f"{time // 1_000_000} ms"
    seconds, part = divmod(time, 1_000_000_000)
    if seconds < 10:
        return f"{seconds}.{part // 10_000_000:02d} s"
    return age(time)[:-1] + f" {age(time)[-1]}"


def age(time: int) -> str:
    """A stretch of time in ns in at most four characters: 7s, 59m, 23h, 999d."""
    seconds = max(time, 0) // 1_000_000_000
    for size, unit, most in ((1, "s", 60), (60, "m", 60), (3600, "h", 24)):
        if seconds < size * most:
            return f"{seconds // size}{unit}"
    return f"{min(seconds // 86400, 999)}d"
