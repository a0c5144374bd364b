// Keys for people who live in the portal; none of them works while typing.
const typing = (element) => element.closest?.("input, textarea, select, [contenteditable], dialog[open]");
let waiting = "";

function row(step) {
  const links = [...document.querySelectorAll("[data-row] .row-link")];
  if (!links.length) return;
  const now = links.indexOf(document.activeElement);
  links[Math.min(Math.max(now + step, 0), links.length - 1)].focus();
}

const KEYS = {
  "?": () => document.getElementById("keys")?.showModal(),
  "/": () => document.getElementById("list-search")?.focus(),
  n: () => document.querySelector("[data-main-action]")?.click(),
  j: () => row(1),
  k: () => row(-1),
  "g h": () => (location.href = "/"),
};

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const key = waiting ? `${waiting} ${event.key}` : event.key;
    waiting = event.key === "g" && !waiting ? "g" : "";
    if (!KEYS[key]) return;
    event.preventDefault();
    KEYS[key]();
  });
}
