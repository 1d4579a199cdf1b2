"use strict";
// Lets all figures follow a section, sorts the table by the column whose heading is pressed, and searches its rows.
const table = document.querySelector("#students");
const get = (id) => document.getElementById(id);

// Letters that Unicode does not take apart into a plain one and an accent.
const LETTERS = { ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ı: "i", ħ: "h", ß: "ss", ς: "σ" };
const ACCENTS = /[\p{Script=Inherited}\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u06d6-\u06ed'’‘ʼ`´]+/gu;
const DASHES = /\p{Dash_Punctuation}/gu;

// Takes letter case, accents and apostrophes away: `Søren O’Brien` is `soren obrien`.
const folded = (text) =>
  text.normalize("NFC").toLowerCase().replace(/[øłđðþæœıħßς]/g, (letter) => LETTERS[letter])
    .normalize("NFKD").replace(ACCENTS, "").replace(DASHES, "-").toLowerCase();

if (table) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const section = get("section"), search = get("filter"), show = get("show"), inWeek = get("in-week");
  const count = get("count"), all = get("all"), overview = get("overview");
  const sectionColumn = heads.findIndex((head) => head.matches(".section"));
  const textOf = (row, kind) => row.querySelector(kind)?.textContent ?? "";
  const tags = (cell) => Array.from(cell.querySelectorAll(".tag"), (tag) => tag.textContent);
  const states = (cell) => [cell.dataset.state, ...(cell.dataset.marks ?? "").split("|").filter(Boolean)];

  const rows = Array.from(body.rows, (row) => {
    const cells = Array.from(row.cells);
    const label = sectionColumn < 0 ? "" : folded(cells[sectionColumn].textContent);
    // A line each, so that no word reaches from one into the next.
    const known = Array.from(cells[0].querySelectorAll("a, bdi"), (one) => one.textContent);
    const parts = [...known, row.dataset.also ?? "", ...tags(cells.at(-1))];
    return {
      row, label, text: folded(parts.join("\n")),
      weeks: cells.filter((cell) => "state" in cell.dataset).map(states),
    };
  });

  // The whole class stands in the page, and each section as text, in which the grader has escaped all that is not its own.
  const whole = Array.from(overview.childNodes);
  const option = () => section?.selectedOptions[0];
  const isWhole = () => !section || section.selectedIndex === 0;

  function chooseSection() {
    const { title, size } = option().dataset;
    if (isWhole()) overview.replaceChildren(...whole);
    else overview.innerHTML = document.querySelector(`script[data-section="${section.value}"]`).textContent;
    get("whose").textContent = isWhole() ? "" : `: ${title}`;
    get("size").textContent = `${size} student${size === "1" ? "" : "s"}`;
    document.title = isWhole() ? "Class overview" : `Class overview: ${title}`;
    showRows();
  }

  // A search for "Section B" finds that section and nobody else; otherwise every word has to occur, or it is a section.
  function finder(query) {
    const text = folded(query.trim()), words = text.split(/\s+/);
    const phrase = (label) => label !== "" && (label.includes(" ") ? text === label : text === `section ${label}`);
    const isSection = text.startsWith("section ") && rows.some((one) => phrase(one.label));
    return (one) => phrase(one.label) || (!isSection && words.every((word) => one.text.includes(word)));
  }

  const hasState = (one, state, week) => (week === "" ? one.weeks : [one.weeks[week]]).some((own) => own.includes(state));

  function showRows() {
    const found = finder(search.value), state = show.value, week = inWeek?.value ?? "";
    let size = 0, shown = 0;
    for (const one of rows) {
      const isIn = (isWhole() || one.row.dataset.section === section.value);
      const fits = isIn && (state === "" || hasState(one, state, week)) && found(one);
      if (one.row.hidden === fits) one.row.hidden = !fits;
      const counts = !("double" in one.row.dataset); // an entry that may be somebody's who has a row already
      size += isIn && counts;
      shown += fits && counts;
    }
    const isCut = search.value.trim() !== "" || state !== "";
    if (inWeek) inWeek.disabled = state === "";
    count.textContent = isCut ? `${shown} of ${size} students` : "";
    get("asked").textContent = isCut ? asked() : "";
    all.hidden = !isCut;
  }

  // Says on paper, where nobody sees the fields, which rows there are.
  function asked() {
    const week = inWeek?.value ? ` in ${inWeek.selectedOptions[0].textContent}` : "";
    return [search.value.trim() && `“${search.value.trim()}”`, show.value && show.value + week].filter(Boolean).join(", ");
  }

  function showAll() {
    search.value = show.value = "";
    if (inWeek) inWeek.value = "";
    showRows();
  }

  // A long list holds the numbers of rows; their names are put there when somebody opens it.
  function fill(list) {
    const { rows: numbers, week, task, page } = list.dataset;
    const links = numbers.split(" ").map((number) => {
      const row = get(`student-${number}`), cell = row.querySelectorAll("td[data-state]")[week];
      const link = row.querySelector(".name").cloneNode(true);
      const code = page && cell?.querySelector(".code-link"), report = cell ? cell.querySelector("a") : link;
      link.href = code ? code.href : report ? report.getAttribute("href") + (task && cell ? `#task-${task}` : "") : `#${row.id}`;
      return link;
    });
    list.replaceChildren(...links.flatMap((link, place) => (place ? [", ", link] : [link])));
    list.removeAttribute("class");
  }

  const collator = new Intl.Collator(undefined, { numeric: true });
  const key = (cell) => cell.dataset.value ?? (cell.querySelector(".name") ?? cell).textContent.trim();
  function sortBy(head) {
    const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map(({ row }) => ({ row, key: key(row.cells[head.cellIndex]) }));
    // Whoever has no value comes last in either direction.
    keyed.sort((a, b) => (a.key === "") - (b.key === "") || sign * collator.compare(a.key, b.key));
    body.append(...keyed.map(({ row }) => row));
  }

  // What a spreadsheet could take for a formula gets an apostrophe in front, as in grades.csv.
  // So does what could begin one in a spreadsheet that separates cells by semicolons.
  const safe = (text) => (/^\s*[=+\-@＝＋－＠]/.test(text) ? "'" : "") + text.replace(/([;|]\s*)(?=[=+@＝＋－＠-])/g, "$1'");
  const quoted = (text) => `"${safe(text).replace(/"/g, '""')}"`;
  function csv() {
    const weeks = heads.filter((head) => head.matches(".number")).map((head) => head.textContent);
    const titles = ["Student", "Id", "E-mail", "Section", "Group", ...weeks, ...weeks.slice(0, -1).map((week) => `${week} state`)];
    const line = (row) => {
      const cells = Array.from(row.cells), numbers = cells.filter((cell) => "value" in cell.dataset);
      const who = [textOf(row, ".name"), textOf(row, ".id"), textOf(row, ".email"), textOf(row, "td.section"), textOf(row, ".group")];
      const states = numbers.filter((cell) => "state" in cell.dataset).map((cell) => cell.dataset.state);
      return [...who, ...numbers.map((cell) => cell.dataset.value), ...states, tags(cells.at(-1)).join("; ")];
    };
    const shown = Array.from(body.rows).filter((row) => !row.hidden).map(line);
    return [[...titles, "Flags"], ...shown].map((cells) => cells.map(quoted).join(",") + "\r\n").join("");
  }

  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv()], { type: "text/csv" }));
    link.download = "students.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // The address says which section, or which rows: `#section=B`, `#week=week5&show=provisional`, `#student-12`.
  function follow() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (section && wanted.has("section")) {
      const name = wanted.get("section");
      const place = Array.from(section.options).findIndex((one) => new URLSearchParams(one.dataset.address).get("section") === name);
      section.selectedIndex = Math.max(0, place);
      chooseSection();
      section.focus();
    } else if (wanted.has("show")) {
      show.value = wanted.get("show");
      if (inWeek) inWeek.value = Array.from(inWeek.options).find((one) => one.dataset.week === wanted.get("week"))?.value ?? "";
      search.value = "";
      showRows();
      get("students-title").scrollIntoView();
      show.focus({ preventScroll: true });
    } else if (/^#student-\d+$/.test(location.hash)) {
      const row = get(location.hash.slice(1));
      if (row?.hidden) showAll();
      row?.scrollIntoView({ block: "center" });
    }
  }

  const lists = (details) => Array.from(details.querySelectorAll(".rows")).filter((one) => one.closest("details") === details);
  overview.addEventListener("toggle", (event) => lists(event.target).forEach(fill), true);
  get("save").addEventListener("click", save);
  all.addEventListener("click", () => { showAll(); search.focus(); });
  for (const head of heads) head.querySelector("button").addEventListener("click", () => sortBy(head));
  search.addEventListener("input", showRows);
  show.addEventListener("input", showRows);
  inWeek?.addEventListener("input", showRows);
  section?.addEventListener("input", () => {
    chooseSection();
    try {
      history.replaceState(null, "", `#${option().dataset.address}`);
    } catch { /* a page inside another has no address of its own */ }
    get("chosen").textContent = isWhole() ? "" : "All figures and the table are of this section.";
  });
  addEventListener("hashchange", follow);
  for (const hidden of document.querySelectorAll(".filter, .choice")) hidden.hidden = false;
  showRows();
  follow();
}
