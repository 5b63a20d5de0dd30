// The pages work without this file; it only spares the reader a reload.
// A running job: fetch its progress bar again and again, and reload once when it has ended.
const box = document.querySelector("[data-progress-url]");
if (box) {
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.progressUrl, { headers: { "X-Requested-With": "fetch" } });
      if (answer.status === 204) {
        // Never throw away what somebody is typing.
        const typed = [...document.querySelectorAll("input:not([type=hidden])")].some((field) => field.value);
        if (!typed) window.location.reload();
        else box.hidden = true;
        return;
      }
      if (answer.ok) box.innerHTML = await answer.text();
    } catch {
      // the server restarts or the network is away; ask again
    }
    setTimeout(ask, 3000);
  };
  setTimeout(ask, 3000);
}
// A form is sent once: the second click within the same page does nothing.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.defaultPrevented) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});
// Coming back with the browser's button brings the page as it was left.
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
