"""Parsing of stamps in files: seconds, microseconds or nanoseconds, never through a float."""

from __future__ import annotations

from decimal import Decimal

from husky_placerec.types import SECOND_NS

MICROSECOND_DIGITS, NANOSECOND_DIGITS = 16, 19


def parse_stamp(text: str) -> int:
    """
    Return a stamp in ns, from seconds, or a whole number of 16 (us) or 19 (ns) digits.

    pandas writes a column of microseconds with gaps as floats, which keep every digit
    ('1700000000123456.0'). Nanoseconds that went through a float are refused.

    :raises ValueError: for a text that is no stamp; ArithmeticError if it is no number.
    """
    whole, _, fraction = text.partition('.')
    if whole.isdigit() and len(whole) >= MICROSECOND_DIGITS:
        if fraction.strip('0') or (fraction and len(whole) >= NANOSECOND_DIGITS):
            raise ValueError(f'{text} went through a float, which holds 15 digits of it')
        stamp_ns = int(whole) if len(whole) >= NANOSECOND_DIGITS else int(whole) * 1000
    elif 'e' in text.lower() and abs(Decimal(text)) >= 10 ** (MICROSECOND_DIGITS - 1):
        raise ValueError(f'{text} went through a float, which holds 15 digits of it')
    else:
        stamp_ns = int(Decimal(text) * SECOND_NS)
    if not 0 <= stamp_ns < 2**63:
        raise ValueError(f'{text} is no stamp')
    return stamp_ns
