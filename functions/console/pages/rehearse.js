// Rehearse: what would become of the list in the form. Who is called is made up; nobody's phone rings.

import { path } from "./api.js";
import { begun } from "./charts.js";
import { count, duration, empty, field, foreign, make, onSubmit, repeat, say, table, when, words } from "./dom.js";
import { heardName } from "./keys.js";

export const MOST = 1000;
const LOOK_SECONDS = 1;
const MOST_TOLD = 20;
const STATES = { waiting: "It waits for its turn …", running: "It is being rehearsed …", done: "Rehearsed.", failed: "It could not be rehearsed." };

const number = (value, min, max) => make("input", { type: "number", required: true, value: String(value), min: String(min), max: String(max), step: "1", inputmode: "numeric" });

export class Rehearsing {
  /** `list` gives the request's JSON text, or throws Error; `context` keeps which rehearsal was asked for last. */
  constructor(context, list) {
    Object.assign(this, { context, list, halt: () => {} });
    this.inputs = {
      answered: number(60, 0, 100),
      busy: number(10, 0, 100),
      rings: number(8, 0, 120),
      median: number(30, 1, 3600),
      p95: number(90, 1, 3600),
      keys: make("input", { autocomplete: "off", value: "1: 40, 9: 2" }),
      seeds: number(10, 1, 20),
    };
    this.fields = {
      answered: field("Of 100 calls, answered", this.inputs.answered),
      busy: field("… and busy", this.inputs.busy, "The others do not answer."),
      rings: field("Rings, in seconds", this.inputs.rings, "Until somebody answers."),
      median: field("Talks, half at most", this.inputs.median, "Seconds."),
      p95: field("… and 95 of 100 at most", this.inputs.p95, "Seconds."),
      keys: field("First keys", this.inputs.keys, "Key: of 100 who answer. Others press none."),
      seeds: field("Rehearsals", this.inputs.seeds, "Each with other chances, at most 20."),
    };
    this.begin = make("button", { type: "submit", class: "quiet", text: "Rehearse" });
    const form = make("form", { class: "whom", novalidate: true }, Object.values(this.fields), make("div", { class: "row end" }, this.begin));
    onSubmit(form, this.begin, () => this.ask());
    this.state = make("p", { class: "verdict", role: "status" });
    this.result = make("div", { class: "rehearsed" }, empty("Nothing was rehearsed yet."));
    const about = make("p", { class: "soft", text: "When would this list be over, and how would it end? The dialler itself tells, on top of what waits already. Nobody is called." });
    this.element = make("section", { class: "card", "aria-labelledby": "rehearse-title" }, make("h2", { id: "rehearse-title", text: "Rehearse" }), about, form, this.state, this.result);
    if (context.rehearsal) this.follow(context.rehearsal);
  }

  stop() {
    this.halt();
  }

  /** Who is called, of what the fields say; null: a field cannot be read, and says so. */
  callees() {
    const wrong = new Map();
    const whole = Object.fromEntries(Object.entries(this.inputs).filter(([name]) => name !== "keys").map(([name, input]) => {
      const value = Number(input.value);
      if (!input.checkValidity() || !Number.isInteger(value)) wrong.set(name, `A whole number from ${input.min} to ${input.max}.`);
      return [name, value];
    }));
    if (!wrong.size && whole.answered + whole.busy > 100) wrong.set("busy", "Together they are more than 100.");
    if (!wrong.size && whole.median > whole.p95) wrong.set("p95", "Half of all talk for less than this.");
    const keys = readKeys(this.inputs.keys.value);
    if (typeof keys === "string") wrong.set("keys", keys);
    for (const [name, one] of Object.entries(this.fields)) one.complain(wrong.get(name) ?? "");
    if (wrong.size) {
      this.inputs[wrong.keys().next().value].focus();
      return null;
    }
    const shares = { answered: whole.answered, busy: whole.busy, noAnswer: 100 - whole.answered - whole.busy };
    const outcomes = Object.fromEntries(Object.entries(shares).filter(([, share]) => share > 0).map(([name, share]) => [name, share / 100]));
    return { callees: { outcomes, ringSeconds: whole.rings, talkSeconds: { median: whole.median, p95: whole.p95 }, keys }, seeds: whole.seeds };
  }

