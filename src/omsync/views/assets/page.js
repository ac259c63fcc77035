"use strict";
// Brings the tables of a page to life: search, sort, filter, turn pages, open explanations.
// All text goes into the page as text nodes, never as markup.
(() => {
  const ROWS_OF_A_PAGE = 100;
  const LONG = 32;
  const SEEN_AT_A_GLANCE = 10;
  const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const figures = new Intl.NumberFormat("en-US", { maximumFractionDigits: 20 });

  const make = (name, attributes, ...inside) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...inside);
    return made;
  };
  const counted = (many) => `${figures.format(many)} ${many === 1 ? "row" : "rows"}`;

  const unpacked = async (script) => {
    if (!script.dataset.packed) return JSON.parse(script.textContent);
    const bytes = Uint8Array.from(atob(script.textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(script.dataset.packed));
    return new Response(stream).json();
  };

  // --- how a single thing looks -----------------------------------------------------------------

  const unknown = () =>
    make("span", { class: "unknown", role: "img", "aria-label": "not known", title: "not known" }, "?");

  const drawnCell = (cell, kind) => {
    if (cell === null) return unknown();
    if (kind === "time" && typeof cell === "number") {
      const moment = new Date(cell * 1000);
      const text = moment.toISOString();
      const shown = text.slice(0, 16).replace("T", " ") + "Z";
      return make("time", { datetime: text, title: `${moment.toLocaleString()} where you are` }, shown);
    }
    if (typeof cell === "boolean") return make("bdi", {}, cell ? "yes" : "no");
    if (typeof cell === "number") return make("bdi", {}, figures.format(cell));
    return make("bdi", [...cell].length > LONG ? { class: "long" } : {}, cell);
  };

  const drawnSign = (tone, signs) => {
    if (!tone) return make("span", { class: "sign" });
    const [sign, word] = signs[tone];
    const shown = make("span", { "aria-hidden": "true" }, sign);
    return make("span", { class: `sign ${tone}`, title: word }, shown, make("span", { class: "unseen" }, word));
  };

  const drawnBranch = ([label, figure, detail, tone, below], signs) => {
    const line = make("div", { class: tone ? `branch is-${tone}` : "branch" });
    if (tone) line.append(drawnSign(tone, signs));
    line.append(make("bdi", { class: "label" }, label));
    if (figure !== undefined && figure !== null) {
      const text = typeof figure === "number" ? figures.format(figure) : figure;
      line.append(make("b", { class: "figure" }, text));
    }
    if (detail) line.append(make("bdi", { class: "detail" }, detail));
    const item = make("li", {}, line);
    if (below) item.append(make("ul", {}, ...below.map((one) => drawnBranch(one, signs))));
    return item;
  };

  // --- the order of rows ------------------------------------------------------------------------

  const numbered = (cell) => {
    if (typeof cell !== "string") return Number(cell);
    return cell.trim() ? Number(cell.replaceAll(",", "")) : NaN;
  };

  // Numbers as numbers, words after them, and what is not known last, whichever way the order goes.
  const comparing = (kind, direction) => (left, right) => {
    if (left === null || right === null) return (left === null) - (right === null);
    if (kind === "number" || kind === "time") {
      const [a, b] = [numbered(left), numbered(right)];
      if (!Number.isNaN(a) && !Number.isNaN(b)) return (a - b) * direction;
      if (Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    }
    return byName.compare(String(left), String(right)) * direction;
  };

  // --- a table ----------------------------------------------------------------------------------

  const enliven = (section, name, data) => {
    const { columns, rows, tones, trees, titles, notes, signs } = data;
    const called = (tone) => data.words[tone] ?? (tone ? signs[tone][1] : "other");
    const signsOfRows = Object.fromEntries(Object.keys(signs).map((tone) => [tone, [signs[tone][0], called(tone)]]));
    const title = section.querySelector("h2").textContent;
    const box = section.querySelector(".scroll");
    const body = box.querySelector("tbody");
    const heads = [...box.querySelectorAll("thead th")];
    const titlesOfColumns = heads.map((head) => head.textContent);
    const keys = columns.flatMap(([, isKey], place) => (isKey ? [place] : []));
    const opened = new Set();
    const wanted = new Set();
    let searched = "";
    let sorted = { column: -1, direction: 0 };
    let page = 0;
    let found = rows.map((_, place) => place);
    let words = null;

    const choose = () => {
      words ??= rows.map((row) => keys.map((key) => row[key] ?? "").join("\n").toLowerCase());
      const parts = searched.toLowerCase().split(/\s+/).filter(Boolean);
      found = rows
        .map((_, place) => place)
        .filter((place) => !wanted.size || wanted.has(tones[place] ?? ""))
        .filter((place) => parts.every((part) => words[place].includes(part)));
      const { column, direction } = sorted;
      if (direction) {
        const compare = comparing(columns[column][0], direction);
        found.sort((left, right) => compare(rows[left][column], rows[right][column]) || left - right);
      }
      page = 0;
      draw();
      box.scrollTop = 0;
    };

    const explanation = (place) => {
      const tree = make("ul", { class: "tree" }, drawnBranch(trees[place], signs));
      const inside = [make("p", { class: "why-title" }, titles[place]), tree];
      if (notes[place]) inside.push(make("p", { class: "note" }, notes[place]));
      const cell = make("td", { colspan: String(columns.length) }, make("div", { class: "why" }, ...inside));
      return make("tr", { class: "opened", id: `${name}-why-${place}` }, cell);
    };

    const turn = (place, row) => {
      const button = row.querySelector("button");
      const isOpen = opened.delete(place);
      if (isOpen) {
        row.nextElementSibling.remove();
      } else {
        opened.add(place);
        row.after(explanation(place));
      }
      button.setAttribute("aria-expanded", String(!isOpen));
    };

    const drawnRow = (place) => {
      const tone = tones[place] ?? "";
      const row = make("tr", tone ? { class: `is-${tone}` } : {});
      rows[place].forEach((cell, number) => {
        const kind = columns[number][0];
        const style = kind === "text" ? "" : kind;
        if (number !== keys[0]) {
          row.append(make("td", style ? { class: style } : {}, drawnCell(cell, kind)));
          return;
        }
        const sign = tones.length ? [drawnSign(tone, signsOfRows)] : [];
        const named = make("span", { class: "named" }, ...sign, drawnCell(cell, kind));
        const head = make("th", { scope: "row", class: `key ${style}`.trim() });
        if (trees[place]) {
          const open = { type: "button", class: "open", "aria-expanded": String(opened.has(place)) };
          open["aria-controls"] = `${name}-why-${place}`;
          open.title = "Why";
          head.append(make("button", open, named));
          row.classList.add("opens");
          row.addEventListener("click", (event) => {
            const isButton = event.target.closest("button");
            if (isButton || String(getSelection()) === "") turn(place, row);
          });
        } else {
          head.append(named);
        }
        row.append(head);
      });
      return row;
    };

    const draw = () => {
      const first = page * ROWS_OF_A_PAGE;
      const shown = found.slice(first, first + ROWS_OF_A_PAGE);
      const drawn = shown.flatMap((place) =>
        opened.has(place) ? [drawnRow(place), explanation(place)] : [drawnRow(place)],
      );
      if (!drawn.length) {
        const nothing = make("td", { colspan: String(columns.length), class: "empty" }, "No row matches.");
        drawn.push(make("tr", {}, nothing));
      }
      body.replaceChildren(...drawn);
      heads.forEach((head, number) => {
        const way = { 1: "ascending", "-1": "descending" }[number === sorted.column ? sorted.direction : 0];
        if (way) head.setAttribute("aria-sort", way);
        else head.removeAttribute("aria-sort");
      });
      const all = counted(rows.length);
      status.textContent = found.length === rows.length ? all : `${figures.format(found.length)} of ${all}`;
      pager.hidden = found.length <= ROWS_OF_A_PAGE;
      const last = Math.max(0, Math.ceil(found.length / ROWS_OF_A_PAGE) - 1);
      const until = first + shown.length;
      where.textContent =
        `${figures.format(first + 1)} to ${figures.format(until)} of ${figures.format(found.length)}`;
      for (const button of pager.querySelectorAll("button")) {
        const stays = button.dataset.back ? page === 0 : page === last;
        button.setAttribute("aria-disabled", String(stays));
      }
    };

    const goTo = (wish) => {
      const last = Math.ceil(found.length / ROWS_OF_A_PAGE) - 1;
      const next = Math.min(Math.max(wish(last), 0), last);
      if (next === page) return;
      page = next;
      draw();
      box.scrollTop = 0;
    };

    // --- what it is worked with -----------------------------------------------------------------

    const field = make("input", { type: "search", id: `${name}-search`, autocomplete: "off", spellcheck: "false" });
    const keyWords = keys.length < columns.length ? keys.map((key) => titlesOfColumns[key]).join(", ") : "all columns";
    field.placeholder = keyWords;
    let waiting = 0;
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        searched = field.value;
        choose();
      }, 80);
    });
    const label = make("label", { for: field.id }, "Search");
    const status = make("p", { class: "status", role: "status" });

    const chips = make("div", { class: "chips", role: "group", "aria-label": "Show only" });
    const tally = new Map();
    for (const tone of tones) tally.set(tone, (tally.get(tone) ?? 0) + 1);
    if (tally.size > 1) {
      for (const tone of [...Object.keys(signs), ""].filter((one) => tally.has(one))) {
        const many = make("span", { class: "many" }, figures.format(tally.get(tone)));
        const chip = make("button", { type: "button", class: "chip", "aria-pressed": "false" });
        chip.dataset.tone = tone;
        if (tone) chip.append(make("span", { class: `sign ${tone}`, "aria-hidden": "true" }, signs[tone][0]));
        chip.append(called(tone), " ", many);
        chip.addEventListener("click", () => {
          if (!wanted.delete(tone)) wanted.add(tone);
          chip.setAttribute("aria-pressed", String(wanted.has(tone)));
          choose();
        });
        chips.append(chip);
      }
    }

    const where = make("span", { class: "where", "aria-live": "polite" });
    const step = (text, spoken, wish, isBack) => {
      const button = make("button", { type: "button", "aria-label": spoken, title: spoken }, text);
      if (isBack) button.dataset.back = "yes";
      button.addEventListener("click", () => goTo(wish));
      return button;
    };
    const pager = make(
      "nav",
      { class: "pager", "aria-label": `Pages of ${title}` },
      step("«", "First page", () => 0, true),
      step("‹ Previous", "Previous page", () => page - 1, true),
      where,
      step("Next ›", "Next page", () => page + 1, false),
      step("»", "Last page", (last) => last, false),
    );

    heads.forEach((head, number) => {
      const button = make("button", { type: "button", class: "sort" }, titlesOfColumns[number]);
      button.addEventListener("click", () => {
        // Up, down, and back to the order that the rows came in.
        const direction = number === sorted.column ? { 1: -1, "-1": 0, 0: 1 }[sorted.direction] : 1;
        sorted = { column: number, direction };
        choose();
      });
      // On paper every page repeats the headings, but no buttons in them.
      head.replaceChildren(button, make("span", { class: "printed" }, titlesOfColumns[number]));
    });

    const tools = make("div", { class: "tools" }, make("div", { class: "search" }, label, field), chips, status);
    tools.hidden = rows.length <= SEEN_AT_A_GLANCE;
    box.before(tools);
    box.after(pager);
    section.querySelector(".more")?.remove();
    draw();
  };

  const start = async (script) => {
    const section = script.closest("section");
    try {
      enliven(section, script.id, await unpacked(script));
    } catch (error) {
      // The first rows stand in the page, with a sentence that says what shows the others.
      section.querySelector(".more")?.classList.add("failed");
      console.warn(`The rows could not be unpacked: ${error}`);
    }
  };

  for (const script of document.querySelectorAll("script[id^='data-']")) start(script);

  // On paper nothing can be opened.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
})();
