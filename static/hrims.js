// Says on the page when it does not reach us, and takes it back when it does. htmx goes on polling.
(() => {
  const say = (which) => {
    const region = document.getElementById("connection");
    const words = which ? region.dataset[which] : "";
    if (region.textContent !== words) region.textContent = words;
  };
  const lost = () => say("lost");
  // A click or a key keeps the sign-in alive; a page that updates itself does not.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.triggeringEvent?.isTrusted) event.detail.headers["X-User-Activity"] = "yes";
  });
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:responseError", (event) => {
    say(event.detail.xhr.status >= 500 ? "lost" : "failed");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) say(null);
  });
})();
