// What other people change arrives as a nudge; a part of the page in which the reader is at work is left alone.
import { focusNear, placeOf } from "./focus.js";

const busy = (part) =>
  part.querySelector("input[name=pick]:checked") || (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));

export function startRefreshing() {
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const cause = event.detail.requestConfig?.triggeringEvent?.type || "";
    if (cause.startsWith("config") && busy(event.detail.elt)) event.preventDefault();
  });
  const kept = new Map();
  document.body.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    const active = document.activeElement;
    const place = active !== target && target.contains(active) ? placeOf(active) : null;
    kept.set(target.id, [place, [...target.querySelectorAll("details[id][open]")].map((fold) => fold.id)]);
  });
  document.body.addEventListener("htmx:afterSettle", ({ detail: { target } }) => {
    const [place, unfolded] = kept.get(target.id) || [null, []];
    kept.delete(target.id);
    unfolded.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    // Whoever has gone elsewhere meanwhile stays there.
    if (place && document.activeElement === document.body) focusNear(place, document.getElementById(target.id));
  });
}
