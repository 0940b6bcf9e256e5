// A request made of what the editor holds, text by text: numbers go out as they were written.

import { places } from "./json_places.js";

const PLACEHOLDER = /\{\{\s*([^{}]+?)\s*\}\}/g;

/** `{menus, own, beside, prefix}`: the menus as values, other members' texts, and what paths of the API are called in the text. Throws Malformed. */
export function readText(text) {
  const found = places(text);
  const value = JSON.parse(text);
  const request = !Array.isArray(value) && Array.isArray(value?.messages);
  if (Array.isArray(value)) return { found, menus: value, own: new Map([["menu", text]]), beside: new Map(), prefix: null };
  const base = request ? "messages[0]" : "";
  const message = request ? value.messages[0] : value;
  const menus = Array.isArray(message?.menu) ? message.menu : [];
  const own = members(text, found, message, base);
  const beside = request ? members(text, found, value, "") : new Map();
  beside.delete("messages");
  return { found, menus, own, beside, prefix: base };
}

function members(text, found, value, base) {
  const named = new Map();
  for (const name of Object.keys(value ?? {})) {
    const at = found.get(base ? `${base}.${name}` : name);
    if (at) named.set(name, text.slice(at.from, at.to));
  }
  return named;
}

/** A path of the API ("messages[0].menu[1].introUrl") as it is called in the editor's text. */
export function pathInText(path, prefix) {
  const inner = path.replace(/^messages\[[0-9]+\]\.?/, "");
  if (prefix === null) return inner.replace(/^menu\.?/, "");
  if (inner === path) return path;
  return [prefix, inner].filter(Boolean).join(inner.startsWith("[") ? "" : ".");
}

const object = (named) => `{${[...named].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;

/** The request's JSON text: a message for each of `people` (`{to, customerMessageId, values}`). */
export function compose(read, { from, campaign }, people) {
  const messages = people.map(({ to, customerMessageId, values }) => {
    const own = new Map([["text", '"ivr"'], ...read.own, ["type", '"speechcall"']]);
    if (from) own.set("from", JSON.stringify(from));
    if (to || !own.has("to")) own.set("to", JSON.stringify(to));
    if (customerMessageId) own.set("customerMessageId", JSON.stringify(customerMessageId));
    if (values && own.has("menu")) own.set("menu", filled(own.get("menu"), values));
    return object(own);
  });
  const beside = new Map(read.beside);
  if (campaign) beside.set("campaign", JSON.stringify(campaign));
  return object(new Map([["messages", `[${messages.join(",")}]`], ...beside]));
}

/** The names that a menu's text asks for: `{{order}}` in what it says, in a webhook's body, and behind the host of a URL. */
export function placeholders(menuText) {
  const names = new Set();
  for (const [path, at] of places(menuText)) {
    const piece = menuText.slice(at.from, at.to);
    if (piece.startsWith('"') && takesValues(path)) for (const [, name] of openPart(path, piece)[1].matchAll(PLACEHOLDER)) names.add(name);
  }
  return [...names];
}

const takesValues = (path) => /\.say\.text$|\.url$|\.body(\.|\[|$)/.test(path);

/** A text's part before and the part with values: of a URL only what is behind its host. */
function openPart(path, piece) {
  if (!path.endsWith(".url")) return ["", piece];
  const host = /^"https?:\/\/[^/?#"{}]*/i.exec(piece)?.[0] ?? piece;
  return [host, piece.slice(host.length)];
}

/** The menu's text with each value put in once, where values may stand. */
function filled(menuText, values) {
  const strings = [...places(menuText)].filter(([path, at]) => menuText[at.from] === '"' && takesValues(path));
  strings.sort(([, a], [, b]) => a.from - b.from);
  let made = "";
  let at = 0;
  for (const [path, place] of strings) {
    const [closed, open] = openPart(path, menuText.slice(place.from, place.to));
    const escape = path.endsWith(".url") ? encodeURIComponent : (value) => JSON.stringify(value).slice(1, -1);
    made += menuText.slice(at, place.from) + closed + open.replace(PLACEHOLDER, (whole, name) => (values.has(name) ? escape(values.get(name)) : whole));
    at = place.to;
  }
  return made + menuText.slice(at);
}
