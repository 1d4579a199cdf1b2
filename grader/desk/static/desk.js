// The desk works without this script; with it nothing is loaded twice, and every step has a key.

const main = () => document.getElementById("main");
const isField = (element) => element instanceof Element && element.closest("input:not([type=checkbox]):not([type=radio]), textarea, select") !== null;

// Code: one pass from left to right over each file, which knows strings that go over several lines.

const WORDS = new Set(("and as assert async await break class continue def del elif else except finally for from global if import in is lambda " +
  "nonlocal not or pass raise return try while with yield match case True False None self").split(" "));
const TOKEN = /(#.*$)|((?:[rbfuRBFU]{0,2})(?:"""|'''))|((?:[rbfuRBFU]{0,2})(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?))|(\b\d[\w.]*)|([A-Za-z_]\w*)/g;

function colour(lines) {
  let open = ""; // the quotes of a string that goes on
  for (const code of lines.querySelectorAll(".line > code")) {
    const text = code.textContent;
    const parts = [];
    let at = 0;
    const put = (end, kind) => {
      if (end > at) {
        const piece = text.slice(at, end);
        if (kind) {
          const span = document.createElement("span");
          span.className = kind;
          span.textContent = piece;
          parts.push(span);
        } else {
          parts.push(piece);
        }
        at = end;
      }
    };
    while (at < text.length) {
      if (open) {
        const end = text.indexOf(open, at);
        put(end < 0 ? text.length : end + 3, "s");
        if (end < 0) break;
        open = "";
        continue;
      }
      TOKEN.lastIndex = at;
      const found = TOKEN.exec(text);
      if (!found) break;
      put(found.index);
      const end = TOKEN.lastIndex;
      if (found[1]) put(end, "c");
      else if (found[2]) {
        open = found[2].slice(-3);
        put(end, "s");
      } else if (found[3]) put(end, "s");
      else if (found[4]) put(end, "d");
      else put(end, WORDS.has(found[5]) ? "k" : "");
    }
    put(text.length, open ? "s" : "");
    code.replaceChildren(...parts);
  }
}

// Pages: forms are sent, and the new page's content takes the place of the old one; what was written elsewhere stays.

function drafts() {
  const kept = [];
  for (const form of main().querySelectorAll("form[id]")) {
    for (const field of form.querySelectorAll("textarea, input:not([type=hidden]):not([type=file])")) {
      const touched = field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
      if (touched && field.name) kept.push([form.id, field.name, field.type, field.value, field.checked]);
    }
  }
  return kept;
}

function restore(kept) {
  for (const [id, name, type, value, checked] of kept) {
    const form = document.getElementById(id);
    if (!(form instanceof HTMLFormElement)) continue;
    for (const field of form.querySelectorAll("textarea, input")) {
      if (field.name !== name || field.type !== type) continue;
      if (type === "checkbox" || type === "radio") {
        if (field.value === value) field.checked = checked;
      } else {
        field.value = value;
      }
      const box = field.closest("details");
      if (box) box.open = true;
    }
  }
}

function show(text, address, kept) {
  const page = new DOMParser().parseFromString(text, "text/html");
  if (!page.getElementById("main")) {
    location.reload();
    return;
  }
  const same = new URL(address, location.href).href.split("#")[0] === location.href.split("#")[0];
  const focused = document.activeElement?.closest("[id]")?.id;
  const item = document.activeElement?.closest("[data-item]")?.id;
  const shut = [...main().querySelectorAll("details.file:not([open]) .lines")].map((one) => one.dataset.file);
  const column = main().querySelector(".code-column")?.scrollTop;
  for (const id of ["told", "main"]) document.getElementById(id).replaceWith(page.getElementById(id));
  document.querySelector(".top nav").replaceWith(page.querySelector(".top nav"));
  document.title = page.title;
  const here = new URL(address, location.href);
  if (!same) history.pushState(null, "", here.href);
  if (same) {
    restore(kept);
    for (const lines of main().querySelectorAll("details.file .lines")) if (shut.includes(lines.dataset.file)) lines.closest("details").open = false;
    if (column) main().querySelector(".code-column")?.scrollTo(0, column);
    (document.getElementById(item) ?? document.getElementById(focused) ?? main()).focus({ preventScroll: true });
  } else {
    window.scrollTo(0, 0);
    main().focus({ preventScroll: true });
  }
  dress();
}

let sending = false;

async function send(form, submitter) {
  if (sending) return;
  sending = true;
  form.setAttribute("aria-busy", "true");
  const kept = drafts().filter(([id]) => id !== form.id);
  const data = new FormData(form, submitter);
  if (submitter?.dataset.override) data.set(submitter.dataset.override, submitter.value);
  if (submitter?.hasAttribute("data-clear")) data.set(submitter.name, "");
  const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    show(await answer.text(), answer.redirected ? answer.url : location.href, kept);
  } catch {
    tell("The desk does not answer; what you wrote is still here. Is it still running?");
  } finally {
    sending = false;
    form.removeAttribute("aria-busy");
  }
}

