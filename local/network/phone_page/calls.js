// What is known about each message: its state, its telephone, and its timeline. Made of journal entries alone.

const ENDS = {
  CUSTOMER_DISCONNECT: "The callee hung up",
  CONTACT_FLOW_DISCONNECT: "The menu hung up",
  OTHER: "Stopped by the service",
  TELECOM_BUSY: "Declined",
  TELECOM_UNANSWERED: "No answer",
  TELECOM_TIMEOUT: "No answer",
  TELECOM_NUMBER_INVALID: "No such number",
  TELECOM_ORIGINATOR_CANCEL: "Cancelled before it was answered",
  CALLEE_HUNG_UP: "The callee hung up",
  HANGUP_ACTION: "The menu hung up",
  callerHungUp: "The callee hung up",
  hungUp: "The menu hung up",
  stopped: "Stopped by the service",
  busy: "Declined",
  noAnswer: "No answer",
  blocked: "Blocked",
  failed: "The network failed",
  SIP_404: "No such number",
  SIP_480: "No answer",
  SIP_486: "Declined",
};
const STATES = {
  preparing: "Preparing the introduction",
  queued: "Waiting for a free line",
  calling: "Calling",
};
const KEEP = 5000;
const GROUPS = { ringing: "ringing", playing: "talking", listening: "talking", busy: "talking", waiting: "waiting", over: "over" };

export const seconds = (value) => `${Number(value).toFixed(value < 10 ? 1 : 0)} s`;

/**
 * All messages. Each is in one of four groups, in the order in which they came into it, so that what rings is found
 * without a look at what waits. `problems` are failures of functions, which belong to no message.
 */
export class Calls {
  constructor() {
    this.messages = new Map();
    this.groups = { ringing: new Map(), talking: new Map(), waiting: new Map(), over: new Map() };
    this.problems = [];
  }

  /** Take one journal entry in. The message that it is about, or null. */
  apply(entry) {
    if (entry.kind === "failure") {
      this.problems.push(entry);
      return null;
    }
    const key = entry.mid ?? entry.contact_id;
    if (!key) return null;
    const message = this.messages.get(key) ?? this.add(key, entry);
    message.at = entry.at;
    HANDLERS[entry.kind]?.(message, entry);
    this.group(message);
    return message;
  }

  /** The last `most` that came into a group, newest first. */
  newest(group, most) {
    const all = this.groups[group];
    const found = [];
    let place = all.size;
    for (const message of all.values()) if (place-- <= most) found.push(message);
    return found.reverse();
  }

  /** The first `most` of a group, oldest first. */
  oldest(group, most) {
    const found = [];
    for (const message of this.groups[group].values()) {
      if (found.length === most) break;
      found.push(message);
    }
    return found;
  }

  /** At most `most` messages of a group whose number has these digits in it. */
  search(group, digits, most) {
    const found = [];
    for (const message of this.groups[group].values()) {
      if (found.length === most) break;
      if (message.number?.includes(digits)) found.push(message);
    }
    return found;
  }

  add(key, entry) {
    const message = { key, first: entry.at, at: entry.at, phase: "waiting", status: "Accepted", rows: [], menus: new Map(), steps: [], seq: null };
    this.messages.set(key, message);
    if (this.messages.size > KEEP) this.forget();
    return message;
  }

  /** What is over goes first, then what has waited longest; a call that is up stays. */
  forget() {
    for (const group of [this.groups.over, this.groups.waiting]) {
      const oldest = group.keys().next().value;
      if (oldest === undefined) continue;
      group.delete(oldest);
      this.messages.delete(oldest);
      return;
    }
  }

  group(message) {
    const group = GROUPS[message.phase];
    if (message.group === group) return;
    this.groups[message.group]?.delete(message.key);
    this.groups[group].set(message.key, message);
    message.group = group;
  }
}

/** noAnswer as "no answer" */
const words = (name) => (name ?? "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const row = (message, entry, title, more = {}) => {
  const made = { id: entry.id, at: entry.at, title, detail: "", tone: "plain", ...more };
  message.rows.push(made);
  return made;
};

const set = (message, phase, status) => Object.assign(message, { phase, status });

const menuTitle = (message, seq) => {
  const menu = message.menus.get(Number.parseInt(seq, 10));
  return menu === undefined ? "Menu" : `Menu ${menu}`;
};

