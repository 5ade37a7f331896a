// The calendar. Without this file the page is a list of the week.
// All times that come and go are wall clock times in the zone of this browser; the server knows the zone by a cookie.
"use strict";

(() => {
  const place = document.getElementById("calendar");
  const filters = document.querySelector(".calendar-filters");
  const alarm = document.querySelector("[data-calendar-error]");
  const news = document.querySelector("[data-calendar-status]");
  const token = place.querySelector("[name=csrfmiddlewaretoken]").value;
  const isPhone = window.matchMedia("(max-width: 40rem)").matches;
  const views = ["dayGridMonth", "timeGridWeek", "timeGridDay", "listWeek"];
  const asked = new URLSearchParams(location.search);

  const two = (number) => String(number).padStart(2, "0");
  const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = (date) => `${day(date)}T${two(date.getHours())}:${two(date.getMinutes())}`;

  // On the very first page the server does not know the zone yet; what it sends now is in this browser's.
  document.querySelector("[data-zone]").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;

  function complain(text) {
    alarm.textContent = text;
    alarm.hidden = !text;
  }

  async function load(span) {
    const query = new URLSearchParams({ start: clock(span.start), end: clock(span.end), whose: whose() });
    const answer = await fetch(`${place.dataset.feed}?${query}`);
    if (!answer.ok || answer.redirected) {
      complain("The calendar could not be loaded. Reload the page; you may have to sign in again.");
      return [];
    }
    complain("");
    const hidden = [...filters.querySelectorAll("[data-kind]")].filter((box) => !box.checked).map((box) => `kind-${box.dataset.kind}`);
    return (await answer.json()).filter((item) => !hidden.includes(item.classNames[0]));
  }

  function whose() {
    return filters.querySelector("input[name=whose]:checked").value;
  }

  async function save(info, withEnd) {
    const { event } = info;
    const body = { start: clock(event.start), all_day: event.allDay };
    if (withEnd) {
      body.end = clock(event.end);
    }
    let answer;
    let told = {};
    try {
      answer = await fetch(event.extendedProps.move, {
        method: "POST", body: JSON.stringify(body), redirect: "manual",
        headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      });
      told = await answer.json();
    } catch {
      // No network, or an answer that is no JSON: the text below says what counts.
    }
    if (answer?.ok) {
      calendar.updateEvent(told);
      complain("");
      news.textContent = `${told.title} is moved.`;
    } else {
      info.revert();
      complain(told.error ?? "It could not be moved: it may be gone, or you may have to sign in again.");
    }
  }

  function begin(start, end) {
    const query = new URLSearchParams({ start, ...(end ? { end } : {}) });
    location.assign(`${place.dataset.new}?${query}`);
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text ?? "";
    return made;
  }

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${place.dataset.icons}#${name}`);
    svg.append(use);
    return svg;
  }

  function content({ event, timeText, view }) {
    const more = event.extendedProps;
    if (!("owner" in more)) {            // what one is just selecting, or pointing at
      return undefined;
    }
    const line = element("span", "entry-line");
    const isList = view.type.startsWith("list");
    if (isList) {
      line.append(element("span", "entry-time", event.allDay ? "All day" : timeText), " ");
    } else if (!event.allDay) {
      line.append(element("span", "entry-time", clock(event.start).slice(-5)), " ");
    }
    if (more.isBlock || more.isPrivate) {
      line.append(icon("lock"));
    }
    line.append(element("b", "entry-title", event.title));
    if (event.allDay && more.owner && !isList) {
      line.append(` · ${more.owner}`);
    }
    if (more.isSeries) {
      line.append(icon("repeat"));
    }
    const nodes = [line];
    if (more.location) {
      nodes.push(element("span", "entry-more", more.location));
    }
    if (more.owner) {
      nodes.push(element("span", "entry-more", more.owner));
    }
    return { domNodes: nodes };
  }

  // For screen readers, and for what is cut off in a narrow box.
  function describe({ event, timeText, el }) {
    const more = event.extendedProps;
    if (!("owner" in more)) {
      return;
    }
    const words = [more.kind, event.title, event.allDay ? "all day" : timeText, more.location, more.owner];
    const text = words.filter(Boolean).join(", ");
    el.setAttribute("aria-label", text);
    el.title = text;
    if (more.isBlock) {                  // somebody else's private time: there is nothing to open
      el.removeAttribute("tabindex");
      el.setAttribute("role", "note");
    }
  }

  // The address keeps what is shown, so that the way back leads to the same week.
  function remember({ view }) {
    const query = new URLSearchParams({ view: view.type, day: day(view.currentStart) });
    if (whose()) {
      query.set("whose", whose());
    }
    history.replaceState(null, "", `${location.pathname}?${query}`);
  }

  const times = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const calendar = EventCalendar.create(place, {
    view: views.includes(asked.get("view")) ? asked.get("view") : isPhone ? "timeGridDay" : "timeGridWeek",
    displayEventEnd: true,
    date: /^\d{4}-\d\d-\d\d$/.test(asked.get("day") ?? "") ? asked.get("day") : new Date(),
    locale: "en-GB", firstDay: 1, height: "100%", nowIndicator: true, pointer: true, dayMaxEvents: true,
    scrollTime: "07:30:00", slotHeight: 28, eventTimeFormat: times, slotLabelFormat: times, flexibleSlotTimeLimits: true,
    headerToolbar: { start: "prev,next today", center: "title", end: views.join(",") },
    buttonText: (text) => ({ ...text, today: "Today", dayGridMonth: "Month", timeGridWeek: "Week", timeGridDay: "Day", listWeek: "Agenda" }),
    views: {
      timeGridWeek: { dayHeaderFormat: { weekday: "short", day: "numeric" } },
      dayGridMonth: { dayHeaderFormat: { weekday: "short" } },
    },
    editable: true, selectable: !isPhone, lazyFetching: false,
    eventSources: [{ events: load }],
    eventContent: content,
    eventDidMount: describe,
    eventClick: ({ event }) => { if (event.extendedProps.url) { location.assign(event.extendedProps.url); } },
    eventDrop: (info) => save(info, false),
    eventResize: (info) => save(info, true),
    dateClick: (info) => begin(info.allDay ? day(info.date) : clock(info.date)),
    select: (info) => {
      if (!info.allDay) {
        begin(clock(info.start), clock(info.end));
        return;
      }
      const last = new Date(info.end);   // the end of a selection of days is the day after the last
      last.setDate(last.getDate() - 1);
      begin(day(info.start), day(last));
    },
    datesSet: remember,
  });

  filters.addEventListener("change", (event) => {
    event.stopImmediatePropagation();    // the page need not be loaded again
    calendar.refetchEvents();
    remember({ view: calendar.getView() });
  }, true);
})();
