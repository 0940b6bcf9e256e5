// The telephone: rings, is answered, has keys. What it does goes to the carrier; what it shows comes from the journal.

import { find, make, say, spaced } from "./dom.js";

const KEYS = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"],
  ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""],
];
const NAMES = { "*": "star", "#": "hash" };
const HINTS = {
  none: "When a message is accepted, this telephone rings.",
  waiting: "The call is on its way.",
  ringing: "You are the callee. Take the call, or decline it.",
  playing: "A key interrupts the introduction. Your keyboard works too.",
  listening: "0–9, * and #, here or on your keyboard.",
  busy: "",
  over: "The call is over. Call the number back, and hear who it was.",
};
const IN_CALL = new Set(["playing", "listening", "busy"]);

export class Handset {
  /** `act(path)` posts one deed for the shown call, `callBack()` calls its caller; they give what is wrong, or "". */
  constructor(act, callBack, sound) {
    this.act = act;
    this.callBack = callBack;
    this.sound = sound;
    this.root = find("handset");
    this.message = null;
    this.buttons = new Map();
    say(find("hint"), HINTS.none);
    for (const [key, letters] of KEYS) this.addKey(key, letters);
    find("answer").addEventListener("click", () => this.answer());
    find("decline").addEventListener("click", () => this.tell(this.act("reject")));
    find("hangup").addEventListener("click", () => this.tell(this.act("hangup")));
    find("call-back").addEventListener("click", () => this.returnCall());
    document.addEventListener("keydown", (event) => this.typed(event));
  }

  addKey(key, letters) {
    const label = make("span", { text: key, "data-letters": letters });
    const button = make("button", { type: "button", "aria-label": NAMES[key] ?? key }, label);
    button.addEventListener("click", () => this.press(key));
    this.buttons.set(key, button);
    find("keypad").append(button);
  }

  answer() {
    // Within the click, so that the browser lets the introduction sound.
    this.sound.unlock(this.message.contact);
    this.tell(this.act("answer"));
    this.root.focus({ preventScroll: true });
  }

  returnCall() {
    this.sound.wake(); // within the click, as above
    this.tell(this.callBack());
    this.root.focus({ preventScroll: true });
  }

  press(key) {
    if (!this.message || !IN_CALL.has(this.message.phase)) return;
    const button = this.buttons.get(key);
    button.classList.remove("pressed");
    requestAnimationFrame(() => button.classList.add("pressed"));
    this.sound.tone(key);
    this.tell(this.act(`keys/${encodeURIComponent(key)}`));
  }

  /** Say why a deed had no effect, until the call moves on. */
  async tell(deed) {
    const problem = await deed;
    if (problem) say(find("hint"), problem);
  }

  typed(event) {
    const elsewhere = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || elsewhere) return;
    if (this.buttons.has(event.key)) this.press(event.key);
  }

  show(message) {
    this.message = message;
    const phase = message?.phase ?? "none";
    const rang = this.root.dataset.phase === "ringing";
    if (this.root.dataset.phase !== phase) say(find("hint"), HINTS[phase]);
    this.root.dataset.phase = phase;
    say(find("number"), message ? spaced(message.number) : "");
    say(find("status"), this.status(message, phase));
    for (const button of this.buttons.values()) button.disabled = !IN_CALL.has(phase);
    if (phase === "ringing" && !rang && document.activeElement === document.body) find("answer").focus();
    this.tick();
  }

  status(message, phase) {
    if (phase === "none") return "Waiting for a call";
    return phase === "ringing" ? `Incoming call from ${spaced(message.callerId)}` : message.status;
  }

  /** Move the clock, and the bar of the introduction or of the time that is left. */
  tick() {
    const { message } = this;
    const now = Date.now() / 1000;
    const talk = message?.answeredAt ? (message.endedAt ?? now) - message.answeredAt : null;
    find("clock").textContent = talk === null ? "" : clock(talk);
    const span = message?.phase === "playing" ? message.prompt : message?.phase === "listening" ? message.listening : null;
    find("meter").hidden = !span;
    find("meter").className = `meter ${message?.phase ?? ""}`;
    if (!span) return;
    const share = Math.min(1, Math.max(0, (now - span.at) / span.seconds));
    find("meter-fill").style.width = `${100 * (message.phase === "listening" ? 1 - share : share)}%`;
  }
}

const clock = (value) => {
  const whole = Math.max(0, Math.floor(value));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};
