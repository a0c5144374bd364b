"""Where cards are charged: what we ask of it, whoever it is."""

from dataclasses import dataclass, field
from typing import Protocol

from voice.rating.money import MICROS, decimals

# Stripe counts these otherwise than ISO 4217 does.
OWN_DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}
# Names of kinds of cards that are not written as other names are.
BRANDS = {"mastercard": "Mastercard", "amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay",
          "eftpos_au": "eftpos", "sepa_debit": "SEPA", "paypal": "PayPal"}  # fmt: skip


class GatewayError(Exception):
    """The gateway could not be reached or does not do it; the words are fit for the user."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid; `key` makes asking twice asking once."""

    key: str
    minor: int
    currency: str
    text: str
    payer: str = ""
    saves: bool = False
    back: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """A page of the gateway where somebody can pay."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class Charged:
    """What became of a charge without the payer: `succeeded`, `processing`, `action` or `failed`."""

    intent: str
    state: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A card as far as it may be shown."""

    reference: str
    brand: str
    last4: str
    month: int
    year: int

    def __str__(self) -> str:
        return f"{BRANDS.get(self.brand, self.brand.replace('_', ' ').title())} … {self.last4}".removesuffix(" … ")


class Gateway(Protocol):
    """What both the real gateway and the lab's can do; each raises GatewayError."""

    def payer(self, name: str, email: str, *, key: str) -> str: ...

    def checkout(self, order: Order) -> Session: ...

    def expire(self, session: str) -> bool: ...

    def charge(self, order: Order, method: str) -> Charged: ...

    def refund(self, intent: str, minor: int, *, key: str) -> bool: ...

    def method_of(self, intent: str) -> str: ...

    def card(self, method: str) -> Card: ...

    def forget(self, method: str) -> None: ...


def to_minor_units(micros: int, currency: str) -> int:
    """Return an amount in the gateway's smallest units, exactly; raises ValueError where it is finer than a coin."""
    unit = _unit(currency)
    if micros % unit:
        raise ValueError(f"{micros} micros of {currency} are no whole number of coins.")
    return micros // unit


def from_minor_units(minor: int, currency: str) -> int:
    """Return an amount of the gateway in micros."""
    return minor * _unit(currency)


def _unit(currency: str) -> int:
    return int(MICROS // 10 ** OWN_DECIMALS.get(currency, decimals(currency)))
