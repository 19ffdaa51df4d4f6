"use strict";
// Adds to the phone what needs script: answers appear by themselves, and sending does not reload the page.
(() => {
  const entries = document.getElementById("entries");
  const accounts = document.getElementById("accounts");
  const writer = document.getElementById("writer");

  const toEnd = () => { entries.scrollTop = entries.scrollHeight; };

  async function refresh() {
    const box = entries || accounts;
    const response = await fetch(box.dataset.refresh);
    if (!response.ok) return;
    const last = response.headers.get("X-Last-Entry");
    if (entries && last === entries.dataset.last) return;
    box.innerHTML = await response.text();
    if (entries) { entries.dataset.last = last; toEnd(); }
  }

  async function repeat() {
    if (!document.hidden) await refresh().catch(() => {});
    setTimeout(repeat, 1000);
  }

  async function send(form, data) {
    await fetch(form.action, { method: "POST", body: new URLSearchParams(data), headers: { "X-Phone": "script" } });
    await refresh();
  }

  if (writer) {
    writer.addEventListener("submit", (event) => {
      const field = writer.elements.text;
      event.preventDefault();
      if (!field.value.trim()) return;
      const data = new FormData(writer);
      field.value = "";
      field.focus();
      send(writer, data).catch(() => writer.submit());
    });
  }

  document.querySelectorAll("form.tap-event").forEach((form) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      closeMenus();
      send(form, new FormData(form, event.submitter)).catch(() => form.submit());
    });
  });

  const menus = Array.from(document.querySelectorAll("details.menu-top"));
  function closeMenus(except) { menus.forEach((menu) => { if (menu !== except) menu.open = false; }); }
  menus.forEach((menu) => menu.addEventListener("toggle", () => { if (menu.open) closeMenus(menu); }));
  document.addEventListener("click", (event) => { if (!event.target.closest("details.menu-top")) closeMenus(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(); });

  // In a web view «back» first goes through the pages seen in the frame, then to the chat.
  const webBack = document.getElementById("web-back");
  if (webBack) {
    webBack.addEventListener("click", (event) => {
      if (history.length > 1) { event.preventDefault(); history.back(); }
    });
  }

  if (entries) toEnd();
  if (entries || accounts) setTimeout(repeat, 600);
})();
