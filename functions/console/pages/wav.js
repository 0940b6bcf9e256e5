// Telephone audio (WAV: 8 kHz µ-law, or 16-bit PCM) as samples: to be heard and drawn without an address of its own.

const PCM = 1;
const MULAW = 7;

/** `{rate, samples}`, samples from -1 to 1. Throws Error for what is neither. */
export function readWav(buffer) {
  const view = new DataView(buffer);
  const name = (at) => String.fromCharCode(...new Uint8Array(buffer, at, 4));
  if (buffer.byteLength < 12 || name(0) !== "RIFF" || name(8) !== "WAVE") throw new Error("This is no telephone audio.");
  let format = null;
  for (let at = 12; at + 8 <= buffer.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    if (name(at) === "fmt ") format = { kind: view.getUint16(at + 8, true), channels: view.getUint16(at + 10, true), rate: view.getUint32(at + 12, true) };
    if (name(at) === "data" && format) return { rate: format.rate, samples: samples(view, at + 8, Math.min(size, buffer.byteLength - at - 8), format) };
    at += 8 + size + (size % 2);
  }
  throw new Error("This is no telephone audio.");
}

function samples(view, from, bytes, { kind, channels }) {
  if (channels !== 1 || (kind !== PCM && kind !== MULAW)) throw new Error("This is no telephone audio.");
  const width = kind === PCM ? 2 : 1;
  const made = new Float32Array(Math.floor(bytes / width));
  for (let place = 0; place < made.length; place += 1) {
    made[place] = kind === PCM ? view.getInt16(from + 2 * place, true) / 32768 : mulaw(view.getUint8(from + place));
  }
  return made;
}

/** ITU-T G.711: sign, three bits of exponent, four of mantissa, all inverted. */
function mulaw(byte) {
  const inverted = ~byte & 0xff;
  const size = (((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 0x07);
  return ((inverted & 0x80 ? -1 : 1) * (size - 0x84)) / 32768;
}

/** The loudest of each of `count` pieces, 0 to 1. */
export function peaks(all, count) {
  const each = Math.max(1, Math.ceil(all.length / count));
  const found = [];
  for (let from = 0; from < all.length; from += each) {
    let most = 0;
    for (let place = from; place < Math.min(from + each, all.length); place += 1) most = Math.max(most, Math.abs(all[place]));
    found.push(most);
  }
  return found;
}
