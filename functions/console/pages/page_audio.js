// Audio: what is uploaded, how it sounds on a telephone and looks, what is odd about it.

import { path } from "./api.js";
import { ask, button, card, count, draw, duration, empty, field, foreign, make, onSubmit, table, tell, when } from "./dom.js";
import { peaks, readWav } from "./wav.js";

const MOST_BYTES = 4_000_000;
const BARS = 160;
const HEIGHT = 44;

let playing = null;

export async function show(root, { api }) {
  const id = make("input", { autocomplete: "off", required: true, maxlength: "128", pattern: "[A-Za-z0-9._\\-]+" });
  const file = make("input", { type: "file", accept: "audio/*", required: true });
  const send = make("button", { type: "submit", text: "Upload" });
  const form = make("form", { class: "filter" }, field("File", file, "WAV, MP3, OGG, FLAC, M4A; at most 4 MB here."), field("Identifier", id, "What a menu's introUrl says."), send);
  const heard = make("div", { class: "player", "aria-live": "polite" });
  const rows = make("div", {});
  const page = { api, heard, rows };
  file.addEventListener("change", () => {
    id.value ||= (file.files[0]?.name ?? "").replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_-]+/g, "_");
  });
  onSubmit(form, send, () => upload(page, id.value, file.files[0], form));
  root.append(make("h1", { text: "Audio" }), card("Upload", form), card("Introductions", heard, rows));
  await list(page);
  return stop;
}

async function upload(page, id, file, form) {
  if (file.size > MOST_BYTES) throw new Error("The file is too large for this page: the command “speechcall prompt add” takes 25 MB.");
  const told = await page.api.ask("PUT", path("audio", id), { body: file });
  tell(`${told.introId}: ${duration(told.seconds)}, stored.`);
  form.reset();
  await list(page);
  await hear(page, told);
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