function tell(words) {
  const line = document.createElement("div");
  line.className = "told";
  const said = document.createElement("p");
  said.textContent = words;
  line.append(said);
  document.getElementById("told").replaceChildren(line);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  event.preventDefault();
  send(form, event.submitter);
});

async function reload() {
  const answer = await fetch(location.href);
  const text = await answer.text();
  const kept = drafts();
  const told = document.getElementById("told").cloneNode(true);
  show(text, location.href, kept);
  if (!document.getElementById("told").childElementCount) document.getElementById("told").replaceWith(told);
}

window.addEventListener("popstate", () => reload());

// Lines: a click on a number opens the form for a comment on that line.

function commentOn(file, line) {
  const box = document.getElementById("line-pop");
  if (!box) return;
  box.open = true;
  document.getElementById("line-file").value = file;
  document.getElementById("line-number").value = line;
  document.getElementById("line-text").focus();
  box.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  const number = target.closest("[data-no]");
  if (number) commentOn(number.closest("[data-file]").dataset.file, number.dataset.no);
  const phrase = target.closest("[data-phrase]");
  if (phrase) write(phrase);
  if (target.closest("#keys")) help();
  const toLine = target.closest(".to-line");
  if (toLine) {
    const line = document.getElementById(toLine.hash.slice(1));
    if (line) line.closest("details").open = true;
  }
});

function write(phrase) {
  const area = phrase.closest("form").querySelector("textarea");
  const before = area.value.slice(0, area.selectionStart);
  const gap = before && !/\s$/.test(before) ? " " : "";
  area.setRangeText(gap + phrase.dataset.phrase, area.selectionStart, area.selectionEnd, "end");
  area.focus();
}

// Keys: each belongs to a link, a button or a field that says so; `?` lists those of this page.

const press = (name) => [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === name);

function use(element) {
  if (element.tagName === "SUMMARY") {
    const item = document.activeElement?.closest("[data-item]");
    element.parentElement.open = true;
    if (element.parentElement.id === "line-pop" && item?.dataset.place) commentOn(item.dataset.place, item.dataset.line);
    (element.parentElement.querySelector("textarea, input:not([type=hidden]), select") ?? element).focus();
    element.scrollIntoView({ block: "nearest" });
  } else if (isField(element)) {
    element.focus();
    element.select?.();
  } else {
    element.click();
  }
}

