// Bars: how messages ended, and where callees got to in the menus. Each says its numbers in words too.

import { count, make, words } from "./dom.js";

const TONES = { answered: "good", busy: "warn", noAnswer: "warn", failed: "bad", expired: "soft", invalidNumber: "bad", blocked: "bad", promptUnavailable: "bad", menusRefused: "bad", cancelled: "soft", optedOut: "soft" };
const KEY_ORDER = ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d*", "d0", "d#", "other"];

const share = (part, whole) => (whole ? (100 * part) / whole : 0);
const percent = (part, whole) => `${Math.round(share(part, whole))} %`;

/** A bar of one length: its style is set by script, which the page's policy allows. */
function bar(value, whole, tone) {
  const inner = make("i", { class: tone });
  inner.style.width = `${share(value, whole)}%`;
  return make("span", { class: "bar-line", "aria-hidden": "true" }, inner);
}

/** All messages of a list or campaign as one bar of pieces, and a legend with the numbers. */
export function progress({ total, calling, outcomes }) {
  const ended = Object.values(outcomes).reduce((sum, value) => sum + value, 0);
  const pieces = [...Object.entries(outcomes).sort((a, b) => b[1] - a[1]).map(([name, value]) => [words(name), value, TONES[name] ?? "soft"]), ["in a call", calling, "live"], ["waiting", total - ended - calling, "rest"]];
  const shown = pieces.filter(([, value]) => value > 0);
  const parts = shown.map(([, value, tone]) => {
    const part = make("i", { class: tone });
    part.style.width = `${share(value, total)}%`;
    return part;
  });
  const legend = shown.map(([name, value, tone]) => make("li", {}, make("i", { class: tone, "aria-hidden": "true" }), `${name} `, make("b", { text: count(value) }), make("span", { text: ` ${percent(value, total)}` })));
  const figure = make("p", { class: "figure" }, count(ended), make("span", { text: ` of ${count(total)} have ended` }));
  return make("div", { class: "progress" }, figure, make("div", { class: "bar-whole", "aria-hidden": "true" }, parts), make("ul", { class: "legend" }, legend));
}

/** What callees did in each menu. */
export function funnel({ shape, calls, answered, menus, exampleMessageId }) {
  const head = make("h3", {}, shape === "other" ? "Other menus" : "Menus ", shape === "other" ? null : make("code", { text: shape.slice(0, 8) }));
  const facts = make("p", { class: "soft" }, `${count(calls)} calls, ${count(answered)} answered. `);
  if (exampleMessageId) facts.append(make("a", { href: `#/message/${exampleMessageId}`, text: "An example" }));
  return make("section", { class: "funnel" }, head, facts, menus.map((menu) => menuBars(menu)));
}

function menuBars({ menu, asked, keys, silence, hungUp, interrupted, secondsToKey }) {
  const pressed = Object.entries(keys).sort(([a], [b]) => KEY_ORDER.indexOf(a) - KEY_ORDER.indexOf(b)).map(([key, value]) => [key === "other" ? "another key" : `key ${key.slice(1)}`, value, "good"]);
  const rows = [...pressed, ["no key in time", silence, "warn"], ["hung up", hungUp, "bad"], ["interrupted", interrupted, "soft"]].filter(([, value]) => value > 0);
  const between = secondsToKey.medianBetween;
  const speed = between ? ` · half the keys within ${between[1] ?? `more than ${between[0]}`} s` : "";
  const lines = rows.map(([name, value, tone]) => make("tr", {}, make("th", { scope: "row", text: name }), make("td", {}, bar(value, asked, tone)), make("td", { class: "number", text: count(value) }), make("td", { class: "number soft", text: percent(value, asked) })));
  const caption = make("caption", {}, make("b", { text: `Menu ${menu}` }), ` heard ${asked === 1 ? "once" : `${count(asked)} times`}${speed}`);
  return make("table", { class: "bars" }, caption, make("tbody", {}, lines));
}
