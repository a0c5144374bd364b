// What scrolls sideways can be scrolled by keyboard too.
const SCROLLERS = ".table-wrap, .ladder, pre";

function look() {
  document.querySelectorAll(SCROLLERS).forEach((part) => {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  });
}

export function startScrollers() {
  look();
  window.addEventListener("resize", look);
  document.body.addEventListener("htmx:afterSettle", look);
}
