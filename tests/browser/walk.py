"""A walk over everything that somebody can reach by links, and what is looked at on each page."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Page, Response

AXE = (Path(__file__).resolve().parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js").read_text
# axe leaves the rules of WCAG 2.2 out unless they are asked for by their tag.
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What another theme or another width can change; all the rest is the same markup.
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
OF_WIDTH = {"type": "rule", "values": ["target-size", "scrollable-region-focusable", "aria-hidden-focus", "link-name",
                                       "button-name", "label"]}  # fmt: skip
NOT_A_PAGE = re.compile(r"/account/logout/|[?&]export=|/schema/|\.json|/files/|/logo|\.css|recovery-codes/download")
AN_ID = re.compile(r"(?<=/)([0-9]+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/)")
# Half of its way in, a panel's words have half of their contrast. What never ends is not waited for.
SETTLED = """() => {
    const ends = document.getAnimations().filter(one => one.effect.getComputedTiming().endTime !== Infinity)
    const settled = Promise.allSettled(ends.map(one => one.finished))
    return Promise.race([settled, new Promise(late => setTimeout(late, 1000))]).then(() => null)
}"""


@dataclass
class Seen:
    """What the walk has found."""

    addresses: dict[str, str] = field(default_factory=dict)  # shape → the first address of that shape
    faults: list[str] = field(default_factory=list)


def shape(url: str) -> str:
    """Return the address without its ids and its query: pages of one shape are drawn by one view."""
    return AN_ID.sub("*", urlsplit(url).path)


def walk(page: Page, start: str, at_most: int = 200) -> Iterator[tuple[str, Response]]:
    """Open every page that links lead to from here, one of each shape (and its first variant by query)."""
    host = urlsplit(start).netloc
    waiting, known = deque([start]), {(shape(start), "")}
    while waiting and len(known) < at_most:
        url = waiting.popleft()
        response = page.goto(url)
        assert response is not None
        yield url, response
        for href in page.eval_on_selector_all("a[href]:not([download])", "links => links.map(link => link.href)"):
            parts = urlsplit(urljoin(url, href))
            key = (shape(href), "?" if parts.query else "")
            if parts.scheme == "http" and parts.netloc == host and key not in known and not NOT_A_PAGE.search(href):
                known.add(key)
                waiting.append(href.split("#")[0])


def form_of(page: Page) -> list[str]:
    """Return what is wrong with the page's frame: its title, its heading, its width."""
    faults = []
    heads = page.locator("h1").all_inner_texts()
    if len(heads) != 1 or not heads[0].strip():
        faults.append(f"has {len(heads)} h1")
    elif heads[0].strip() not in page.title():
        faults.append(f"is titled {page.title()!r} but headed {heads[0]!r}")
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        faults.append("is wider than the window")
    if page.locator("text=/\\{[%{]|[%}]\\}|None None/").count():
        faults.append("shows template code")
    if page.locator("text=/<\\/?(span|time|code|strong)[ >]/").count():
        faults.append("shows markup as text")
    return faults


def access_of(page: Page, rules: dict[str, Any] = RULES) -> list[str]:
    """Return what axe finds on the page by some rules, once no part of it is dimmed or on its way in."""
    page.locator(".htmx-request").first.wait_for(state="detached")
    page.evaluate(SETTLED)
    if not page.evaluate("'axe' in window"):
        # Through the debugger's own world: the page's policy allows no script from elsewhere, and shall not.
        page.evaluate(AXE())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']} – {node['target']} "
        + (node["any"][0]["message"] if node["any"] else "")
        for rule in found["violations"]
        for node in rule["nodes"][:3]
    ]
