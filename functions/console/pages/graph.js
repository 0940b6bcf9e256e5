// Menus as a picture: a card for each, a row for each key, curves to the menus that follow. Our own small layout in columns.

import { draw, make } from "./dom.js";
import { heardName, KEYS } from "./keys.js";

const WIDTH = 226;
const HEAD = 46;
const ROW = 24;
const GAP_X = 66;
const GAP_Y = 30;
const EDGE = 26;
const BEND = 50; // what a curve back may reach beyond its card
const MOST_MENUS = 100;
const ORDER = [...KEYS, "complete", "silence", "invalid", "wrong"];

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** What a text of somebody else's may not do to a picture: turn its direction, or break its line. */
const plain = (text) => text.replace(/[\p{Cc}\p{Cf}]/gu, " ");

function host(url) {
  try {
    return new URL(url).host || "an address";
  } catch {
    return "an address";
  }
}

/** What the menus mean, however incomplete they are: cards with rows, each row with where it leads. */
export function read(menus) {
  return menus.slice(0, MOST_MENUS).map((menu, number) => {
    const given = isObject(menu) ? menu : {};
    const lists = isObject(given.dtmfActions) ? given.dtmfActions : {};
    const isWhole = "silence" in lists && "invalid" in lists;
    const keys = ORDER.filter((key) => key in lists && !(key === "wrong" && isWhole));
    const rows = keys.map((key) => row(key, Array.isArray(lists[key]) ? lists[key] : [], menus.length));
    if (!keys.includes("wrong") && !isWhole) rows.push({ key: "wrong", does: [], target: null });
    const rest = "silence" in lists ? "another key" : "invalid" in lists ? "no key" : "another key, or silence";
    for (const one of rows) one.heard = one.key === "wrong" ? rest : heardName(one.key);
    if (isObject(given.input)) for (const one of rows) one.heard = one.heard.replace("another key", "other digits");
    return { number, intro: intro(given), wait: given.idleTimeoutMsec, rows };
  });
}

/** The list that runs for what was heard: a key, `idle` or `other`; null for a prompt that was not played: none does. */
export function listFor(lists, heard) {
  if (heard === "prompt_error") return null;
  if (/^(d.|complete)$/.test(heard) && lists?.[heard]) return heard;
  const own = heard === "idle" ? "silence" : "invalid";
  return lists?.[own] ? own : "wrong";
}

const menuOf = (menu, menus) => (Number(menu) < menus && Number(menu) >= 0 ? Number(menu) : -1);

/** Every menu that a row may lead to, each once; null: it ends the call. */
const targetsOf = ({ target, cases = [] }) => [...new Set([...cases.map((one) => one.target), target])];

function row(key, actions, menus) {
  const does = [];
  for (const action of actions) {
    const kind = isObject(action) ? action.action : undefined;
    if (kind === "webhook") does.push(`webhook ${host(String(action.url ?? ""))}`);
    else if (kind === "optOut") does.push(action.list ? `opt-out ${action.list}` : "opt-out");
    else if (kind === "gotoMenu") return { key, does, target: menuOf(action.menu, menus) };
    else if (kind === "lookup") {
      const leads = { ...(isObject(action.cases) ? action.cases : {}), else: action.else };
      const cases = Object.entries(leads).map(([name, menu]) => ({ name, target: menuOf(menu, menus) }));
      return { key, does: [...does, `lookup ${host(String(action.url ?? ""))}`], target: cases.at(-1).target, cases };
    }
    else if (kind === "hangup") break;
  }
  return { key, does, target: null };
}

function intro(menu) {
  if (isObject(menu.say)) return `“${String(menu.say.text ?? "")}”`;
  if (Array.isArray(menu.play)) return `${menu.play.length} ${menu.play.length === 1 ? "part" : "parts"}`;
  const given = String(menu.introUrl ?? "");
  return /^https?:/i.test(given) ? `audio of ${host(given)}` : given || "no introduction";
}

/** Columns by the fewest keys from menu 0; what no key leads to stands in a last one. */
function place(cards) {
  const depth = new Map(cards.length ? [[0, 0]] : []);
  for (const number of depth.keys()) {
    for (const target of cards[number].rows.flatMap(targetsOf)) if (target !== null && target >= 0 && target < cards.length && !depth.has(target)) depth.set(target, depth.get(number) + 1);
  }
  const last = Math.max(0, ...depth.values()) + 1;
  const columns = [];
  for (const number of [...depth.keys(), ...cards.map((card) => card.number).filter((one) => !depth.has(one))]) {
    const column = depth.get(number) ?? last;
    const card = cards[number];
    columns[column] ??= EDGE;
    Object.assign(card, { lost: !depth.has(number), x: EDGE + column * (WIDTH + GAP_X), y: columns[column], height: HEAD + card.rows.length * ROW + 8 });
    columns[column] += card.height + GAP_Y;
  }
  const widths = cards.map((card) => card.x + WIDTH);
  return { width: Math.max(WIDTH, ...widths) + BEND, height: Math.max(HEAD, ...columns.filter(Boolean)) + EDGE - GAP_Y + 10 };
}

const led = (target) => (target === null ? "hang up" : target < 0 ? "a menu that is not there" : `menu ${target}`);
const CAPS = { complete: "digits", silence: "none", invalid: "other", wrong: "else" };
const keyName = (key) => CAPS[key] ?? key.slice(1);

