"""What a program has set, a form shows in full: who saves it unchanged takes nothing away."""

import pytest

from voice.carriers.forms import TrunkOrderForm
from voice.carriers.models import Trunk
from voice.routing.forms import ScheduleForm
from voice.routing.models import Schedule


def as_sent(form):
    """Everything that the browser would send of an unchanged form."""
    sent = {}
    for bound in form:
        value = bound.value()
        sent[bound.html_name] = "" if value is None else value
    return sent


@pytest.mark.parametrize("count", [0, 3, 4, 8])
def test_no_trunk_of_an_order_is_left_out(count):
    trunks = [Trunk(pk=pk, name=f"Trunk {pk}") for pk in range(1, 10)]
    chosen = list(range(1, count + 1))
    form = TrunkOrderForm(trunks=trunks, chosen=chosen)

    saved = TrunkOrderForm(as_sent(form), trunks=trunks, chosen=chosen)

    assert len([name for name in form.fields if name.startswith("trunk_")]) == max(4, count + 1)
    assert saved.is_valid()
    assert [trunk.pk for trunk in saved.chosen] == chosen


@pytest.mark.parametrize("count", [1, 4, 7])
def test_no_hours_of_a_schedule_are_left_out(count):
    windows = [{"days": [day % 7], "begin": "09:00", "until": "12:00"} for day in range(count)]
    form = ScheduleForm(instance=Schedule(name="Shop", windows=windows, closed=[]))

    again = ScheduleForm(as_sent(form), instance=Schedule(name="Shop", windows=windows, closed=[]))

    assert again.is_valid()
    assert again.instance.windows == windows
