// Tells people when the wall shows old news: a silent green wall is worse than none.
"use strict";
function away(isAway) {
  document.body.classList.toggle("wall-is-away", isAway);
}
document.addEventListener("htmx:beforeSwap", function (event) {
  // The session has ended: what came is the sign-in page, to be shown as a whole.
  if (!new URL(event.detail.xhr.responseURL).pathname.startsWith("/wall")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
document.addEventListener("htmx:afterRequest", function (event) {
  away(!event.detail.successful);
});
