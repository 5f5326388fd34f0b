// Adds to the pages what only a script can: dropping a file, printing. Without it, everything else works.
(function () {
  "use strict";
  var form = document.querySelector("[data-drop]");
  var file = form && form.querySelector("input[type=file]");
  if (form && file) {
    var over = 0;
    document.addEventListener("dragenter", function (event) { event.preventDefault(); over += 1; document.body.classList.add("dropping"); });
    document.addEventListener("dragleave", function () { over -= 1; if (over <= 0) document.body.classList.remove("dropping"); });
    document.addEventListener("dragover", function (event) { event.preventDefault(); });
    document.addEventListener("drop", function (event) {
      event.preventDefault();
      over = 0;
      document.body.classList.remove("dropping");
      if (event.dataTransfer && event.dataTransfer.files.length) {
        file.files = event.dataTransfer.files;
        form.requestSubmit();
      }
    });
  }
  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  });
})();
