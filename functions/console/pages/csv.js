// A table of people: CSV as RFC 4180 has it, with commas, semicolons or tabs.

const SEPARATORS = [",", ";", "\t"];

/** The rows of cells; empty rows are passed over. Throws Error where a quote is never closed. */
export function readCsv(given) {
  const text = given.replace(/^\uFEFF/, "");
  const head = text.slice(0, text.search(/[\r\n]|$/));
  const [separator] = SEPARATORS.map((one) => [one, head.split(one).length]).sort((a, b) => b[1] - a[1])[0];
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  const end = () => {
    row.push(cell);
    cell = "";
  };
  const endRow = () => {
    end();
    if (row.some((one) => one.trim())) rows.push(row.map((one) => one.trim()));
    row = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && !cell) quoted = true;
    else if (sign === separator) end();
    else if (sign === "\n") endRow();
    else if (sign !== "\r") cell += sign;
  }
  if (quoted) throw new Error("A quote in the table is never closed.");
  if (cell || row.length) endRow();
  return rows;
}
