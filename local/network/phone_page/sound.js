// What the telephone sounds like: the introduction itself, a ring, and key tones.

import { find } from "./dom.js";

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const KEYS = "123456789*0#";
const FRESH_SECONDS = 5;

export class Sound {
  constructor() {
    this.audio = find("prompt");
    this.contact = null; // the call that was answered here: only that one is heard
    this.on = localStorage.getItem("sound") !== "off";
    this.context = null;
    this.ringer = null;
  }

  toggle() {
    this.on = !this.on;
    localStorage.setItem("sound", this.on ? "on" : "off");
    if (!this.on) this.hush();
  }

  /** To be called within a click: from then on this call's prompts may sound. */
  unlock(contact) {
    this.contact = contact;
    this.wake();
  }

  /** Within a click too: the browser lets the page sound. */
  wake() {
    this.context ??= new AudioContext();
    this.context.resume();
  }

  /** Follow one journal entry. */
  follow(entry) {
    if (!this.contact || entry.contact_id !== this.contact) return;
    if (entry.kind === "prompt") this.play(entry);
    if (entry.kind === "spoken") this.speak(entry);
    if (entry.kind === "key" || entry.kind === "ended" || entry.kind === "silence") this.stop();
  }

  play(entry) {
    const late = Date.now() / 1000 - entry.at;
    if (!this.on || late > FRESH_SECONDS) return;
    this.audio.src = `prompt?uri=${encodeURIComponent(entry.uri)}`;
    this.audio.play().catch(() => {}); // a browser without sound, or a prompt already over, is no trouble
  }

  /** What the telephony speaks itself, in a voice of the browser's. */
  speak(entry) {
    if (this.on && Date.now() / 1000 - entry.at < FRESH_SECONDS) {
      window.speechSynthesis?.speak(new SpeechSynthesisUtterance(entry.text));
    }
  }

  stop() {
    window.speechSynthesis?.cancel();
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  hush() {
    this.stop();
    this.ring(false);
  }

  /** Ring, or not: the cadence of Europe, one second of 425 Hz, then four of silence. */
  ring(wanted) {
    const ready = this.on && this.context?.state === "running";
    if (wanted && ready && !this.ringer) {
      const burst = () => this.beep([425], 1, 0.05);
      burst();
      this.ringer = setInterval(burst, 5000);
    } else if (!(wanted && ready) && this.ringer) {
      clearInterval(this.ringer);
      this.ringer = null;
    }
  }

  /** The two frequencies of a key (ITU-T Q.23). */
  tone(key) {
    const at = KEYS.indexOf(key);
    if (this.on && this.context?.state === "running") this.beep([ROWS[Math.floor(at / 3)], COLUMNS[at % 3]], 0.12, 0.04);
  }

  beep(frequencies, seconds, loudness) {
    const now = this.context.currentTime;
    const gain = this.context.createGain();
    gain.gain.setValueAtTime(0, now);
    gain.gain.linearRampToValueAtTime(loudness, now + 0.02);
    gain.gain.setValueAtTime(loudness, now + seconds - 0.03);
    gain.gain.linearRampToValueAtTime(0, now + seconds);
    gain.connect(this.context.destination);
    for (const frequency of frequencies) {
      const tone = this.context.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(gain);
      tone.start(now);
      tone.stop(now + seconds);
    }
  }
}
