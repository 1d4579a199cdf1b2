"use strict";
// Sorts the table by the column whose heading is pressed, and hides the rows that the filter does not match.
const table = document.querySelector("#students");
if (table) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, text: row.textContent.toLowerCase() }));
  const collator = new Intl.Collator(undefined, { numeric: true });
  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();

  function sortBy(head) {
    const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map(({ row }) => ({ row, key: value(row, head.cellIndex) }));
    // Whoever has no value comes last in either direction.
    keyed.sort((a, b) => (a.key === "") - (b.key === "") || sign * collator.compare(a.key, b.key));
    body.append(...keyed.map(({ row }) => row));
  }

  const filter = document.querySelector("#filter");
  const count = document.querySelector("#count");
  function show() {
    const words = filter.value.toLowerCase().split(/\s+/);
    for (const { row, text } of rows) row.hidden = !words.every((word) => text.includes(word));
    const shown = rows.filter(({ row }) => !row.hidden).length;
    count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} students`;
  }

  // What a spreadsheet could take for a formula gets an apostrophe in front, as in grades.csv.
  const quoted = (text) => `"${(/^\s*[=+\-@]/.test(text) ? "'" : "") + text.replace(/"/g, '""')}"`;
  const tags = (one) => Array.from(one.querySelectorAll(".tag"), (tag) => tag.textContent).join("; ");
  const content = (one) => one.dataset.value ?? (one.matches("th") ? one.textContent.trim() : tags(one));
  const csv = () =>
    [table.tHead.rows[0], ...Array.from(body.rows).filter((row) => !row.hidden)]
      .map((row) => Array.from(row.cells, (one) => quoted(content(one))).join(",") + "\r\n")
      .join("");

  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv()], { type: "text/csv" }));
    link.download = "students.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  document.querySelector("#save").addEventListener("click", save);
  for (const head of table.tHead.rows[0].cells) {
    head.querySelector("button").addEventListener("click", () => sortBy(head));
  }
  filter.addEventListener("input", show);
  filter.closest("p").hidden = false;
  show();
}
