// What scrolls sideways can be scrolled by keyboard too.
const SCROLLERS = ".table-wrap, .ladder, pre";

function look(part) {
  // What the page itself lets be focused stays so.
  if (part.hasAttribute("tabindex") && !("scroller" in part.dataset)) return;
  if (part.scrollWidth > part.clientWidth) {
    part.tabIndex = 0;
    part.dataset.scroller = "";
  } else {
    part.removeAttribute("tabindex");
    delete part.dataset.scroller;
  }
}

export function startScrollers() {
  const sizes = new ResizeObserver((changes) => changes.forEach(({ target }) => target.isConnected && look(target.closest(SCROLLERS))));
  const watch = () =>
    document.querySelectorAll(SCROLLERS).forEach((part) => {
      sizes.observe(part);
      if (part.firstElementChild) sizes.observe(part.firstElementChild);
    });
  watch();
  document.body.addEventListener("htmx:afterSettle", watch);
}
