// The board of tasks: cards can be dragged, and the field on a card takes effect at once. Both work by the same form.
"use strict";

for (const board of document.querySelectorAll("[data-board]")) {
  const news = document.querySelector("[data-board-status]");
  const columnOf = (status) => board.querySelector(`[data-status="${status}"]`);
  let dragged = null;

  const count = (column, by) => {
    const shown = column.querySelector("[data-count]");
    shown.textContent = Number(shown.textContent) + by;
  };

  const put = (card, column) => {
    count(card.closest("[data-status]"), -1);
    count(column, 1);
    column.querySelector("ul").prepend(card);
    card.querySelector("select").value = column.dataset.status;
  };

  const move = async (card, status) => {
    const before = card.closest("[data-status]");
    const column = columnOf(status);
    if (before === column) {
      return;
    }
    const form = card.querySelector("form");
    const body = new FormData(form);
    body.set("status", status);
    put(card, column);
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body, redirect: "manual", headers: { Accept: "application/json" } });
    } catch {
      // No network: it goes back, as it does when the server refuses.
    }
    if (answer?.ok) {
      news.textContent = `${card.querySelector("a").textContent} is now: ${column.dataset.label}.`;
      news.className = "hidden";
    } else {
      put(card, before);
      news.textContent = "It could not be moved: the task may be gone, or you may have to sign in again.";
      news.className = "message error";
    }
    card.querySelector("select").focus({ preventScroll: true });
  };

  board.classList.add("live");
  board.addEventListener("change", (event) => move(event.target.closest("[data-task]"), event.target.value));
  board.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-task]");
    dragged.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.task);
  });
  board.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    board.querySelectorAll(".target").forEach((column) => column.classList.remove("target"));
    dragged = null;
  });
  board.addEventListener("dragover", (event) => {
    const column = event.target.closest("[data-status]");
    if (dragged && column) {
      event.preventDefault();
      board.querySelectorAll(".target").forEach((other) => other.classList.toggle("target", other === column));
      column.classList.add("target");
    }
  });
  board.addEventListener("drop", (event) => {
    const column = event.target.closest("[data-status]");
    if (dragged && column) {
      event.preventDefault();
      move(dragged, column.dataset.status);
    }
  });
}
