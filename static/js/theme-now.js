// Runs before anything is drawn, so that the page never flashes in the wrong theme or width.
(function () {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  function apply() {
    const theme = root.dataset.theme || "system";
    root.dataset.bsTheme = theme === "dark" || (theme === "system" && dark.matches) ? "dark" : "light";
  }
  const chosen = /(?:^|; )theme=(light|dark|system)/.exec(document.cookie);
  if (chosen) root.dataset.theme = chosen[1];
  if (/(?:^|; )side=slim/.test(document.cookie)) root.classList.add("side-slim");
  root.classList.add("has-script");
  apply();
  dark.addEventListener("change", apply);
  window.applyTheme = apply;
})();
