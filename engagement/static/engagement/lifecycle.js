// Refreshes the lifecycle page while it is visible.
(() => {
    const EVERY_MS = 15000;
    const box = document.getElementById("lifecycle");
    const state = document.getElementById("lifecycle-status");
    let running = false;

    const refresh = async () => {
        if (running || document.hidden) return;
        running = true;
        try {
            const answer = await fetch(location.href, { headers: { "X-Fragment": "lifecycle" }, credentials: "same-origin" });
            if (!answer.ok || answer.redirected) throw new Error("no numbers");
            const fresh = await answer.text();
            // Keep the keyboard focus and the scroll position.
            const links = [...box.querySelectorAll("a")];
            const at = links.indexOf(document.activeElement);
            const drawing = box.querySelector(".lifecycle-drawing");
            const left = drawing ? drawing.scrollLeft : 0;
            box.innerHTML = fresh;
            if (at >= 0) box.querySelectorAll("a")[at]?.focus({ preventScroll: true });
            box.querySelector(".lifecycle-drawing").scrollLeft = left;
            state.textContent = "";
        } catch {
            state.textContent = state.dataset.error;
        } finally {
            running = false;
        }
    };
    setInterval(refresh, EVERY_MS);
    document.addEventListener("visibilitychange", refresh);
})();
