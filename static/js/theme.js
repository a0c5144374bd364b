// The choice of theme and the width of the side navigation, kept in cookies so that the server draws them right at once.
const YEAR = 365 * 24 * 3600;

function remember(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
}

export function startTheme() {
  const root = document.documentElement;
  document.querySelectorAll("[data-theme-form]").forEach((form) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = event.submitter?.value || "system";
      remember("theme", chosen);
      root.dataset.theme = chosen;
      window.applyTheme();
      form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button.value === chosen)));
      document.dispatchEvent(new CustomEvent("theme-changed"));
    });
  });
  document.querySelector("[data-fold]")?.addEventListener("click", () => {
    remember("side", root.classList.toggle("side-slim") ? "slim" : "wide");
  });
}
