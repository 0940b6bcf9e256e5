// The frame: a key is asked for, pages come by the address's fragment, and each is loaded when it is first opened.

import { Api } from "./api.js";
import { address, field, find, make, onSubmit, say, tell, tellError } from "./dom.js";

const PAGES = {
  send: ["Send", () => import("./page_send.js")],
  lists: ["Campaigns and lists", () => import("./page_lists.js")],
  message: ["Message", () => import("./page_message.js")],
  call: ["Call file", () => import("./page_call.js")],
  webhooks: ["Webhooks", () => import("./page_webhooks.js")],
  optouts: ["Opt-outs", () => import("./page_optouts.js")],
  audio: ["Audio", () => import("./page_audio.js")],
  account: ["Account", () => import("./page_account.js")],
};

let context = null;
let leavePage = () => {};
let opened = 0;

function enter() {
  const key = make("input", { type: "password", autocomplete: "off", spellcheck: "false", required: true });
  const box = field("API key", key, "It stays in this page's memory: reload the page, and it is gone.");
  const button = make("button", { type: "submit", text: "Open" });
  const form = make("form", { class: "card enter" }, make("h1", { text: "Console" }), box, make("div", { class: "row end" }, button));
  onSubmit(form, button, async () => {
    box.complain("");
    const api = new Api(key.value.trim());
    try {
      context = { api, account: await api.get("/bat/account"), lists: [], go };
    } catch (error) {
      box.complain(error.status === 401 ? "The API does not know this key." : error.message);
      key.focus();
      return;
    }
    begin();
  });
  find("page").replaceChildren(form);
  key.focus();
}

function begin() {
  const links = Object.entries(PAGES).map(([name, [title]]) => make("a", { href: address(name), "data-page": name, text: title }));
  find("nav").replaceChildren(...links);
  find("nav").hidden = find("who").hidden = false;
  const { account, key } = context.account;
  say(find("account"), key ? `${account}, key ${key}` : account);
  show();
}

function leave() {
  leavePage();
  leavePage = () => {};
  context = null;
  opened += 1;
  find("nav").hidden = find("who").hidden = true;
  tell("");
  enter();
}

/** Open a page: `go("message", "2504…")`. */
function go(...parts) {
  location.hash = address(...parts);
}

async function show() {
  if (!context) return;
  const [name, ...parts] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  const page = PAGES[name] ? name : "send";
  const mine = (opened += 1);
  leavePage();
  leavePage = () => {};
  tell("");
  for (const link of find("nav").children) {
    if (link.dataset.page !== page) link.removeAttribute("aria-current");
    else {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    }
  }
  document.title = `${PAGES[page][0]} – SpeechCall console`;
  const root = make("div", { class: `page ${page}` });
  try {
    const module = await PAGES[page][1]();
    if (mine !== opened) return;
    find("page").replaceChildren(root);
    const stop = await module.show(root, context, ...parts);
    if (mine !== opened) stop?.();
    else leavePage = stop ?? (() => {});
    // The link that was followed is gone with its page: the keyboard begins at the top of this one.
    if (document.activeElement === document.body) find("page").focus({ preventScroll: true });
  } catch (error) {
    if (mine === opened) tellError(error);
  }
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

find("leave").addEventListener("click", leave);
find("skip").addEventListener("click", (event) => {
  event.preventDefault();
  find("page").focus();
});
addEventListener("hashchange", show);
enter();
