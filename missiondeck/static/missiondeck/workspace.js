// Updates the definition of done without a page load: forms and links with data-fetch are sent by fetch, and the returned
// parts replace those with the same id. Without this script they are ordinary forms and links.
(() => {
    const root = document.getElementById("ws");
    if (!root) return;
    const status = document.getElementById("ws-announce");

    // --- Fetching -------------------------------------------------------------------------------
    // Requests run one after another, so that the last response is the newest.
    let queue = Promise.resolve();
    const enqueue = (work) => {
        queue = queue.then(work, work);
        return queue;
    };

    /** Replace the parts of the page; closed details and typed text are kept. */
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

    const send = (address, options, source) => enqueue(async () => {
        const focused = document.activeElement?.id;
        let answer;
        try {
            answer = await fetch(address, { ...options, headers: { "X-Fragment": "checklist" }, credentials: "same-origin" });
        } catch {
            status.textContent = root.dataset.unreachable;
            return;
        }
        // Signed out or permission lost: a reload shows the error.
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
    // Arrow keys move between tabs, Enter opens a tab, which is a page of its own.
    const tabs = [...root.querySelectorAll("[role=tab]")];
    const activate = (tab) => tabs.forEach((each) => { each.tabIndex = each === tab ? 0 : -1; });
    activate(tabs.find((tab) => tab.getAttribute("aria-selected") === "true"));
    root.querySelector("[role=tablist]")?.addEventListener("keydown", (event) => {
        const here = tabs.indexOf(document.activeElement);
        const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 }[event.key];
        if (here < 0 || to === undefined) return;
        event.preventDefault();
        const tab = tabs[(to + tabs.length) % tabs.length];
        activate(tab);
        tab.focus();
    });
    // Scroll the open tab into view on a narrow screen.
    const open = tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
    if (open) open.parentElement.scrollLeft = open.offsetLeft - open.parentElement.offsetLeft - 40;

    // Unfold handles file inputs of its own widget; these plain inputs lack the field that it updates.
    document.addEventListener("change", (event) => {
        if (event.target.matches("#ws input[type=file]")) event.stopImmediatePropagation();
    }, true);

    // Scroll to the error message.
    root.querySelector("[role=alert]")?.scrollIntoView({ block: "center" });
})();
