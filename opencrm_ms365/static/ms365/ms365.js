/* The app's pages work without this; with it, the sign-in opens in a window of its own, the access key arrives by
   itself, and a running sync shows its progress. */
(() => {
  "use strict";

  // Sign in with Microsoft: a window, and the key that comes back from it.
  const field = document.querySelector("[data-ms365-key-field]");
  const opener = document.querySelector("[data-ms365-popup]");
  let popup = null;
  if (field && opener) {
    opener.addEventListener("click", (event) => {
      const left = Math.max(0, screenX + (outerWidth - 560) / 2), top = Math.max(0, screenY + (outerHeight - 640) / 3);
      popup = window.open(opener.href, "ms365-sign-in", `popup,width=560,height=640,left=${left},top=${top}`);
      if (popup) event.preventDefault();               // else the link opens a tab, and the key is pasted by hand
    });
    const receive = (event, answer) => {
      if (event.origin !== location.origin || event.data?.type !== "ms365-access-key") return;
      if (typeof event.data.key !== "string" || event.data.key.length > 400) return;
      field.value = event.data.key;
      document.querySelector("[data-ms365-key-arrived]").hidden = false;
      document.getElementById("ms365-connect-error")?.remove();
      field.removeAttribute("aria-invalid");
      answer({ type: "ms365-access-key-received" });
      field.form.querySelector("button").focus();
    };
    window.addEventListener("message", (event) => {
      if (popup && event.source !== popup) return;
      receive(event, (message) => event.source?.postMessage(message, location.origin));
    });
    if ("BroadcastChannel" in window) {
      const channel = new BroadcastChannel("ms365-access-key");
      channel.addEventListener("message", (event) => receive(event, (message) => channel.postMessage(message)));
    }
  }

  // A run under way: ask now and then, show how far it is, and load the page anew when it has ended.
  const card = document.querySelector("[data-ms365-run]");
  if (card) {
    const text = card.querySelector("[data-ms365-progress-text]");
    const bar = card.querySelector("progress");
    let pause = 1000;
    const show = (run) => {
      if (text.textContent !== run.progress_text) text.textContent = run.progress_text;
      if (run.progress_share === null) bar.removeAttribute("value"); else bar.value = run.progress_share;
    };
    const look = async () => {
      try {
        const answer = await fetch(card.dataset.ms365Run, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (answer.status === 401 || answer.status === 404) return location.reload();
        if (answer.ok) {
          const run = await answer.json();
          if (run.is_finished) return location.reload();
          show(run);
        }
      } catch { /* the network is away for a moment: look again later */ }
      pause = Math.min(pause * 1.2, 8000);
      setTimeout(look, document.hidden ? 8000 : pause);
      return undefined;
    };
    setTimeout(look, pause);
  }
})();
