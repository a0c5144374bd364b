// Lines are dragged by their grip, with mouse, pen or finger; the buttons beside it do the same without.
let drag = null;
let held = "";

const lines = (body) => [...body.querySelectorAll("tr[data-line]")];
const order = (body) => lines(body).map((line) => line.dataset.line).join(" ");

function begin(event) {
  const grip = event.target.closest?.("[data-grip]");
  const line = grip?.closest("tr[data-line]");
  if (!line || event.button !== 0) return;
  event.preventDefault();
  grip.setPointerCapture(event.pointerId);
  drag = { line, grip, body: line.parentElement, before: order(line.parentElement), next: line.nextSibling };
  line.classList.add("is-dragged");
}

function move(event) {
  if (!drag) return;
  const others = lines(drag.body).filter((line) => line !== drag.line);
  const below = others.find((line) => {
    const box = line.getBoundingClientRect();
    return event.clientY < box.top + box.height / 2;
  });
  // What is left when all lines are above is the last line, which stays last.
  const place = below || others.at(-1)?.nextElementSibling;
  if (place !== drag.line && place !== drag.line.nextElementSibling) drag.body.insertBefore(drag.line, place || null);
}

function end(event) {
  if (!drag) return;
  const { line, body, before, next } = drag;
  drag = null;
  line.classList.remove("is-dragged");
  if (event.type !== "pointerup") body.insertBefore(line, next);
  const changed = order(body) !== before;
  if (changed) send(line, body);
  else if (held) document.body.dispatchEvent(new CustomEvent(held));
  held = "";
}

function send(line, body) {
  const form = document.querySelector("form[data-order]");
  form.querySelectorAll("[name=line], [name=moved]").forEach((field) => field.remove());
  const add = (name, value) => form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  lines(body).forEach((each) => add("line", each.dataset.line));
  add("moved", line.dataset.line);
  form.requestSubmit();
}

document.addEventListener("pointerdown", begin);
document.addEventListener("pointermove", move);
document.addEventListener("pointerup", end);
document.addEventListener("pointercancel", end);
document.addEventListener("keydown", (event) => event.key === "Escape" && end(event));
// What others change meanwhile is drawn after the drop: a line is not taken from under the finger.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  const cause = event.detail.requestConfig?.triggeringEvent?.type || "";
  if (!drag || !cause.startsWith("config")) return;
  held = cause;
  event.preventDefault();
});
