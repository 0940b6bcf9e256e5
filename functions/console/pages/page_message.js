// Message: what happened when, the callee's way through the menus, each webhook and its attempts, sent again where it failed.

import { path } from "./api.js";
import { ask, button, card, count, duration, empty, facts, field, foreign, listLink, make, onSubmit, repeat, replace, table, tell, when, words } from "./dom.js";
import { save } from "./download.js";
import { graph, listFor } from "./graph.js";
import { heardName } from "./keys.js";

const LIVE_SECONDS = 2;
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

export function show(root, context, id) {
  if (!id) return find(root, context);
  const view = new MessageView(root, context, id);
  view.follow();
  return () => view.stopFollowing();
}

function find(root, { go }) {
  const id = make("input", { autocomplete: "off", inputmode: "numeric", required: true });
  const open = make("button", { type: "submit", text: "Open" });
  const form = make("form", { class: "card filter" }, field("Message", id, "The messageId of an answer, an export or a webhook."), open);
  onSubmit(form, open, () => go("message", id.value.trim()));
  root.append(make("h1", { text: "Message" }), form);
}

class MessageView {
  constructor(root, { api }, id) {
    Object.assign(this, { api, id, menus: null, seen: "", stopFollowing: () => {} });
    this.state = make("span", { class: "state" });
    this.number = foreign("");
    this.facts = make("dl", {});
    this.stop = button("Cancel …", () => this.cancel(), { class: "bad" });
    this.keep = button("Save the calls", () => this.saveCalls(), { class: "quiet" });
    this.timeline = make("ol", { class: "timeline" });
    this.way = make("div", {});
    this.hooks = make("div", {});
    this.events = make("div", {});
    root.append(
      make("h1", {}, "Message to ", this.number, " ", this.state),
      make("div", { class: "tiles" }, card("Facts", this.facts, make("div", { class: "row" }, this.stop, this.keep)), card("Timeline", this.timeline)),
      card("The way through the menus", this.way),
      card("Webhooks", this.hooks),
      card("Status events", this.events),
    );
  }

  /** Look again and again, until nothing is open any more. */
  follow() {
    this.stopFollowing();
    this.stopFollowing = repeat(LIVE_SECONDS, () => this.load());
  }

  async load() {
    // The menus do not change: they are asked for once.
    const { menu, ...told } = await this.api.get(path("message", this.id), this.menus ? {} : { include: "menu" });
    this.menus ??= menu ?? [];
    const text = JSON.stringify(told);
    const { call } = told;
    if (text !== this.seen) this.show(told);
    this.seen = text;
    const waits = [...call.webhooks, ...call.statusWebhooks].some(({ state }) => state === "queued" || state === "pending");
    return call.state === "finished" && !waits ? false : undefined;
  }

  show(told) {
    const { call } = told;
    const state = call.paused ? "paused" : words(call.outcome ?? call.state);
    this.state.textContent = state;
    this.state.dataset.state = call.outcome ?? call.state;
    this.number.textContent = told.recipient;
    const known = {
      Message: told.messageId, "Own id": told.customerMessageId, Text: told.text, Campaign: told.campaign, Status: told.deliverystatus,
      Reason: words(call.endReason ?? ""), Cause: call.cause, "Call lasted": call.durationSec === null ? "" : duration(call.durationSec),
      "Dialled until": call.finishedAt ? "" : when(call.dialledUntil), "Next call": call.nextAttemptAt ? when(call.nextAttemptAt) : "", Cost: told.cost,
    };
    const given = Object.entries(known).filter(([, value]) => value).map(([name, value]) => [name, foreign(String(value), { class: "long" })]);
    this.facts.replaceChildren(...facts({ ...Object.fromEntries(given), List: listLink(told.messagelistId) }));
    this.keep.hidden = call.state !== "finished";
    this.stop.hidden = call.state === "finished" || call.state === "settling";
    this.timeline.replaceChildren(...happened(call).map(item));
    this.way.replaceChildren(...this.path(told));
    replace(this.hooks, this.deliveries(call.webhooks, "None: no key with a webhook was pressed."));
    replace(this.events, this.deliveries(call.statusWebhooks, "None: the message has no statusUrl."));
  }

