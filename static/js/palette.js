// Search from anywhere: Ctrl/⌘ K opens it, arrows choose, Enter goes.
export function startPalette() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const field = palette.querySelector("input");
  const hits = () => [...palette.querySelectorAll("[role=option]")];

  function open() {
    if (palette.open) return;
    palette.showModal();
    field.select();
    field.dispatchEvent(new CustomEvent("palette-open"));
  }

  function choose(option) {
    hits().forEach((other) => other.setAttribute("aria-selected", String(other === option)));
    field.setAttribute("aria-activedescendant", option?.id || "");
    option?.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-palette]");
    if (!opener || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  palette.addEventListener("htmx:afterSwap", () => choose(hits()[0]));
  field.addEventListener("keydown", (event) => {
    const all = hits();
    const now = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) {
      event.preventDefault();
      choose(all[(now + step + all.length) % all.length]);
    } else if (event.key === "Enter" && all[now]) {
      event.preventDefault();
      all[now].click();
    }
  });
}
