// Shows the number of unread notifications beside "Inbox" in the menu, and updates it while the page is open.
(() => {
    "use strict";
    const EVERY_MS = 30000;
    const show = (link, unread) => {
        let badge = link.querySelector("[data-unread]");
        if (!unread) { badge?.remove(); return; }
        if (!badge) {
            badge = document.createElement("span");
            badge.dataset.unread = "";
            badge.className = "inbox-unread";
            link.append(badge);
        }
        badge.textContent = unread;
    };
    const update = async (link) => {
        if (document.hidden) return;
        try {
            const answer = await fetch(new URL("unread/", link.href), { headers: { Accept: "application/json" } });
            if (answer.ok && answer.headers.get("Content-Type")?.startsWith("application/json")) show(link, (await answer.json()).unread);
        } catch {
            // The next update tries again.
        }
    };
    document.addEventListener("DOMContentLoaded", () => {
        const link = document.querySelector('nav a[href$="/fallback/project/inbox/"], #nav-sidebar a[href$="/fallback/project/inbox/"]');
        if (!link) return;
        update(link);
        setInterval(() => update(link), EVERY_MS);
        document.addEventListener("visibilitychange", () => update(link));
    });
})();
