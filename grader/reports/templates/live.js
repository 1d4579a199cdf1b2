// Follows the watcher: the page's address ends in its version, and a newer one takes its place without losing the spot.
const version = location.pathname.split("/").pop();
scrollTo(0, Number(sessionStorage.getItem("spot") || 0));

async function follow() {
  for (;;) {
    try {
      const answer = await fetch(`after-${version}`, { cache: "no-store" });
      const newest = await answer.text();
      if (answer.ok && newest !== version) {
        sessionStorage.setItem("spot", String(scrollY));
        location.replace(newest);
        return;
      }
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1000)); // the watcher has ended, or starts anew
    }
  }
}

follow();
