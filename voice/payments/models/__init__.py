"""Payments: what the bank says, what cards pay, and whoever has to be reminded."""

from voice.payments.models.bank import BankEntry, BankStatement
from voice.payments.models.card import CardAccount, CardAttempt, CardDispute, CardEvent, CardMethod, CardPayer
from voice.payments.models.dunning import DunningPause, DunningSetting, DunningStep, Reminder, ReminderLine

__all__ = [
    "BankEntry",
    "BankStatement",
    "CardAccount",
    "CardAttempt",
    "CardDispute",
    "CardEvent",
    "CardMethod",
    "CardPayer",
    "DunningPause",
    "DunningSetting",
    "DunningStep",
    "Reminder",
    "ReminderLine",
]
