// The page of a call: sound, words in step with it, keys.  Without this file everything but the jumps works as well.
"use strict";
(() => {
  const page = document.getElementById("call");
  if (!page) return;
  const byId = (id) => document.getElementById(id);
  const audio = byId("audio");
  const told = byId("told");
  let quiet = 0;
  const say = (text, failed = false) => {
    told.textContent = "";
    told.classList.toggle("failed", failed);
    // A new task: a text that is the same as before is read out again.
    setTimeout(() => { told.textContent = text; }, 30);
    clearTimeout(quiet);
    quiet = setTimeout(() => { told.textContent = ""; }, failed ? 20000 : 6000);
  };
  const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
  const kept = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* not kept, that is all */ } },
  };
  for (const one of document.querySelectorAll(".js")) one.hidden = false;

  // --- words in step with the sound ---------------------------------------------------------------------------------

  const timed = (selector) => [...document.querySelectorAll(selector)].map((node) => ({
    node, start: Number(node.dataset.s), end: Number(node.dataset.e),
  }));
  const words = timed(".w").sort((a, b) => a.start - b.start);
  const turns = timed(".turn");
  const scroll = byId("transcript");
  let stopAt = null;
  let shownWord = null;
  let shownTurn = null;

  const lastBefore = (list, ms) => {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].start <= ms) low = middle + 1; else high = middle;
    }
    return low - 1;
  };

  const follow = (turn) => {
    if (!scroll || !byId("follow").checked || scroll.contains(document.activeElement)) return;
    const box = scroll.getBoundingClientRect();
    const line = turn.getBoundingClientRect();
    if (scroll.scrollHeight > scroll.clientHeight && (line.top < box.top || line.bottom > box.bottom - 40)) {
      scroll.scrollTop += line.top - box.top - box.height / 3;
    }
  };

  const show = () => {
    const ms = audio.currentTime * 1000;
    byId("now").textContent = clock(audio.currentTime);
    const seek = byId("seek");
    if (document.activeElement !== seek || !audio.paused) seek.value = String(Math.floor(audio.currentTime));
    seek.setAttribute("aria-valuetext", page.dataset.of
      .replace("{now}", clock(audio.currentTime)).replace("{length}", clock(Number(seek.max))));
    const at = lastBefore(words, ms + 1);
    const word = at >= 0 && ms < words[at].end + 400 ? words[at].node : null;
    if (word !== shownWord) {
      shownWord?.classList.remove("current");
      word?.classList.add("current");
      shownWord = word;
    }
    const turn = word?.closest(".turn") ?? turns.filter((one) => one.start <= ms && ms < one.end).pop()?.node ?? null;
    if (turn !== shownTurn) {
      shownTurn?.classList.remove("current");
      turn?.classList.add("current");
      shownTurn = turn;
      if (turn && !audio.paused) follow(turn);
    }
    if (stopAt !== null && ms >= stopAt) { audio.pause(); stopAt = null; }
    draw();
  };

  const seekTo = (ms) => { audio.currentTime = Math.max(0, ms / 1000); };
  const play = (from = null, to = null) => {
    if (!audio) return;
    if (from !== null) seekTo(from);
    stopAt = to;
    audio.play().catch(() => say(page.dataset.failed, true));
  };
  const toggle = () => { if (!audio) return; if (audio.paused) play(); else audio.pause(); };

  // --- the picture --------------------------------------------------------------------------------------------------

  const canvas = byId("wave");
  let peaks = null;
  let lit = [];  // evidence of the criterion that is at hand, [start, end] in ms

  const colour = (name) => getComputedStyle(page).getPropertyValue(name).trim();
  const still = document.createElement("canvas");  // all but the cursor, which moves with every frame
  const paint = () => {
    if (!canvas || !peaks) return;
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    for (const one of [canvas, still]) {
      one.width = Math.round(width * ratio);
      one.height = Math.round(height * ratio);
    }
    const pen = still.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const x = (ms) => (ms / peaks.duration_ms) * width;
    const band = (start, end, fill) => {
      pen.fillStyle = fill;
      pen.fillRect(x(start), 0, Math.max(2, x(end) - x(start)), height);
    };
    for (const one of timed('.event[data-event="hold"]')) band(one.start, one.end, "#d5dae1");
    for (const [start, end] of lit) {
      band(start, end, colour("--found"));
      pen.fillStyle = "#8a6d00";
      pen.fillRect(x(start), height - 4, Math.max(2, x(end) - x(start)), 4);
    }
    const lanes = peaks.peaks.length;
    const lane = height / lanes;
    const tints = { agent: colour("--agent"), citizen: colour("--citizen"), unknown: "#59616b", ivr: "#59616b" };
    let turn = 0;
    peaks.peaks.forEach((row, index) => {
      const middle = lane * (index + 0.5);
      const step = width / row.length;
      turn = 0;
      row.forEach((value, at) => {
        let side = peaks.sides[index];
        if (side === "mixed") {
          const ms = (at / row.length) * peaks.duration_ms;
          while (turn + 1 < turns.length && turns[turn + 1].start <= ms) turn += 1;
          side = turns[turn] && turns[turn].start <= ms ? turns[turn].node.dataset.role : "unknown";
        }
        const tall = Math.max(1, (value / 100) * (lane - 6));
        pen.fillStyle = tints[side];
        pen.fillRect(at * step, middle - tall / 2, Math.max(1, step * 0.8), tall);
      });
    });
    for (const one of timed('.event[data-event="overlap"]')) {
      pen.save();
      pen.beginPath();
      pen.rect(x(one.start), 0, Math.max(3, x(one.end) - x(one.start)), height);
      pen.clip();
      pen.strokeStyle = colour("--both");
      pen.lineWidth = 1.5;
      for (let at = -height; at < width; at += 6) {
        pen.beginPath();
        pen.moveTo(x(one.start) + at, height);
        pen.lineTo(x(one.start) + at + height, 0);
        pen.stroke();
      }
      pen.restore();
    }
    draw();
  };
  const draw = () => {
    if (!canvas || !peaks || !still.width) return;
    const pen = canvas.getContext("2d");
    const at = (audio.currentTime * 1000 / peaks.duration_ms) * canvas.width;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(still, 0, 0);
    pen.fillStyle = "#1b1f24";
    pen.fillRect(at - 1, 0, 3, canvas.height);
  };

  if (audio) {
    audio.controls = false;
    audio.hidden = true;
    fetch(byId("player").dataset.peaks)
      .then((answer) => (answer.ok ? answer.json() : null))
      .then((found) => { peaks = found; paint(); })
      .catch(() => { /* the sound plays without its picture */ });
    new ResizeObserver(paint).observe(canvas);
    // What sticks below it, and what must not hide behind it, goes by its height.
    new ResizeObserver(([one]) => {
      document.documentElement.style.setProperty("--player", `${one.target.offsetHeight}px`);
    }).observe(byId("player"));
    audio.addEventListener("timeupdate", show);
    audio.addEventListener("seeked", show);
    const button = byId("play");
    const pressed = () => {
      button.textContent = audio.paused ? button.dataset.play : button.dataset.pause;
      button.setAttribute("aria-pressed", String(!audio.paused));
    };
    // timeupdate comes four times a second: too slow to keep in step with words.
    const tick = () => { if (!audio.paused) { show(); requestAnimationFrame(tick); } };
    audio.addEventListener("play", () => { pressed(); tick(); });
    audio.addEventListener("pause", pressed);
    button.addEventListener("click", toggle);
    canvas.addEventListener("click", (event) => {
      if (peaks) { stopAt = null; seekTo((event.offsetX / canvas.clientWidth) * peaks.duration_ms); }
    });
    byId("seek").addEventListener("input", (event) => { stopAt = null; seekTo(Number(event.target.value) * 1000); });
    byId("speed").value = kept.get("call-speed") ?? "1";
    audio.playbackRate = Number(byId("speed").value) || 1;
    byId("speed").addEventListener("change", (event) => {
      audio.playbackRate = Number(event.target.value);
      kept.set("call-speed", event.target.value);
    });
  }

  document.addEventListener("click", (event) => {
    const hear = event.target.closest(".hear");
    if (hear && audio) {
      event.preventDefault();
      play(Number(hear.dataset.s) - 300, Number(hear.dataset.e) + 700);
      reveal(Number(hear.dataset.s));
      return;
    }
    const at = event.target.closest(".w, .jump");
    if (at && audio && !String(window.getSelection())) play(Number(at.dataset.s));
  });

  const reveal = (ms) => {
    const turn = turns.filter((one) => one.start <= ms).pop()?.node;
    if (turn && byId("follow")?.checked) follow(turn);
  };

  // One stop of Tab for all the times in the transcript: arrows go from one to the next.
  const jumps = [...document.querySelectorAll("#transcript .jump")];
  jumps.forEach((one, index) => { one.tabIndex = index ? -1 : 0; });
  scroll?.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = jumps.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const to = jumps[Math.min(jumps.length - 1, Math.max(0, at + step))];
    jumps[at].tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  });

  // --- criteria -----------------------------------------------------------------------------------------------------

  const criteria = () => [...document.querySelectorAll(".criterion")];
  let heardOf = 0;  // which of a criterion's moments is next
  const current = () => document.activeElement?.closest(".criterion")
    ?? (chosen && byId(chosen)) ?? null;
  let chosen = null;

  const light = (card) => {
    for (const one of document.querySelectorAll(".w.found")) one.classList.remove("found");
    lit = card ? [...card.querySelectorAll(".hear")].map((a) => [Number(a.dataset.s), Number(a.dataset.e)]) : [];
    for (const [start, end] of lit) {
      for (const one of words) if (one.start < end && start < one.end) one.node.classList.add("found");
    }
    paint();
  };
  const choose = (card) => {
    if (!card) return;
    if (chosen !== card.id) heardOf = 0;
    chosen = card.id;
    light(card);
  };
  const go = (step) => {
    const all = criteria();
    const at = all.indexOf(current());
    const card = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))];
    card.focus();
    choose(card);
  };
  document.addEventListener("focusin", (event) => choose(event.target.closest(".criterion")));

  const hear = (card) => {
    const found = card ? [...card.querySelectorAll(".hear")] : [];
    if (!found.length) { say(page.dataset.noEvidence); return; }
    found[heardOf % found.length].click();
    heardOf += 1;
  };
  const correct = (card, digit = 0) => {
    const details = card?.querySelector("details.correct");
    if (!details) return;
    details.open = true;
    const radios = details.querySelectorAll('input[type="radio"]');
    if (digit) { radios[digit - 1].checked = true; details.querySelector("select").focus(); } else {
      ([...radios].find((one) => one.checked) ?? radios[0]).focus();
    }
  };
  const pick = (card, digit) => {
    const blind = card?.querySelectorAll(".pick");
    if (blind?.length) { onward = true; blind[digit - 1].click(); } else correct(card, digit);
  };

  // --- saving -------------------------------------------------------------------------------------------------------

  let onward = false;  // after a save by key: on to the next criterion
  document.addEventListener("htmx:afterSettle", (event) => {
    const card = event.target;  // the progress and the item's status settle too
    if (!card.classList?.contains("criterion")) return;
    if (card.dataset.error) {
      const inside = card.querySelector("select, button");
      (inside ?? card).focus();
    } else {
      say(page.dataset.saved.replace("{name}", card.dataset.name).replace("{answer}", card.dataset.answer));
      card.focus({ preventScroll: true });
      choose(card);
      if (onward) go(1);
    }
    onward = false;
  });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => { onward = false; say(page.dataset.failed, true); });
  }

  // --- keys ---------------------------------------------------------------------------------------------------------

  const help = byId("help");
  const isOn = byId("keys-on");
  isOn.checked = kept.get("call-keys") !== "off";
  isOn.addEventListener("change", () => kept.set("call-keys", isOn.checked ? "on" : "off"));
  byId("help-open").addEventListener("click", () => help.showModal());

  const word = (step) => {
    if (!audio || !words.length) return;
    const at = lastBefore(words, audio.currentTime * 1000 + 1) + step;
    const to = words[Math.min(words.length - 1, Math.max(0, at))];
    stopAt = null;
    seekTo(to.start);
    if (audio.paused) { play(to.start, to.end + 150); }
  };

  document.addEventListener("keydown", (event) => {
    const target = event.target;
    const isTyping = target.closest("textarea, select, input:not([type=range], [type=checkbox])") !== null;
    if (event.key === "Escape" && isTyping) {
      const card = target.closest(".criterion");
      const details = target.closest("details");
      if (details) details.open = false;
      card?.focus();
      return;
    }
    if (isTyping || help.open || !isOn.checked || event.ctrlKey || event.altKey || event.metaKey) return;
    const card = current();
    const isButton = target.closest("button, a, summary, input") !== null;
    const isSeek = target.id === "seek";
    const acts = {
      " ": () => (isButton && !isSeek ? false : toggle()),
      ArrowLeft: () => { if (!audio) return false; stopAt = null; seekTo(audio.currentTime * 1000 - 5000); return true; },
      ArrowRight: () => { if (!audio) return false; stopAt = null; seekTo(audio.currentTime * 1000 + 5000); return true; },
      ",": () => word(-1),
      ".": () => word(1),
      j: () => go(1),
      k: () => go(-1),
      Enter: () => (isButton || !card ? false : hear(card)),
      a: () => {
        const accept = card?.querySelector(".accept");
        if (accept) { onward = true; accept.click(); }
      },
      c: () => correct(card),
      f: () => byId("finish-on")?.focus(),
      n: () => byId("next").click(),
      "?": () => help.showModal(),
    };
    for (const digit of [1, 2, 3, 4]) acts[digit] = () => pick(card, digit);
    const act = acts[event.key];
    if (act && act() !== false) event.preventDefault();
  });

  // A field for a moment takes the one that is heard now.
  for (const field of document.querySelectorAll("input.now")) {
    field.addEventListener("focus", () => { if (!field.value && audio) field.value = clock(audio.currentTime); });
  }
  byId("error")?.scrollIntoView({ block: "center" });
})();
