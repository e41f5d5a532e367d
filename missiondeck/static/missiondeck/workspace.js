// The definition of done without leaving the page: forms and links with data-fetch are sent here, and the parts of the
// page that come back take the places of those with the same id. Without this script they are ordinary ones.
(() => {
    const root = document.getElementById("ws");
    if (!root) return;
    const status = document.getElementById("ws-announce");

    // --- Fetching -------------------------------------------------------------------------------
    // One after the other: the last answer is the newest.
    let queue = Promise.resolve();
    const inTurn = (work) => {
        queue = queue.then(work, work);
        return queue;
    };

    /** Keep what is closed and what is typed where the new part has the same place for it. */
    const replace = (markup, clear) => {
        const parts = document.createElement("template");
        parts.innerHTML = markup;
        for (const part of [...parts.content.children]) {
            const old = part.id && document.getElementById(part.id);
            if (!old) continue;
            for (const closed of old.querySelectorAll("details[id]:not([open])")) {
                part.querySelector(`#${CSS.escape(closed.id)}`)?.removeAttribute("open");
            }
            for (const name of clear ? [] : ["ws-add-text", "ws-add-category"]) {
                const before = old.querySelector(`#${name}`);
                const now = part.querySelector(`#${name}`);
                if (before && now) now.value = before.value;
            }
            old.replaceWith(part);
        }
    };

    const send = (address, options, source) => inTurn(async () => {
        const focused = document.activeElement?.id;
        let answer;
        try {
            answer = await fetch(address, { ...options, headers: { "X-Fragment": "checklist" }, credentials: "same-origin" });
        } catch {
            status.textContent = "The site cannot be reached. Nothing was changed. Try again.";
            return;
        }
        // Signed out, or not allowed any more: the page itself says so.
        if (!answer.ok || answer.redirected) {
            location.reload();
            return;
        }
        const markup = await answer.text();
        const checklist = () => document.getElementById("ws-checklist");
        replace(markup, source.hasAttribute("data-clear") && !markup.includes('role="alert"'));
        const wanted = [source.dataset.focus, focused, source.hasAttribute("data-clear") ? "ws-add-text" : ""];
        const target = checklist().querySelector("#ws-edit-text:focus") ||
            wanted.filter(Boolean).map((id) => document.getElementById(id)).find((node) => node && !node.disabled);
        const opened = source.matches("a") && !source.dataset.focus && document.getElementById("ws-edit-text");
        (opened || target || checklist().querySelector("summary"))?.focus({ preventScroll: true });
        status.textContent = checklist().dataset.announce;
    });

    root.addEventListener("submit", (event) => {
        const form = event.target.closest("form[data-fetch]");
        if (!form) return;
        event.preventDefault();
        const button = event.submitter;
        if (button?.getAttribute("aria-busy") === "true") return;
        button?.setAttribute("aria-busy", "true");
        const body = new URLSearchParams(new FormData(form, button));
        send(button?.hasAttribute("formaction") ? button.formAction : form.action, { method: "POST", body }, form);
    });

    root.addEventListener("click", (event) => {
        const link = event.target.closest("a[data-fetch]");
        if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        send(link.href, {}, link);
    });

    // --- Tabs -----------------------------------------------------------------------------------
    // Arrow keys go from tab to tab, Enter opens one: it is a page of its own.
    const tabs = [...root.querySelectorAll("[role=tab]")];
    const reach = (tab) => tabs.forEach((each) => { each.tabIndex = each === tab ? 0 : -1; });
    reach(tabs.find((tab) => tab.getAttribute("aria-selected") === "true"));
    root.querySelector("[role=tablist]")?.addEventListener("keydown", (event) => {
        const here = tabs.indexOf(document.activeElement);
        const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 }[event.key];
        if (here < 0 || to === undefined) return;
        event.preventDefault();
        const tab = tabs[(to + tabs.length) % tabs.length];
        reach(tab);
        tab.focus();
    });
    // On a narrow screen the open tab may be beside it.
    const open = tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
    if (open) open.parentElement.scrollLeft = open.offsetLeft - open.parentElement.offsetLeft - 40;

    // unfold writes the name of a chosen file into a field of its own widget, which these plain inputs do not have.
    document.addEventListener("change", (event) => {
        if (event.target.matches("#ws input[type=file]")) event.stopImmediatePropagation();
    }, true);

    // What was rejected is looked for first.
    root.querySelector("[role=alert]")?.scrollIntoView({ block: "center" });
})();
