// The page: reads the journal as it is written, keeps what it says about calls, and shows the chosen one.

import { Calls } from "./calls.js";
import { find, make, say } from "./dom.js";
import { Handset } from "./handset.js";
import { CallList } from "./list.js";
import { Sound } from "./sound.js";
import { Timeline } from "./timeline.js";
import { Way } from "./way.js";

const LIVE = new Set(["ringing", "playing", "listening", "busy"]);

let calls = new Calls();
let chosen = null; // the key of the message that is shown
let drawing = false;
let howOpen = false;

const sound = new Sound();
const timeline = new Timeline();
const way = new Way(draw);
const handset = new Handset(act, callBack, sound);
const list = new CallList(choose, draw);

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
    list.show(calls, chosen);
    drawNext(message);
    way.show(howOpen ? null : message);
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

function choose(key) {
  chosen = key;
  howOpen = false;
  draw();
}

/** Others that ring while the shown call does not: said once, and one button leads to the newest. */
function drawNext(message) {
  const others = message?.phase === "ringing" ? 0 : calls.groups.ringing.size;
  find("next").hidden = others === 0;
  if (others) say(find("next"), `${others === 1 ? "1 call rings" : `${others} calls ring`}: show the newest`);
}

function drawProblems() {
  const last = calls.problems.at(-1);
  find("problems").hidden = !last;
  if (last) say(find("problems"), `${last.function} failed (${calls.problems.length}): ${last.error}: ${last.message}`);
}

async function showHello() {
  const hello = await (await fetch("hello")).json();
  const facts = { API: hello.api, User: hello.user, Password: hello.password, Console: hello.console, "Its key": hello.key, "Webhooks go to": hello.webhooks };
  const given = Object.entries(facts).filter(([, value]) => value);
  const shown = (name, value) => (name === "Console" ? make("a", { href: value, text: value }) : value);
  find("access").replaceChildren(...given.flatMap(([name, value]) => [make("dt", { text: name }), make("dd", {}, shown(name, value))]));
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
  stream.addEventListener("message", (event) => [JSON.parse(event.data)].flat().forEach(take));
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
find("next").addEventListener("click", () => {
  choose(calls.newest("ringing", 1)[0]?.key ?? chosen);
  find("answer").focus({ preventScroll: true });
});
find("copy").addEventListener("click", copyCurl);
setInterval(() => handset.tick(), 200);
draw();
connect();
