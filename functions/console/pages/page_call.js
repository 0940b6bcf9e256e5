// Call file: a signed file of calls, opened from the disk and played again: a slider over its time, the way in the menus, and
// what each key would send. Nothing of it is uploaded, sent or asked for.

import { judge, MOST_BYTES, readCallFile, replay, sentBesides } from "./call_file.js";
import { button, card, empty, facts, field, foreign, make, say, tell, tellError, when, words } from "./dom.js";
import { graph } from "./graph.js";
import { heardName } from "./keys.js";

const SPEEDS = [1, 4, 16];

export function show(root, { api }) {
  const file = make("input", { type: "file", accept: ".jws" });
  const box = make("div", { class: "opened" });
  let player = null;
  file.addEventListener("change", async () => {
    player?.stop();
    player = null;
    box.replaceChildren();
    tell("");
    const [given] = file.files;
    if (!given) return;
    try {
      if (given.size > MOST_BYTES) throw new Error("This file is too large: that of a call has at most 4 MiB.");
      const read = readCallFile(await given.text());
      const { keys } = await api.get("/keys.json");
      player = new Player(box, given.name, read, await judge(read, keys));
    } catch (error) {
      tellError(error);
    }
    file.value = ""; // so that the same file can be opened again
  });
  root.append(make("h1", { text: "Call file" }), card("Open", field("File", file, "What “Save the calls” of a message gave, or GET /bat/message/{messageId}/call. It stays on this computer.")), box);
  return () => player?.stop();
}

class Player {
  constructor(box, name, read, verdict) {
    const { content } = read;
    Object.assign(this, { box, menus: content.menu, calls: replay(read), at: 0, shown: null, timer: null });
    const given = { File: name, Message: content.messageId, From: content.from, To: content.to, Outcome: words(content.outcome ?? ""), Reason: words(content.endReason ?? ""), Finished: content.finishedAt ? moment(content.finishedAt) : "" };
    const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
    const besides = sentBesides(read, this.calls);
    const told = [make("p", { class: "verdict", "data-tone": verdict.tone, text: verdict.text })];
    if (besides.length) told.push(make("p", { class: "verdict", "data-tone": "bad" }, "Sent, and sent by none of its keys: ", foreign(besides.join(", "))));
    this.which = make("select", {}, this.calls.map(({ attempt }, place) => make("option", { value: place, text: `Call ${attempt}` })));
    this.which.addEventListener("change", () => this.choose(Number(this.which.value)));
    this.slider = make("input", { type: "range", min: 0, step: 0.1, "aria-label": "Time in the call" });
    this.slider.addEventListener("input", () => {
      this.pause();
      this.go(Number(this.slider.value));
    });
    this.play = button("Play", () => (this.timer ? this.pause() : this.begin()), { class: "quiet" });
    this.speed = make("select", { "aria-label": "Speed" }, SPEEDS.map((one) => make("option", { value: one, text: `${one} ×` })));
    this.now = make("p", { class: "now", role: "status" });
    this.picture = make("div", {});
    this.list = make("ol", { class: "steps" });
    const nextTo = (way) => button(way < 0 ? "Step back" : "Next step", () => this.move(way), { class: "quiet" });
    const which = this.calls.length > 1 ? field("Which", this.which) : null;
    this.controls = make("div", { class: "replay" }, make("div", { class: "row" }, nextTo(-1), this.play, nextTo(1), this.speed), this.slider, this.now);
    box.replaceChildren(card("Facts", make("dl", {}, facts(known)), told), card("The call", which, this.controls, this.picture, this.list));
    this.choose(0);
  }

