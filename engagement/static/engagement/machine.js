// Keeps the numbers of the machine fresh while the page is looked at.
(() => {
    const EVERY_MS = 15000;
    const box = document.getElementById("machine");
    const state = document.getElementById("machine-state");
    let running = false;

    const refresh = async () => {
        if (running || document.hidden) return;
        running = true;
        try {
            const answer = await fetch(location.href, { headers: { "X-Fragment": "machine" }, credentials: "same-origin" });
            if (!answer.ok || answer.redirected) throw new Error("no numbers");
            const fresh = await answer.text();
            // Whoever stands on a link with the keyboard keeps their place.
            const links = [...box.querySelectorAll("a")];
            const at = links.indexOf(document.activeElement);
            const drawing = box.querySelector(".machine-drawing");
            const left = drawing ? drawing.scrollLeft : 0;
            box.innerHTML = fresh;
            if (at >= 0) box.querySelectorAll("a")[at]?.focus({ preventScroll: true });
            box.querySelector(".machine-drawing").scrollLeft = left;
            state.textContent = "";
        } catch {
            state.textContent = "The site did not answer; these are the numbers of before. It is asked again every 15 seconds.";
        } finally {
            running = false;
        }
    };
    setInterval(refresh, EVERY_MS);
    document.addEventListener("visibilitychange", refresh);
})();
