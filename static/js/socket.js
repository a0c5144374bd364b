// One socket a page: topics of changed configuration become events that parts of the page refetch on; frames go to dashboards.
// A lost socket is shown, polling takes over, and after a reconnect every part is fetched afresh.
const POLL_EVERY = 10_000;
const WAIT_AT_MOST = 30_000;

let tries = 0;
let poll = 0;
let lost = false;

function show(state) {
  const sign = document.getElementById("live");
  if (!sign) return;
  sign.hidden = false;
  sign.dataset.state = state;
  sign.title = sign.querySelector(".live-words").textContent = sign.dataset[`words${state[0].toUpperCase()}${state.slice(1)}`];
}

function announce(name, detail) {
  document.body.dispatchEvent(new CustomEvent(name, { detail }));
}

// Whatever a page shows says whether it is live, so a change of the configuration or of its rollout concerns every part;
// many changes at once are one look.
const WIDE = new Set(["config", "rollout"]);
let soon = 0;

function hear(message) {
  if (message.topic) {
    announce(`config-${message.topic}`, { topic: message.topic });
    if (!WIDE.has(message.topic)) announce("config", { topic: message.topic });
    else if (!soon) {
      soon = setTimeout(() => {
        soon = 0;
        everything();
      }, 300);
    }
  } else if (message.type === "snapshot" || message.type === "delta") {
    announce("frame", message);
  }
}

function everything() {
  announce("config", {});
  announce("config-all", {});
}

function afresh() {
  everything();
  announce("frames-wanted", {});
}

function connect(url) {
  const socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    tries = 0;
    clearInterval(poll);
    show("live");
    if (lost) afresh();
    // What was under way when the page was drawn may have ended before this socket could hear of it.
    else if (document.querySelector(".chip-busy")) everything();
    lost = false;
    if (document.querySelector("[data-live=dashboard]")) socket.send(JSON.stringify({ want: "dashboard" }));
  });
  socket.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    if (!lost) {
      lost = true;
      show("lost");
      announce("frames-lost", {});
      clearInterval(poll);
      poll = setInterval(afresh, POLL_EVERY);
    }
    const wait = Math.min(WAIT_AT_MOST, 500 * 2 ** tries++) * (0.7 + Math.random() * 0.6);
    setTimeout(() => connect(url), wait);
  });
}

export function startSocket() {
  const path = document.body.dataset.socket;
  if (!path || !document.getElementById("live")) return;
  show("connecting");
  connect(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
}
