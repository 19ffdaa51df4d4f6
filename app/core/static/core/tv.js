// Keeps a screen alive that nobody looks after: tells when it is cut off, starts afresh once a day.
"use strict";
const DAY_MS = 24 * 60 * 60 * 1000;
document.addEventListener("htmx:afterRequest", function (event) {
  document.body.classList.toggle("wall-is-away", !event.detail.successful);
});
document.addEventListener("htmx:responseError", function (event) {
  // The screen was ended or the hall renewed: the whole page says what to do.
  if (event.detail.xhr.status === 404) {
    location.reload();
  }
});
// A page that runs for months would keep old styles and grow; nobody is there to reload it.
setTimeout(function () { location.reload(); }, DAY_MS);
