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

// Pages: forms are sent, and the new page's content takes the place of the old one. What is half-written belongs to the
// address that it was written at: it is put aside when that page goes, and is there again when it is shown again.

const plainly = (address) => new URL(address, location.href).href.split("#")[0];
const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
const aside = (address) => `half-written at ${address}`;
const ALONG = ["hidden", "select-one"]; // not written by hand, but part of what is: a stale form stays a stale form

let shown = plainly(location.href); // whose content this is; after "back" the browser's address is another one already

function isTouched(field) {
  if (ALONG.includes(field.type) || field.type === "file") return false;
  return field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

function drafts() {
  const kept = [];
  for (const form of main().querySelectorAll("form[id]")) {
    const fields = [...form.querySelectorAll("textarea, input, select")].filter((field) => field.name);
    const touched = fields.filter(isTouched);
    if (!touched.length) continue;
    const along = fields.filter((field) => field.type === "select-one" || field.name === "revision" || field.name === "edition");
    for (const field of [...touched, ...along]) kept.push([idOf(form), field.name, field.type, field.value, field.checked ?? false]);
  }
  return kept;
}

const isUnsaved = () => drafts().some(([, name, type]) => !ALONG.includes(type) && name !== "line"); // a click fills in the line

function kept(address) {
  try {
    return JSON.parse(sessionStorage.getItem(aside(address)) ?? "[]");
  } catch {
    return [];
  }
}

function keep(address, found) {
  try {
    if (found.length) sessionStorage.setItem(aside(address), JSON.stringify(found));
    else sessionStorage.removeItem(aside(address));
  } catch {
    tell("What is half-written here is lost when you leave this page: the browser keeps nothing more.");
  }
}

const asText = (draft) => JSON.stringify(draft);
const idOf = (form) => form?.getAttribute("id"); // a field with the name "id" hides the property

/** Put aside what is half-written, but for what was just sent. What is put aside of forms that are not here stays. */
function putAside(form, sent) {
  const now = drafts().filter((draft) => draft[0] !== idOf(form) || !(sent.has(asText(draft)) || ALONG.includes(draft[2])));
  keep(shown, [...kept(shown).filter(([id]) => !main().querySelector(`form[id="${CSS.escape(id)}"]`)), ...now]);
  return now.length > 0;
}

function restore() {
  const later = [];
  for (const draft of kept(shown)) {
    const [id, name, type, value, checked] = draft;
    const form = main().querySelector(`form[id="${CSS.escape(id)}"]`);
    if (!form) {
      later.push(draft);
      continue;
    }
    for (const field of form.querySelectorAll("textarea, input, select")) {
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
  keep(shown, later);
}

/** Focus the first of these that can have it: what is in a closed form cannot, and then the key after it would be lost. */
function focusOne(...ids) {
  const found = ids.map((id) => id && document.getElementById(id)).filter(Boolean);
  for (const one of [...found, ...found.map((hidden) => hidden.closest("details:not([open])")?.querySelector("summary")).filter(Boolean), main()]) {
    one.focus({ preventScroll: true });
    if (document.activeElement === one) return;
  }
}

function show(text, address, form, sent) {
  const page = parsed(text);
  const isLeft = putAside(form, sent ?? new Set());
  if (!page.getElementById("main")) {
    location.reload();
    return;
  }
  const there = plainly(address);
  const same = there === shown;
  const focused = document.activeElement?.closest("[id]")?.id;
  const item = document.activeElement?.closest("[data-item]")?.id;
  const shut = [...main().querySelectorAll("details.file:not([open]) .lines")].map((one) => one.dataset.file);
  const column = main().querySelector(".code-column")?.scrollTop;
  for (const id of ["told", "main"]) document.getElementById(id).replaceWith(page.getElementById(id));
  document.querySelector(".top nav").replaceWith(page.querySelector(".top nav"));
  document.title = page.title;
  if (there !== plainly(location.href)) history.pushState(null, "", new URL(address, location.href).href);
  shown = there;
  restore();
  if (same) {
    for (const lines of main().querySelectorAll("details.file .lines")) if (shut.includes(lines.dataset.file)) lines.closest("details").open = false;
    if (column) main().querySelector(".code-column")?.scrollTo(0, column);
    focusOne(item, focused);
  } else {
    window.scrollTo(0, 0);
    main().focus({ preventScroll: true });
    if (isLeft) tell("What you had half-written is kept: it is there when you go back.", true);
  }
  dress();
}

let sending = false;

async function send(form, submitter) {
  if (sending) {
    tell("The desk has not answered yet; what you write is still here. Save it again in a moment.", true);
    return;
  }
  sending = true;
  form.setAttribute("aria-busy", "true");
  form.querySelector(":scope > .refused")?.remove();
  const from = shown;
  const sent = new Set(drafts().filter(([id]) => id === idOf(form)).map((draft) => asText(draft)));
  const data = new FormData(form, submitter);
  if (submitter?.dataset.override) data.set(submitter.dataset.override, submitter.value);
  if (submitter?.hasAttribute("data-clear")) data.set(submitter.name, "");
  const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    const text = await answer.text();
    const page = parsed(text);
    const isConflict = page.querySelector("[data-conflict]") !== null;
    if (shown !== from) tell((page.getElementById("told") ?? page.body).querySelector("p")?.textContent ?? "", true);
    else if (answer.ok) show(text, answer.redirected ? answer.url : from, form, sent);
    else if (isConflict) show(text, from, page.querySelector("[data-conflict] form") ? form : null, sent);
    else refuse(form, page);
  } catch {
    tell("The desk does not answer; what you wrote is still here. Is it still running?");
  } finally {
    sending = false;
    form.removeAttribute("aria-busy");
  }
}

/** Say on the page itself what cannot be: nothing that was written, here or elsewhere on it, is lost. */
function refuse(form, page) {
  const words = (page.querySelector(".problem") ?? page.body).textContent.trim();
  if (!idOf(form) || form.hidden || !form.isConnected) {
    tell(words);
    return;
  }
  const line = document.createElement("p");
  line.className = "problem refused";
  line.setAttribute("role", "alert");
  line.textContent = `${words} (Nothing was changed.)`;
  form.prepend(line);
  line.scrollIntoView({ block: "nearest" });
}

function tell(words, beside = false) {
  if (!words) return;
  const line = document.createElement("div");
  line.className = "told";
  const said = document.createElement("p");
  said.textContent = words;
  line.append(said);
  if (beside) document.getElementById("told").append(line);
  else document.getElementById("told").replaceChildren(line);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  event.preventDefault();
  send(form, event.submitter);
});

async function reload() {
  const address = location.href;
  const answer = await fetch(address);
  const text = await answer.text();
  if (location.href !== address) return; // somebody went on meanwhile
  const told = plainly(address) === shown ? document.getElementById("told").cloneNode(true) : null;
  show(text, address);
  if (told && !document.getElementById("told").childElementCount) document.getElementById("told").replaceWith(told);
}

window.addEventListener("popstate", () => {
  if (plainly(location.href) !== shown) reload();
});
window.addEventListener("beforeunload", (event) => {
  if (isUnsaved()) event.preventDefault();
});
window.addEventListener("pagehide", () => putAside());

document.addEventListener("input", (event) => {
  if (!isField(event.target) || !event.target.value) return;
  const choice = event.target.closest("fieldset")?.querySelector('input[type=radio][value="set"]');
  if (choice) choice.checked = true; // who types points means them
});

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
  const toLine = target.closest(".to-line, .to-code");
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
    const phrase = target.closest?.("form")?.querySelector(`[data-digit="${event.code.slice(5)}"]`);
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
  const points = items.filter((one) => one.checked).reduce((all, one) => all + Math.round(100 * Number(one.dataset.points)), 0) / 100;
  sum.textContent = `rubric: ${points >= 0 ? "+" : ""}${String(points).replace(".", sum.dataset.decimal)}`;
}

