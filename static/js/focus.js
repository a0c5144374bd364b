// Keeps the keyboard where it was when a part of the page is drawn anew: on the same link, or else as near as can be.
import { toast } from "./toasts.js";

const tableOf = (list) => list?.querySelector(":scope tbody")?.rows || [];

export function placeOf(element) {
  const row = element.closest?.("#list tbody tr");
  return {
    href: element.getAttribute?.("href") || "",
    name: row ? element.textContent.trim() : "",
    row: row ? row.sectionRowIndex : -1,
    column: element.closest?.("#list thead th")?.cellIndex ?? -1,
  };
}

function focusOn(element) {
  // What is folded away cannot be focused.
  const fold = element.closest("details");
  if (fold) fold.open = true;
  element.focus({ preventScroll: true });
}

export function focusNear(place, part) {
  const same = place.href && part?.querySelector(`a[href="${CSS.escape(place.href)}"]`);
  if (same) {
    focusOn(same);
    return;
  }
  const rows = tableOf(part);
  const near = place.column >= 0
    ? part?.querySelector(`thead th:nth-child(${place.column + 1}) a`)
    : rows[Math.min(place.row, rows.length - 1)]?.querySelector(".row-link, summary, a");
  if (near) near.focus({ preventScroll: true });
  else if (part) {
    part.tabIndex = -1;
    part.focus({ preventScroll: true });
  }
  if (place.name && part?.dataset.wordsGone) toast(part.dataset.wordsGone.replace("{name}", place.name), "info");
}
