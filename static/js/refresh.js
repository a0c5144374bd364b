// What other people change arrives as a nudge; a part of the page in which the reader is at work is left alone.
const busy = (part) =>
  part.querySelector("input[name=pick]:checked") || (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));

export function startRefreshing() {
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const cause = event.detail.requestConfig?.triggeringEvent?.type || "";
    if (cause.startsWith("config") && busy(event.detail.elt)) event.preventDefault();
  });
  // Focus moves back to the same link after a list has been drawn anew.
  let focused = "";
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const active = document.activeElement;
    focused = event.detail.target.contains(active) ? active.getAttribute("href") || "" : "";
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    if (focused) document.querySelector(`#list a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    focused = "";
  });
}
