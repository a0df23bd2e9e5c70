/* The worklist: rows by urgency, kept fresh; search, keys, and files dropped on the page. */

import { ask, byId, make, send } from "./api.js";

const URGENCIES = ["critical", "abnormal", "not read", "normal"];
const FRESH_MS = { busy: 2000, idle: 15000 };
const AT_ONCE = 3; // uploads

const table = byId("worklist");
const companions = Object.entries(JSON.parse(byId("companions").textContent));
const body = table.tBodies[0];
const wanted = { order: "urgency", statuses: [], search: "" };
let shown = [];
let after = null;
let chosen = null; // id
let asked = 0;
let timer;

/** Whole years; of a small child months or days. */
function ageColumn(years) {
  if (years === null) return "";
  if (years >= 3) return String(Math.floor(years));
  return years * 365.25 < 61 ? `${Math.round(years * 365.25)} d` : `${Math.round(years * 12)} mo`;
}

function row(one) {
  const link = make("a", { href: `/recordings/${one.id}` }, one.name);
  const critical = one.critical.length ? make("span", { class: "why" }, one.critical.join(", ")) : null;
  const urgency = one.status === "signed" || one.status === "amended" ? "done" : URGENCIES[one.urgency];
  const element = make(
    "tr",
    { "data-id": one.id, tabindex: "-1" },
    make("td", {}, make("span", { class: `urgency ${urgency.replace(" ", "-")}` }, urgency), critical),
    make("th", { scope: "row" }, link, one.error ? make("span", { class: "fault" }, one.error) : null),
    make("td", {}, one.patient_id ?? "", one.sex ? make("span", { class: "quiet" }, ` ${one.sex}`) : null),
    make("td", { class: "number" }, ageColumn(one.age)),
    make("td", {}, (one.acquired_at ?? "").slice(0, 16)),
    make("td", {}, make("span", { class: `status ${one.status}` }, one.status)),
    make("td", { class: "quiet" }, new Date(one.added_at).toLocaleString([], { dateStyle: "short", timeStyle: "short" })),
  );
  element.addEventListener("click", (event) => {
    if (!event.target.closest("a")) location.assign(link.href);
  });
  return element;
}

function show(found, more = false) {
  shown = more ? [...shown, ...found.items] : found.items;
  after = found.after;
  const focused = document.activeElement?.closest?.("tr")?.dataset.id;
  body.replaceChildren(...shown.map(row));
  byId("more").hidden = !after;
  byId("none").hidden = shown.length > 0;
  table.hidden = !shown.length;
  for (const place of document.querySelectorAll("[data-count]")) {
    const names = place.dataset.count === "all" ? Object.keys(found.counts) : place.dataset.count.split(",");
    place.textContent = names.reduce((sum, name) => sum + (found.counts[name] ?? 0), 0);
  }
  mark(shown.some((one) => one.id === chosen) ? chosen : null, Boolean(focused));
  // what the reading page walks through; no patient data, and gone with the tab
  sessionStorage.setItem("worklist", JSON.stringify(shown.map((one) => one.id)));
  const busy = (found.counts.queued ?? 0) + (found.counts.drafting ?? 0) > 0;
  clearTimeout(timer);
  timer = setTimeout(refresh, busy ? FRESH_MS.busy : FRESH_MS.idle);
}

function mark(id, focus = true) {
  chosen = id;
  for (const one of body.rows) {
    const here = one.dataset.id === id;
    one.classList.toggle("chosen", here);
    if (here && focus) one.focus();
  }
}

async function refresh() {
  const mine = ++asked;
  if (document.hidden) {
    timer = setTimeout(refresh, FRESH_MS.idle);
    return;
  }
  try {
    const limit = Math.min(200, Math.max(50, shown.length));
    const found = await ask("/api/worklist", { method: "POST", body: { ...wanted, limit } });
    if (mine === asked) show(found);
  } catch (error) {
    byId("live").textContent = error.message;
    timer = setTimeout(refresh, FRESH_MS.idle);
  }
}

byId("more").addEventListener("click", async () => {
  const found = await ask("/api/worklist", { method: "POST", body: { ...wanted, after } });
  show(found, true);
});

for (const button of document.querySelectorAll("[data-statuses]")) {
  button.addEventListener("click", () => {
    wanted.statuses = button.dataset.statuses.split(",").filter(Boolean);
    for (const one of document.querySelectorAll("[data-statuses]")) one.setAttribute("aria-pressed", one === button);
    refresh();
  });
}
byId("order").addEventListener("change", (event) => {
  wanted.order = event.target.value;
  refresh();
});
byId("search").addEventListener("input", (event) => {
  wanted.search = event.target.value;
  refresh();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "Escape" && typing) event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.id === "search" && ["ArrowDown", "Enter"].includes(event.key)) {
    event.preventDefault();
    if (event.key === "Enter" && shown.length === 1) location.assign(`/recordings/${shown[0].id}`);
    else move(1);
  }
  if (typing) return;
  if (event.key === "ArrowDown" || event.key === "j") move(1);
  else if (event.key === "ArrowUp" || event.key === "k") move(-1);
  else if (event.key === "Enter" && chosen && !event.target.matches("a, button")) location.assign(`/recordings/${chosen}`);
  else if (event.key === "/") byId("search").focus();
  else if (event.key.toLowerCase() === "u" && byId("files")) byId("files").click();
  else return;
  event.preventDefault();
});

