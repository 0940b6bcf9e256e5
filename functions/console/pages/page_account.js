// Account: what it may do, what it has used today. No secrets.

import { card, count, duration, facts, make, when } from "./dom.js";
import { path } from "./api.js";

const LIMITS = {
  callsPerDay: "Calls a day",
  messagesPerSecond: "Messages a second",
  messagesAtOnce: "Messages at once",
  urgentPerMinute: "Urgent messages a minute",
  newMenuShapesPerDay: "New shapes of menus a day",
  share: "Share of the lines",
  maxLines: "Lines at once",
  callsPerNumber: "Calls to a number in 24 h",
  minutesPerDay: "Minutes a day",
  spendPerDay: "Spend a day",
};

export async function show(root, { api }) {
  const told = await api.get(path("account"));
  const used = told.usedToday.calls;
  const most = told.limits.callsPerDay;
  const left = (Date.parse(told.usedToday.endsAt) - Date.now()) / 1000;
  const who = { Account: told.account, Key: told.key ?? "without a name", May: told.scopes.join(", "), "Day ends in": duration(Math.max(0, left)) };
  const list = (values, none) => (values.length ? values.join(", ") : none);
  const places = { "May call": list(told.destinations.allowed, "nothing"), "May not call": list(told.destinations.denied, "–"), "Premium numbers": told.destinations.premium ? "yes" : "no" };
  const hours = told.windows.map((window) => `${window.days.join(" ")} ${window.from}–${window.to}`);
  const senders = Object.entries(told.senders).map(([name, number]) => `${name} (${number})`);
  root.append(
    make("h1", { text: "Account" }),
    make("div", { class: "tiles" },
      card("Today",
        make("p", { class: "figure" }, count(used), make("span", { text: ` of ${count(most)} calls` })),
        make("meter", { min: "0", max: String(Math.max(1, most)), value: String(used), "aria-label": "Calls used today" }), make("dl", {}, facts(who))),
      card("Where and when", make("dl", {}, facts({ ...places, Senders: list(senders, "any"), Hours: list(hours, "every hour"), Clock: told.timeZone ?? "–" }))),
    ),
    card("Limits", make("dl", {}, facts(Object.fromEntries(Object.entries(LIMITS).map(([name, title]) => [title, told.limits[name] === null ? "no limit" : count(told.limits[name])]))))),
    make("p", { class: "soft", text: `As of ${when(new Date().toISOString())}.` }),
  );
}