function sentence(card, way, here) {
  const leads = ({ target, cases }) => (cases ? cases.map((one) => `${one.name} ${led(one.target)}`).join(", ") : led(target));
  const rows = card.rows.map((row) => {
    const orders = way.get(`${card.number} ${row.key}`);
    return `${row.heard}: ${[...row.does, leads(row)].join(", then ")}${orders ? ` (heard as number ${orders.join(", ")})` : ""}`;
  });
  return `Menu ${card.number}${card.number === here ? ", where the call is now" : ""}, ${card.intro}. ${rows.join("; ")}.`;
}

/**
 * The picture. `taken`: rows of a call's way, `{menu, key, order}`; they stand out. `here`: the menu in which the call is
 * now. What it shows is also said in words.
 */
export function graph(menus, taken = [], here = null) {
  const cards = read(menus);
  const size = place(cards);
  const way = new Map();
  for (const { menu, key, order } of taken) way.set(`${menu} ${key}`, [...(way.get(`${menu} ${key}`) ?? []), order]);
  const visited = new Set(taken.map(({ menu }) => menu));
  const picture = draw("svg", { viewBox: `0 0 ${size.width} ${size.height}`, width: size.width, height: size.height, role: "img", "aria-label": `${cards.length} ${cards.length === 1 ? "menu" : "menus"}` });
  const curves = draw("g", {});
  picture.append(curves, ...cards.map((card) => cardPicture(card, cards, way, visited, curves, here)));
  const told = make("ol", { class: "unseen" }, cards.map((card) => make("li", { "aria-current": card.number === here && "step", text: sentence(card, way, here) })));
  return make("div", { class: "graph" }, make("div", { class: "canvas", tabindex: "0", role: "group", "aria-label": "The menus as a picture" }, picture), told);
}

function cardPicture(card, cards, way, visited, curves, here) {
  const states = [card.lost && "lost", visited.has(card.number) && "taken", card.number === here && "here"].filter(Boolean);
  const group = draw("g", { class: ["menu", ...states].join(" "), "data-menu": card.number });
  group.append(draw("rect", { class: "card", x: card.x, y: card.y, width: WIDTH, height: card.height, rx: 9 }));
  group.append(draw("text", { class: "title", x: card.x + 12, y: card.y + 20, text: `Menu ${card.number}` }));
  const wait = Number.isFinite(card.wait) ? `${card.wait / 1000} s` : "";
  group.append(draw("text", { class: "wait", x: card.x + WIDTH - 12, y: card.y + 20, "text-anchor": "end", text: wait }));
  group.append(draw("text", { class: "intro", x: card.x + 12, y: card.y + 37, text: short(plain(card.intro), 34) }));
  card.rows.forEach((row, place) => {
    const y = card.y + HEAD + place * ROW + ROW / 2;
    const orders = way.get(`${card.number} ${row.key}`);
    const isWide = row.key in CAPS;
    const line = draw("g", { class: `key${orders ? " taken" : ""}`, "data-key": row.key });
    line.append(draw("rect", { class: "cap", x: card.x + 10, y: y - 9, width: isWide ? 40 : 22, height: 18, rx: 5 }));
    line.append(draw("text", { class: "cap", x: card.x + 10 + (isWide ? 20 : 11), y: y + 4, "text-anchor": "middle", text: keyName(row.key) }));
    const does = plain(row.does.join(", ") || led(row.target));
    line.append(draw("text", { class: "does", x: card.x + (isWide ? 58 : 42), y: y + 4, text: short(does, (isWide ? 24 : 26) - (orders ? 5 : 0)) }));
    if (orders) line.append(draw("text", { class: "order", x: card.x + WIDTH - 24, y: y + 4, "text-anchor": "end", text: orders.join(" ") }));
    if (row.target === null) line.append(draw("rect", { class: "end", x: card.x + WIDTH - 17, y: y - 4, width: 8, height: 8, rx: 1.5 }));
    else line.append(draw("circle", { class: "port", cx: card.x + WIDTH, cy: y, r: 3.5 }));
    group.append(line);
    for (const target of targetsOf(row)) if (target !== null) curves.append(curve(card, y, cards[target], orders));
  });
  return group;
}

/** From a row's right edge to the head of the next menu; back to an earlier one around the top of it. */
function curve(card, y, next, orders) {
  const [x1, y1] = [card.x + WIDTH, y];
  const kind = `edge${orders ? " taken" : ""}`;
  if (!next) return draw("path", { class: `${kind} nowhere`, d: `M ${x1} ${y1} h 18` });
  const [x2, y2] = [next.x, next.y + 16];
  if (next.x > card.x) {
    const bend = Math.max(34, (x2 - x1) / 2);
    return draw("path", { class: kind, d: `M ${x1} ${y1} C ${x1 + bend} ${y1}, ${x2 - bend} ${y2}, ${x2} ${y2}` });
  }
  const out = x1 + 14 + Math.min(22, (y1 - card.y) / 8);
  const top = next.y - 10;
  const down = next.x + WIDTH - 30;
  return draw("path", { class: `${kind} back`, d: `M ${x1} ${y1} C ${out + 14} ${y1}, ${out + 14} ${top}, ${out - 6} ${top} L ${down + 8} ${top} Q ${down} ${top}, ${down} ${next.y}` });
}
