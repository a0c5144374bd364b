// A list's panel: what a row's link leads to is changed at the right of the list. Without the panel the link just leads there.
import { focusNear, placeOf } from "./focus.js";
import { toast } from "./toasts.js";

const BODY = "list-panel-body";
const panel = () => document.getElementById("list-panel");
const isPanel = (answer) => /id="list-panel-title"|data-panel-saved/.test(answer);
let opened = "";
let place = null;

const openedLink = () => document.querySelector(`#list .row-link[href="${CSS.escape(opened)}"]`);

function fail() {
  const trouble = panel().querySelector("[data-panel-trouble]");
  if (panel().open && trouble) trouble.hidden = false;
  else location.href = opened;
}

function replaceRow(saved) {
  const row = saved.querySelector("tr");
  opened = row.querySelector(".row-link").getAttribute("href");
  const old = openedLink()?.closest("tr");
  if (old) {
    const [box, before] = [row, old].map((line) => line.querySelector("[name=pick]"));
    if (box && before) box.checked = before.checked;
    old.replaceWith(row);
  }
}

function finish(saved) {
  const list = document.getElementById("list");
  if (!list.matches("[data-folded]")) replaceRow(saved);
  panel().close();
  // Where neighbours stand in one line, a change may part them.
  if (list.matches("[data-folded]")) window.htmx.ajax("GET", list.getAttribute("hx-get"), { source: list, target: "#list", swap: "outerHTML" });
  // After the panel is gone: nothing outside of an open dialog is read aloud.
  toast(saved.dataset.panelSaved);
}

function show(body) {
  const saved = body.querySelector("[data-panel-saved]");
  if (saved) {
    finish(saved);
    return;
  }
  if (!panel().open) panel().showModal();
  panel().scrollTop = 0;
  body.querySelector("[data-focus], form input:not([type=hidden])")?.focus();
}

export function startPanel() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#list .row-link");
    if (!link || !panel() || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    opened = link.getAttribute("href");
    place = placeOf(link);
    window.htmx.ajax("GET", opened, { source: `#${BODY}`, target: `#${BODY}` });
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target.id !== BODY || (!detail.isError && isPanel(detail.serverResponse))) return;
    detail.shouldSwap = false;
    fail();
  });
  document.addEventListener("htmx:sendError", ({ detail }) => {
    if (detail.target?.id === BODY) fail();
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id === BODY) show(detail.target);
  });
  // The event does not bubble.
  document.addEventListener("close", (event) => {
    if (event.target !== panel()) return;
    document.getElementById(BODY).replaceChildren();
    const link = openedLink();
    if (link) link.focus({ preventScroll: true });
    else focusNear(place, document.getElementById("list"));
  }, true);
}
