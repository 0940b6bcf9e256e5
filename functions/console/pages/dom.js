// The few ways in which pages make and find elements. Text is always set as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An element with attributes (`text`, and listeners as `onclick`), and children. */
export const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** The same of a picture. */
export const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** Set text only where it changes, so that screen readers are not told twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Text of somebody else's: in its own direction, and never wider than its place. */
export const foreign = (text, attributes = {}) => make("bdi", { ...attributes, text: text ?? "" });

let names = 0;

/** A label over an input, with a place for what is wrong with it. */
export function field(label, input, hint = "") {
  names += 1;
  input.id ||= `field-${names}`;
  const told = make("span", { class: "hint", id: `${input.id}-hint`, text: hint });
  input.setAttribute("aria-describedby", told.id);
  const box = make("div", { class: "field" }, make("label", { for: input.id, text: label }), input, told);
  box.complain = (message) => {
    say(told, message || hint);
    box.classList.toggle("wrong", Boolean(message));
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  return box;
}

/** A button that is off while what it does is under way; what goes wrong is told. */
export function button(text, deed, attributes = {}) {
  const made = make("button", { type: "button", ...attributes, text });
  made.addEventListener("click", () => busy(made, deed));
  return made;
}

async function busy(control, deed) {
  if (control.getAttribute("aria-busy") === "true") return;
  control.setAttribute("aria-busy", "true");
  try {
    await deed();
  } catch (error) {
    tellError(error);
  } finally {
    control.removeAttribute("aria-busy");
  }
}

let last = null;

/** A sentence at the foot of the page, read out. Good news goes away by itself. */
export function tell(text, tone = "good") {
  const place = find("told");
  place.dataset.tone = tone;
  place.textContent = text;
  clearTimeout(last);
  if (tone === "good") last = setTimeout(() => (place.textContent = ""), 6000);
}

/** What has failed, told. */
export const tellError = (error) => tell(error.message, "bad");

/** What a form does instead of being sent; `control`, its button, is off meanwhile. */
export function onSubmit(form, control, deed) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(control, deed);
  });
}

/** A question that has to be answered before something is done that cannot be taken back. */
export function ask(question, yes) {
  return new Promise((done) => {
    const dialog = make("dialog", { "aria-label": question }, make("p", { text: question }));
    const answer = (value) => {
      dialog.close();
      dialog.remove();
      done(value);
    };
    const row = make("div", { class: "row end" }, make("button", { type: "button", class: "quiet", text: "No", onclick: () => answer(false) }));
    row.append(make("button", { type: "button", class: "bad", text: yes, onclick: () => answer(true) }));
    dialog.append(row);
    dialog.addEventListener("cancel", () => answer(false));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A table: `head` are its columns' names, `rows` lists of cells (text or elements). */
export function table(caption, head, rows) {
  const cells = (row) => row.map((cell, place) => make("td", { "data-label": head[place] }, cell instanceof Node ? cell : foreign(String(cell ?? ""))));
  return make(
    "table",
    {},
    make("caption", { class: "unseen", text: caption }),
    make("thead", {}, make("tr", {}, head.map((name) => make("th", { scope: "col", text: name })))),
    make("tbody", {}, rows.map((row) => make("tr", {}, cells(row)))),
  );
}

/** A box with a title. */
export const card = (title, ...inside) => make("section", { class: "card" }, make("h2", { text: title }), ...inside);

/** A sentence where a table has nothing to show. */
export const empty = (text) => make("p", { class: "empty", text });

/** Names, each with its value: text of somebody else's, or an element. */
export function facts(named) {
  return Object.entries(named).flatMap(([name, value]) => [make("dt", { text: name }), make("dd", {}, value instanceof Node ? value : foreign(value))]);
}

/** The address of a page of the console: `address("message", "2504…")`. */
export const address = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;

/** A link to the page of a message, a list or a campaign. */
export const messageLink = (id, text = id) => make("a", { href: address("message", id), text });
export const listLink = (id) => make("a", { href: address("lists", "list", id), text: id });
export const campaignLink = (name) => make("a", { href: address("lists", "campaign", name), text: name });

/** Put other children in a place, and the keyboard back where it was: on the link or button that is called the same. */
export function replace(place, children) {
  const at = place.contains(document.activeElement) ? document.activeElement : null;
  place.replaceChildren(...children);
  if (!at) return;
  const same = [...place.querySelectorAll(at.tagName)].find((one) => one.textContent === at.textContent && one.getAttribute("href") === at.getAttribute("href"));
  same?.focus({ preventScroll: true });
}

const figures = new Intl.NumberFormat("en-US");
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const count = (value) => figures.format(value ?? 0);
export const when = (iso) => (iso ? moment.format(new Date(iso)) : "–");

/** 3725 as "1 h 2 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** noAnswer as "no answer". */
export const words = (name) => (name ?? "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** Do something now and each `seconds`, while the page is looked at; what it gives stops it. */
export function repeat(seconds, deed) {
  let stopped = false;
  let timer = null;
  const round = async () => {
    if (stopped) return;
    let again = true;
    if (!document.hidden) {
      try {
        again = await deed();
      } catch (error) {
        tellError(error);
      }
    }
    if (again !== false && !stopped) timer = setTimeout(round, seconds * 1000);
  };
  round();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
