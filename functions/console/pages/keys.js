// What is heard in a menu: the keys in the order of a telephone, and what each is called.

export const KEYS = ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d*", "d0", "d#"];

const NAMES = { complete: "digits", idle: "no key", silence: "no key", other: "another key", invalid: "another key", wrong: "another key", prompt_error: "not played" };

/** What was heard (`d1`, `idle`, `other`, `prompt_error`), or the list that runs for it, in words. */
export const heardName = (heard) => NAMES[heard] ?? `key ${heard.replace(/^d/, "")}`;
