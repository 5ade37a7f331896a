// Comforts only: everything works without this file.
"use strict";

// The server shows times in the zone of this browser: the next page knows it by this cookie.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
}

// Lists with tick boxes: select all on the page, and say how many are chosen.
for (const form of document.querySelectorAll("[data-selection]")) {
  const all = form.querySelector("[data-select-all]");
  const count = form.querySelector("[data-count]");
  const boxes = [...form.querySelectorAll("input[name=ids]")];
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    count.textContent = chosen ? `${chosen} selected` : "";
    form.classList.toggle("has-selection", chosen > 0);
  };
  all.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); show(); });
  form.addEventListener("change", show);
  form.classList.add("live");
  show();
}

// Filters take effect as they are chosen.
for (const form of document.querySelectorAll("form.filters")) {
  for (const field of form.querySelectorAll("select, input[type=radio]")) {
    field.addEventListener("change", () => form.requestSubmit());
  }
}
