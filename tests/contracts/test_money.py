"""Money: nothing is lost when it is rounded, split, written or read."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.money import (
    MAX_MINOR,
    MoneyError,
    convert,
    convert_back,
    decimal_text,
    is_currency,
    is_percent,
    is_rate,
    minor_units,
    percent_of,
    plain_rate,
    round_half_up,
    split,
)

AMOUNTS = st.integers(-MAX_MINOR, MAX_MINOR)
WEIGHTS = st.lists(st.integers(0, MAX_MINOR), min_size=1, max_size=40).filter(any)


@settings(deadline=None)
@given(AMOUNTS, WEIGHTS)
def test_the_parts_of_a_split_add_up_to_the_whole(total: int, weights: list[int]) -> None:
    assert sum(split(total, weights)) == total


@settings(deadline=None)
@given(AMOUNTS, WEIGHTS)
def test_each_part_is_less_than_one_unit_from_its_exact_share(total: int, weights: list[int]) -> None:
    shares = [Fraction(total * weight, sum(weights)) for weight in weights]
    assert all(abs(part - share) < 1 for part, share in zip(split(total, weights), shares, strict=True))


@settings(deadline=None)
@given(AMOUNTS, WEIGHTS)
def test_a_larger_weight_never_gets_a_smaller_part(total: int, weights: list[int]) -> None:
    parts = [abs(part) for part in split(total, weights)]
    by_weight = sorted(zip(weights, parts, strict=True))
    assert all(small <= large for (_, small), (_, large) in pairwise(by_weight))


@settings(deadline=None)
@given(AMOUNTS, WEIGHTS)
def test_a_part_has_the_sign_of_the_whole_and_no_weight_gets_nothing(total: int, weights: list[int]) -> None:
    parts = split(total, weights)
    assert all(part * total >= 0 for part in parts)
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (5, [1, 2], [2, 3]),
        (1, [3, 5], [0, 1]),
        (0, [7, 0], [0, 0]),
        (2821, [2000, 612, 209], [2000, 612, 209]),
        (10, [0, 3], [0, 10]),
    ],
)
def test_what_rounding_leaves_goes_to_the_largest_remainder_and_to_the_first_of_equals(
    total: int, weights: list[int], parts: list[int]
) -> None:
    assert split(total, weights) == parts


@pytest.mark.parametrize("weights", [[], [0, 0], [3, -1]])
def test_weights_that_share_nothing_are_a_bug(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split(100, weights)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (1, 2, 1),
        (-1, 2, -1),
        (3, 2, 2),
        (-3, 2, -2),
        (5, 2, 3),
        (1, 3, 0),
        (-1, 3, 0),
        (2, 3, 1),
        (-2, 3, -1),
        (0, 7, 0),
        (49, 100, 0),
        (50, 100, 1),
        (-50, 100, -1),
        (10**30 + 1, 2, 5 * 10**29 + 1),
    ],
)
def test_a_half_is_rounded_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_up(numerator, denominator) == rounded


@pytest.mark.parametrize("denominator", [0, -2])
def test_a_denominator_that_is_not_positive_is_a_bug(denominator: int) -> None:
    with pytest.raises(ValueError, match="denominator"):
        round_half_up(1, denominator)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (124000, "USD", "1240.00"),
        (5, "USD", "0.05"),
        (-5, "USD", "-0.05"),
        (-124050, "USD", "-1240.50"),
        (0, "USD", "0.00"),
        (1240, "JPY", "1240"),
        (-7, "JPY", "-7"),
        (1240, "BHD", "1.240"),
        (-1, "BHD", "-0.001"),
        (1, "CLF", "0.0001"),
    ],
)
def test_an_amount_has_exactly_the_digits_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert decimal_text(minor, currency) == text
    assert minor_units(text, currency) == minor


@settings(deadline=None)
@given(AMOUNTS, st.sampled_from(["USD", "JPY", "BHD"]))
def test_an_amount_that_is_written_is_read_as_the_same(minor: int, currency: str) -> None:
    assert minor_units(decimal_text(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("1240", "USD", 124000), ("1240.5", "USD", 124050), ("+5", "USD", 500), ("007", "JPY", 7)],
)
def test_digits_that_are_left_out_are_zero(text: str, currency: str, minor: int) -> None:
    assert minor_units(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.005", "USD"),
        # German for 1500: taking it for 1.50 would be worse than refusing it.
        ("1.500", "USD"),
        ("1.0", "JPY"),
        ("0.0001", "BHD"),
        ("1.00000000000000000000000000001", "USD"),
    ],
)
def test_more_digits_than_the_currency_has_are_refused(text: str, currency: str) -> None:
    with pytest.raises(MoneyError, match="digits"):
        minor_units(text, currency)


@pytest.mark.parametrize(
    "text",
    [
        *("", " 5", "5 ", "5\n", ".5", "5.", "--5", "$5", "0x10", "1,5", "1,240.00", "1_000"),
        *("1e3", "1E999999", "NaN", "Infinity", "\uff15", "9" * 19, "9" * 5000),
    ],
)
def test_anything_but_plain_digits_is_refused(text: str) -> None:
    with pytest.raises(MoneyError, match="plain decimal"):
        minor_units(text, "USD")


@pytest.mark.parametrize("currency", ["USS", "usd", "", "XAU", "XXX", "DEM"])
def test_what_iso_4217_does_not_list_with_a_minor_unit_is_no_currency(currency: str) -> None:
    assert not is_currency(currency)
    with pytest.raises(MoneyError, match="ISO 4217"):
        minor_units("1", currency)


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY", "BHD"])
def test_what_iso_4217_lists_is_a_currency(currency: str) -> None:
    assert is_currency(currency)


# -- rates and percentages -----------------------------------------------------------------------

RATES = st.builds("{}.{:06d}".format, st.integers(1, 9_999), st.integers(0, 999_999))


@pytest.mark.parametrize(
    ("minor", "currency", "rate", "into", "converted"),
    [
        (45_002, "CAD", "0.735", "USD", 33_076),  # 330.7647
        (45_002, "CAD", "0.7827176", "USD", 35_224),
        (1_000, "USD", "1", "USD", 1_000),
        (1, "USD", "0.5", "EUR", 1),  # half a cent is a cent
        (1, "USD", "0.499999999999", "EUR", 0),
        (1_000, "JPY", "0.0067", "USD", 670),
        (670, "USD", "149.25", "JPY", 1_000),  # 999.975
        (1_234, "BHD", "2.65", "USD", 327),  # 1.234 dinars are 3.2701 dollars
        (327, "USD", "0.377358", "BHD", 1_234),
        (-45_002, "CAD", "0.735", "USD", -33_076),
        (0, "USD", "7", "EUR", 0),
    ],
)
def test_an_amount_is_converted_between_currencies_of_any_number_of_digits(
    minor: int, currency: str, rate: str, into: str, converted: int
) -> None:
    assert convert(minor, currency, rate, into) == converted


@pytest.mark.parametrize(
    ("minor", "currency", "rate", "into", "converted"),
    [
        (1_500, "EUR", "1.5", "USD", 1_000),
        (100, "EUR", "3", "USD", 33),
        (50, "EUR", "3", "USD", 17),
        (670, "USD", "0.0067", "JPY", 1_000),
    ],
)
def test_an_amount_is_converted_back(minor: int, currency: str, rate: str, into: str, converted: int) -> None:
    assert convert_back(minor, currency, rate, into) == converted


@settings(deadline=None)
@given(st.integers(0, 10**12), RATES)
def test_there_and_back_at_a_rate_above_one_is_where_it_began(minor: int, rate: str) -> None:
    assert convert_back(convert(minor, "USD", rate, "EUR"), "EUR", rate, "USD") == minor


@pytest.mark.parametrize(
    ("minor", "percent", "part"),
    [(23_600, "10", 2_360), (1, "50", 1), (1, "49.9", 0), (1_000, "2.5", 25), (999, "100", 999)],
)
def test_a_percentage_is_rounded_half_up(minor: int, percent: str, part: int) -> None:
    assert percent_of(minor, percent) == part


@pytest.mark.parametrize("text", ["1", "0.000001", "123456789012.123456789012", "007"])
def test_a_rate_is_a_plain_decimal_above_zero(text: str) -> None:
    assert is_rate(text)


@pytest.mark.parametrize(
    "text", ["", "0", "0.0", "-1", "+1", "1e3", ".5", "5.", "1,5", " 1", "1.1234567890123", "٣"]
)
def test_anything_else_is_no_rate(text: str) -> None:
    assert not is_rate(text)


def test_a_percentage_is_a_rate_up_to_a_hundred() -> None:
    assert is_percent("100")
    assert is_percent("0.5")
    assert not is_percent("100.000001")
    assert not is_percent("0")


@pytest.mark.parametrize(
    ("rate", "plain"), [("1", "1"), ("1.00", "1"), ("0.7350", "0.735"), ("0110", "110"), ("100", "100")]
)
def test_equal_rates_are_equal_texts(rate: str, plain: str) -> None:
    assert plain_rate(rate) == plain
