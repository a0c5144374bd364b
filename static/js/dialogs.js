// Dialogs: parts of this page by id (data-open), or a confirmation page fetched and shown in place (data-dialog).
async function openPage(url) {
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const question = page.getElementById("confirm");
  if (!response.ok || !question) {
    location.href = url;
    return;
  }
  const title = document.createElement("h2");
  title.id = "dialog-title";
  title.textContent = question.dataset.title;
  const body = document.getElementById("dialog-body");
  body.replaceChildren(title, ...document.importNode(question, true).childNodes);
  document.getElementById("dialog").showModal();
}

export function startDialogs() {
  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    const plain = !(event.ctrlKey || event.metaKey || event.shiftKey);
    const link = target.closest("[data-dialog]");
    if (link && plain) {
      event.preventDefault();
      openPage(link.dataset.dialog);
    } else if (target.closest("[data-open]")) {
      target.closest("[popover]")?.hidePopover();
      document.getElementById(target.closest("[data-open]").dataset.open)?.showModal();
    } else if (target.closest("[data-close]") && target.closest("dialog")) {
      event.preventDefault();
      target.closest("dialog").close();
    } else if (target instanceof HTMLDialogElement && !target.matches(".list-panel")) {
      // A slip of the hand beside a panel does not throw away what was typed into it.
      target.close();
    }
  });
}
