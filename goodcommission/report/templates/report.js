// Filters and searches what the page holds. Without it, everything is shown.
(function () {
  "use strict";
  var form = document.getElementById("filter");
  var status = document.getElementById("filter-status");
  if (!form || !status) return;
  var items = Array.from(document.querySelectorAll("[data-verdict]"), function (element) {
    return { element: element, data: element.dataset, text: plain(element.textContent) };
  });
  var groups = Array.from(document.querySelectorAll("[data-group]"));
  var fields = ["verdict", "severity", "pack", "phase", "document"];
  var opened = [];
  var waiting = 0;

  function plain(text) {
    return text.toLowerCase().replace(/\s+/g, " ").trim();
  }

  function apply() {
    var wanted = fields.filter(function (name) {
      return form.elements[name] && form.elements[name].value;
    });
    var words = plain(form.elements.search.value).split(" ").filter(Boolean);
    var active = wanted.length > 0 || words.length > 0;
    var shown = 0;
    items.forEach(function (item) {
      var fits = wanted.every(function (name) {
        return item.data[name] === form.elements[name].value;
      }) && words.every(function (word) {
        return item.text.includes(word);
      });
      item.element.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    groups.forEach(function (group) {
      group.hidden = active && !group.querySelector("[data-verdict]:not([hidden])");
    });
    opened.forEach(function (details) {
      details.open = false;
    });
    opened = active ? Array.from(document.querySelectorAll("[data-group] > details:not([open])")) : [];
    opened.forEach(function (details) {
      details.open = true;
    });
    status.textContent = active
      ? shown + " of " + items.length + (shown === 1 ? " entry fits." : " entries fit.")
      : "All " + items.length + " entries are shown.";
  }

  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 150);
  }

  // A link leads to its target even if the target is filtered out or folded away.
  function reveal() {
    var target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) {
      form.reset();
      apply();
    }
    for (var fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", apply);
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    apply();
  });
  form.addEventListener("reset", function () {
    setTimeout(apply, 0);
  });
  window.addEventListener("hashchange", reveal);
  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = Array.from(document.querySelectorAll("details:not([open])"));
    folded.forEach(function (details) {
      details.open = true;
    });
  });
  window.addEventListener("afterprint", function () {
    folded.forEach(function (details) {
      details.open = false;
    });
  });
  form.hidden = false;
  apply();
  if (location.hash) reveal();
})();
