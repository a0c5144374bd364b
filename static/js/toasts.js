// Messages go away by themselves when they are good news without a choice; the rest wait to be closed.
const SHOWN_FOR = 7000;

export function startToasts() {
  document.addEventListener("click", (event) => {
    event.target.closest?.("[data-dismiss]")?.closest("[data-toast]")?.remove();
  });
  document.querySelectorAll(".toast-success:not(:has(form)), .toast-info:not(:has(form))").forEach((line) => {
    setTimeout(() => line.matches(":hover, :focus-within") || line.remove(), SHOWN_FOR);
  });
  document.querySelector("[data-focus]")?.focus();
}

export function toast(words, tone = "success") {
  const line = document.createElement("div");
  line.className = `toast-line toast-${tone}`;
  line.dataset.toast = "";
  const text = document.createElement("span");
  text.textContent = words;
  line.append(text);
  document.getElementById("toasts")?.append(line);
  setTimeout(() => line.remove(), SHOWN_FOR);
}