function move(step) {
  const at = shown.findIndex((one) => one.id === chosen);
  const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : Math.min(shown.length - 1, Math.max(0, at + step));
  if (shown[next]) mark(shown[next].id);
}

/** What a WFDB header names: its signals, or its segments' headers. */
function namedIn(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() && !line.trim().startsWith("#"));
  const [first, ...rest] = lines.map((line) => line.trim().split(/\s+/)[0]);
  const names = rest.filter((name) => name !== "~");
  return (first ?? "").includes("/") ? names.map((name) => `${name}.hea`) : names;
}

/** Files that belong to one recording, as the station will group them: those that a header names, or of one name. */
async function grouped(files) {
  const left = new Map([...files].map((file) => [file.name, file]));
  const every = new Map([...files].map((file) => [file.name.toLowerCase(), file]));
  const split = (name) => [name.replace(/\.[^.]*$/, ""), (name.match(/\.[^.]*$/)?.[0] ?? "").toLowerCase()];
  const named = new Map();
  for (const file of every.values()) {
    if (split(file.name)[1] === ".hea") named.set(file.name, namedIn(await file.slice(0, 65536).text()));
  }
  const below = (header, seen = new Set([header])) => {
    for (const name of named.get(header) ?? []) {
      const there = every.get(name.toLowerCase())?.name;
      if (there && !seen.has(there)) below(there, seen.add(there));
    }
    return seen;
  };
  const segments = new Set([...named.keys()].flatMap((header) => [...below(header)].filter((one) => one !== header)));
  const groups = [];
  for (const [suffix, others] of companions) {
    for (const name of [...left.keys()].filter((one) => split(one)[1] === suffix && !segments.has(one))) {
      const stem = split(name)[0];
      const names = below(name);
      for (const one of left.keys()) if (split(one)[0] === stem && others.includes(split(one)[1])) names.add(one);
      groups.push([...names].map((one) => every.get(one.toLowerCase())));
      names.forEach((one) => left.delete(one));
    }
  }
  return [...groups, ...[...left.values()].map((file) => [file])];
}

async function upload(chosenFiles) {
  const files = [...chosenFiles]; // the list of an input empties when that is set back
  if (!files.length) return;
  const groups = await grouped(files);
  if (new Set([...files].map((file) => file.name)).size < files.length) {
    // of two folders: the header of one recording must not meet the signal of another
    byId("uploads").hidden = false;
    byId("upload-faults").replaceChildren();
    byId("upload-words").textContent =
      "Nothing was added: two of these files have the same name. Add them one after the other.";
    return;
  }
  const bar = byId("upload-bar");
  const words = byId("upload-words");
  const shares = groups.map(() => 0);
  const faults = [];
  let done = 0;
  let known = 0;
  byId("uploads").hidden = false;
  byId("upload-faults").replaceChildren();
  const tell = () => {
    bar.value = shares.reduce((sum, one) => sum + one, 0) / groups.length;
    words.textContent = `${done} of ${groups.length} recordings added${known ? `, ${known} were there already` : ""}`;
  };
  const limit = Number(byId("drop").dataset.limit);
  const queue = groups.map((group, place) => [group, place]);
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [group, place] = next;
      try {
        if (group.reduce((sum, file) => sum + file.size, 0) > limit) throw new Error("is too large");
        const answer = await send("/api/recordings", group, (share) => {
          shares[place] = share;
          tell();
        });
        for (const one of answer) {
          if (one.error) faults.push(`${one.files.join(", ")}: ${one.error}`);
          else if (one.added) done += 1;
          else known += 1;
        }
      } catch (error) {
        faults.push(`${group.map((file) => file.name).join(", ")}: ${error.message}`);
      }
      shares[place] = 1;
      tell();
    }
  };
  tell();
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  byId("upload-faults").replaceChildren(...faults.map((fault) => make("li", {}, fault)));
  if (!faults.length) setTimeout(() => (byId("uploads").hidden = true), 6000);
  refresh();
}

if (byId("files")) {
  byId("files").addEventListener("change", (event) => {
    upload(event.target.files);
    event.target.value = "";
  });
  const over = (on) => (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", on);
  };
  document.addEventListener("dragover", over(true));
  document.addEventListener("dragleave", over(false));
  document.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files.length) upload(event.dataTransfer.files);
  });
}

show(JSON.parse(byId("first").textContent));
document.addEventListener("visibilitychange", () => document.hidden || refresh());
