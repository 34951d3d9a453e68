"use strict";
// The page is whole without this script: it adds the search. A message or a line of a
// log finds the entry whose expression it matches; other words find the entries that
// hold most of them.
(() => {
  const form = document.querySelector("form.filter");
  const [input, output] = [form.querySelector("input"), form.querySelector("output")];
  const words = document.getElementById("words").dataset;

  // Expressions are those of Go's regexp; flags in front become those of JavaScript.
  const compile = (text) => {
    const flags = /^\(\?([is]+)\)/.exec(text);
    try {
      return new RegExp(flags ? text.slice(flags[0].length) : text, flags ? flags[1] : "");
    } catch {
      return null;
    }
  };

  const entries = Array.from(document.querySelectorAll("article"), (article, place) => ({
    article, place, list: article.parentElement,
    text: (article.textContent + "\n" + article.dataset.names).toLowerCase(),
    clauses: article.dataset.expressions.split("\n").filter(Boolean).map((line) => {
      const [expression, states] = line.split("\t");
      return { expression: compile(expression), states: states ? states.split(" ") : null };
    }).filter((clause) => clause.expression),
  }));

  // Words of a query; a run of Chinese counts as its pairs of characters.
  const wordsOf = (query) => {
    const list = [];
    for (const word of query.toLowerCase().match(/[\p{Script=Han}]+|[\p{L}\p{N}_:.-]{2,}/gu) ?? []) {
      if (!/\p{Script=Han}/u.test(word) || word.length < 3) list.push(word);
      else for (let i = 0; i + 1 < word.length; i++) list.push(word.slice(i, i + 2));
    }
    return list;
  };

  // The part of a line behind each colon, arrow and blank may be the message.
  const partsOf = (query) => {
    const parts = [query];
    for (const m of query.matchAll(/(?:: |> ?|\t| )/g)) parts.push(query.slice(m.index + m[0].length));
    for (const part of parts.slice()) parts.push(part.replace(/ handshakeStatus\w+$/, ""));
    return Array.from(new Set(parts));
  };

  const score = (entry, query, parts, wanted) => {
    let longest = 0;
    const fits = (clause) => !clause.states || clause.states.some((state) => query.includes(state));
    for (const { expression } of entry.clauses.filter(fits))
      for (const part of parts) longest = Math.max(longest, expression.exec(part)?.[0].length ?? 0);
    const held = wanted.filter((word) => entry.text.includes(word)).length;
    const whole = entry.text.includes(query.toLowerCase()) ? 2 : 0;
    return (longest > 3 ? 10 + longest : 0) + whole + (wanted.length ? held / wanted.length : 0);
  };

  const search = () => {
    const query = input.value.trim();
    const [parts, wanted] = [partsOf(query), wordsOf(query)];
    for (const entry of entries) entry.score = query ? score(entry, query, parts, wanted) : 1;
    const best = Math.max(...entries.map((entry) => entry.score));
    const least = best >= 10 ? 10 : Math.max(best * 0.7, 0.3);
    let shown = 0;
    for (const entry of entries.toSorted((a, b) => b.score - a.score || a.place - b.place)) {
      entry.article.hidden = query !== "" && entry.score < least;
      if (!entry.article.hidden) shown++;
      entry.list.append(entry.article);
    }
    for (const section of document.querySelectorAll("main section"))
      section.hidden = !section.querySelector("article:not([hidden])");
    output.textContent = query ? words.shown.replace("{shown}", shown).replace("{all}", entries.length) : "";
  };

  form.hidden = false;
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
})();
