// Campaigns and lists: how far they are, live; paused, resumed, cancelled; exported.

import { path } from "./api.js";
import { ended, funnel, progress } from "./charts.js";
import { ask, button, campaignLink, card, count, duration, empty, field, foreign, listLink, make, messageLink, onSubmit, repeat, replace, table, tell, when, words } from "./dom.js";
import { save } from "./download.js";

const LIVE_SECONDS = 2;
const PAGE = 50;

export function show(root, context, kind, name) {
  if (kind === "campaign" && name) return showOne(root, context, "campaign", name);
  if (kind === "list" && name) return showOne(root, context, "messagelist", name);
  return overview(root, context);
}

async function overview(root, { api, lists, go }) {
  const id = make("input", { autocomplete: "off", inputmode: "numeric", required: true });
  const open = make("button", { type: "submit", text: "Open" });
  const form = make("form", { class: "filter" }, field("List", id, "The messagelistId of an answer."), open);
  onSubmit(form, open, () => go("lists", "list", id.value.trim()));
  const campaigns = make("div", {});
  const own = lists.slice(0, 50).map((list) => [listLink(list.id), `${count(list.total)} messages`]);
  root.append(
    make("h1", { text: "Campaigns and lists" }),
    card("Campaigns", campaigns),
    card("Lists", own.length ? table("Lists sent in this window", ["Sent in this window", "Messages"], own) : null, form),
  );
  let cursor;
  const found = [];
  const more = button("More", () => page(), { class: "quiet" });
  const page = async () => {
    const told = await api.get(path("campaign"), { limit: PAGE, cursor });
    found.push(...told.campaigns);
    cursor = told.nextCursor;
    const rows = found.map((one) => [campaignLink(one.campaign), one.state, count(one.total), count(one.unfinished), count(one.outcomes.answered), when(one.createdAt)]);
    campaigns.replaceChildren(found.length ? table("Campaigns", ["Campaign", "State", "Messages", "Unfinished", "Answered", "Since"], rows) : empty("None yet: give a campaign's name when you send."), ...(cursor ? [more] : []));
  };
  await page();
}

function showOne(root, context, kind, name) {
  const view = new Progress(root, context, kind, name);
  return repeat(LIVE_SECONDS, () => view.load());
}

class Progress {
  constructor(root, { api }, kind, name) {
    Object.assign(this, { api, kind, name, offset: 0, verb: null });
    this.state = make("span", { class: "state" });
    this.numbers = make("div", {});
    this.details = make("div", { class: "page" });
    const stop = (verb) => button({ pause: "Pause", resume: "Resume", cancel: "Cancel …" }[verb], () => this.stop(verb), { class: verb === "cancel" ? "bad" : "quiet", "data-verb": verb });
    this.stops = ["pause", "resume", "cancel"].map(stop);
    const saves = ["csv", "jsonl"].map((format) => button(format === "csv" ? "Export CSV" : "JSON lines", () => this.export(format), { class: "quiet" }));
    const title = make("h1", {}, kind === "campaign" ? "Campaign " : "List ", foreign(name), " ", this.state);
    root.append(title, make("section", { class: "card" }, this.numbers, make("div", { class: "row" }, this.stops, make("span", { class: "grow" }), saves)), this.details);
  }

  /** One look. False, once nothing changes any more. */
  async load() {
    const query = this.kind === "campaign" ? {} : { limit: PAGE, offset: this.offset };
    const told = await this.api.get(path(this.kind, this.name), query);
    const unfinished = told.unfinished ?? told.total - ended(told.outcomes);
    const calling = told.calling ?? told.statuses?.processing ?? 0;
    const finished = unfinished === 0;
    this.state.textContent = finished && told.state !== "cancelled" ? "finished" : told.state;
    this.state.dataset.state = this.state.textContent;
    this.numbers.replaceChildren(progress({ total: told.total, calling, outcomes: told.outcomes }), make("p", { class: "soft", text: this.estimate(told, finished) }));
    for (const one of this.stops) {
      const { verb } = one.dataset;
      one.hidden = told.state === "cancelled" || finished || (verb === "pause" && told.state === "paused") || (verb === "resume" && told.state !== "paused");
    }
    replace(this.details, this.kind === "campaign" ? await this.campaign(told) : this.list(told));
    return finished ? false : undefined;
  }

  estimate({ estimate, state }, finished) {
    if (finished) return "All have ended.";
    if (!estimate) return state === "paused" ? "Paused: nothing of it is dialled." : "It is not known yet how long it takes.";
    const rough = estimate.certainty === "rough" ? ", roughly" : "";
    return `About ${duration(estimate.secondsLeft)} left (${duration(estimate.atLeast)} to ${duration(estimate.atMost)}${rough}).`;
  }

  async campaign(told) {
    const lists = await this.api.get(path("messagelist"), { campaign: this.name, limit: PAGE });
    const rows = lists.messagelists.map((one) => [listLink(one.messagelistId), when(one.acceptedAt), count(one.total)]);
    const funnels = told.funnels.length ? told.funnels.map(funnel) : [empty("No call has ended yet.")];
    return [
      card("In the menus", funnels),
      card("Lists", table("Lists of the campaign", ["List", "Accepted", "Messages"], rows)),
    ];
  }

  list(told) {
    const rows = told.messages.map((one) => [foreign(one.recipient), words(one.deliverystatus), words(one.outcome ?? "") || "–", words(one.endReason ?? ""), foreign(one.customerMessageId ?? ""), messageLink(one.messageId)]);
    const turn = (text, offset) => button(text, () => this.turn(offset), { class: "quiet" });
    const pages = make("div", { class: "row" });
    if (this.offset) pages.append(turn("Earlier", Math.max(0, this.offset - PAGE)));
    if (told.nextOffset !== undefined) pages.append(turn("Later", told.nextOffset));
    const campaign = told.campaign ? make("p", {}, "Of the campaign ", campaignLink(told.campaign)) : null;
    return [card("Messages", campaign, table("Messages of the list", ["Number", "Status", "Outcome", "Reason", "Own id", "Message"], rows), pages)];
  }

  async turn(offset) {
    this.offset = offset;
    await this.load();
  }

  async stop(verb) {
    if (verb === "cancel" && !(await ask("Cancel it? What waits is never dialled; calls in progress continue.", "Cancel it"))) return;
    const told = await this.api.post(path(this.kind, this.name, verb));
    const done = { pause: "Paused: no call begins from now on.", resume: "Resumed: calls begin again.", cancel: `Cancelled: ${count(told.notDialled)} are not dialled.` };
    tell(done[verb]);
    await this.load();
  }

  async export(format) {
    const pieces = [];
    let next = new URL(`${path(this.kind, this.name, "export")}?format=${format}`, location.origin);
    while (next) {
      const answer = await this.api.answer("GET", next.pathname + next.search);
      pieces.push(await answer.text());
      const link = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get("Link") ?? "")?.[1];
      next = link && new URL(link, next);
    }
    save(pieces, `${this.name}.${format}`, format === "csv" ? "text/csv" : "application/jsonl");
  }
}
