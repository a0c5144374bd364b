"""Templates are read as often as code: one thing a line, and no line that runs off the screen."""

from django.conf import settings

LONGEST = 160


def test_no_line_of_a_template_runs_off_the_screen():
    templates = settings.BASE_DIR / "templates"
    assert [
        f"{path.relative_to(templates)}:{number} has {len(line)} characters"
        for path in sorted(templates.rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LONGEST
    ] == []
