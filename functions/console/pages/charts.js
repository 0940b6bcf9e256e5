// Bars: how messages ended, where callees got to in the menus, when calls begin. Each says its numbers in words too.

import { count, draw, duration, make, messageLink, table, words } from "./dom.js";
import { heardName, KEYS } from "./keys.js";

const TONES = { answered: "good", busy: "warn", noAnswer: "warn", failed: "bad", expired: "soft", invalidNumber: "bad", blocked: "bad", promptUnavailable: "bad", menusRefused: "bad", cancelled: "soft", optedOut: "soft" };
const KEY_ORDER = [...KEYS, "complete", "other"];

const share = (part, whole) => (whole ? (100 * part) / whole : 0);
const percent = (part, whole) => `${Math.round(share(part, whole))} %`;

/** A piece of a bar: its style is set by script, which the page's policy allows. */
function piece(value, whole, tone) {
  const made = make("i", { class: tone });
  made.style.width = `${share(value, whole)}%`;
  return made;
}

/** How many messages have ended, whatever their outcome. */
export const ended = (outcomes) => Object.values(outcomes).reduce((sum, value) => sum + value, 0);

/** All messages of a list or campaign as one bar of pieces, and a legend with the numbers. */
export function progress({ total, calling, outcomes }) {
  const pieces = [...Object.entries(outcomes).sort((a, b) => b[1] - a[1]).map(([name, value]) => [words(name), value, TONES[name] ?? "soft"]), ["in a call", calling, "live"], ["waiting", total - ended(outcomes) - calling, "rest"]];
  const shown = pieces.filter(([, value]) => value > 0);
  const parts = shown.map(([, value, tone]) => piece(value, total, tone));
  const legend = shown.map(([name, value, tone]) => make("li", {}, make("i", { class: tone, "aria-hidden": "true" }), `${name} `, make("b", { text: count(value) }), make("span", { text: ` ${percent(value, total)}` })));
  const figure = make("p", { class: "figure" }, count(ended(outcomes)), make("span", { text: ` of ${count(total)} have ended` }));
  return make("div", { class: "progress" }, figure, make("div", { class: "bar-whole", "aria-hidden": "true" }, parts), make("ul", { class: "legend" }, legend));
}

/** What callees did in each menu. */
export function funnel({ shape, calls, answered, menus, exampleMessageId }) {
  const head = make("h3", {}, shape === "other" ? "Other menus" : "Menus ", shape === "other" ? null : make("code", { text: shape.slice(0, 8) }));
  const facts = make("p", { class: "soft" }, `${count(calls)} calls, ${count(answered)} answered. `);
  if (exampleMessageId) facts.append(messageLink(exampleMessageId, "An example"));
  return make("section", { class: "funnel" }, head, facts, menus.map((menu) => menuBars(menu)));
}

function menuBars({ menu, asked, keys, silence, hungUp, interrupted, secondsToKey }) {
  const pressed = Object.entries(keys).sort(([a], [b]) => KEY_ORDER.indexOf(a) - KEY_ORDER.indexOf(b)).map(([key, value]) => [heardName(key), value, "good"]);
  const rows = [...pressed, ["no key in time", silence, "warn"], ["hung up", hungUp, "bad"], ["interrupted", interrupted, "soft"]].filter(([, value]) => value > 0);
  const between = secondsToKey.medianBetween;
  const speed = between ? ` · half the keys within ${between[1] ?? `more than ${between[0]}`} s` : "";
  const lines = rows.map(([name, value, tone]) => make("tr", {}, make("th", { scope: "row", text: name }), make("td", {}, make("span", { class: "bar-line", "aria-hidden": "true" }, piece(value, asked, tone))), make("td", { class: "number", text: count(value) }), make("td", { class: "number soft", text: percent(value, asked) })));
  const caption = make("caption", {}, make("b", { text: `Menu ${menu}` }), ` heard ${asked === 1 ? "once" : `${count(asked)} times`}${speed}`);
  return make("table", { class: "bars" }, caption, make("tbody", {}, lines));
}

const SECONDS = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const MINUTES = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "short" });
const WIDE = 480;
const HIGH = 150;

/** Calls that begin in each slot of a rehearsal: bars, what they show in a sentence, and all numbers as a table. */
export function begun({ from, callsBegun: { slotSeconds, mean } }) {
  const times = mean.map((_, slot) => new Date(Date.parse(from) + slot * slotSeconds * 1000));
  const clock = slotSeconds * mean.length > 20 * 3600 ? DAY : slotSeconds < 60 ? SECONDS : MINUTES;
  const most = Math.max(...mean);
  const tenth = (value) => count(Math.round(value * 10) / 10);
  const step = WIDE / mean.length;
  const bars = mean.map((value, slot) => {
    const height = most ? (value / most) * HIGH : 0;
    return draw("rect", { x: slot * step + 1, y: HIGH - height, width: Math.max(step - 2, 1), height, rx: 2 }, draw("title", {}, `${clock.format(times[slot])}: ${tenth(value)}`));
  });
  const each = `Calls that begin in each ${duration(slotSeconds)}`;
  const sentence = `${each}, the mean of all rehearsals: ${tenth(most)} at most, from ${clock.format(times[mean.indexOf(most)])} on; the last slot begins at ${clock.format(times.at(-1))}.`;
  const picture = draw("svg", { class: "begun", viewBox: `0 0 ${WIDE} ${HIGH + 1}`, role: "img", "aria-label": sentence, preserveAspectRatio: "none" }, bars, draw("path", { d: `M0 ${HIGH + 0.5}H${WIDE}` }));
  const ends = make("div", { class: "row soft", "aria-hidden": "true" }, make("span", { text: clock.format(times[0]) }), make("span", { class: "grow" }), make("span", { text: clock.format(times.at(-1)) }));
  const rows = mean.map((value, slot) => [clock.format(times[slot]), tenth(value)]);
  const numbers = make("details", {}, make("summary", { text: "As a table" }), table(each, ["From", "Calls"], rows));
  return make("figure", { class: "slots" }, make("figcaption", {}, make("b", { text: each }), make("span", { class: "soft", text: `, at most ${tenth(most)}` })), picture, ends, numbers);
}
