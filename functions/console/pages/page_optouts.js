// Opt-outs: find a number, add one, remove one with a consent, look through the lists. Numbers stand in bodies, never in addresses.

import { path } from "./api.js";
import { ask, button, card, empty, field, foreign, make, messageLink, onSubmit, table, tell, tellError, when } from "./dom.js";

const BY = { key: "a key in the call", api: "the API", import: "an import", operator: "an operator", callBack: "a call back" };

export async function show(root, { api, account }) {
  const number = make("input", { type: "tel", autocomplete: "off", required: true, placeholder: "+380671234567" });
  const list = make("input", { autocomplete: "off", maxlength: "64" });
  const found = make("div", { class: "found", "aria-live": "polite" });
  const rows = make("div", {});
  const body = (more = {}) => ({ number: number.value.trim(), ...(list.value.trim() ? { list: list.value.trim() } : {}), ...more });
  const again = () => listAll(api, rows, list.value.trim());
  const look = async () => tellFound(found, await api.post(path("optout", "find"), body()), remove);

  async function add() {
    if (!number.reportValidity()) return;
    const told = await api.post(path("optout"), body({ reason: "console" }));
    tell(told.added ? "The number has opted out." : "It had opted out before.");
    await Promise.all([look(), again()]);
  }

  function remove() {
    const basis = make("input", { required: true, autocomplete: "off", maxlength: "64" });
    const ref = make("input", { required: true, autocomplete: "off", maxlength: "256" });
    const form = make("form", { class: "filter" }, field("Consent: on what basis", basis), field("Reference", ref, "Where it can be looked up."));
    const yes = make("button", { type: "submit", class: "bad", text: "Remove the opt-out" });
    form.append(yes);
    onSubmit(form, yes, async () => {
      if (!(await ask("Remove it? The number may be called again.", "Remove"))) return;
      await api.post(path("optout", "remove"), body({ consent: { basis: basis.value, at: new Date().toISOString(), ref: ref.value } }));
      tell("The number may be called again.");
      await Promise.all([look(), again()]);
    });
    found.append(form);
    basis.focus();
  }

  const findIt = make("button", { type: "submit", text: "Find" });
  const form = make("form", { class: "filter" }, field("Number", number), field("List", list, "Empty: all calls of the account."), findIt, button("Add", add, { class: "quiet" }));
  onSubmit(form, findIt, look);
  list.addEventListener("change", () => again().catch(tellError));
  const may = account.scopes.includes("erase") ? "" : " This key may not remove opt-outs.";
  root.append(
    make("h1", { text: "Opt-outs" }),
    card("A number", make("p", { class: "soft", text: `Who has opted out is not called.${may}` }), form, found),
    card("All", rows),
  );
  await again();
}

function tellFound(place, told, remove) {
  const { optOut } = told;
  const how = optOut ? `${BY[optOut.by] ?? optOut.by}, ${when(optOut.optedOutAt)}` : "";
  const line = make("p", { class: told.optedOut ? "is-out" : "is-in" }, make("b", { text: told.optedOut ? "Opted out" : "Not opted out" }), optOut ? ` – ${how}` : "");
  if (optOut?.reason) line.append(" – ", foreign(optOut.reason));
  if (told.removedAt) line.append(` – removed ${when(told.removedAt)}`);
  place.replaceChildren(line, ...(told.optedOut ? [button("Remove …", remove, { class: "quiet" })] : []));
}

async function listAll(api, place, list) {
  const page = await api.get(path("optout"), { list, limit: 100 });
  if (!page.optOuts.length) {
    place.replaceChildren(empty("Nobody has opted out."));
    return;
  }
  const row = (one) => [`… ${one.ending}`, foreign(one.list || "all calls"), when(one.optedOutAt), BY[one.by] ?? one.by, foreign(one.reason ?? ""), one.messageId ? messageLink(one.messageId) : ""];
  place.replaceChildren(table("Opt-outs", ["Number", "List", "Since", "By", "Reason", "Message"], page.optOuts.map(row)));
  if (page.nextCursor) place.append(make("p", { class: "soft", text: "There are more: the command “speechcall optout export” has all." }));
}
