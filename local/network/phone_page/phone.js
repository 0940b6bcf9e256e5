// The page: reads the journal as it is written, keeps what it says about calls, and shows the chosen one.

import { Calls } from "./calls.js";
import { find, make, say, spaced } from "./dom.js";
import { Handset } from "./handset.js";
import { Sound } from "./sound.js";
import { Timeline } from "./timeline.js";

const LISTED = 60;
const LIVE = new Set(["ringing", "playing", "listening", "busy"]);

let calls = new Calls();
let chosen = null; // the key of the message that is shown
let drawing = false;
let howOpen = false;

const sound = new Sound();
const timeline = new Timeline();
const handset = new Handset(act, callBack, sound);

async function act(deed) {
  const contact = calls.messages.get(chosen)?.contact;
  if (!contact) return "";
  try {
    const answer = await fetch(`calls/${encodeURIComponent(contact)}/${deed}`, { method: "POST" });
    return answer.ok ? "" : (await answer.json()).error;
  } catch {
    return "The carrier cannot be reached.";
  }
}

/** Call the number that the shown call came from. */
async function callBack() {
  const message = calls.messages.get(chosen);
  if (!message) return "";
  try {
    const body = JSON.stringify({ number: message.number, dialled: message.callerId });
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("call-back", { method: "POST", headers, body });
    const told = await answer.json();
    if (!answer.ok) return told.error;
    sound.unlock(told.contact_id);
    chosen = told.contact_id;
    draw();
    return "";
  } catch {
    return "The carrier cannot be reached.";
  }
}

function take(entry) {
  const message = calls.apply(entry);
  sound.follow(entry);
  if (message && entry.kind === "ringing" && !LIVE.has(calls.messages.get(chosen)?.phase)) chosen = message.key;
  if (message && !calls.messages.has(chosen)) chosen = message.key;
  draw();
}

/** Draw once per frame, however many entries came. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const message = calls.messages.get(chosen);
    drawList();
    timeline.show(howOpen ? null : message);
    handset.show(message);
    find("welcome").hidden = !(howOpen || !message);
    find("how").hidden = !message;
    find("how").setAttribute("aria-expanded", String(howOpen));
    say(find("how"), howOpen ? "Back to the call" : "Send a call");
    sound.ring(message?.phase === "ringing");
    document.title = message?.phase === "ringing" ? "Ringing – SpeechCall" : "SpeechCall – telephone";
    drawProblems();
  });
}

function drawList() {
  const newest = [...calls.messages.values()].slice(-LISTED).reverse();
  const list = find("calls");
  find("no-calls").hidden = newest.length > 0;
  newest.forEach((message, index) => {
    const there = list.children[index]?.firstElementChild;
    const signature = [message.key, message.phase, message.status, message.finished, message.key === chosen].join(" ");
    if (there?.dataset.signature === signature) return;
    const button = listed(message);
    button.dataset.signature = signature;
    if (there) {
      const focused = there === document.activeElement;
      there.replaceWith(button);
      if (focused) button.focus();
    } else list.append(make("li", {}, button));
  });
  while (list.children.length > newest.length) list.lastElementChild.remove();
}

function listed(message) {
  const current = message.key === chosen ? "true" : null;
  const status = message.phase === "over" ? (message.finished ?? message.status) : message.status;
  const button = make("button", { type: "button", "data-phase": message.phase, "aria-current": current });
  button.append(make("i", { "aria-hidden": "true" }), make("b", { text: spaced(message.number) || message.key }));
  button.append(make("span", { text: status }));
  button.append(make("time", { text: new Date(message.first * 1000).toLocaleTimeString("en-GB") }));
  button.addEventListener("click", () => {
    chosen = message.key;
    howOpen = false;
    draw();
  });
  return button;
}

function drawProblems() {
  const last = calls.problems.at(-1);
  find("problems").hidden = !last;
  if (last) say(find("problems"), `${last.function} failed (${calls.problems.length}): ${last.error}: ${last.message}`);
}

async function showHello() {
  const hello = await (await fetch("hello")).json();
  const facts = { API: hello.api, User: hello.user, Password: hello.password };
  const given = Object.entries(facts).filter(([, value]) => value);
  find("access").replaceChildren(...given.flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })]));
  find("curl-box").hidden = !hello.curl;
  say(find("curl"), hello.curl ?? "");
}

async function copyCurl() {
  await navigator.clipboard.writeText(find("curl").textContent);
  say(find("copy"), "Copied");
  setTimeout(() => say(find("copy"), "Copy"), 2000);
}

function connect() {
  const stream = new EventSource("events");
  const link = (state, text) => {
    find("link").dataset.state = state;
    say(find("link-text"), text);
  };
  stream.addEventListener("open", () => link("up", "connected"));
  stream.addEventListener("error", () => link("down", "not connected"));
  stream.addEventListener("message", (event) => take(JSON.parse(event.data)));
  stream.addEventListener("reset", () => {
    calls = new Calls();
    chosen = null;
    draw();
    showHello();
  });
}

function showSound() {
  find("sound").setAttribute("aria-pressed", String(sound.on));
  say(find("sound"), sound.on ? "Sound on" : "Sound off");
}

find("sound").addEventListener("click", () => {
  sound.toggle();
  showSound();
  draw();
});
showSound();
find("how").addEventListener("click", () => {
  howOpen = !howOpen;
  draw();
});
find("copy").addEventListener("click", copyCurl);
setInterval(() => handset.tick(), 200);
draw();
connect();
