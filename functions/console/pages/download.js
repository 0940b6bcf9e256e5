// A file of what the API has said, made in this page and saved by the browser.

import { make } from "./dom.js";

const KEEP_MSEC = 60_000;

export function save(pieces, name, type) {
  const address = URL.createObjectURL(new Blob(pieces, { type }));
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), KEEP_MSEC);
}
