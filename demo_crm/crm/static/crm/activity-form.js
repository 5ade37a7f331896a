// The form of a meeting: all-day hides the clocks, and the end moves along with the start.
"use strict";

for (const form of document.querySelectorAll("[data-activity-form]")) {
  const field = (name) => form.elements.namedItem(name);
  const allDay = field("all_day");
  const clocks = form.querySelectorAll(".clock-field");
  const show = () => { for (const item of clocks) { item.hidden = Boolean(allDay?.checked); } };
  const moment = (name) => {
    const day = field(`${name}_day`)?.value;
    return day ? new Date(`${day}T${field(`${name}_time`).value || "00:00"}:00Z`).getTime() : NaN;
  };
  let start = moment("start");

  const follow = () => {
    const now = moment("start");
    const end = moment("end");
    if (field("end_day") && start && now && end && (field("end_time").value || allDay.checked)) {
      const moved = new Date(end + now - start).toISOString();
      field("end_day").value = moved.slice(0, 10);
      if (field("end_time").value) {
        field("end_time").value = moved.slice(11, 16);
      }
    }
    start = now;
  };

  allDay?.addEventListener("change", show);
  for (const name of ["start_day", "start_time"]) {
    field(name)?.addEventListener("change", follow);
  }
  show();
}