  path({ call }) {
    const picture = (taken) => (this.menus.length ? [graph(this.menus, taken)] : []);
    if (!call.path.length) return [empty("No menu was heard to its end yet."), ...picture([])];
    const last = call.path.at(-1).attempt;
    const steps = call.path.filter(({ attempt }) => attempt === last);
    const chips = steps.flatMap(({ menu, heard }) => [make("span", { class: "chip", text: `Menu ${menu}` }), make("span", { class: "heard" }, heardAs(heard))]);
    const strip = make("p", { class: "strip" }, chips);
    const taken = steps.map(({ menu, heard }, place) => ({ menu, key: listFor(this.menus[menu]?.dtmfActions, heard), order: place + 1 }));
    return [strip, ...picture(taken)];
  }

  deliveries(all, none) {
    if (!all.length) return [empty(none)];
    const failed = all.filter(({ state }) => state === "failed" || state === "dead");
    const rows = all.map((one) => {
      const what = one.event ?? (one.key === undefined ? "" : `Menu ${one.menu}, ${heardName(one.key)}`);
      const again = failed.includes(one) ? button("Send again", () => this.replay(one.webhookId), { class: "quiet" }) : "";
      return [what, make("span", { class: `delivery ${one.state}`, text: one.state }), attempts(one), foreign(one.webhookId, { class: "code" }), again];
    });
    return [table("Deliveries", ["What", "State", "Attempts", "webhook-id", ""], rows)];
  }

  async replay(webhookId) {
    const answer = await this.api.ask("POST", path("message", this.id, "webhooks", "replay"), { query: { webhookId } });
    tell(`${count(answer.replayed.length)} sent again.`);
    this.follow();
  }

  /** All calls as one signed file, for the page “Call file” and for those who want a proof. */
  async saveCalls() {
    save([await this.api.get(path("message", this.id, "call"))], `call-${this.id}.jws`, "application/jose");
  }

  async cancel() {
    if (!(await ask("Cancel the message? A call in progress is hung up.", "Cancel it"))) return;
    const told = await this.api.post(path("message", this.id, "cancel"), { hangup: true });
    tell(`The message: ${words(told.state)}.`);
    await this.load();
  }
}

const heardAs = (heard) => (/^d.$/.test(heard) ? [make("kbd", { text: heard.slice(1) })] : [heardName(heard)]);

function attempts({ attempts: all, nextAttemptAt }) {
  const items = all.map((one) => make("li", {}, `${when(one.at)}: `, foreign(one.error ?? String(one.status ?? "")), ` in ${count(one.msec)} ms`));
  if (nextAttemptAt) items.push(make("li", { class: "soft", text: `Next at ${when(nextAttemptAt)}` }));
  return items.length ? make("ol", { class: "attempts" }, items) : "–";
}

/** All that is known of the call, by time. */
function happened(call) {
  const rows = [{ at: call.acceptedAt, title: "Accepted" }];
  for (const { attempt, dialledAt, answeredAt, endedAt, cause } of call.attempts) {
    rows.push({ at: dialledAt, title: attempt > 1 ? `Dialled, call ${attempt}` : "Dialled" });
    if (answeredAt) rows.push({ at: answeredAt, title: "Answered", tone: "good" });
    if (endedAt) rows.push({ at: endedAt, title: "Call over", detail: words(cause ?? "") });
  }
  for (const { menu, heard, at } of call.path) rows.push({ at, title: `Menu ${menu}: ${heardName(heard)}`, tone: "key" });
  for (const { menu, key, attempts: tried } of call.webhooks) {
    for (const one of tried) {
      const ok = one.status >= 200 && one.status < 300;
      rows.push({ at: one.at, title: `Webhook of menu ${menu}, ${heardName(key)}`, detail: String(one.status ?? one.error ?? ""), tone: ok ? "good" : "bad" });
    }
  }
  if (call.finishedAt) rows.push({ at: call.finishedAt, title: "Finished", detail: words(call.outcome ?? ""), tone: call.outcome === "answered" ? "good" : "warn" });
  return rows.filter(({ at }) => at).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function item({ at, title, detail, tone }) {
  const body = make("span", {}, make("b", { text: title }));
  if (detail) body.append(" ", foreign(detail, { class: "soft" }));
  return make("li", { class: tone ?? "plain" }, make("time", { datetime: at, title: when(at), text: clock.format(new Date(at)) }), make("i", { "aria-hidden": "true" }), body);
}
