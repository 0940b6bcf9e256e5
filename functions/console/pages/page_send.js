// Send: a menu as text and as a picture, what the API finds in it, and whom it goes to.

import { path } from "./api.js";
import { readCsv } from "./csv.js";
import { ask, button, count, duration, field, foreign, make, onSubmit, say, tell, tellError } from "./dom.js";
import { Editor } from "./editor.js";
import { graph } from "./graph.js";
import { Malformed, nearest } from "./json_places.js";
import { MOST, Rehearsing } from "./rehearse.js";
import { compose, pathInText, readText, wanted } from "./request.js";

const AT_ONCE = 100;
const PATIENCE_MSEC = 350;
const ANYBODY = "+380671234567";
const EXAMPLE = `[
  {
    "introUrl": "ivr_651854",
    "idleTimeoutMsec": 10000,
    "dtmfActions": {
      "d1": [
        { "action": "webhook", "url": "https://api.example.com/confirmed", "body": { "confirm": true } },
        { "action": "hangup" }
      ],
      "d2": [{ "action": "gotoMenu", "menu": 1 }],
      "wrong": [{ "action": "gotoMenu", "menu": 0 }]
    }
  },
  {
    "introUrl": "ivr_651854",
    "idleTimeoutMsec": 5000,
    "dtmfActions": {
      "d1": [{ "action": "webhook", "url": "https://api.example.com/later", "body": {} }, { "action": "hangup" }],
      "d*": [{ "action": "gotoMenu", "menu": 0 }]
    }
  }
]
`;

let draft = EXAMPLE; // kept while the console is open

export function show(root, context) {
  const page = new SendPage(context);
  root.append(page.element);
  page.readText();
  return () => page.stop();
}

class SendPage {
  constructor(context) {
    const { api, lists, go } = context;
    Object.assign(this, { api, lists, go, request: null, table: null, checks: 0, timer: null, run: null });
    this.editor = new Editor("Menus as JSON", draft, (text) => {
      draft = text;
      this.readText();
    });
    this.picture = make("div", { class: "picture" });
    this.verdict = make("p", { class: "verdict", role: "status" });
    this.from = make("input", { autocomplete: "off", value: "Console", maxlength: "64" });
    this.to = make("input", { type: "tel", autocomplete: "off", placeholder: "+380671234567" });
    this.campaign = make("input", { autocomplete: "off", maxlength: "64" });
    this.fields = {
      from: field("From", this.from),
      to: field("To", this.to, "A number with its country code."),
      campaign: field("Campaign", this.campaign, "Optional: counts the messages under a name."),
    };
    for (const input of [this.from, this.to, this.campaign]) input.addEventListener("input", () => this.later());
    this.many = new Many((table) => {
      this.table = table;
      this.fields.to.hidden = Boolean(table);
      say(this.send, table ? `Call ${count(table.rows.length)} numbers` : "Call");
      this.later();
    });
    this.send = make("button", { type: "submit", text: "Call" });
    const form = make("form", { class: "whom" }, Object.values(this.fields), this.many.element, make("div", { class: "row end" }, this.send));
    onSubmit(form, this.send, () => this.call());
    const left = make("section", { class: "card wide", "aria-labelledby": "menu-title" }, make("h1", { id: "menu-title", text: "Menus" }), this.editor.element);
    const right = make("section", { class: "card wide", "aria-labelledby": "picture-title" }, make("h2", { id: "picture-title", text: "Picture" }), this.picture, this.verdict);
    const foot = make("section", { class: "card", "aria-labelledby": "whom-title" }, make("h2", { id: "whom-title", text: "Whom" }), form);
    this.rehearsing = new Rehearsing(context, () => this.list());
    this.element = make("div", { class: "sending" }, left, right, foot, this.rehearsing.element);
  }

  stop() {
    this.leave();
    this.rehearsing.stop();
  }

  /** No answer of a check counts any more. */
  leave() {
    clearTimeout(this.timer);
    this.checks += 1;
  }

