"""Samples of every component for the page `/_components/`, which exists while developing only."""

from dataclasses import dataclass
from datetime import timedelta
from math import sin
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.timezone import now

from portal.ui.forms import Groups
from portal.ui.ladder import Message
from portal.ui.parts import Event, Line, Step, Tab
from portal.ui.status import STATES, going_live, status


@dataclass
class Sample:
    state: str = "running"
    message: str = "Reading rows"
    total: int = 5000
    done: int = 1842
    pk: int = 1


class SampleForm(Groups, forms.Form):
    groups = [("Where", ["name", "host", "transport"]), ("Limits", ["cps", "channels"])]

    name = forms.CharField(help_text="As your team knows it.")
    host = forms.CharField(required=False, help_text="A name or an address.")
    transport = forms.ChoiceField(choices=[("udp", "UDP"), ("tcp", "TCP")])
    cps = forms.IntegerField(
        label="New calls a second", initial=5, widget=forms.NumberInput(attrs={"data-unit": "calls/s"})
    )
    channels = forms.IntegerField(
        label="Calls at the same time", initial=30, widget=forms.NumberInput(attrs={"data-unit": "calls"})
    )
    policy = forms.ChoiceField(
        label="A caller ID that is not yours",
        choices=[("replace", "Show the default number instead"), ("refuse", "Refuse the call")],
        widget=forms.RadioSelect,
        initial="replace",
    )
    enabled = forms.BooleanField(
        label="In use", required=False, help_text="Off takes no new calls; running ones go on."
    )
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)


def frame() -> dict[str, Any]:
    """Return a dashboard frame such as the live figures send."""
    at = int(now().timestamp() * 1000)
    series = [[at - 60_000 * (59 - n), round(14 + 6 * sin(n / 7)), round(20 + 9 * sin(n / 5))] for n in range(60)]
    call = {"direction": "out", "caller": "+4930901820112", "called": "+442079460123", "trunk": "Carrier A"}
    return {
        "type": "snapshot",
        "at": at,
        "series": series,
        "now": {"calls": 14, "per_minute": 23, "answered_share": 0.93, "cost_today": None},
        "live": [
            call | {"id": "1", "state": "answered", "since": at - 192_000, "customer": "Acme"},
            call
            | {
                "id": "2",
                "state": "ringing",
                "since": at - 7_000,
                "direction": "in",
                "trunk": "Teams",
                "customer": "Globex",
            },
            call
            | {
                "id": "3",
                "state": "start",
                "since": at - 1_000,
                "direction": "emergency",
                "called": "112",
                "customer": "Acme",
            },
        ],
        "trunks": [
            {"name": "Carrier A", "calls": 11, "answered_share": 0.95, "health": "up"},
            {"name": "Carrier B", "calls": 0, "answered_share": None, "health": "down"},
        ],
        "customers": [
            {"name": "Acme", "calls": 9, "answered_share": 0.94},
            {"name": "Globex", "calls": 5, "answered_share": 0.9},
        ],
        "failures": [
            {"code": 486, "words": "Busy", "count": 4},
            {"code": 503, "words": "Carrier B did not answer", "count": 2},
        ],
    }


def context(request: HttpRequest) -> dict[str, Any]:
    """Return what the gallery shows."""
    wrong = SampleForm({"name": "", "transport": "sctp", "cps": "many", "channels": "30", "policy": "replace"})
    at = now()
    return {
        "states": [status(name) for name in STATES],
        "going": going_live(1, 2, 3),
        "cooling": status("cooling", word="Cooling until 12 Dec"),
        "sample_form": SampleForm(),
        "wrong_form": wrong,
        "now": at,
        "tabs": [Tab("Overview", "#", True), Tab("Calls", "#", count=1284), Tab("History", "#"), Tab("API", "#")],
        "events": [
            Event(at - timedelta(minutes=2), "Route saved", "Alice changed the trunk", "good", "check"),
            Event(
                at - timedelta(hours=3), "sbc-2 did not answer", "No acknowledgement for 40 s", "bad", "alert-triangle"
            ),
            Event(at - timedelta(days=1), "Policy created", "", "calm", "plus"),
        ],
        "lines": [
            Line("+", "Calls to +44… leave by Carrier A, then Carrier B"),
            Line("~", "calls a second", 5, 8),
            Line("-", "Calls to +1 900… are blocked"),
        ],
        "steps": [
            Step("Address given", "done", "sbc.northwind.example"),
            Step("Certificate issued", "done"),
            Step("First SBC has it", "current", "1 of 2 nodes, 3 s"),
            Step("Microsoft sees us", "waiting", "Waiting for Microsoft", at - timedelta(minutes=4), "#"),
            Step("Place a test call"),
        ],
        "job": Sample(),
        "done_job": Sample("done", "5,000 rows read", 5000, 5000, 2),
        "parties": ["Teams", "SBC", "Carrier A", "Carrier B"],
        "arrows": [
            Message(0, 1, "INVITE +44 20 7946 0123", "+0 ms"),
            Message(1, 0, "100 Trying", "+2 ms"),
            Message(1, 2, "INVITE", "+9 ms"),
            Message(2, 1, "503 Service Unavailable", "+118 ms", "bad"),
            Message(1, 3, "INVITE", "+120 ms"),
            Message(3, 1, "200 OK", "+4,210 ms", "good"),
            Message(1, 0, "200 OK", "+4,213 ms", "good"),
        ],
        "frame": frame(),
    }
