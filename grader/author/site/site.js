"use strict";
// The colours that the reader chose, before anything is drawn. Without this script the site follows the system.
const themes = ["as the system", "dark", "light"];
function chosen() {
  try { return themes.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : themes[0]; } catch { return themes[0]; }
}
function paint(theme) {
  if (theme === themes[0]) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
paint(chosen());

document.addEventListener("DOMContentLoaded", () => {
  const one = (selector) => document.querySelector(selector);

  const button = one(".theme");
  let theme = chosen();
  const name = () => { button.textContent = `Colours: ${theme}`; };
  name();
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    try { localStorage.setItem("theme", theme); } catch { /* a page opened from a folder may keep nothing */ }
    paint(theme);
    name();
  });

  const menu = one(".menu");
  menu.addEventListener("click", () => {
    const open = one(".course").classList.toggle("open");
    menu.setAttribute("aria-expanded", String(open));
  });

  // The section that is being read, in the list of contents.
  const entries = new Map([...document.querySelectorAll(".contents a")].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
  const heads = [...document.querySelectorAll("h2[id], h3[id]")].filter((head) => entries.has(head.id));
  let current = null;
  function follow() {
    const above = heads.filter((head) => head.getBoundingClientRect().top < 120);
    const link = entries.get((above.at(-1) ?? heads[0])?.id);
    if (link === current) return;
    current?.classList.remove("here");
    current?.removeAttribute("aria-current");
    link?.classList.add("here");
    link?.setAttribute("aria-current", "true");
    current = link;
  }
  if (heads.length) { addEventListener("scroll", follow, { passive: true }); follow(); }

  // The search. Its index is fetched when the field is first used.
  const field = one("#query"), box = one(".found"), list = one(".found ol"), count = one(".found .count");
  let loading = null;
  function load() {
    loading ??= new Promise((done) => {
      const script = document.createElement("script");
      script.src = "search.js";
      script.onload = () => done(window.searchIndex);
      script.onerror = () => done([]);
      document.head.append(script);
    });
    return loading;
  }
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  function rank(entry, words) {
    const title = plain(entry.title), text = plain(entry.text), page = plain(entry.page);
    let score = 0;
    for (const word of words) {
      const here = (title.includes(word) ? 10 : 0) + (page.includes(word) ? 2 : 0) + (text.includes(word) ? 1 : 0);
      if (!here) return 0;
      score += here + (title.split(/\W+/).includes(word) ? 5 : 0);
    }
    return score;
  }
  function piece(text, word) {
    const at = Math.max(0, plain(text).indexOf(word) - 50);
    return (at ? "… " : "") + text.slice(at, at + 150) + (text.length > at + 150 ? " …" : "");
  }
  async function search() {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    if (!words.length) { box.hidden = true; return; }
    const index = await load();
    const found = index.map((entry) => [rank(entry, words), entry]).filter(([score]) => score).sort((a, b) => b[0] - a[0]);
    count.textContent = found.length ? `${found.length} section${found.length === 1 ? "" : "s"}` : "Nothing found";
    list.replaceChildren(...found.slice(0, 20).map(([, entry]) => {
      const item = document.createElement("li"), link = document.createElement("a");
      const title = document.createElement("strong"), about = document.createElement("small");
      link.href = entry.file;
      title.textContent = entry.title;
      about.textContent = `${entry.page}. ${piece(entry.text, words[0])}`;
      link.append(title, about);
      link.addEventListener("click", () => { box.hidden = true; });
      item.append(link);
      return item;
    }));
    box.hidden = false;
  }
  field.addEventListener("input", search);
  field.addEventListener("focus", load);
  one(".search").addEventListener("submit", (event) => { event.preventDefault(); list.querySelector("a")?.click(); });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !["INPUT", "TEXTAREA"].includes(document.activeElement.tagName)) { event.preventDefault(); field.focus(); }
    if (event.key === "Escape" && !box.hidden) { box.hidden = true; field.focus(); }
    if (!box.hidden && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      const links = [...list.querySelectorAll("a")], here = links.indexOf(document.activeElement);
      const next = event.key === "ArrowDown" ? here + 1 : here - 1;
      event.preventDefault();
      (links[next] ?? field).focus();
    }
  });
  addEventListener("click", (event) => { if (!event.target.closest(".search")) box.hidden = true; });
});
