// The middle of the page: what happened in one message's call, and its webhooks as they arrived.

import { find, make, say, spaced } from "./dom.js";
import { pretty } from "./pretty.js";

const SIGNATURES = {
  valid: "Headers, with a valid signature",
  unknown: "Headers, with a signature of another secret than this account's",
  none: "Headers, without a signature",
};

/** Shows one message at a time; rows that are there already are left alone (an open webhook stays open). */
export class Timeline {
  constructor() {
    this.list = find("timeline");
    this.shown = null;
  }

  show(message) {
    find("story").hidden = !message;
    if (!message) return;
    const box = this.list.closest("section");
    // New rows come into view, unless the reader has scrolled away from the end.
    const follow = this.shown === message.key && box.scrollHeight - box.scrollTop - box.clientHeight < 80;
    if (this.shown !== message.key) {
      this.list.replaceChildren();
      this.shown = message.key;
    }
    say(find("story-title"), spaced(message.number) || "A call");
    const from = message.callerId ? `, from ${spaced(message.callerId)}` : "";
    const isCallBack = message.key === message.contact;
    say(find("facts"), isCallBack ? `A call back, to ${spaced(message.callerId)}` : `Message ${message.key}${from}`);
    message.rows.forEach((row, index) => this.place(message, row, index));
    if (follow) box.scrollTop = box.scrollHeight;
  }

  place(message, row, index) {
    const signature = `${row.id} ${row.title} ${row.detail}`;
    const there = this.list.children[index];
    if (there?.dataset.signature === signature) return;
    const made = item(row, Math.max(0, row.at - message.first));
    made.dataset.signature = signature;
    if (there) there.replaceWith(made);
    else this.list.append(made);
  }
}

function item(row, offset) {
  const time = make("time", { text: `+${offset.toFixed(1)} s`, title: new Date(row.at * 1000).toLocaleTimeString("en-GB") });
  const title = make("b", { text: row.title });
  if (row.key) title.append(" ", make("kbd", { text: row.key }));
  const body = make("div", { class: "what" }, title);
  if (row.detail) body.append(make("span", { class: "detail", text: row.detail }));
  if (row.webhook) body.append(webhook(row.webhook));
  return make("li", { class: `tone-${row.tone}` }, time, make("i", { class: "dot", "aria-hidden": "true" }), body);
}

function webhook(entry) {
  const ok = entry.status >= 200 && entry.status < 300;
  const status = make("span", { class: ok ? "code-ok" : "code-bad", text: String(entry.status ?? "") });
  const summary = make("summary", {}, make("span", { class: "method", text: entry.method }), " ");
  summary.append(make("span", { class: "url", text: entry.url }), " ", status);
  const headers = make("table", {}, make("caption", { text: SIGNATURES[entry.signature] ?? "Headers" }));
  for (const [name, value] of entry.headers) {
    headers.append(make("tr", {}, make("th", { scope: "row", text: name }), make("td", { text: value })));
  }
  const body = make("pre", { tabindex: "0", "aria-label": "Body", text: pretty(entry.body) });
  return make("details", { class: "webhook", open: true }, summary, body, headers);
}
