// Adds to the questions what only a script can: the interval narrows while one answers, a draft stays in the browser,
// and the report tries other values at once. Without it, every page works by sending it.
(function () {
  "use strict";
  var DRAFT = "goodcommission.draft";
  var WAIT = 300;

  function kept() {
    try {
      var draft = JSON.parse(localStorage.getItem(DRAFT));
      return draft && typeof draft.text === "string" && draft.text ? draft : null;
    } catch (error) { return null; }
  }

  function keep(text) {
    var title = "";
    try { title = String(JSON.parse(text).title || ""); } catch (error) { return; }
    try { localStorage.setItem(DRAFT, JSON.stringify({ text: text, title: title, at: Date.now() })); } catch (error) { /* no room, or not allowed: nothing is kept */ }
  }

  // One request at a time is of use: the last one. Returns a function that asks anew when things have settled.
  function live(form, address, shown) {
    var timer = 0, last = null;
    return function () {
      clearTimeout(timer);
      timer = setTimeout(function () {
        if (last) { last.abort(); }
        last = new AbortController();
        fetch(address, { method: "POST", body: new URLSearchParams(new FormData(form)), signal: last.signal })
          .then(function (answer) { return answer.ok ? answer : Promise.reject(new Error("refused")); })
          .then(shown)
          .catch(function () { /* the page works without it */ });
      }, WAIT);
    };
  }

  // A box that says "don't know" or "none" and an entry exclude each other: the last that was touched stands.
  function exclusive(field, touched) {
    var mark = touched.name.indexOf("mark:") === 0;
    if (mark && !touched.checked) { return; }
    if (!mark && (touched.type === "checkbox" ? !touched.checked : !touched.value)) { return; }
    if (touched.name.indexOf("all:") === 0) { return; }
    field.querySelectorAll("input, textarea, select").forEach(function (other) {
      var isMark = other.name.indexOf("mark:") === 0;
      if (other === touched || (!mark && !isMark)) { return; }
      if (other.type === "checkbox" || other.type === "radio") { other.checked = false; } else { other.value = ""; }
    });
  }

  var asking = document.querySelector("[data-asking]");
  if (asking) {
    keep(asking.elements.so_far.value);
    var put = function (name, text) {
      var place = asking.querySelector("[data-" + name + "]");
      if (place.textContent !== text) { place.textContent = text; }
    };
    var ask = live(asking, "/questions/progress", function (answer) {
      return answer.json().then(function (now) {
        var low = now.low || 0, high = now.high === null ? 100 : now.high;
        asking.querySelector("[data-sure]").setAttribute("width", low + "%");
        var either = asking.querySelector("[data-either]");
        either.setAttribute("x", low + "%");
        either.setAttribute("width", (high - low) + "%");
        put("grade", now.grade_words);
        put("words", now.words);
        put("could", now.could);
        put("decided", String(now.decided));
        put("rules", String(now.rules));
        put("left", String(now.left));
        put("pages", now.left === 1 ? "page" : "pages");
        put("said", now.words + " " + now.could);
      });
    });
    asking.addEventListener("input", function (event) {
      var field = event.target.closest(".field");
      if (field && event.target.name) { exclusive(field, event.target); }
      ask();
    });
  }

  var offer = document.querySelector("[data-draft-offer]");
  var draft = offer && kept();
  if (draft) {
    offer.querySelector("[data-draft-text]").value = draft.text;
    offer.querySelector("[data-draft-name]").textContent = draft.title || "a description without a name";
    var when = new Date(draft.at);
    if (!isNaN(when)) { offer.querySelector("[data-draft-when]").textContent = "from " + when.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" }); }
    offer.hidden = false;
    offer.querySelector("[data-draft-forget]").addEventListener("click", function () {
      localStorage.removeItem(DRAFT);
      offer.hidden = true;
      document.querySelector("h1").setAttribute("tabindex", "-1");
      document.querySelector("h1").focus();
    });
  }

  var trying = document.querySelector("[data-what-if]");
  if (trying) {
    var outcome = document.querySelector("[data-outcome]");
    var show = function (answer) {
      return answer.text().then(function (text) {
        var made = new DOMParser().parseFromString(text, "text/html");
        outcome.replaceChildren.apply(outcome, Array.prototype.slice.call(made.body.childNodes));
      });
    };
    var attempt = live(trying, "/what-if/outcome", show);
    trying.addEventListener("input", function (event) {
      var field = event.target.closest(".field");
      if (field && event.target.name) { exclusive(field, event.target); }
      attempt();
    });
    trying.addEventListener("submit", function (event) {
      if (!event.submitter || event.submitter.name !== "try") { return; }
      event.preventDefault();
      attempt();
    });
    trying.addEventListener("reset", function () { setTimeout(attempt, 0); });
  }
})();