document.addEventListener("change", addUp);

// Live: what others and runs change arrives by itself; a page with something half-written waits.

let waiting = 0;

const titled = (week) => week.replace(/^week(\d+)$/, "Week $1");

function listed(id, news, said) {
  document.getElementById(id).replaceChildren(...news.map((one) => {
    const line = document.createElement("li");
    const name = document.createElement(one.person && one.week ? "a" : "span");
    if (one.person && one.week) name.href = `/work/${one.person}/${one.week}`;
    name.textContent = one.name;
    line.append(name, said(one));
    return line;
  }));
}

function hear(news) {
  const said = document.getElementById("live");
  const words = news.running ? (news.total ? `run: ${news.done} of ${news.total}` : "a run goes on") : "";
  if (said.textContent !== words) said.textContent = words;
  const run = document.getElementById("run");
  if (run) {
    run.hidden = !news.running && !news.stopped;
    document.getElementById("run-title").textContent = news.running ? "A run goes on" : "A run has ended early";
    document.getElementById("run-stopped").hidden = !news.stopped;
    const bar = document.getElementById("run-bar");
    bar.max = news.total || 1;
    bar.value = news.done;
    document.getElementById("run-said").textContent = `${news.done} of ${news.total} graded`;
    listed("run-newest", news.newest, (one) => ` ${titled(one.week)}: ${one.grade}`);
    document.getElementById("run-trouble-title").hidden = !news.trouble.length;
    listed("run-trouble", news.trouble, (one) => ` ${one.says}`);
  }
  if (String(news.revision) !== main().dataset.revision && !waiting) {
    waiting = setTimeout(catchUp, 1500);
  }
}

