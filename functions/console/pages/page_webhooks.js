// Webhooks that were given up: what became of each, all of them again, and a new secret for signatures.

import { path } from "./api.js";
import { ask, button, card, count, empty, field, foreign, listLink, make, messageLink, table, tell, tellError, when } from "./dom.js";

const DAY_MSEC = 86_400_000;

export async function show(root, { api }) {
  const state = make("select", {}, [["", "both"], ["dead", "given up after several attempts"], ["failed", "refused for good"]].map(([value, text]) => make("option", { value, text })));
  const since = make("input", { type: "datetime-local", value: local(new Date(Date.now() - DAY_MSEC)) });
  const rows = make("div", {});
  const query = () => ({ state: state.value, since: since.value ? new Date(since.value).toISOString() : "" });
  const filter = make("form", { class: "filter" }, field("State", state), field("Given up since", since));
  const load = () => listAll(api, rows, query());
  filter.addEventListener("submit", (event) => event.preventDefault());
  for (const input of [state, since]) input.addEventListener("change", () => load().catch(tellError));
  const again = button("Send all of them again", async () => {
    if (!(await ask("Send all webhooks of this selection again?", "Send"))) return;
    tell(`${count(await replayAll(api, query()))} are sent again.`);
    await load();
  });
  filter.append(again);
  root.append(make("h1", { text: "Webhooks" }), card("Given up", filter, rows), secret(api));
  await load();
}

/** A moment as the input wants it: of this machine's clock. */
function local(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

async function listAll(api, place, query) {
  const found = [];
  let cursor;
  do {
    const page = await api.get(path("webhook"), { ...query, limit: 100, cursor });
    found.push(...page.webhooks);
    cursor = page.nextCursor;
  } while (cursor && found.length < 100);
  if (!found.length) {
    place.replaceChildren(empty("None: every webhook was delivered, or still is tried."));
    return;
  }
  const row = (one) => [
    when(one.givenUpAt), foreign(one.destination), one.state === "dead" ? "given up" : "refused", count(one.attempts), foreign(last(one.lastAttempt)),
    one.messageId ? messageLink(one.messageId) : listLink(one.messagelistId ?? ""),
  ];
  const more = cursor ? make("p", { class: "soft", text: "These are the latest; there are more." }) : null;
  place.replaceChildren(table("Webhooks that were given up", ["When", "To", "State", "Attempts", "Last answer", "Message"], found.map(row)), ...(more ? [more] : []));
}

const last = (attempt) => (attempt ? String(attempt.status ?? attempt.error ?? "") : "");

async function replayAll(api, { state, since }) {
  let cursor;
  let sent = 0;
  do {
    const body = { since: since || new Date(0).toISOString(), ...(state ? { state } : {}), ...(cursor ? { cursor } : {}) };
    const page = await api.post(path("webhook", "replay"), body);
    sent += page.replayed.length;
    cursor = page.nextCursor;
  } while (cursor);
  return sent;
}

function secret(api) {
  const shown = make("div", { "aria-live": "polite" });
  const give = button("A new secret", async () => {
    if (!(await ask("Make a new secret? The one before signs for 24 hours more.", "Make it"))) return;
    const told = await api.post(path("account", "webhook-secret"));
    const code = make("code", { class: "secret", text: told.webhookSecret });
    const until = told.olderSignUntil ? `Those before it sign until ${when(told.olderSignUntil)}.` : "It is the first.";
    shown.replaceChildren(make("p", { text: `Keep it: it is shown once. ${until}` }), code, button("Copy", () => navigator.clipboard.writeText(told.webhookSecret), { class: "quiet" }));
  }, { class: "quiet" });
  return card("Secret", make("p", { class: "soft", text: "Signatures prove to your server that a webhook is ours. A new secret begins to sign within a minute." }), give, shown);
}
