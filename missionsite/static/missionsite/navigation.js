// Favourites and recent pages in the navigation, and which of its parts are open.
//
// The site stores favourites; this browser keeps a copy, so that pages need no further request. Recent pages stay in this
// browser. Both belong to one member: those of another one are deleted.
(() => {
    "use strict";
    const KEY = "missionsite.navigation";
    const RECENT = 5;

    const read = (member) => {
        try {
            const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
            if (found?.member === member) return found;
        } catch {
            // Not readable: begin anew.
        }
        return { member, favourites: [], recent: [] };
    };

    const write = (state) => {
        try {
            localStorage.setItem(KEY, JSON.stringify(state));
        } catch {
            // Without storage, the lists last as long as the page.
        }
    };

    const fill = (part, pages, icon) => {
        part.hidden = pages.length === 0;
        part.querySelector("ol").replaceChildren(
            ...pages.map(({ path, name }) => {
                const link = document.createElement("a");
                link.href = path;
                link.className = "nav-entry";
                link.title = name;
                const sign = document.createElement("span");
                sign.className = "material-symbols-outlined md-18";
                sign.setAttribute("aria-hidden", "true");
                sign.textContent = icon;
                const text = document.createElement("span");
                text.dir = "auto";
                text.textContent = name;
                link.append(sign, text);
                const item = document.createElement("li");
                item.append(link);
                return item;
            }),
        );
    };

    // "Board | Apollo | Missionsite" is "Apollo · Board".
    const pageName = () => document.title.split("|").slice(0, -1).map((part) => part.trim()).reverse().join(" · ");

    document.addEventListener("DOMContentLoaded", () => {
        const box = document.getElementById("nav-sidebar-apps");
        if (!box?.dataset.member) return;
        const state = read(box.dataset.member);
        const star = document.querySelector("[data-star]");
        const here = location.pathname;
        const entries = new Set([...box.querySelectorAll("a.nav-entry")].map((link) => new URL(link.href).pathname));

        const show = () => {
            fill(box.querySelector("[data-own=favourites]"), state.favourites, "star");
            const known = new Set([here, ...state.favourites.map(({ path }) => path)]);
            fill(box.querySelector("[data-own=recent]"), state.recent.filter(({ path }) => !known.has(path)).slice(0, RECENT), "history");
            star?.setAttribute("aria-pressed", String(state.favourites.some(({ path }) => path === here)));
        };
        const keep = (favourites) => {
            state.favourites = favourites;
            write(state);
            show();
        };

        for (const part of box.querySelectorAll("[data-kept]")) {
            if (state[part.dataset.kept]) part.open = true;
            // Only what the member chose: More also opens by itself when it has the current page.
            part.querySelector("summary").addEventListener("click", () => {
                state[part.dataset.kept] = !part.open;
                write(state);
            });
        }

        show();
        // Pages of the navigation are one click away already; error pages have no star.
        if (star && !entries.has(here)) {
            state.recent = [{ path: here, name: pageName() }, ...state.recent.filter(({ path }) => path !== here)].slice(0, 2 * RECENT);
            write(state);
        }

        // Once for each window: other browsers may have changed them.
        if (sessionStorage.getItem(KEY) !== state.member) {
            fetch(box.dataset.favourites, { headers: { Accept: "application/json" } })
                .then((answer) => (answer.ok ? answer.json() : null))
                .then((found) => {
                    if (!found) return;
                    sessionStorage.setItem(KEY, state.member);
                    keep(found.favourites);
                })
                .catch(() => {});
        }

        star?.addEventListener("click", async () => {
            const body = new URLSearchParams({ path: here });
            if (star.getAttribute("aria-pressed") === "true") body.set("remove", "1");
            const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
            const answer = await fetch(box.dataset.mark, {
                method: "POST",
                body,
                headers: { Accept: "application/json", "X-CSRFToken": token },
            });
            const found = await answer.json();
            if (found.ok) keep(found.favourites);
            else star.title = found.message;
        });
    });
})();
