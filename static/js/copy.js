// Buttons that copy a text; the icon becomes a check mark for a moment.
export function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const use = button.querySelector("use");
    const before = use?.getAttribute("href");
    use?.setAttribute("href", before.replace(/#.*/, "#check"));
    button.classList.add("is-done");
    setTimeout(() => {
      use?.setAttribute("href", before);
      button.classList.remove("is-done");
    }, 1500);
  });
}
