// Adds keys to the pages for reviewers: one key chooses, Enter records. Without it, Tab and Enter do the same.
"use strict";
const verdict = document.getElementById("verdict");
const other = document.getElementById("other");
const found = document.getElementById("taxa-found");

const choose = (key) => {
  const choice = verdict && [...verdict.querySelectorAll("input[data-key]")].find((one) => one.dataset.key === key);
  if (!choice || choice.disabled) return false;
  choice.checked = true;
  const field = { o: other, m: document.getElementById("comment") }[key];
  (field || choice).focus();
  return true;
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select");
  if (event.key === "Escape" && typing) {
    event.target.blur();
    return;
  }
  if (typing || event.repeat) return;
  const undo = document.getElementById("undo");
  const skip = document.getElementById("skip");
  if (event.key === "z" && undo) undo.requestSubmit();
  else if (event.key === "n" && skip) skip.click();
  else if (event.key === "t" && verdict) document.getElementById("comment").focus();
  else if (!choose(event.key)) return;
  event.preventDefault();
});

// Enter in the text records; Shift and Enter begin a line. A form is sent once, however often a key is pressed.
if (verdict) {
  document.getElementById("comment").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      verdict.requestSubmit();
    }
  });
  verdict.addEventListener("submit", (event) => {
    if (verdict.dataset.sent) event.preventDefault();
    verdict.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => { delete verdict.dataset.sent; });
}

if (other) {
  let asked = 0;
  let at = -1;
  const options = () => [...found.children];
  const close = () => {
    found.hidden = true;
    at = -1;
    other.setAttribute("aria-expanded", "false");
    other.removeAttribute("aria-activedescendant");
  };
  const mark = (number) => {
    at = (number + options().length) % options().length;
    options().forEach((one, index) => one.setAttribute("aria-selected", String(index === at)));
    other.setAttribute("aria-activedescendant", options()[at].id);
  };
  const take = (option) => {
    other.value = option.dataset.value;
    verdict.querySelector("input[value=other]").checked = true;
    close();
  };
  const show = (taxa) => {
    found.replaceChildren(...taxa.map((one, index) => {
      const option = document.createElement("li");
      option.id = `taxa-found-${index}`;
      option.setAttribute("role", "option");
      option.dataset.value = one.concept ? `${one.name} [${one.concept}]` : one.name;
      option.append(one.name);
      const small = document.createElement("small");
      small.textContent = [one.matched, one.rank].filter(Boolean).join(", ");
      option.append(" ", small);
      option.addEventListener("mousedown", (event) => { event.preventDefault(); take(option); });
      return option;
    }));
    found.hidden = !taxa.length;
    other.setAttribute("aria-expanded", String(taxa.length > 0));
    if (taxa.length) mark(0);
  };
  other.addEventListener("input", async () => {
    const number = ++asked;
    verdict.querySelector("input[value=other]").checked = true;
    if (!other.value.trim()) return close();
    const response = await fetch(`${other.dataset.address}?q=${encodeURIComponent(other.value.trim())}`);
    const taxa = response.ok ? await response.json() : [];
    if (number === asked) show(taxa);
  });
  other.addEventListener("keydown", (event) => {
    if (found.hidden) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at - 1);
    else if (event.key === "Enter") take(options()[at]);
    else return;
    event.preventDefault();
  });
  other.addEventListener("blur", close);
}