async function catchUp() {
  waiting = 0;
  if (sending || document.getElementById("help").open || main().hasAttribute("data-still")) return;
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

// A browser has six lines to one server, so all pages of a desk share one: whoever holds the lock listens for the others.

const LINE = `desk ${location.host}`;
const ASKS = "what is new?"; // a page that was made before the last news, and began to listen after it, has missed it
const others = "BroadcastChannel" in window ? new BroadcastChannel(LINE) : null;
if (others) {
  others.onmessage = (event) => {
    if (event.data !== ASKS) hear(event.data);
    else if (source && latest) others.postMessage(latest);
  };
}

let source = null;
let latest = null; // the news that came last
let hangUp = null; // gives the line to another page, or ends the wait for it

function hold() {
  source = new EventSource("/events");
  source.onmessage = (event) => {
    latest = JSON.parse(event.data);
    hear(latest);
    others?.postMessage(latest);
  };
}

function letGo() {
  source?.close();
  source = null;
}

function listen() { // pages that nobody sees hold no line
  if (document.hidden) {
    hangUp?.();
    hangUp = null;
    letGo();
  } else if (!hangUp && "EventSource" in window) {
    others?.postMessage(ASKS);
    if (!others || !navigator.locks) {
      hangUp = () => {};
      hold();
      return;
    }
    const waits = new AbortController();
    let end = () => {};
    hangUp = () => {
      waits.abort();
      end();
    };
    navigator.locks.request(LINE, { signal: waits.signal }, () => {
      if (waits.signal.aborted) return undefined;
      hold();
      return new Promise((resolve) => {
        end = resolve;
      });
    }).catch(() => {}); // nobody sees the page any more
  }
}

document.addEventListener("visibilitychange", listen);
window.addEventListener("pageshow", listen);
window.addEventListener("pagehide", () => {
  hangUp?.();
  hangUp = null;
  letGo();
});
listen();

function dress() {
  for (const lines of main().querySelectorAll(".lines:not(.diff)")) colour(lines);
  addUp();
  if (main().hasAttribute("data-poll")) setTimeout(reload, 1500);
}

restore();
dress();
