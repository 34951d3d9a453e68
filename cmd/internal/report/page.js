"use strict";
// The page is whole without this script: it adds sorting, a filter and buttons
// that copy commands.
(() => {
  const words = document.getElementById("words").dataset;

  function sortBy(table, column, kind, descending) {
    const body = table.tBodies[0];
    const value = (row) => {
      const cell = row.cells[column];
      const text = cell.dataset.value ?? cell.textContent.trim();
      return kind === "number" ? Number(text) : text;
    };
    const order = (a, b) => kind === "number" ? a - b : a.localeCompare(b, document.documentElement.lang, { numeric: true });
    const rows = Array.from(body.rows).sort((a, b) => order(value(a), value(b)) * (descending ? -1 : 1));
    body.append(...rows);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const kind = head.dataset.sort;
      if (!kind) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const descending = now ? now === "ascending" : kind === "number";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        sortBy(table, column, kind, descending);
      });
    });
  }

  const form = document.querySelector("form.filter");
  if (form) {
    const [text, severity, output] = [form.querySelector("input"), form.querySelector("select"), form.querySelector("output")];
    const rows = Array.from(document.querySelectorAll("#findings tbody")[0].rows);
    const filter = () => {
      const wanted = text.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const fits = row.textContent.toLowerCase().includes(wanted) && (!severity.value || row.dataset.severity === severity.value);
        row.hidden = !fits;
        const article = document.getElementById(row.querySelector("a").hash.slice(1));
        if (article) article.hidden = !fits;
        if (fits) shown++;
      }
      output.textContent = shown === rows.length ? "" : words.shown.replace("{shown}", shown).replace("{all}", rows.length);
    };
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  for (const block of document.querySelectorAll(".copy")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words.copy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = words.copied;
      setTimeout(() => { button.textContent = words.copy; }, 2000);
    });
    block.classList.add("ready");
    block.append(button);
  }

  // Paper shows everything.
  const closed = () => Array.from(document.querySelectorAll("details:not([open])"));
  let opened = [];
  window.addEventListener("beforeprint", () => { opened = closed(); opened.forEach((d) => { d.open = true; }); });
  window.addEventListener("afterprint", () => { opened.forEach((d) => { d.open = false; }); });
})();
