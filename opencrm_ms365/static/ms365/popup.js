/* The sign-in window: hands the access key to the page that opened it, and copies it on request. */
(() => {
  "use strict";
  // The address holds what Microsoft sent along; it is used up, and need not stay in the window's history.
  history.replaceState(null, "", location.pathname);

  const key = document.getElementById("access-key");
  const close = document.querySelector("[data-ms365-close]");
  close?.addEventListener("click", () => window.close());
  if (!key) return;

  const text = key.textContent.trim();
  const message = { type: "ms365-access-key", key: text };
  const arrived = () => {
    document.getElementById("ms365-handed-over").hidden = false;
    document.querySelector("[data-ms365-copy]").classList.remove("ms365-primary");
    close.classList.add("ms365-primary");
    close.focus();
  };
  const isReceipt = (event) => event.origin === location.origin && event.data?.type === "ms365-access-key-received";

  if (window.opener) {
    window.addEventListener("message", (event) => { if (event.source === window.opener && isReceipt(event)) arrived(); });
    window.opener.postMessage(message, location.origin);
  } else if ("BroadcastChannel" in window) {
    // A page on the way had cut this window off from its opener. The channel reaches pages of this origin only.
    const channel = new BroadcastChannel("ms365-access-key");
    channel.addEventListener("message", (event) => { if (isReceipt(event)) arrived(); });
    channel.postMessage(message);
  }

  const copy = document.querySelector("[data-ms365-copy]");
  copy?.addEventListener("click", async () => {
    const range = document.createRange();
    range.selectNodeContents(key);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    try { await navigator.clipboard.writeText(text); } catch { document.execCommand("copy"); }
    copy.textContent = copy.dataset.done;
  });
})();
