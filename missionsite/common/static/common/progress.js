// Updates the facts of a background job while it is active.
(() => {
    "use strict";
    const EVERY_MS = 2000;
    const update = async () => {
        const shown = document.querySelector("[data-refresh]")?.closest("fieldset");
        if (!shown || document.hidden) return;
        try {
            const answer = await fetch(location.href);
            if (!answer.ok) return;
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            const current = page.querySelector("fieldset");
            if (current) shown.replaceWith(current);
        } catch {
            // The next update tries again.
        }
    };
    setInterval(update, EVERY_MS);
})();
