"""What tokens cost, without rounding.

Money is an integer of pico-dollars (pusd, 10**-12 USD). Prices are given for a million tokens with up to six
decimals, which is a whole number of pusd for one token: a cost is a product of integers, a sum does not
depend on its order, and a database adds it exactly, as 64 bits hold nine million USD.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

PUSD_PER_USD: Final = 10**12
_MOST_USD: Final = 10**6
_PER_MTOK_DECIMALS: Final = 6


def parse_usd(value: object, key: str) -> int:
    """Pusd of an amount in USD, as a configuration writes it. Raises: ValueError, naming the key."""
    return _scaled(value, 12, key)


def parse_price(value: object, key: str) -> int:
    """Pusd for one token, of a price in USD for a million. Raises: ValueError, naming the key."""
    return _scaled(value, _PER_MTOK_DECIMALS, key)


def usd(amount_pusd: int) -> Decimal:
    """The same amount in USD, exactly."""
    return Decimal(amount_pusd).scaleb(-12).normalize()


def _scaled(value: object, decimals: int, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(f"{key} must be a number of USD")
    # through its text, a float is the decimal number that the person wrote
    exact = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite() or not 0 <= exact <= _MOST_USD:
        raise ValueError(f"{key} must be from 0 to {_MOST_USD} USD")
    scaled = exact.scaleb(decimals)
    if scaled != int(scaled):
        raise ValueError(f"{key} must have at most {decimals} decimals")
    return int(scaled)


@dataclass(frozen=True, slots=True)
class Pricing:
    """Prices in pusd for one token."""

    input_pusd: int = 0
    output_pusd: int = 0
    cached_input_pusd: int | None = None
    """None: a cached token costs as much as any other of the input."""

    @property
    def is_free(self) -> bool:
        """True when nothing costs anything."""
        return not (self.input_pusd or self.output_pusd or self.cached_input_pusd)

    def most_pusd(self, n_input: int, n_output: int) -> int:
        """What so many tokens cost at most, none of which was read before."""
        return n_input * self.input_pusd + n_output * self.output_pusd

    def cost_pusd(self, n_input: int, n_output: int, n_cached: int = 0) -> int:
        """What these tokens cost, in pusd; never negative, whatever a server counted.

        n_cached: how many of the input the server did not have to read again.
        """
        if n_input < 0 or n_output < 0:
            n_input, n_output = max(0, n_input), max(0, n_output)
        cost = n_input * self.input_pusd + n_output * self.output_pusd
        if self.cached_input_pusd is not None and n_cached > 0:
            cost += min(n_input, n_cached) * (self.cached_input_pusd - self.input_pusd)
        return cost


FREE: Final = Pricing()