  async ask() {
    const asked = this.callees();
    if (!asked) return;
    this.halt();
    this.judge("");
    let told;
    try {
      const text = this.list();
      const own = JSON.stringify(asked).slice(1, -1);
      told = await this.context.api.post(path("rehearsal"), `${text.slice(0, -1)},${own}}`);
    } catch (error) {
      this.judge(error.message, "bad");
      this.result.replaceChildren(problems(error.details ?? []));
      // Another one is under way: its end is what is waited for.
      if (error.status === 409 && this.context.rehearsal) this.follow(this.context.rehearsal);
      return;
    }
    this.context.rehearsal = told.rehearsalId;
    this.result.replaceChildren();
    this.follow(told.rehearsalId);
  }

  judge(text, tone = "") {
    this.state.dataset.tone = tone;
    say(this.state, text);
  }

  /** Looks each second until it has ended. */
  follow(id) {
    this.halt = repeat(LOOK_SECONDS, async () => {
      let told;
      try {
        told = await this.context.api.get(path("rehearsal", id));
      } catch (error) {
        this.judge(error.message, "bad");
        // What a key may not see, or is no more, does not come by waiting.
        return error.status >= 400 && error.status < 500 && error.status !== 429 ? false : undefined;
      }
      this.judge(STATES[told.state] ?? told.state, { done: "good", failed: "bad" }[told.state]);
      if (told.failure) this.result.replaceChildren(make("p", { text: told.failure.message }));
      if (told.figures) this.result.replaceChildren(...figures(told));
      return told.failure || told.figures ? false : undefined;
    });
  }
}

/** `1: 40, 9: 2` as shares; or what is wrong with it. */
export function readKeys(text) {
  const shares = {};
  let sum = 0;
  for (const part of text.split(",").map((one) => one.trim()).filter(Boolean)) {
    const [, key, share] = /^([0-9*#])\s*:\s*([0-9]{1,3})$/.exec(part) ?? [];
    if (!key) return "Such as 1: 40, 9: 2";
    if (key in shares) return `Key ${key} is there twice.`;
    shares[key] = Number(share) / 100;
    sum += Number(share);
  }
  return sum > 100 ? "Together they are more than 100." : shares;
}

function problems(details) {
  const items = details.slice(0, MOST_TOLD).map(({ path: where, message }) => make("li", {}, foreign(where), " ", foreign(message)));
  return make("ul", { class: "refused", "aria-label": "What is wrong" }, items);
}

const tenth = (value) => count(Math.round(value * 10) / 10);
const both = ({ p50, p95 }, write = tenth) => [write(p50), write(p95)];

/** The figures as a table, and when calls begin as bars. */
function figures({ messages, figures: told }) {
  const keyName = (key) => (key === "none" ? "no key" : `first ${heardName(`d${key}`)}`);
  const rows = [
    ["over after", ...both(told.seconds, duration)],
    ["over at", ...both(told.end, when)],
    ["calls", ...both(told.calls)],
    ["minutes talked", ...both(told.talkedMinutes)],
    ...Object.entries(told.outcomes).map(([name, one]) => [words(name), ...both(one)]),
    ...Object.entries(told.firstKeys).map(([key, one]) => [keyName(key), ...both(one)]),
  ];
  const what = `${count(messages)} ${messages === 1 ? "message" : "messages"}, ${count(told.seeds)} ${told.seeds === 1 ? "rehearsal" : "rehearsals"}. Half of them do not exceed P50, and 95 of a hundred not P95.`;
  return [make("p", { class: "soft", text: what }), make("div", { class: "tiles" }, table("What is to be expected", ["", "P50", "P95"], rows), begun(told))];
}
