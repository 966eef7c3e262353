// The page that asks in SPARQL: answers in place, as a table with links; an address that can be shared; an editor where
// there is one. Without this script the form asks for a file.
"use strict";
{
  const form = document.querySelector("form.asking");
  const field = document.getElementById("query");
  const samples = document.getElementById("samples");
  const found = document.getElementById("found");
  const SHOWN = 1000;
  let editor = null;
  let latest = 0;

  if (window.CodeMirror) {
    editor = window.CodeMirror.fromTextArea(field, {
      mode: "application/sparql-query",
      lineNumbers: true,
      matchBrackets: true,
      viewportMargin: Infinity,
      screenReaderLabel: "Query",
      extraKeys: {
        "Ctrl-Enter": () => run(),
        "Cmd-Enter": () => run(),
        Esc: (cm) => cm.setOption("extraKeys", { ...cm.getOption("extraKeys"), Tab: false, "Shift-Tab": false }),
        Tab: (cm) => cm.replaceSelection("  "),
      },
    });
    field.required = false;
    editor.on("focus", (cm) =>
      cm.setOption("extraKeys", { ...cm.getOption("extraKeys"), Tab: (one) => one.replaceSelection("  "), "Shift-Tab": undefined }));
  }
  const text = () => (editor ? editor.getValue() : field.value);
  const put = (value) => (editor ? editor.setValue(value) : (field.value = value));

  const element = (tag, words, ...inside) => {
    const made = document.createElement(tag);
    if (words) made.textContent = words;
    made.append(...inside);
    return made;
  };

  const cell = (term) => {
    if (!term) return element("td");
    if (term.type === "uri" && /^https?:/.test(term.value)) {
      const link = element("a", decoded(term.value));
      link.href = term.value;
      return element("td", "", link);
    }
    const made = element("td", term.type === "bnode" ? `_:${term.value}` : term.value);
    if (term.datatype && /#(integer|double|decimal|float)$/.test(term.datatype)) made.className = "n";
    if (term["xml:lang"]) {
      made.lang = term["xml:lang"];
      made.append(" ", element("small", term["xml:lang"]));
    }
    return made;
  };
  const decoded = (address) => {
    try { return decodeURI(address); } catch { return address; }
  };

  const table = (answer, took) => {
    const rows = answer.results.bindings;
    const names = answer.head.vars;
    const more = rows.length > SHOWN ? `; the first ${SHOWN} are shown` : "";
    const head = element("tr", "", ...names.map((name) => {
      const made = element("th", name);
      made.scope = "col";
      return made;
    }));
    const lines = rows.slice(0, SHOWN).map((row) => element("tr", "", ...names.map((name) => cell(row[name]))));
    const made = element("table", "", element("caption", `${rows.length} ${rows.length === 1 ? "row" : "rows"} in ${took} ms${more}`),
      element("thead", "", head), element("tbody", "", ...lines));
    const around = element("div", "", made);
    around.className = "scroll";
    around.tabIndex = 0;
    return around;
  };

  const shown = async (response, began) => {
    const kind = (response.headers.get("Content-Type") || "").split(";")[0];
    if (!response.ok) {
      const problem = kind.endsWith("json") ? await response.json() : { title: `Status ${response.status}`, detail: await response.text() };
      const said = element("pre", problem.detail || "");
      const notice = element("div", "", element("strong", problem.title), said);
      notice.className = "notice";
      notice.setAttribute("role", "alert");
      return notice;
    }
    if (kind !== "application/sparql-results+json") return element("pre", await response.text());
    const answer = await response.json();
    if ("boolean" in answer) return element("p", answer.boolean ? "Yes." : "No.");
    return table(answer, Math.round(performance.now() - began));
  };

  const run = async (remember = true) => {
    const query = text();
    const address = new URL(form.action);
    address.searchParams.set("query", query);
    if (remember && address.href !== location.href) history.pushState({ query }, "", address);
    const turn = ++latest;
    found.replaceChildren(element("p", "Asking …"));
    const began = performance.now();
    try {
      const response = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams({ query }),
        headers: { Accept: "application/sparql-results+json, text/turtle;q=0.9" },
      });
      const answer = await shown(response, began);
      if (turn === latest) found.replaceChildren(answer);
    } catch (error) {
      if (turn === latest) found.replaceChildren(element("p", `No answer (${error.message}). The server may be away; try again.`));
    }
  };

  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.name === "raw") return; // the file, as without this script
    event.preventDefault();
    run();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
  samples.addEventListener("change", () => {
    if (!samples.value) return;
    put(samples.value);
    run();
  });
  window.addEventListener("popstate", () => {
    const query = new URL(location).searchParams.get("query");
    if (query) {
      put(query);
      run(false);
    }
  });
  if (form.dataset.asked) run(false);
}
