// What the console does beyond links and forms. Everything can be read without it.
"use strict";

const POLL_MILLISECONDS = 400;
const POLL_AT_MOST = 150; // a minute; then the reader is told to look again
const MINUS = "\u2212";
const NOTHING = "\u2013";

const typing = (element) => element.matches("input, select, textarea, [contenteditable]");

// --- Keys: / searches, Escape closes, arrows walk through rows, Enter opens one ---------------------

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") return leave(event);
  if (typing(event.target) && event.target.type !== "checkbox") return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search").select();
    return;
  }
  walk(event);
});

function leave(event) {
  const details = event.target.closest("details[open]") ?? document.querySelector("details[open].menu");
  if (details) {
    details.open = false;
    details.querySelector("summary").focus();
  } else if (event.target.id === "search") {
    event.target.blur();
  }
  // A <dialog> opened with showModal() closes by itself.
}

function walk(event) {
  const region = event.target.closest(".scroll");
  if (!region) return;
  const row = event.target.closest("tbody tr");
  const rows = [...region.querySelectorAll("tbody tr")];
  const here = rows.indexOf(row);
  const steps = { ArrowDown: here + 1, ArrowUp: here < 0 ? 0 : here - 1, Home: 0, End: rows.length - 1 };
  if (event.key in steps) {
    event.preventDefault();
    const next = rows[Math.max(0, Math.min(steps[event.key], rows.length - 1))];
    if (!next) return;
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
    show(next, region);
  } else if (event.key === "Enter" && event.target === row) {
    row.querySelector("a.main")?.click();
  } else if (event.key === " " && event.target === row && row.querySelector(".tick input")) {
    event.preventDefault();
    row.querySelector(".tick input").click();
  }
}

// Rows slide beneath the head and the totals; one in focus must stand between them.
function show(row, region) {
  const box = region.getBoundingClientRect();
  const head = region.querySelector("thead")?.offsetHeight ?? 0;
  const foot = region.querySelector("tfoot")?.offsetHeight ?? 0;
  const at = row.getBoundingClientRect();
  if (at.top < box.top + head) region.scrollTop -= box.top + head - at.top;
  else if (at.bottom > box.bottom - foot) region.scrollTop += at.bottom - box.bottom + foot;
  row.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// --- The outcome of a command, in place of "sent" ----------------------------------------------------

// GET /v1/commands/<id> answers {"state": "sent" | "done" | "refused", "text": "..."}.
async function follow(notice) {
  const address = `/v1/commands/${encodeURIComponent(notice.dataset.command)}`;
  for (let turn = 0; turn < POLL_AT_MOST; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    let outcome;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) continue; // not known yet, or the server is away: both pass
      outcome = await answer.json();
    } catch {
      continue;
    }
    if (outcome.state !== "done" && outcome.state !== "refused") continue;
    write(notice, outcome.state, outcome.state === "done" ? "Done." : "Refused, because", outcome.text);
    if (outcome.state === "done") offer(notice, "Show the new figures");
    return;
  }
  write(notice, "sent", "Still waiting.", "The command is kept and will be answered.");
  offer(notice, "Look again");
}

function write(notice, state, head, text) {
  notice.className = `notice notice-${state}`;
  notice.querySelector("strong").textContent = head;
  notice.querySelector(".text").textContent = text;
}

function offer(notice, words) {
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = words;
  notice.querySelector("p").append(" ", link);
}

document.querySelectorAll(".notice[data-command]").forEach(follow);

// A form that has been sent is not sent twice by an impatient finger.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// --- Ticked rows add up ------------------------------------------------------------------------------

// Minor units are integers: BigInt, as no amount is ever a float.
function written(minor, exponent) {
  if (minor === 0n) return NOTHING;
  const digits = String(minor < 0n ? -minor : minor).padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+$)/g, ",");
  return (minor < 0n ? MINUS : "") + whole + (exponent ? `.${digits.slice(-exponent)}` : "");
}

// An amount beside a tick says how much of the row is meant; what is not one counts as nothing.
function meant(box, exponent) {
  const part = box.closest("tr").querySelector(".part input");
  if (!part) return BigInt(box.dataset.amount);
  const [whole, fraction = ""] = part.value.trim().replaceAll(",", "").split(".");
  const plain = /^\d+$/.test(whole) && /^\d*$/.test(fraction) && fraction.length <= exponent;
  return plain ? BigInt(whole + fraction.padEnd(exponent, "0")) : 0n;
}

function addUp(form) {
  const exponent = Number(form.dataset.exponent);
  const ticked = [...form.querySelectorAll("input[data-amount]:checked")];
  const total = ticked.reduce((sum, box) => sum + meant(box, exponent), 0n);
  const running = form.querySelector(".running");
  const left = BigInt(running.dataset.available) - total;
  running.querySelector("[data-show=ticked]").value = written(total, exponent);
  const rest = running.querySelector("[data-show=left]");
  rest.value = written(left, exponent);
  rest.classList.toggle("over", left < 0n);
  const button = running.querySelector("button");
  button.dataset.plain ??= button.textContent;
  button.disabled = ticked.length === 0;
  const words = ticked.length === 1 ? form.dataset.one : form.dataset.many;
  button.textContent = ticked.length
    ? words.replace("{total}", written(total, exponent)).replace("{count}", ticked.length)
    : button.dataset.plain;
}

for (const form of document.querySelectorAll("form.ticking")) {
  form.addEventListener("change", () => addUp(form));
  form.addEventListener("input", () => addUp(form));
  addUp(form);
}

// --- A tick in the head of a table ticks its rows -----------------------------------------------------

for (const head of document.querySelectorAll("form th.tick")) {
  const boxes = [...head.closest("table").querySelectorAll("td.tick input")];
  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", "Tick all rows");
  const look = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = boxes.length > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  all.addEventListener("change", () => boxes.forEach((box) => (box.checked = all.checked)));
  head.closest("form").addEventListener("change", look);
  look();
  head.append(all);
}

// --- Copying: spreadsheets read a hyphen as minus and know no dash for zero --------------------------

document.addEventListener("copy", (event) => {
  const text = String(getSelection());
  if (typing(event.target) || !(text.includes(MINUS) || text.includes(NOTHING))) return;
  const plain = text.replaceAll(MINUS, "-").replace(new RegExp(`(^|\\t)${NOTHING}(?=\\t|$)`, "gm"), "$10");
  event.clipboardData.setData("text/plain", plain);
  event.preventDefault();
});