function step(by) {
  const items = [...main().querySelectorAll("[data-item]")];
  if (!items.length) return;
  const now = items.indexOf(document.activeElement?.closest("[data-item]"));
  const next = items[Math.min(items.length - 1, Math.max(0, now < 0 ? (by > 0 ? 0 : items.length - 1) : now + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const ITEM_KEYS = { c: "comment on the selected item, or answer it", l: "go to the selected check's line", s: "give the selected check's task points", Enter: "open the selected item" };

function help() {
  const dialog = document.getElementById("help");
  const list = dialog.querySelector("dl");
  const known = new Map();
  if (main().querySelector("[data-item]")) {
    known.set("j", "the next item").set("k", "the item before");
    if (main().querySelector("[data-item] [data-primary]")) known.set("Enter", ITEM_KEYS.Enter);
    for (const key of ["c", "l", "s"]) if (main().querySelector(`[data-item-key="${key}"]`)) known.set(key, ITEM_KEYS[key]);
  }
  for (const one of document.querySelectorAll("[data-key]")) {
    const name = one.dataset.key;
    if (!known.has(name) || !main().querySelector(`[data-item-key="${name}"]`)) known.set(name, one.dataset.help ?? one.textContent);
    else known.set(name, `${known.get(name)}; without one: ${one.dataset.help}`);
  }
  if (main().querySelector("textarea")) {
    known.set("Ctrl+Enter", "save what is being written").set("Alt+1 … 9", "write a comment that was written before").set("Esc", "leave a field, close a form");
  }
  list.replaceChildren(...[...known].flatMap(([key, words]) => {
    const name = document.createElement("dt");
    const shown = document.createElement("kbd");
    shown.textContent = key;
    name.append(shown);
    const said = document.createElement("dd");
    said.textContent = words;
    return [name, said];
  }));
  if (!dialog.open) dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (document.getElementById("help").open) return;
  if (event.key === "Escape") {
    const box = target.closest?.("details.pop[open]");
    if (box) {
      box.open = false;
      (box.closest("[data-item]") ?? box.querySelector("summary")).focus();
    } else if (isField(target)) {
      target.blur();
    }
    return;
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = target.closest?.("form") ?? main().querySelector("[data-rubric]");
    if (form?.method === "post") {
      event.preventDefault();
      form.requestSubmit();
    }
    return;
  }
  if (event.altKey && /^Digit[1-9]$/.test(event.code)) {
    const phrases = target.closest?.("form")?.querySelectorAll("[data-phrase]");
    const phrase = phrases?.[Number(event.code.slice(5)) - 1];
    if (phrase) {
      event.preventDefault();
      write(phrase);
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isField(target)) return;
  const key = event.key;
  const item = target.closest?.("[data-item]");
  const wanted = `[data-item-key="${CSS.escape(key)}"]`;
  const own = item?.querySelector(wanted) ?? item?.closest(".task-card")?.querySelector(wanted);
  let done = true;
  if (key === "j" || key === "k") {
    const other = press(key);
    if (other) use(other);
    else step(key === "j" ? 1 : -1);
  } else if (own) use(own);
  else if (key === "Enter" && item && target === item && item.querySelector("[data-primary]")) item.querySelector("[data-primary]").click();
  else if (key === "Enter" && target !== document.body && target !== main()) done = false;
  else {
    const found = press(key);
    if (found) use(found);
    else done = false;
  }
  if (done) event.preventDefault();
});

// Rubrics add up as they are ticked.

function addUp() {
  const form = main().querySelector("[data-rubric]");
  const sum = form?.querySelector("#rubric-sum");
  const items = [...(form?.querySelectorAll("[data-points]") ?? [])];
  if (!sum || !items.length) return;
  const points = items.filter((one) => one.checked).reduce((all, one) => all + Number(one.dataset.points), 0);
  sum.textContent = `rubric: ${points >= 0 ? "+" : ""}${points}`;
}

document.addEventListener("change", addUp);

// Live: what others and runs change arrives by itself; a page with something half-written waits.

let waiting = 0;

function hear(news) {
  const said = document.getElementById("live");
  const words = news.running ? (news.total ? `run: ${news.done} of ${news.total}` : "a run goes on") : "";
  if (said.textContent !== words) said.textContent = words;
  const run = document.getElementById("run");
  if (run) {
    run.hidden = !news.running;
    const bar = document.getElementById("run-bar");
    bar.max = news.total || 1;
    bar.value = news.done;
    document.getElementById("run-said").textContent = `${news.done} of ${news.total} graded`;
    document.getElementById("run-newest").replaceChildren(...news.newest.map((one) => {
      const line = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/work/${one.person}/${one.week}`;
      link.textContent = one.name;
      line.append(link, ` ${one.week} ${one.score}/${one.most}`);
      return line;
    }));
  }
  if (String(news.revision) !== main().dataset.revision && !waiting) {
    waiting = setTimeout(catchUp, 1500);
  }
}

async function catchUp() {
  waiting = 0;
  if (sending || document.getElementById("help").open) return;
  if (main().hasAttribute("data-live") && !isField(document.activeElement) && !drafts().length) {
    await reload();
    return;
  }
  const answer = await fetch(location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.getElementById("main");
  if (!now || !main()) return;
  const plain = (element) => element.textContent.replace(/\s+/g, " ");
  if (plain(now) === plain(main())) main().dataset.revision = now.dataset.revision;
  else tell("This page has changed meanwhile. Load it again to see how; what you write stays.");
}

if ("EventSource" in window) {
  const source = new EventSource("/events");
  source.onmessage = (event) => hear(JSON.parse(event.data));
  window.addEventListener("pagehide", () => source.close());
}

function dress() {
  for (const lines of main().querySelectorAll(".lines:not(.diff)")) colour(lines);
  addUp();
  if (main().hasAttribute("data-poll")) setTimeout(reload, 1500);
}

dress();
