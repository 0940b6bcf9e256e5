// A request made of what the editor holds, text by text: numbers go out as they were written.

import { places } from "./json_places.js";

const PLACEHOLDER = /\{\{\s*([^{}]+?)\s*\}\}/g;

/**
 * `{menus, own, envelope, prefix, shared}`: the menus as values, other members' texts, what paths of the API are called
 * in the text, and whether the menus stand next to the messages. Throws Malformed.
 */
export function readText(text) {
  const found = places(text);
  const value = JSON.parse(text);
  const request = !Array.isArray(value) && Array.isArray(value?.messages);
  if (Array.isArray(value)) return { found, menus: value, own: new Map([["menu", text]]), envelope: new Map(), prefix: null };
  const base = request ? "messages[0]" : "";
  const message = request ? value.messages[0] : value;
  const own = members(text, found, message, base);
  const envelope = request ? members(text, found, value, "") : new Map();
  const shared = request && !own.has("menu") && envelope.has("menus");
  const given = shared ? value.menus : message?.menu;
  const menus = Array.isArray(given) ? given : [];
  envelope.delete("messages");
  return { found, menus, own, envelope, prefix: base, shared };
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
export function pathInText(path, { prefix, shared }) {
  const inner = path.replace(/^messages\[[0-9]+\]\.?/, "");
  if (prefix === null) return inner.replace(/^menu\.?/, "");
  if (inner === path) return path;
  if (shared && inner.startsWith("menu[")) return inner.replace("menu", "menus");
  return [prefix, inner].filter(Boolean).join(inner.startsWith("[") ? "" : ".");
}

const object = (named) => `{${[...named].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;

/** The request's JSON text: a message for each of `people` (`{to, customerMessageId, values}`). */
export function compose(read, { from, campaign }, people) {
  const menu = read.own.get("menu");
  const fill = menu && people.some(({ values }) => values) ? filler(menu) : null;
  const messages = people.map(({ to, customerMessageId, values }) => {
    const own = new Map([["text", '"ivr"'], ...read.own, ["type", '"speechcall"']]);
    if (from) own.set("from", JSON.stringify(from));
    if (to || !own.has("to")) own.set("to", JSON.stringify(to));
    if (customerMessageId) own.set("customerMessageId", JSON.stringify(customerMessageId));
    if (values && fill) own.set("menu", fill(values));
    if (values?.size && read.shared) own.set("vars", JSON.stringify({ ...ownVars(read), ...Object.fromEntries(values) }));
    return object(own);
  });
  const envelope = new Map(read.envelope);
  if (campaign) envelope.set("campaign", JSON.stringify(campaign));
  return object(new Map([["messages", `[${messages.join(",")}]`], ...envelope]));
}

const ownVars = ({ own }) => JSON.parse(own.get("vars") ?? "{}");

/** The names that want a column: those of the menus, without what the message itself has for them. */
export function wanted(read) {
  if (!read.shared) return read.own.has("menu") ? placeholders(read.own.get("menu")) : [];
  const names = [...read.envelope.get("menus").matchAll(/\{\{([A-Za-z][A-Za-z0-9_]{0,31})\}\}/g)].map(([, name]) => name);
  return [...new Set(names)].filter((name) => !Object.hasOwn(ownVars(read) ?? {}, name));
}

/** The names that a menu's text asks for: `{{order}}` in what it says, in a webhook's body, and behind the host of a URL. */
function placeholders(menuText) {
  const found = fillable(menuText).flatMap(({ from, to }) => [...menuText.slice(from, to).matchAll(PLACEHOLDER)]);
  return [...new Set(found.map(([, name]) => name))];
}

const takesValues = (path) => /\.say\.text$|\.url$|\.body(\.|\[|$)/.test(path);
const inString = (value) => JSON.stringify(value).slice(1, -1);

/** Where values may stand in a menu's text, in order, and how they are written there: of a URL only what is behind its host. */
function fillable(menuText) {
  const strings = [...places(menuText)].filter(([path, { from }]) => menuText[from] === '"' && takesValues(path));
  strings.sort(([, a], [, b]) => a.from - b.from);
  return strings.map(([path, { from, to }]) => {
    if (!path.endsWith(".url")) return { from, to, write: inString };
    const host = /^"https?:\/\/[^/?#"{}]*/i.exec(menuText.slice(from, to));
    return { from: host ? from + host[0].length : to, to, write: encodeURIComponent };
  });
}

/** Puts a person's values into the menu's text, each once, where values may stand. The text is read once for all people. */
function filler(menuText) {
  const open = fillable(menuText);
  return (values) => {
    let made = "";
    let at = 0;
    for (const { from, to, write } of open) {
      made += menuText.slice(at, from) + menuText.slice(from, to).replace(PLACEHOLDER, (whole, name) => (values.has(name) ? write(values.get(name)) : whole));
      at = to;
    }
    return made + menuText.slice(at);
  };
}
