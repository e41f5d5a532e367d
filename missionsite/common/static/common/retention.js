// Updates the page of the retention rules while a run is active.
(() => {
    "use strict";
    const EVERY_MS = 2000;
    const update = async () => {
        const shown = document.getElementById("retention");
        if (!shown || !("active" in shown.dataset) || document.hidden) return;
        try {
            const answer = await fetch(location.href);
            if (!answer.ok) return;
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            const current = page.getElementById("retention");
            if (current) shown.replaceWith(current);
        } catch {
            // The next update tries again.
        }
    };
    setInterval(update, EVERY_MS);
})();
