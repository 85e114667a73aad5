"use strict";
const all = (selector) => [...document.querySelectorAll(selector)];
const said = document.getElementById("said");

for (const button of all(".copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const line = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(line.textContent);
      button.textContent = "copied";
      said.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(line);
      said.textContent = "selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "copy"; }, 2000);
  });
}

const filter = document.getElementById("filter");
if (filter) {
  const text = filter.querySelector("input");
  const buttons = all("button[data-status]");
  const clauses = all("details.clause");
  const groups = all(".group");
  const apply = () => {
    const statuses = buttons.filter((one) => one.getAttribute("aria-pressed") === "true").map((one) => one.dataset.status);
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const clause of clauses) {
      const content = clause.textContent.toLowerCase();
      const fits = statuses.length === 0 || clause.dataset.status.split(" ").some((one) => statuses.includes(one));
      clause.hidden = !(fits && words.every((word) => content.includes(word)));
      shown += clause.hidden ? 0 : 1;
    }
    for (const group of groups) group.hidden = !group.querySelector("details.clause:not([hidden])");
    said.textContent = `${shown} of ${clauses.length} clauses shown`;
  };
  filter.hidden = false;
  text.addEventListener("input", apply);
  for (const button of buttons) {
    button.disabled = false;
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
}

for (const table of all(".history")) table.parentElement.scrollLeft = table.parentElement.scrollWidth;

const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const clause = target && target.closest("details");
  if (clause) {
    clause.hidden = false;
    clause.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", open);
addEventListener("beforeprint", () => { for (const one of all("details")) one.open = true; });
open();
