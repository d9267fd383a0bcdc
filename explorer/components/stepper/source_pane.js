// The source that ran, line by line, the current line and expression lit.

import { el } from "../shared/dom.js";

const KEYWORDS = /^(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|not|or|pass|raise|return|try|while|with|yield|None|True|False|self)$/;
const TOKENS = /("""[\s\S]*?"""|'''[\s\S]*?'''|[rfb]*"(?:\\.|[^"\\\n])*"|[rfb]*'(?:\\.|[^'\\\n])*')|(#.*)|([\p{L}_][\p{L}\p{N}_]*)|(\d[\d_.eE]*)|([\s\S])/gu;

/** Python text → lines of {text, kind: "string" | "comment" | "keyword" | "name" | "number" | "", column}. */
export function highlight(text) {
  const lines = [[]];
  let column = 0;
  for (const [whole, string, comment, name, number] of text.matchAll(TOKENS)) {
    const kind = string ? "string" : comment ? "comment" : name ? (KEYWORDS.test(name) ? "keyword" : "name") : number ? "number" : "";
    whole.split("\n").forEach((part, i) => {
      if (i > 0) {
        lines.push([]);
        column = 0;
      }
      if (part) lines.at(-1).push({ text: part, kind, column });
      column += part.length;
    });
  }
  return lines;
}

export class SourcePane {
  /** onLine(file, line): a line with steps was clicked. roleOf(name): palette role of a name in the source, or undefined. */
  constructor({ onLine, roleOf }) {
    this.onLine = onLine;
    this.roleOf = roleOf;
    this.title = el("div", { class: "source-title mono faint" });
    this.list = el("div", { class: "source-lines mono", role: "list", "aria-label": "Source code" });
    this.element = el("section", { class: "source" }, this.title, this.list);
    this.file = null;
  }

  /** sources: [{file, text}]; stops: per file a Set of lines that have steps; edited: of lines whose numbers were set by hand. */
  setSources(sources, stops, edited) {
    this.edited = edited;
    this.sources = sources.map((source) => ({ ...source, lines: highlight(source.text.replace(/\n$/, "")) }));
    this.stops = stops;
    this.file = null;
  }

  renderFile(file) {
    this.file = file;
    const { lines } = this.sources[file];
    this.rows = lines.map((tokens, i) => {
      const stop = this.stops[file].has(i + 1);
      const code = el("code", {}, ...tokens.map((token) => {
        const role = token.kind === "name" ? this.roleOf(token.text) : undefined;
        const span = el("span", { class: role ? "tok-role" : token.kind ? `tok-${token.kind}` : null }, token.text);
        if (role) span.style.setProperty("--role", `var(--role-${role})`);
        span.dataset.column = token.column;
        return span;
      }));
      const edited = this.edited[file].has(i + 1);
      return el("div", { class: `line${stop ? " stop" : ""}${edited ? " by-hand" : ""}`, title: edited ? "You set numbers here" : null, role: "listitem", onclick: stop ? () => this.onLine(file, i + 1) : null },
        el("span", { class: "line-number faint", "aria-hidden": "true" }, String(i + 1)), code);
    });
    this.list.replaceChildren(...this.rows);
  }

  show(step) {
    if (this.file !== step.file) this.renderFile(step.file);
    this.title.textContent = this.sources[step.file].file + (step.scope ? ` · ${step.scope}` : "");
    this.rows.forEach((row, i) => {
      const lit = i + 1 >= step.line && i + 1 <= step.end_line;
      row.classList.toggle("lit", lit);
      if (row.dataset.marked) {
        row.querySelectorAll(".now").forEach((span) => span.classList.remove("now"));
        delete row.dataset.marked;
      }
      if (!lit) return;
      row.dataset.marked = "1";
      const from = i + 1 === step.line ? step.column : 0;
      const to = i + 1 === step.end_line ? step.end_column : Infinity;
      row.querySelectorAll("code > span").forEach((span) => {
        const column = Number(span.dataset.column);
        span.classList.toggle("now", column >= from && column < to);
      });
    });
    this.scrollTo(step.line, step.end_line);
  }

  /** Keeps the lit line inside the pane, without moving the page. */
  scrollTo(line, end) {
    const top = this.rows[line - 1];
    const bottom = this.rows[Math.min(end, this.rows.length) - 1];
    if (!top || !bottom) return;
    const { scrollTop, clientHeight } = this.list;
    const [upper, lower] = [top.offsetTop, bottom.offsetTop + bottom.offsetHeight];
    if (upper < scrollTop + 24 || lower > scrollTop + clientHeight - 24) this.list.scrollTop = Math.max(0, upper - clientHeight / 2.6);
  }
}