  /** Show one of the calls, at its beginning. */
  choose(place) {
    this.pause();
    this.call = this.calls[place] ?? { steps: [], seconds: 0, cause: "" };
    const { steps, seconds, cause } = this.call;
    this.controls.hidden = steps.length === 0;
    this.slider.max = String(Math.ceil(seconds * 10) / 10);
    this.shown = null;
    this.rows = steps.map((step, number) => row(step, () => this.jump(number)));
    this.list.replaceChildren(...(steps.length ? this.rows : [make("li", {}, empty(cause ? `Nothing was heard in it: ${words(cause)}.` : "Nothing was heard in it."))]));
    this.go(0);
  }

  /** Show what had been heard at a moment, in seconds since the call was dialled. */
  go(seconds) {
    const { steps } = this.call;
    const at = Math.min(seconds, this.call.seconds);
    const next = steps.findIndex((step) => step.seconds > at + 1e-9);
    this.present(at, next < 0 ? steps.length : next);
  }

  /** Show the first `past` steps, and a moment. */
  present(at, past) {
    this.at = at;
    const { steps } = this.call;
    this.slider.value = String(this.at);
    const told = sentence(steps[past - 1], past, steps.length);
    this.slider.setAttribute("aria-valuetext", `${this.at.toFixed(1)} s: ${told}`);
    if (past === this.shown) return;
    this.shown = past;
    say(this.now, told);
    this.rows.forEach((one, number) => {
      one.classList.toggle("later", number >= past);
      if (number === past - 1) one.setAttribute("aria-current", "step");
      else one.removeAttribute("aria-current");
    });
    const heard = steps.slice(0, past).filter(({ list }) => list !== null);
    const taken = heard.map(({ menu, list }, place) => ({ menu, key: list, order: place + 1 }));
    this.picture.replaceChildren(graph(this.menus, taken, past ? steps[past - 1].asks : null));
  }

  jump(number) {
    this.pause();
    this.present(this.call.steps[number].seconds, number + 1);
  }

  /** To the step before what is shown, or behind it. */
  move(way) {
    const next = Math.min(this.call.steps.length, this.shown + way);
    if (next > 0) this.jump(next - 1);
    else this.choose(this.calls.indexOf(this.call));
  }

  begin() {
    if (this.at >= this.call.seconds) this.go(0);
    let last = performance.now();
    const frame = (now) => {
      this.go(this.at + ((now - last) / 1000) * Number(this.speed.value));
      last = now;
      if (this.at >= this.call.seconds) this.pause();
      else this.timer = requestAnimationFrame(frame);
    };
    this.timer = requestAnimationFrame(frame);
    say(this.play, "Pause");
  }

  pause() {
    cancelAnimationFrame(this.timer);
    this.timer = null;
    if (this.play) say(this.play, "Play");
  }

  stop() {
    this.pause();
  }
}

const moment = (given) => (Number.isNaN(Date.parse(given)) ? given : when(given));
const heardIn = ({ menu, heard, answer }) => (menu === null ? "answered" : `menu ${menu}: ${heardName(heard)}${answer}`);

function sentence(step, past, all) {
  if (!step) return `Before the first of ${all} steps: it rings.`;
  return `Step ${past} of ${all}, at ${step.seconds.toFixed(1)} s: ${heardIn(step)}, then ${step.then}.`;
}

function row(step, choose) {
  const title = make("button", { type: "button", class: "line", onclick: choose, text: `${step.seconds.toFixed(1)} s` });
  const line = make("span", {}, title, " ", foreign(heardIn(step)), " → ", foreign(step.then));
  if (step.doubt) line.append(" ", foreign(step.doubt, { class: "bad" }));
  const hooks = step.webhooks.map(({ url, body, id, sent }) =>
    make(
      "details",
      {},
      make("summary", {}, "Webhook to ", foreign(url, { class: "code" }), make("span", { class: sent ? "delivery delivered" : "delivery failed", text: sent ? " was sent" : " was not sent" })),
      make("p", { class: "soft" }, "webhook-id ", foreign(id, { class: "code" })),
      make("pre", { tabindex: "0", role: "group", "aria-label": "Its action", text: body }),
    ),
  );
  return make("li", {}, line, hooks);
}
