// Where the values of a JSON text stand: `menu[0].dtmfActions.d1[0].url` → from, to. JSON.parse tells no places.

export class Malformed extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

const NUMBER = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;
const DEEPEST = 200;

/** A map of paths to `{from, to, key}`, offsets in the text; `key` where the member's name stands. Throws Malformed. */
export function places(text) {
  const found = new Map();
  let at = 0;
  const blank = () => {
    while (" \t\r\n".includes(text[at] || "x")) at += 1;
  };
  const match = (pattern) => {
    pattern.lastIndex = at;
    const hit = pattern.exec(text);
    if (hit) at = pattern.lastIndex;
    return hit?.[0];
  };
  const expect = (sign, what) => {
    blank();
    if (text[at] !== sign) throw new Malformed(`${what} is expected here`, at);
    at += 1;
  };
  const list = (close, item) => {
    at += 1;
    blank();
    if (text[at] === close) return void (at += 1);
    for (let place = 0; ; place += 1) {
      item(place);
      blank();
      if (text[at] === close) return void (at += 1);
      expect(",", `“,” or “${close}”`);
    }
  };
  const value = (path, key, depth) => {
    blank();
    const from = at;
    if (depth > DEEPEST) throw new Malformed("it is nested too deeply", at);
    if (text[at] === "[") list("]", (place) => value(`${path}[${place}]`, null, depth + 1));
    else if (text[at] === "{")
      list("}", () => {
        blank();
        const start = at;
        const name = match(STRING);
        if (name === undefined) throw new Malformed("a name in quotes is expected here", at);
        expect(":", "“:”");
        const own = JSON.parse(name);
        value(path ? `${path}.${own}` : own, { from: start, to: start + name.length }, depth + 1);
      });
    else if (match(STRING) === undefined && match(NUMBER) === undefined && match(WORD) === undefined) {
      throw new Malformed(at < text.length ? "a value is expected here" : "the text ends too early", at);
    }
    found.set(path, { from, to: at, key });
  };
  value("", null, 0);
  blank();
  if (at < text.length) throw new Malformed("nothing may follow here", at);
  return found;
}

/** The place of a path, or of the nearest thing around it: what is missing is named as if it were there. */
export function nearest(found, path) {
  for (let name = path; name; name = name.replace(/(\.[^.[\]]*|\[[0-9]+\]|^[^.[\]]+)$/, "")) {
    if (found.has(name)) return found.get(name);
  }
  return found.get("");
}