const HANDLERS = {
  accepted(message, entry) {
    message.number ??= entry.recipient;
    row(message, entry, "Accepted", { detail: entry.recipient ?? "" });
    message.rows.unshift(message.rows.pop()); // the answer may be told after the first step that it began
  },

  state(message, entry) {
    message.number ??= entry.recipient;
    if (entry.state === "finished") {
      const outcome = words(entry.outcome);
      const detail = [outcome, words(entry.reason)].filter((word, place, all) => word && all.indexOf(word) === place);
      row(message, entry, "Finished", { detail: detail.join(": "), tone: entry.outcome === "answered" ? "good" : "warn" });
      message.finished = outcome;
      if (message.phase === "waiting") set(message, "over", outcome);
    } else if (entry.state !== "calling") {
      row(message, entry, STATES[entry.state] ?? entry.state);
      if (message.phase === "waiting") message.status = STATES[entry.state] ?? entry.state;
    }
  },

  dialled(message, entry) {
    Object.assign(message, { contact: entry.contact_id, number: entry.number, callerId: entry.caller_id });
    Object.assign(message, { answeredAt: null, endedAt: null, prompt: null, listening: null, menuRow: null });
    // Its questions are counted from the first again.
    Object.assign(message, { menus: new Map(), steps: [], seq: null });
    for (const made of message.rows) delete made.seq;
    const again = Number(entry.attempt) > 1 ? `, attempt ${entry.attempt}` : "";
    row(message, entry, "Dialled", { detail: `${entry.number} from ${entry.caller_id}${again}` });
    set(message, "waiting", "Dialled");
  },

  called_in(message, entry) {
    Object.assign(message, { contact: entry.contact_id, number: entry.number, callerId: entry.caller_id });
    row(message, entry, "Called back", { detail: `${entry.number} calls ${entry.caller_id}`, tone: "ring" });
    set(message, "busy", "You call back");
  },

  spoken(message, entry) {
    row(message, entry, "Spoken", { detail: entry.text, tone: "menu" });
    if (message.phase !== "listening") set(message, "busy", "You hear a voice");
  },

  ringing(message, entry) {
    row(message, entry, "Ringing", { tone: "ring" });
    set(message, "ringing", "Incoming call");
  },

  answered(message, entry) {
    message.answeredAt = entry.at;
    row(message, entry, "Answered", { tone: "good" });
    set(message, "busy", "Connected");
  },

  menu(message, entry) {
    message.menus.set(Number(entry.seq), entry.menu);
    for (const made of message.rows) if (made.seq === Number(entry.seq)) made.title = menuTitle(message, entry.seq);
  },

  prompt(message, entry) {
    message.prompt = entry;
    if (entry.block === undefined) return;
    const detail = `introduction, ${seconds(entry.seconds)}`;
    message.seq = Number.parseInt(entry.seq, 10);
    message.menuRow = row(message, entry, menuTitle(message, entry.seq), { detail, tone: "menu", seq: message.seq });
    set(message, "playing", "The introduction plays");
  },

  prompt_failed(message, entry) {
    row(message, entry, "The introduction could not be played", { detail: entry.message, tone: "bad" });
  },

  listening(message, entry) {
    message.listening = entry;
    if (message.menuRow) message.menuRow.detail += `, then up to ${seconds(entry.seconds)} for a key`;
    set(message, "listening", message.menuRow ? `${message.menuRow.title}: press a key` : "Press a key");
  },

  key(message, entry) {
    row(message, entry, "Key", { key: entry.key, tone: "key" });
    if (message.steps.at(-1)?.seq === message.seq) message.steps.pop();
    if (message.seq !== null) message.steps.push({ seq: message.seq, heard: `d${entry.key}` });
    set(message, "busy", `You pressed ${entry.key}`);
  },

  silence(message, entry) {
    row(message, entry, "No key in time", { tone: "warn" });
    // A menu that is asked again in silence stays one question
    const known = message.steps.at(-1)?.seq === message.seq;
    if (message.seq !== null && !known) message.steps.push({ seq: message.seq, heard: "idle" });
    set(message, "busy", "No key in time");
  },

  function_failed(message, entry) {
    row(message, entry, "The telephony got no answer", { detail: entry.message, tone: "bad" });
  },

  flow_error(message, entry) {
    row(message, entry, "The telephony cannot go on", { detail: entry.message, tone: "bad" });
  },

  stopped(message, entry) {
    row(message, entry, "Stopped by the service", { tone: "warn" });
  },

  updated(message, entry) {
    row(message, entry, entry.command === "hang_up" ? "Stopped by the service" : "Looked up by the service", { tone: "warn" });
  },

  sms(message, entry) {
    row(message, entry, "SMS", { detail: entry.text, tone: "menu" });
  },

  webhook(message, entry) {
    row(message, entry, "Webhook", { webhook: entry, tone: "hook" });
  },

  ended(message, entry) {
    message.endedAt = entry.at;
    const why = ENDS[entry.reason] ?? entry.reason;
    const detail = entry.answered ? `${why} after ${seconds(entry.seconds)}` : why;
    row(message, entry, "Ended", { detail, tone: entry.answered ? "end" : "warn" });
    set(message, "over", why);
  },
};
