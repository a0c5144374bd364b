"""The live dashboard's tables: each cell is named by its column, and what a frame lacks leaves no gap."""

from django.template import loader

from portal.ui import live_tables
from portal.ui.gallery import frame


def drawn(table):
    return loader.render_to_string("components/live_table.html", {"table": table})


def test_each_cell_says_what_its_column_says():
    table = live_tables.live(frame())
    text = drawn(table)

    assert [head.label for head in table.heads] == ["State", "Customer", "Direction", "From", "To", "Trunk", "For"]
    assert all(text.count(f'data-label="{head.label}"') == len(table.rows) == 3 for head in table.heads)
    assert text.count("data-off-card") == 2 and text.count("off-card") == 2 + 2 * 3
    assert 'data-id="1"' in text and "3 min 12 s" in text and "Emergency" in text


def test_a_customers_own_dashboard_names_no_customer():
    mine = frame() | {"customers": None, "live": [], "trunks": []}

    assert "Customer" not in drawn(live_tables.live(mine))
    assert "data-with-customer" not in drawn(live_tables.live(mine))
    assert [table.name for table in live_tables.others(mine, "/")] == ["trunks", "failures"]
    assert 'data-none="live">' in drawn(live_tables.live(mine))


def test_what_names_say_is_no_markup():
    odd = frame() | {"trunks": [{"name": "<b>A", "calls": 1, "answered_share": None, "health": "up"}]}
    odd["customers"] = [{"id": 7, "name": "<i>B", "calls": 1, "answered_share": 0.5, "spark": None}]

    odd["live"] = [odd["live"][0] | {"direction": "<script>", "caller": "<script>", "id": '"><script>'}]

    text = drawn(live_tables.live(odd)) + "".join(drawn(each) for each in live_tables.others(odd, '/"><script>'))

    assert "&lt;b&gt;A" in text and "&lt;i&gt;B" in text
    assert "<script>" not in text and 'data-key="7"' in text and "50 %" in text
