"""Money as integer minor units of an ISO 4217 currency: reading, writing, rounding and splitting it.

No float comes near an amount. Exponents come from the `iso4217` package (the ISO 4217 maintenance
agency's table): USD has 2, JPY 0, BHD 3.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from iso4217 import Currency

MAX_MINOR: Final = 10**15
"""Largest amount accepted in one field, in minor units: below 2**53, so that consumers which read JSON
numbers as IEEE doubles see it exactly, and nine thousand of them still add up within 64 bits."""

# Currencies without a minor unit of their own (gold, SDR, test codes) are not used for receivables.
EXPONENTS: Final[dict[str, int]] = {c.code: c.exponent for c in Currency if c.exponent is not None}

# Plain ASCII digits, at most 18 before the point: no exponents, separators or spaces.
_DECIMAL: Final = re.compile(r"([+-]?)([0-9]{1,18})(?:\.([0-9]+))?")

# A rate or a percentage: not zero, at most 12 digits on each side of the point.
_FACTOR: Final = re.compile(r"(?=.*[1-9])([0-9]{1,12})(?:\.([0-9]{1,12}))?")


class MoneyError(ValueError):
    """A text that is not an amount of the currency it is said to be in."""


def is_currency(code: str) -> bool:
    """Say whether `code` is an ISO 4217 currency that has a minor unit."""
    return code in EXPONENTS


def decimal_text(minor: int, currency: str) -> str:
    """Write `minor` units as a plain decimal string with the currency's exact number of digits.

    >>> decimal_text(124000, "USD"), decimal_text(-5, "USD"), decimal_text(1240, "JPY")
    ('1240.00', '-0.05', '1240')
    """
    exponent = EXPONENTS[currency]
    if exponent == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def minor_units(text: str, currency: str) -> int:
    """Read a decimal string as minor units of `currency`.

    Raises MoneyError when the currency is unknown, or the text is no plain decimal number or has
    more digits than the currency.

    >>> minor_units("1240", "USD"), minor_units("-0.05", "USD"), minor_units("1.240", "BHD")
    (124000, -5, 1240)
    """
    if currency not in EXPONENTS:
        raise MoneyError(f"{currency!r} is not an ISO 4217 currency")
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise MoneyError(f"{text[:40]!r} is not a plain decimal number")
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    exponent = EXPONENTS[currency]
    if len(fraction) > exponent:
        raise MoneyError(f"{text[:40]!r} has more digits than {currency} has minor units")
    return int(f"{sign}{whole}{fraction.ljust(exponent, '0')}")


def round_half_up(numerator: int, denominator: int) -> int:
    """Divide two integers, rounding half away from zero (half-up on the magnitude)."""
    if denominator <= 0:
        raise ValueError("the denominator is positive")
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -magnitude if numerator < 0 else magnitude


def is_rate(text: str) -> bool:
    """Say whether `text` is a rate: a plain decimal above 0, at most 12 digits on each side of the point."""
    return _FACTOR.fullmatch(text) is not None


def plain_rate(rate: str) -> str:
    """Write a rate without needless zeros, so that equal rates are equal texts.

    >>> plain_rate("1.00"), plain_rate("0.7350"), plain_rate("0110")
    ('1', '0.735', '110')
    """
    return format(Decimal(rate).normalize(), "f")


def is_percent(text: str) -> bool:
    """Say whether `text` is a percentage: a plain decimal above 0 and up to 100."""
    if not is_rate(text):
        return False
    numerator, denominator = _fraction(text)
    return numerator <= 100 * denominator


@lru_cache(maxsize=4096)
def _fraction(text: str) -> tuple[int, int]:
    """Read a rate as numerator and denominator. Raises MoneyError when it is none."""
    match = _FACTOR.fullmatch(text)
    if match is None:
        raise MoneyError(f"{text[:40]!r} is not a rate")
    digits = match.group(2) or ""
    return int(match.group(1) + digits), 10 ** len(digits)


def convert(minor: int, currency: str, rate: str, into: str) -> int:
    """Convert minor units of `currency` at `rate` (units of `into` for one of `currency`), rounded half up.

    >>> convert(45002, "CAD", "0.735", "USD"), convert(1000, "JPY", "0.0067", "USD")
    (33076, 670)
    """
    numerator, denominator = _fraction(rate)
    shift = EXPONENTS[into] - EXPONENTS[currency]
    return round_half_up(minor * numerator * 10 ** max(shift, 0), denominator * 10 ** max(-shift, 0))


def convert_back(minor: int, currency: str, rate: str, into: str) -> int:
    """Convert minor units of `currency` into the currency that `rate` is for: the inverse of `convert`.

    `rate` gives units of `currency` for one of `into`.

    >>> convert_back(1500, "EUR", "1.5", "USD")
    1000
    """
    numerator, denominator = _fraction(rate)
    shift = EXPONENTS[into] - EXPONENTS[currency]
    return round_half_up(minor * denominator * 10 ** max(shift, 0), numerator * 10 ** max(-shift, 0))


def percent_of(minor: int, percent: str) -> int:
    """Give `percent` of an amount, rounded half up.

    >>> percent_of(23600, "10")
    2360
    """
    numerator, denominator = _fraction(percent)
    return round_half_up(minor * numerator, denominator * 100)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` minor units in proportion to `weights`; the parts always sum to `total`.

    The cents that rounding leaves go to the largest remainders, earlier ones first on a tie
    (Hamilton's method), so no part is more than one unit from its exact share.
    """
    whole = sum(weights)
    if not weights or whole <= 0 or min(weights) < 0:
        raise ValueError("weights are not negative and at least one is positive")
    sign = -1 if total < 0 else 1
    exact = [divmod(abs(total) * weight, whole) for weight in weights]
    parts = [quotient for quotient, _ in exact]
    left = abs(total) - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda i: -exact[i][1])
    for index in by_remainder[:left]:
        parts[index] += 1
    return [sign * part for part in parts]
