// A click anywhere in a row goes where its link goes; selecting text or using something in the row does not.
const USED = "a, button, input, select, label, summary, form";

export function startRows() {
  document.addEventListener("click", (event) => {
    const row = event.target.closest?.("tr[data-row]");
    const link = row?.querySelector(".row-link");
    if (!link || event.target.closest(USED) || String(getSelection())) return;
    if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
    else link.click();
  });
}
