// The signed file of a message's calls (docs/call-files.md): read, judged and played again. It may come from anywhere, so all
// of it is looked at before any of it is shown; no address in it is asked for.

import { listFor } from "./graph.js";
import { places } from "./json_places.js";

export const MOST_BYTES = 4 * 1024 * 1024;
const MOST_CONTENT_BYTES = 1024 * 1024;
const MOST_MENUS = 20;
const MOST_CALLS = 20;
const MOST_ENTRIES = 501; // the answer, and each menu that a stack may let a call visit
const FORM = 1;
const LATEST_MSEC = 8.64e15; // of a Date
const EVENTS = ["answered", "key", "idle", "prompt_error"];
const KINDS = ["ask", "end", "wait"];
const KEY = /^(d[0-9*#]|complete|other)$/;

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value) => typeof value === "string";
const isMoment = (value) => Number.isInteger(value) && value >= 0 && value <= LATEST_MSEC;
const orNull = (is) => (value) => value === null || value === undefined || is(value);
const wholeTo = (most) => (value) => Number.isInteger(value) && value >= 0 && value <= most;
const listOf = (is, most) => (value) => Array.isArray(value) && value.length <= most && value.every(is);

/** `{content, json, signed, signature, kid}` of a file's text. Throws Error that says what it is not. */
export function readCallFile(given) {
  const parts = given.trim().split(".");
  let header;
  let json;
  let content;
  try {
    if (parts.length !== 3) throw new Error("no three parts");
    header = JSON.parse(textOf(parts[0]));
    json = textOf(parts[1]);
    if (json.length > MOST_CONTENT_BYTES) throw new Error("too long");
    content = JSON.parse(json);
  } catch {
    throw new Error("This is not the file of a call: it has to be three parts in base64url.");
  }
  if (!isObject(header) || !isObject(content) || content.v !== FORM) throw new Error(`This file is not of a form that this page reads (v ${FORM}).`);
  const wrong = check(content);
  if (wrong) throw new Error(`This file cannot be read: ${wrong}.`);
  return { content, json, signed: `${parts[0]}.${parts[1]}`, signature: parts[2], kid: isText(header.kid) ? header.kid : "", alg: header.alg };
}

/** What of a content is not as the form has it; "" for nothing. */
function check(content) {
  const menus = content.menu;
  if (!Array.isArray(menus) || !menus.length || menus.length > MOST_MENUS || !menus.every(isObject)) return `menu has to be 1 to ${MOST_MENUS} menus`;
  const wanted = { messageId: isText, messagelistId: isText, from: isText, to: isText, acceptedAt: isText, finishedAt: orNull(isText), outcome: orNull(isText), endReason: orNull(isText), webhooks: listOf(isText, 10_000) };
  for (const [name, is] of Object.entries(wanted)) if (!is(content[name])) return `${name} is not what it has to be`;
  if (!listOf(isObject, MOST_CALLS)(content.calls)) return `calls has to be at most ${MOST_CALLS} calls`;
  for (const [place, call] of content.calls.entries()) {
    const own = { attempt: wholeTo(1000), dialledMsec: isMoment, answeredMsec: orNull(isMoment), endedMsec: orNull(isMoment), cause: orNull(isText), log: listOf(isObject, MOST_ENTRIES) };
    for (const [name, is] of Object.entries(own)) if (!is(call[name])) return `calls[${place}].${name} is not what it has to be`;
    const bad = call.log.findIndex((entry, number) => !isEntry(entry, number, menus.length));
    if (bad >= 0) return `calls[${place}].log[${bad}] is not something that is heard in a call`;
  }
  return "";
}

function isEntry({ seq, menu, event, key, atMsec, then, lookup }, number, menus) {
  const isMenu = wholeTo(menus - 1);
  const inMenu = event === "answered" ? menu === null : isMenu(menu);
  const isKey = event === "key" ? KEY.test(key) : orNull(() => false)(key);
  const isThen = isObject(then) && KINDS.includes(then.kind) && (then.kind === "ask" ? isMenu(then.menu) : true) && orNull(isText)(then.reason);
  const isLookup = lookup === undefined || (isObject(lookup) && orNull(isText)(lookup.case) && isMoment(lookup.atMsec));
  return seq === number + 1 && EVENTS.includes(event) && inMenu && isKey && isMoment(atMsec) && isThen && isLookup;
}

/**
 * Each call of a file: `{attempt, cause, seconds, steps}`, each step `{menu, heard, answer, list, seconds, then, asks, webhooks, doubt}`.
 * What follows is what the file says; what the menus say of it is `doubt` where it is something else. The webhooks are
 * those that the menus send.
 */
export function replay({ content, json }) {
  const found = places(json);
  return content.calls.map((call) => {
    const since = (msec) => Math.max(0, msec - call.dialledMsec) / 1000;
    const steps = call.log.map((entry) => step(content, json, found, call, entry, since(entry.atMsec)));
    const last = Math.max(0, ...steps.map(({ seconds }) => seconds), call.endedMsec ? since(call.endedMsec) : 0);
    return { attempt: call.attempt, cause: call.cause ?? "", seconds: last, steps };
  });
}

/** The ids of webhooks that the file says were sent, and that none of its steps sends. */
export const sentBesides = ({ content }, calls) => {
  const own = new Set(calls.flatMap(({ steps }) => steps.flatMap(({ webhooks }) => webhooks.map(({ id }) => id))));
  return content.webhooks.filter((id) => !own.has(id));
};

function step(content, json, found, call, entry, seconds) {
  const { menu, event, then } = entry;
  const heard = entry.key ?? event;
  const list = event === "answered" ? null : listFor(content.menu[menu].dtmfActions, heard);
  const given = list === null ? [] : content.menu[menu].dtmfActions?.[list];
  const actions = Array.isArray(given) ? given : [];
  const webhooks = [];
  let target = event === "answered" ? 0 : null;
  for (const [place, action] of actions.entries()) {
    const kind = isObject(action) ? action.action : undefined;
    if (kind === "webhook") {
      const id = `${content.messageId}-${call.attempt}-${entry.seq}-m${menu}-${list}-${place}`;
      const at = found.get(`menu[${menu}].dtmfActions.${list}[${place}].body`);
      webhooks.push({ id, url: String(action.url ?? ""), body: at ? json.slice(at.from, at.to) : "{}", sent: content.webhooks.includes(id) });
    } else if (kind === "gotoMenu") target = action.menu;
    else if (kind === "lookup") target = led(action, entry.lookup);
    else if (kind !== "hangup" && kind !== "optOut") target = undefined; // of a later release: nothing is said of it
    if (kind !== "webhook" && kind !== "optOut") break;
  }
  return { menu, heard, answer: answered(entry.lookup), list, seconds, then: words(then), asks: then.kind === "ask" ? then.menu : null, webhooks, doubt: doubt(then, target) };
}

/** What a lookup came to, in words that follow what was heard. */
function answered(lookup) {
  if (!lookup) return "";
  return lookup.case ? `, and the answer '${lookup.case}'` : ", and no case";
}

/** Where a lookup leads by what the file says that it came to; nothing is said of one that came to nothing. */
function led(action, lookup) {
  if (!lookup) return undefined;
  const cases = isObject(action.cases) ? action.cases : {};
  return lookup.case !== null && Object.hasOwn(cases, lookup.case) ? cases[lookup.case] : action.else;
}

/** What the menus say otherwise. A bound of the call (`reason`) is no matter of theirs. */
function doubt({ kind, menu, reason }, target) {
  if (target === undefined || kind === "wait" || reason) return "";
  const follows = kind === "ask" ? menu : null;
  return follows === target ? "" : `by the menus ${target === null ? "the end" : `menu ${target}`} would follow`;
}

function words({ kind, menu, reason }) {
  if (kind === "ask") return `menu ${menu}`;
  if (kind === "wait") return "what the state machine says";
  return reason ? `the end (${reason})` : "the end";
}

/** What can be said of a file's signature with the public keys of this service: `{tone, text}`. */
export async function judge({ signed, signature, kid, alg }, keys) {
  const jwk = keys.find((one) => one.kid === kid);
  if (!jwk || alg !== "ES256") return { tone: "warn", text: "It is signed by nobody whom this service knows: whether anything of it is true cannot be said here." };
  if (!globalThis.crypto?.subtle) return { tone: "warn", text: "This browser checks no signatures on a page without https." };
  let right = false;
  try {
    const key = await crypto.subtle.importKey("jwk", { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
    const bytes = bytesOf(signature);
    const isOnly = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") === signature;
    right = isOnly && bytes.length === 64 && (await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, bytes, new TextEncoder().encode(signed)));
  } catch {
    right = false;
  }
  return right ? { tone: "good", text: "It is signed by this service, and nothing in it was changed." } : { tone: "bad", text: "Its signature is wrong: something in it was changed." };
}

/** The bytes of base64url without padding. Throws Error. */
function bytesOf(part) {
  if (!/^[A-Za-z0-9_-]*$/.test(part)) throw new Error("no base64url");
  return Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
}

const textOf = (part) => new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(part));
