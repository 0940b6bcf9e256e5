// An editor for JSON with what is wrong marked in its text: lines are numbered, findings are said under it.

import { make } from "./dom.js";

const MOST_SHOWN = 20;
const LINES_ABOVE = 5;

export class Editor {
  /** `changed(text)` is called after each change. */
  constructor(label, text, changed) {
    this.lines = make("div", { class: "lines", "aria-hidden": "true" });
    this.under = make("pre", { class: "under", "aria-hidden": "true" });
    this.findings = make("ol", { class: "findings", id: "findings", "aria-live": "polite" });
    this.area = make("textarea", {
      "aria-label": label, "aria-describedby": "findings", spellcheck: "false", wrap: "off", autocomplete: "off", autocapitalize: "off",
    });
    const inner = make("div", { class: "text" }, this.under, this.area);
    this.element = make("div", { class: "editor" }, make("div", { class: "sheet" }, this.lines, inner), this.findings);
    this.area.value = text;
    this.area.addEventListener("input", () => {
      this.mark([]);
      changed(this.area.value);
    });
    this.area.addEventListener("scroll", () => this.follow());
    this.area.addEventListener("keydown", (event) => this.typed(event));
    this.mark([]);
  }

  get text() {
    return this.area.value;
  }

  set text(text) {
    this.area.value = text;
    this.area.dispatchEvent(new Event("input"));
  }

  /** Findings: `{from, to, message, tone}`, tone "bad" or "warn". */
  mark(findings) {
    const text = this.area.value;
    const sorted = [...findings].sort((a, b) => a.from - b.from);
    const pieces = [];
    let at = 0;
    for (const { from, to, tone } of sorted) {
      if (from < at) continue;
      const end = Math.max(to, from + 1);
      pieces.push(text.slice(at, from), make("mark", { class: tone, text: text.slice(from, end) || " " }));
      at = end;
    }
    this.under.replaceChildren(...pieces, text.slice(at), "\n");
    const tones = new Map();
    for (const { from, tone } of sorted) {
      const line = lineOf(text, from);
      if (tones.get(line) !== "bad") tones.set(line, tone);
    }
    const total = text.split("\n").length;
    this.lines.replaceChildren(...Array.from({ length: total }, (_, place) => make("span", { class: tones.get(place + 1), text: String(place + 1) })));
    this.findings.replaceChildren(...sorted.slice(0, MOST_SHOWN).map((finding) => this.finding(finding, text)));
    if (findings.some(({ tone }) => tone === "bad")) this.area.setAttribute("aria-invalid", "true");
    else this.area.removeAttribute("aria-invalid");
    this.follow();
  }

  finding({ from, to, message, tone }, text) {
    const go = make("button", { type: "button", class: "line", text: `Line ${lineOf(text, from)}` });
    go.addEventListener("click", () => {
      this.area.focus();
      this.area.setSelectionRange(from, Math.max(to, from + 1));
      this.area.scrollTop = (lineOf(text, from) - LINES_ABOVE) * Number.parseFloat(getComputedStyle(this.area).lineHeight);
    });
    return make("li", { class: tone }, go, make("bdi", { text: message }));
  }

  follow() {
    this.under.scrollTop = this.lines.scrollTop = this.area.scrollTop;
    this.under.scrollLeft = this.area.scrollLeft;
  }

  /** Tab stays a way out of the editor, as the keyboard needs; a new line begins where the one before began. */
  typed(event) {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    const { selectionStart, value } = this.area;
    const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
    const indent = /^ */.exec(line)[0] + (/[[{]$/.test(line) ? "  " : "");
    if (!indent) return;
    event.preventDefault();
    document.execCommand("insertText", false, `\n${indent}`);
  }
}

const lineOf = (text, at) => text.slice(0, at).split("\n").length;
