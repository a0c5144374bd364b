"""Payments: what the bank says."""

from voice.payments.models.bank import BankEntry, BankStatement

__all__ = ["BankEntry", "BankStatement"]
