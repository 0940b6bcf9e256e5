// JSON made readable without reading it: numbers such as 1.10 or 2^70 stay as they were written.

const TOKEN = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** The JSON text with line breaks and two spaces of indentation; text that is no JSON comes back as it is. */
export function pretty(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let out = "";
  let depth = 0;
  let previous = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "}" || token === "]") {
      depth -= 1;
      out += previous === "{" || previous === "[" ? token : line() + token;
    } else {
      if (previous === "{" || previous === "[") out += line();
      out += token;
      if (token === "{" || token === "[") depth += 1;
      if (token === ",") out += line();
      if (token === ":") out += " ";
    }
    previous = token;
  }
  return out;
}
