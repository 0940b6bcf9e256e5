// A file on its way to an address that the API has signed for it: how far it is, and an end to it.

/** Somebody has ended it. */
export class Cancelled extends Error {}

/** `{done, cancel()}`; `progress(bytes)` is told how much has gone. `done` fails with what can be said of why. */
export function put(url, file, progress) {
  const request = new XMLHttpRequest(); // fetch does not tell how much has gone
  const done = new Promise((resolve, reject) => {
    const refuse = (text) => reject(new Error(text));
    request.upload.addEventListener("progress", ({ loaded }) => progress(loaded));
    request.addEventListener("load", () => (request.status === 200 ? resolve() : refuse(`The store has not taken the file (${request.status}). Begin again.`)));
    request.addEventListener("error", () => refuse("The store cannot be reached, or the connection was lost. Begin again."));
    request.addEventListener("abort", () => reject(new Cancelled("Cancelled: nothing is stored.")));
    request.open("PUT", url);
    request.send(file.slice(0, file.size, "")); // without a type: nothing but the size is signed, or asked for beforehand
  });
  return { done, cancel: () => request.abort() };
}
