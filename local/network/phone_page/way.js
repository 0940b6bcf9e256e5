// The menus of the shown call as a picture: where the call is now, and which way it has come.

import { graph, listFor } from "./console/graph.js";
import { find } from "./dom.js";

const KEEP = 50;
const MARGIN = 24;

export class Way {
  /** `changed()` is told when there are menus that were not known before. */
  constructor(changed) {
    this.changed = changed;
    this.box = find("way");
    this.known = new Map();
    this.shown = "";
  }

  show(message) {
    const menus = message ? this.menusOf(message) : [];
    this.box.hidden = menus.length === 0;
    const steps = message?.steps ?? [];
    const taken = steps.map(({ seq, heard }, place) => {
      const menu = message.menus.get(seq);
      return { menu, key: listFor(menus[menu]?.dtmfActions, heard), order: place + 1 };
    });
    const here = message && !message.endedAt ? (message.menus.get(message.seq) ?? null) : null;
    const drawn = JSON.stringify([message?.key, menus.length, taken, here]);
    if (drawn === this.shown) return;
    this.shown = drawn;
    if (menus.length) this.draw(graph(menus, taken, here), message.key, here);
  }

  /** A picture in the place of the last one: of the same message it stays where it was scrolled, and keeps the keyboard. */
  draw(picture, key, here) {
    const before = this.box.querySelector(".canvas");
    const isSame = this.box.dataset.key === key;
    const canvas = picture.querySelector(".canvas");
    const [left, top] = before && isSame ? [before.scrollLeft, before.scrollTop] : [0, 0];
    const hasKeyboard = before !== null && before === document.activeElement;
    this.box.dataset.key = key;
    this.box.querySelector(".graph")?.remove();
    this.box.append(picture);
    canvas.scrollTo(left, top);
    if (hasKeyboard) canvas.focus({ preventScroll: true });
    const card = here === null ? null : canvas.querySelector(`[data-menu="${here}"] .card`);
    if (card) reveal(canvas, card);
  }

  /** What the service keeps of the message; nothing while it is asked for, and of a call back. */
  menusOf({ key, contact }) {
    if (key === contact) return [];
    if (!this.known.has(key)) {
      this.known.set(key, []);
      if (this.known.size > KEEP) this.known.delete(this.known.keys().next().value);
      this.ask(key);
    }
    return this.known.get(key);
  }

  async ask(key) {
    try {
      const answer = await fetch(`menus/${encodeURIComponent(key)}`);
      if (answer.ok) this.known.set(key, await answer.json());
      else this.known.delete(key);
    } catch {
      this.known.delete(key); // the carrier cannot be reached: asked again when something is heard of the call
      return;
    }
    if (this.known.has(key)) this.changed();
  }
}

/** Scrolls no more than is needed, and nothing but the picture. */
function reveal(canvas, card) {
  const [seen, wanted] = [canvas.getBoundingClientRect(), card.getBoundingClientRect()];
  const over = (low, high, from, to) => (from < low + MARGIN ? from - low - MARGIN : Math.max(0, Math.min(to - high + MARGIN, from - low - MARGIN)));
  canvas.scrollBy(over(seen.left, seen.right, wanted.left, wanted.right), over(seen.top, seen.bottom, wanted.top, wanted.bottom));
}
