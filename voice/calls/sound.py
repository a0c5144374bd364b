"""How a call sounded, told to a person: on average, and as each side sent it."""

from typing import Any

from django.utils.translation import gettext as _

from voice.calls import story
from voice.calls.models import Cdr

# A name, a value and what it means.
Figure = tuple[str, str, str]


def figures(cdr: Cdr) -> list[Figure]:
    """Return the figures of a call's sound, none where no side reported any."""
    media = cdr.media or {}
    found = [
        (_("Quality (MOS)"), _number(media, "mos", ""), _("From 1, bad, to 5, as if in one room.")),
        (_("Jitter"), _number(media, "jitter", " ms"), _("How unevenly the packets came.")),
        (_("Loss"), _number(media, "loss", " %"), ""),
        (_("Round trip"), _number(media, "roundtrip", " ms", 1000), _("There and back, over both sides.")),
    ]
    return [*(figure for figure in found if figure[1]), *_sides(cdr, media)]


def _sides(cdr: Cdr, media: dict[str, Any]) -> list[Figure]:
    is_teams_calling = cdr.ingress == "teams"
    trunk = story.egress(cdr) if is_teams_calling else story.ingress(cdr)
    teams = story.ingress(cdr) if is_teams_calling else story.egress(cdr)
    sides = ((teams, media.get("from_teams")), (trunk, media.get("from_trunk")))
    return [
        (_("%(side)s sent") % {"side": side}, _in_one_line(sent), _("As the other side heard it."))
        for side, sent in sides
        if sent
    ]


def _in_one_line(sent: dict[str, float]) -> str:
    said = {
        _("MOS %s"): _number(sent, "mos", ""),
        _("jitter %s"): _number(sent, "jitter", " ms"),
        _("loss %s"): _number(sent, "loss", " %"),
    }
    return ", ".join(words % number for words, number in said.items() if number)


def _number(media: dict[str, Any], name: str, unit: str, divided_by: int = 1) -> str:
    figure = media.get(name)
    return "" if figure is None else f"{round(figure / divided_by, 1):g}{unit}"
