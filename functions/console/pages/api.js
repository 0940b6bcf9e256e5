// The public API, as any client asks it. The key is in this object's memory and nowhere else.

class ApiError extends Error {
  constructor(status, error) {
    super(error.message);
    Object.assign(this, { status, code: error.code ?? "", details: error.details ?? [] });
  }
}

export class Api {
  #key;

  constructor(key) {
    this.#key = key;
  }

  /** The answer to a request, read. Throws ApiError for a refusal, and where there was no answer. */
  async ask(method, path, given) {
    const answer = await this.answer(method, path, given);
    const text = await answer.text();
    return text && answer.headers.get("Content-Type")?.startsWith("application/json") ? JSON.parse(text) : text;
  }

  /** The answer itself. `body`: JSON text, bytes, or what is made JSON. */
  async answer(method, path, { body, query = {}, headers = {} } = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const search = given.length ? `?${new URLSearchParams(given)}` : "";
    const raw = body === undefined || typeof body === "string" || body instanceof Blob;
    const type = body === undefined || body instanceof Blob ? {} : { "Content-Type": "application/json" };
    let answer;
    try {
      answer = await fetch(`${path}${search}`, {
        method,
        headers: { "X-Authorization-Key": this.#key, ...type, ...headers },
        body: raw ? body : JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        redirect: "manual",
      });
    } catch {
      throw new ApiError(0, { message: "The API cannot be reached." });
    }
    if (answer.ok) return answer;
    if (answer.type === "opaqueredirect") throw new ApiError(307, { message: "It is too large to be shown here." });
    throw new ApiError(answer.status, await said(answer));
  }

  get = (path, query) => this.ask("GET", path, { query });
  post = (path, body = {}) => this.ask("POST", path, { body });
}

/** What an answer says is wrong; a gateway's own answers have another form. */
async function said(answer) {
  try {
    const told = JSON.parse(await answer.text());
    return told.error ?? { message: told.message ?? `The API answered ${answer.status}.` };
  } catch {
    return { message: `The API answered ${answer.status}.` };
  }
}

export const path = (...parts) => `/bat/${parts.map(encodeURIComponent).join("/")}`;
