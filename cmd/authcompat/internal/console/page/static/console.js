// The console's script. Pages are whole without it: it copies, fills in and follows what goes on.
//
// Trusted Types are required: texts are set with textContent, elements made with createElement or
// cloned from a <template>; nothing is parsed as HTML. Each view has a section of its own.

// page

/** all returns the elements that a selector finds, as an array. */
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** element makes an element with a class and a text. */
function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** announce has screen readers say a text. */
function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/**
 * follow listens to the events of a path until the page is left: handlers has a function for each
 * type of event, which gets the parsed JSON of its data. A handler that returns false ends it.
 */
function follow(path, handlers) {
  const source = new EventSource(path);
  for (const [type, handle] of Object.entries(handlers)) {
    source.addEventListener(type, (event) => {
      if (handle(JSON.parse(event.data)) === false) source.close();
    });
  }
  addEventListener("pagehide", () => source.close());
  return source;
}

// A button with data-copy="ID" copies the text of that element. It is hidden without this script.
for (const button of all("button[data-copy]")) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const from = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(from.value ?? from.textContent);
      button.textContent = "Copied";
      announce("Copied");
    } catch {
      getSelection().selectAllChildren(from);
      button.textContent = "Selected";
      announce("It could not be copied and is selected instead");
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

// An input with data-filter="SELECTOR" hides those of the elements whose text does not have all its words.
for (const input of all("input[data-filter]")) {
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const item of all(input.dataset.filter)) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      if (!item.hidden) left++;
    }
    announce(left === 1 ? "1 is left" : `${left} are left`);
  };
  input.addEventListener("input", filter);
  if (input.value) filter();
}

// browse

// try

// A request may take half a minute: it is said that it is under way, and a double click does not send it twice.
for (const form of all("form.try")) {
  let sent = -1000;
  form.addEventListener("submit", (event) => {
    if (event.timeStamp - sent < 1000) {
      event.preventDefault();
      return;
    }
    sent = event.timeStamp;
    form.setAttribute("aria-busy", "true");
    announce("It is being sent");
  });
  addEventListener("pageshow", () => {
    sent = -1000;
    form.removeAttribute("aria-busy");
  });
}

// suite

/** badge gives a badge a word, and the class that goes with it. */
function badge(element, word, kind) {
  element.textContent = word;
  element.className = `badge ${kind}`;
}

// A run is followed in the table of its page: what is filled in here is what the page has when it is loaded again.
for (const run of all("section.suite[data-follow]")) {
  const rows = new Map(all("tr[data-row]", run).map((row) => [Number(row.dataset.row), row]));
  let said = 0;
  const show = (progress) => {
    const bar = run.querySelector("progress");
    bar.value = progress.done;
    const text = document.getElementById("said");
    text.textContent = progress.text;
    text.className = `notice ${progress.class} break`;
    if (progress.began) document.getElementById("began").textContent = `Begun ${progress.began}`;
    if (progress.took) document.getElementById("took").textContent = `, took ${progress.took}`;
    for (const figure of all("[data-count]", run)) figure.textContent = progress[figure.dataset.count];
    const quarter = Math.floor(4 * progress.done / progress.total);
    if (progress.running && quarter > said) {
      said = quarter;
      announce(`${progress.done} of ${progress.total} replayed, ${progress.failed} failed`);
    }
  };
  follow(run.dataset.follow, {
    exchange(one) {
      const row = rows.get(one.number);
      if (!row) return;
      badge(row.querySelector(".badge"), one.verdict.word, one.verdict.class);
      row.querySelector(".why").textContent = one.why;
      row.querySelector(".num").textContent = one.took;
    },
    progress: show,
    end(progress) {
      show(progress);
      for (const left of rows.values()) {
        const mark = left.querySelector(".badge");
        if (mark.textContent === "waiting") badge(mark, "not tried", "");
      }
      document.getElementById("stop").hidden = true;
      document.getElementById("start").hidden = false;
      document.getElementById("again").hidden = progress.left === 0;
      for (const label of all("[data-when]", run)) label.textContent = label.dataset.when;
      announce(progress.text);
      return false;
    },
  });
}

// The overview follows all runs at once: a browser keeps few connections to one server.
for (const list of all("ul.suite[data-follow]")) {
  const cards = new Map(all("[data-target]", list).map((card) => [card.dataset.target, card]));
  follow(list.dataset.follow, {
    target(one) {
      const card = cards.get(one.target);
      card.querySelector("progress").max = one.total;
      card.querySelector("progress").value = one.done;
      badge(card.querySelector(".badge"), one.word, one.class);
      card.querySelector(".text").textContent = one.text;
      if (!one.running) announce(`${one.target}: ${one.text}`);
    },
    end: () => false,
  });
}

// operate

// What has data-follow="PATH" is brought up to date by the samples from there, which have texts and paths of SVG by the ids of
// their elements. A sample for a page of another shape, as after the first login with another outcome, loads the page again.
for (const live of all("[data-follow]")) {
  const source = follow(live.dataset.follow, {
    sample: ({ shape, texts, paths }) => {
      if (shape !== live.dataset.shape) {
        location.reload();
        return false;
      }
      for (const [id, text] of Object.entries(texts)) {
        const shown = document.getElementById(id);
        if (shown && shown.textContent !== text) shown.textContent = text;
      }
      for (const [id, path] of Object.entries(paths)) document.getElementById(id)?.setAttribute("d", path);
      return true;
    },
  });
  source.addEventListener("open", () => {
    for (const hint of all("[data-following]")) hint.textContent = "This page follows them by itself.";
  });
}
