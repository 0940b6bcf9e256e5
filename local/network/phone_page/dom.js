// The few ways in which the page makes and finds elements. Text is always set as text, never as HTML.

export const find = (id) => document.getElementById(id);

/** An element with attributes (or `text`), and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Set text only where it changes, so that screen readers are not told twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** +380936670003 as +380 93 667 00 03: enough to read it, whatever the country. */
export function spaced(number) {
  const match = /^(\+\d{3})(\d{2})(\d{3})(\d{2})(\d{2})$/.exec(number ?? "");
  return match ? match.slice(1).join(" ") : (number ?? "");
}
