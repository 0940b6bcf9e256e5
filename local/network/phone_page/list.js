// The list of calls: what rings is in front, newest first; of what waits and what is over a few. Never longer than a screen or two.

import { find, make, say, spaced } from "./dom.js";

const MOST = { ringing: 30, talking: 20, waiting: 15, over: 25 };
const FOUND = 20;
const figures = new Intl.NumberFormat("en-US");
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const count = (value) => figures.format(value);

export class CallList {
  /** `choose(key)` shows a call; `changed()` is told when the list has to be drawn for another search. */
  constructor(choose, changed) {
    this.buttons = new Map();
    this.search = find("search");
    this.search.addEventListener("input", changed);
    find("calls").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) choose(button.dataset.key);
    });
    find("calls-box").addEventListener("keydown", (event) => this.move(event));
  }

  show(calls, chosen) {
    const digits = this.search.value.replace(/[^0-9]/g, "");
    const listed = new Set();
    const focused = document.activeElement?.closest("#calls button")?.dataset.key;
    for (const [group, most] of Object.entries(MOST)) {
      const all = calls.groups[group].size;
      const shown = this.chosenOf(calls, group, most, digits);
      for (const message of shown) listed.add(message.key);
      this.fill(find(`calls-${group}`), shown, chosen);
      say(find(`count-${group}`), count(all));
      find(`group-${group}`).hidden = shown.length === 0;
      find(`more-${group}`).hidden = Boolean(digits) || all <= shown.length;
      say(find(`more-${group}`), `and ${count(all - shown.length)} more`);
    }
    for (const [key] of this.buttons) if (!listed.has(key)) this.buttons.delete(key);
    find("no-calls").hidden = listed.size > 0;
    say(find("no-calls"), digits ? "No call to such a number." : "None yet.");
    find("search-box").hidden = calls.messages.size < 10 && !digits;
    // A call that has changed its place keeps the keyboard.
    if (focused && document.activeElement === document.body) this.buttons.get(focused)?.focus();
  }

  chosenOf(calls, group, most, digits) {
    if (digits) return calls.search(group, digits, FOUND);
    return group === "waiting" ? calls.oldest(group, most) : calls.newest(group, most);
  }

  /** The rows of one group, in order; those that are there already are moved or left, not made again. */
  fill(list, messages, chosen) {
    messages.forEach((message, place) => {
      const row = this.button(message, chosen).parentElement;
      if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
    });
    while (list.children.length > messages.length) list.lastElementChild.remove();
  }

  button(message, chosen) {
    let button = this.buttons.get(message.key);
    if (!button) {
      button = make("button", { type: "button", "data-key": message.key });
      button.append(make("i", { "aria-hidden": "true" }), make("b"), make("span"), make("time", { text: clock.format(message.first * 1000) }));
      make("li", {}, button);
      this.buttons.set(message.key, button);
    }
    const [, number, status] = button.children;
    button.dataset.phase = message.phase;
    say(number, spaced(message.number) || "No number");
    say(status, message.phase === "over" ? (message.finished ?? message.status) : message.status);
    if (message.key === chosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    return button;
  }

  /** The arrow keys walk through the list, from the search too. */
  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const all = [...find("calls").querySelectorAll("button")];
    const next = all[all.indexOf(document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