  /** Read the text: its picture at once, the API's findings a moment after the last key. */
  readText() {
    try {
      this.request = readText(this.editor.text);
    } catch (error) {
      if (!(error instanceof Malformed) && !(error instanceof SyntaxError)) throw error;
      this.request = null;
      const at = error.at ?? 0;
      this.editor.mark([{ from: at, to: at + 1, message: `This is not JSON: ${error.message}.`, tone: "bad" }]);
      this.judge("It is not JSON yet.", "bad");
      this.leave();
      return;
    }
    this.picture.replaceChildren(graph(this.request.menus));
    this.many.ask(wanted(this.request));
    this.later();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check().catch((error) => this.judge(error.message, "bad")), PATIENCE_MSEC);
  }

  head = () => ({ from: this.from.value.trim(), campaign: this.campaign.value.trim() });

  /** Who is to be called: all, or the first `most`. */
  people(most) {
    return this.table ? this.table.people(most) : [{ to: this.to.value.trim() }];
  }

  async check() {
    if (!this.request) return;
    const mine = (this.checks += 1);
    // Without a number yet the menus are looked at all the same.
    const [person] = this.people(1);
    const body = compose(this.request, this.head(), [person.to || this.request.own.has("to") ? person : { ...person, to: ANYBODY }]);
    let told = [];
    try {
      const [judged] = (await this.api.post(path("messagelist", "check"), body)).messages;
      if (mine !== this.checks) return;
      if (judged.status === "rejected") told = refused(judged.error);
      else this.accept(judged);
      told.push(...(judged.warnings ?? []).map((warning) => ({ ...warning, tone: "warn" })));
    } catch (error) {
      if (mine !== this.checks) return;
      if (error.status !== 400) throw error;
      told = refused(error);
    }
    this.place(told);
  }

  accept(judged) {
    const { shortestMenus, longestMenus, longestIdleSeconds } = judged.call;
    const span = shortestMenus === null ? "no way through them ends" : shortestMenus === longestMenus ? `${longestMenus} heard` : `${shortestMenus} to ${longestMenus} of them heard`;
    const ring = judged.mayRing ? ` It may ring: ${judged.mayRing}.` : "";
    this.judge(`The menus can be sent: ${span}, at most ${duration(longestIdleSeconds)} of silence.${ring}`, "good");
  }

  judge(text, tone) {
    this.verdict.dataset.tone = tone;
    say(this.verdict, text);
  }

  /** Findings where they belong: in the text, or under the field that they are about. */
  place(findings) {
    const marks = [];
    const complaints = { from: "", to: "", campaign: "" };
    for (const { path: where, message, tone } of findings) {
      const name = where.replace(/^messages\[0\]\.?/, "");
      if (name in complaints && !(this.request.own.has(name) && !this.value(name))) {
        if (tone === "bad" && (this.value(name) || name !== "to")) complaints[name] ||= message;
        continue;
      }
      const there = pathInText(where, this.request);
      marks.push({ ...this.spot(nearest(this.request.found, there)), message: `${there || "The menu"} ${message}`, tone });
    }
    for (const [name, message] of Object.entries(complaints)) this.fields[name].complain(message);
    this.editor.mark(marks);
    const wrong = marks.filter(({ tone }) => tone === "bad").length;
    if (wrong) this.judge(`${wrong} ${wrong === 1 ? "thing has" : "things have"} to be put right.`, "bad");
    else if (complaints.to || complaints.from || complaints.campaign) this.judge("The menus are in order; look at the fields.", "warn");
    else if (findings.some(({ tone }) => tone === "bad")) this.judge("The menus are in order. Whom should they call?", "good");
  }

  /** What is marked: a member's name, a value, or of a whole list or object its first sign. */
  spot({ from, to, key }) {
    return key ?? { from, to: /[[{]/.test(this.editor.text[from]) ? from + 1 : to };
  }

  value = (name) => this[name].value.trim();

  /** The whole list as a request's text, to be rehearsed. Throws Error where there is none, or too much of it. */
  list() {
    if (!this.request) throw new Error("The menus are not JSON yet.");
    const people = this.people();
    if (people.length > MOST) throw new Error(`The table has ${count(people.length)} rows; at most ${count(MOST)} can be rehearsed at once.`);
    if (!this.table && !people[0].to && !this.request.own.has("to")) {
      this.fields.to.complain("Whom would it call?");
      this.to.focus();
      throw new Error("Whom would it call? Give a number, or a CSV file.");
    }
    return compose(this.request, this.head(), people);
  }

  async call() {
    if (!this.request) return tell("It is not JSON yet.", "bad");
    const people = this.people();
    if (!this.table && !people[0].to && !this.request.own.has("to")) {
      this.fields.to.complain("Whom should it call?");
      this.to.focus();
      return undefined;
    }
    if (people.length > 1 && !(await ask(`Call ${count(people.length)} numbers now?`, "Call"))) return undefined;
    await this.post(people);
    return undefined;
  }

  /**
   * A hundred at a time. A piece whose answer was lost is asked for again under the same key, and so it is if the same
   * call is begun once more after a failure: nobody is called twice.
   */
  async post(people) {
    this.run ??= crypto.randomUUID();
    let sent = 0;
    let rejected = [];
    for (let from = 0; from < people.length; from += AT_ONCE) {
      const piece = people.slice(from, from + AT_ONCE);
      const body = compose(this.request, this.head(), piece);
      let answer;
      try {
        answer = await this.piece(body, await digest(`${this.run} ${from} ${body}`));
      } catch (error) {
        throw people.length === 1 ? error : new Error(`${count(sent)} of ${count(people.length)} are sent. ${error.message} Call again to continue.`);
      }
      const good = answer.messages.filter(({ status }) => status === "sent");
      sent += good.length;
      rejected = rejected.concat(answer.messages.filter(({ status }) => status === "rejected"));
      const isKnown = this.lists.some(({ id }) => id === answer.messagelistId);
      if (answer.messagelistId && !isKnown) this.lists.unshift({ id: answer.messagelistId, total: good.length });
      if (people.length > 1) tell(`${count(sent)} of ${count(people.length)} are sent.`, "calm");
      if (people.length === 1 && good.length) this.go("message", good[0].messageId);
    }
    this.run = null;
    this.many.refused(rejected);
    if (!rejected.length) {
      if (people.length > 1) this.go("lists", "list", this.lists[0].id);
      tell(`${count(sent)} ${sent === 1 ? "message is" : "messages are"} accepted.`);
    } else if (sent || people.length > 1) tell(`${count(sent)} are sent, ${count(rejected.length)} were refused.`, "bad");
    else this.place(refused(rejected[0].error));
  }

  async piece(body, key) {
    for (let round = 1; ; round += 1) {
      try {
        return await this.api.ask("POST", path("messagelist"), { body, headers: { "Idempotency-Key": key } });
      } catch (error) {
        if (error.status === 400 && error.details.length) return { messages: [{ status: "rejected", recipient: "", error }] };
        if (round === 3 || !(error.status === 0 || error.status >= 500)) throw error;
      }
    }
  }
}

/** SHA-256 of a text, as an Idempotency-Key. */
async function digest(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** All problems of a refusal: its own, or those that it has in detail. */
const refused = (error) => (error.details?.length ? error.details : [{ path: error.path ?? "", message: error.message }]).map((one) => ({ ...one, tone: "bad" }));

/** A table of people, and which of its columns is what. */
class Many {
  constructor(changed) {
    this.changed = changed;
    this.names = [];
    this.rows = null;
    this.file = make("input", { type: "file", accept: ".csv,text/csv,text/plain", class: "unseen", id: "people" });
    this.file.addEventListener("change", () => this.take().catch(tellError));
    this.map = make("div", { class: "map" });
    this.wrong = make("div", { class: "refused" });
    const choose = make("label", { class: "quiet as-button", for: "people", text: "Many numbers: a CSV file" });
    this.element = make("div", { class: "many" }, this.file, choose, this.map, this.wrong);
  }

  async take() {
    const [file] = this.file.files;
    if (!file) return;
    const rows = readCsv(await file.text());
    if (rows.length < 2) throw new Error("The table needs a header and a row.");
    [this.head, ...this.rows] = rows;
    this.draw();
  }

  /** The menus' `{{names}}` each want a column. */
  ask(names) {
    if (names.join("\n") === this.names.join("\n")) return;
    this.names = names;
    if (this.rows) this.draw();
  }

  draw() {
    const wanted = ["to", "customerMessageId", ...this.names];
    const guess = { to: /phone|number|^to$|mobile|tel/i, customerMessageId: /^(customer.?)?(message.?)?id$/i };
    this.columns = new Map();
    const selects = wanted.map((name) => {
      const found = this.head.findIndex((column) => (guess[name] ?? { test: (text) => text === name }).test(column));
      const place = found < 0 && name === "to" ? 0 : found;
      const options = [make("option", { value: "-1", text: "–" }), ...this.head.map((column, number) => make("option", { value: String(number), text: column, selected: number === place }))];
      const select = make("select", {}, options);
      this.columns.set(name, place);
      select.addEventListener("change", () => {
        this.columns.set(name, Number(select.value));
        this.changed(this);
      });
      const label = { to: "Number is column", customerMessageId: "Own id is column" }[name] ?? `{{${name}}} is column`;
      return field(label, select);
    });
    const drop = button("Without the file", () => {
      this.rows = null;
      this.file.value = "";
      this.map.replaceChildren();
      this.changed(null);
    }, { class: "quiet" });
    const name = make("p", {}, foreign(this.file.files[0].name), `: ${count(this.rows.length)} rows`);
    this.map.replaceChildren(name, ...selects, drop);
    this.changed(this);
  }

  people(most) {
    const cell = (row, name) => row[this.columns.get(name)] ?? "";
    return this.rows.slice(0, most).map((row) => ({
      to: cell(row, "to"),
      customerMessageId: cell(row, "customerMessageId"),
      values: new Map(this.names.map((name) => [name, cell(row, name)])),
    }));
  }

  refused(messages) {
    const items = messages.slice(0, 20).map(({ recipient, error }) => make("li", {}, foreign(recipient ?? ""), ": ", foreign(error.message)));
    this.wrong.replaceChildren(...(items.length ? [make("p", { text: "Refused:" }), make("ul", {}, items)] : []));
  }
}
