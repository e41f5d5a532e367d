// While the title of a mission or proposal is typed: open missions of the project with a similar title, as links.
(() => {
    const URL_OF_SIMILAR = "/admin/fallback/mission/similar/";
    const WAIT_MS = 300;
    let timer = null;
    let asked = 0;

    /** What a title input is about; null for any other input. own: the mission being edited. */
    const aboutOf = (input) => {
        if (input.name !== "title") return null;
        const row = input.closest('[data-panel="edit"]')?.closest("[data-project]");
        if (row) return { project: row.dataset.project, own: "" };
        if (input.id !== "id_title") return null;
        const own = /^\/admin\/fallback\/mission\/([0-9A-Z]{26})\//.exec(location.pathname)?.[1] || "";
        const chosen = document.getElementById("id_project")?.value || "";
        return own || chosen ? { project: chosen, own } : null;
    };
    const boxOf = (input) => {
        let box = input.parentNode.querySelector(":scope > .similar-missions");
        if (!box) {
            box = document.createElement("div");
            box.className = "similar-missions";
            box.setAttribute("data-own", "");
            box.setAttribute("aria-live", "polite");
            box.hidden = true;
            input.after(box);
        }
        return box;
    };
    const show = (box, results) => {
        box.replaceChildren();
        box.hidden = !results.length;
        if (!results.length) return;
        const heading = document.createElement("p");
        heading.textContent = gettext("Similar open missions:");
        const list = document.createElement("ul");
        results.forEach((each) => {
            const item = document.createElement("li");
            const link = document.createElement("a");
            link.href = each.url;
            link.target = "_blank";
            link.rel = "noopener";
            link.dir = "auto";
            link.textContent = each.title;
            item.append(link, ` · ${each.list}`);
            list.append(item);
        });
        box.append(heading, list);
    };
    const look = async (input) => {
        const about = aboutOf(input);
        if (!about) return;
        const number = ++asked;
        const query = new URLSearchParams({ ...about, title: input.value });
        let results = [];
        try {
            const response = await fetch(`${URL_OF_SIMILAR}?${query}`, { headers: { Accept: "application/json" }, credentials: "same-origin" });
            if (response.ok) ({ results } = await response.json());
        } catch { /* Without an answer nothing is shown. */ }
        if (number === asked) show(boxOf(input), results);
    };
    const soon = (event) => {
        if (!aboutOf(event.target)) return;
        clearTimeout(timer);
        timer = setTimeout(() => look(event.target), WAIT_MS);
    };
    document.addEventListener("input", soon);
    document.addEventListener("focusin", soon);
})();
