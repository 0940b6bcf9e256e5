// Audio: what is uploaded, how it sounds on a telephone and looks, what is odd about it.

import { path } from "./api.js";
import { ask, button, card, count, draw, duration, empty, field, foreign, make, onSubmit, table, tell, when } from "./dom.js";
import { Cancelled, put } from "./upload.js";
import { peaks, readWav } from "./wav.js";

const MIB = 1024 * 1024;
const MOST_BYTES = 25 * MIB;
const MOST_AT_ONCE = 4_000_000; // of a request to the API; what is larger goes straight into the store
const BARS = 160;
const HEIGHT = 44;

const size = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

let playing = null;
let uploading = null;

export async function show(root, { api }) {
  const id = make("input", { autocomplete: "off", required: true, maxlength: "64", pattern: "[A-Za-z0-9_\\-]+" });
  const file = make("input", { type: "file", accept: "audio/*", required: true });
  const send = make("button", { type: "submit", text: "Upload" });
  const form = make("form", { class: "filter" }, field("File", file, "WAV, MP3, OGG, FLAC, M4A …; less than 5 minutes, at most 25 MiB."), field("Identifier", id, "What a menu's introUrl says."), send);
  const heard = make("div", { class: "player", "aria-live": "polite" });
  const rows = make("div", {});
  const under = make("div", { class: "uploading", role: "group", "aria-label": "Upload" });
  const page = { api, heard, rows, under };
  file.addEventListener("change", () => {
    id.value ||= (file.files[0]?.name ?? "").replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64);
  });
  onSubmit(form, send, () => upload(page, id.value, file.files[0], form));
  root.append(make("h1", { text: "Audio" }), card("Upload", form, under), card("Introductions", heard, rows));
  await list(page);
  return () => {
    stop();
    uploading?.cancel();
  };
}

async function upload(page, id, file, form) {
  if (!file.size) throw new Error("The file is empty.");
  if (file.size > MOST_BYTES) throw new Error(`The file is too large: it has ${size(file.size)}, and at most 25 MiB can be taken. As MP3 or FLAC it would be smaller.`);
  let told;
  try {
    told = file.size > MOST_AT_ONCE ? await uploadLarge(page, id, file) : await page.api.ask("PUT", path("audio", id), { body: file });
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    return tell(error.message, "calm");
  }
  const notes = told.warnings.length;
  if (notes) tell(`${told.introId}: ${duration(told.seconds)}, stored; ${notes === 1 ? "one thing about it is" : `${notes} things about it are`} odd, see its notes.`, "calm");
  else tell(`${told.introId}: ${duration(told.seconds)}, stored.`);
  form.reset();
  await list(page);
  await hear(page, told);
}

/** Straight into the store, by an address that takes this one file; then the API makes it telephone audio. */
async function uploadLarge({ api, under }, id, file) {
  const { url, uploadId } = await api.post(path("audio", id, "upload"), { bytes: file.size });
  const bar = make("progress", { max: file.size, value: 0, "aria-label": "How much is uploaded" });
  const told = make("span", { class: "soft" });
  const cancel = make("button", { type: "button", class: "quiet", text: "Cancel", onclick: () => uploading?.cancel() });
  under.replaceChildren(bar, told, cancel);
  uploading = put(url, file, (sent) => {
    bar.value = sent;
    told.textContent = `${size(sent)} of ${size(file.size)}`;
  });
  try {
    await uploading.done;
    cancel.hidden = true;
    told.textContent = "Making telephone audio of it …";
    return await api.ask("PUT", path("audio", id), { query: { uploadId } });
  } finally {
    uploading = null;
    under.replaceChildren();
  }
}

async function list(page) {
  const { audio } = await page.api.get(path("audio"));
  const row = (one) => {
    const deeds = make("div", { class: "row" }, button("Hear", () => hear(page, one), { class: "quiet", "aria-label": `Hear ${one.introId}` }), button("Delete", () => remove(page, one.introId), { class: "quiet", "aria-label": `Delete ${one.introId}` }));
    const notes = one.warnings.length ? make("ul", { class: "notes" }, one.warnings.map((note) => make("li", {}, foreign(note.message)))) : "";
    return [foreign(one.introId, { class: "code" }), `${one.seconds.toFixed(1)} s`, `${count(Math.ceil(one.bytes / 1000))} kB`, when(one.storedAt), one.lastUsedAt ? when(one.lastUsedAt) : "never", notes, deeds];
  };
  page.rows.replaceChildren(audio.length ? table("Introductions", ["Identifier", "Length", "Size", "Stored", "Last used", "Notes", ""], audio.map(row)) : empty("None yet."));
}

async function remove(page, id) {
  if (!(await ask(`Delete ${id}? Menus that name it are refused from then on.`, "Delete"))) return;
  await page.api.ask("DELETE", path("audio", id));
  tell("Deleted.");
  page.heard.replaceChildren();
  await list(page);
}

/** Play it, as the telephone does, and draw it. */
async function hear({ api, heard }, { introId }) {
  stop();
  const context = new AudioContext(); // within the click, so that the browser lets it sound
  const answer = await api.answer("GET", path("audio", introId, "file"));
  const { rate, samples } = readWav(await answer.arrayBuffer());
  const buffer = context.createBuffer(1, Math.max(1, samples.length), rate);
  buffer.copyToChannel(samples, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  const hush = button("Stop", stop, { class: "quiet" });
  heard.replaceChildren(make("b", {}, foreign(introId)), waveform(samples), make("span", { class: "soft", text: `${(samples.length / rate).toFixed(1)} s` }), hush);
  playing = { context, source, hush };
  source.addEventListener("ended", () => {
    if (playing?.source === source) stop();
  });
  source.start();
}

function stop() {
  if (!playing) return;
  const { context, hush } = playing;
  playing = null;
  hush.hidden = true;
  context.close();
}

function waveform(samples) {
  const bars = peaks(samples, BARS).map((peak, place) => {
    const height = Math.max(1, peak * HEIGHT);
    return draw("rect", { x: place * 3, y: (HEIGHT - height) / 2, width: 2, height, rx: 1 });
  });
  return draw("svg", { class: "wave", viewBox: `0 0 ${BARS * 3} ${HEIGHT}`, role: "img", "aria-label": "The loudness over time", preserveAspectRatio: "none" }, bars);
}
