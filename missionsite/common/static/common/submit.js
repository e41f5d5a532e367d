// Prevents double submission: while a form is being sent its buttons are disabled, and Enter does not send it again.
// Forms sent by a script, which prevents the event's default, are ignored; htmx is handled through its own events.
(() => {
    // Milliseconds after which a form may be sent again if no response replaced the page (stopped, or a download).
    const LONGEST_MS = 20000;
    const sending = new Map();

    const buttonsOf = (form) => [...form.elements].filter((each) => each.type === "submit" || each.type === "image");

    const release = (form) => {
        const state = sending.get(form);
        if (!state) return;
        clearTimeout(state.timer);
        sending.delete(form);
        form.removeAttribute("aria-busy");
        state.buttons.forEach((button) => { button.disabled = false; });
        state.clicked?.removeAttribute("data-sending");
        if (state.hadFocus && state.clicked.isConnected) state.clicked.focus({ preventScroll: true });
    };

    const lock = (form, clicked) => {
        const state = { clicked, buttons: [], hadFocus: Boolean(clicked) && clicked === document.activeElement };
        sending.set(form, state);
        form.setAttribute("aria-busy", "true");
        clicked?.setAttribute("data-sending", "");
        // After the browser has read the form, since a disabled button would not send its name and value.
        state.timer = setTimeout(() => {
            state.buttons = buttonsOf(form).filter((button) => !button.disabled);
            state.buttons.forEach((button) => { button.disabled = true; });
            state.timer = setTimeout(release, LONGEST_MS, form);
        });
    };

    const replacesPage = (form, button) => {
        const method = button?.getAttribute("formmethod") || form.getAttribute("method") || "get";
        const target = button?.getAttribute("formtarget") || form.getAttribute("target");
        return method.toLowerCase() === "post" && (!target || target === "_self") && !form.hasAttribute("data-download");
    };

    // On the window, so that it runs after all other listeners.
    window.addEventListener("submit", (event) => {
        const form = event.target;
        if (event.defaultPrevented || !(form instanceof HTMLFormElement) || !replacesPage(form, event.submitter)) return;
        if (sending.has(form)) event.preventDefault();
        else lock(form, event.submitter);
    });

    const formOf = (event) => {
        const element = event.detail?.elt;
        return event.detail?.requestConfig?.verb === "get" ? null : element?.closest?.("form");
    };
    document.addEventListener("htmx:beforeRequest", (event) => {
        const form = formOf(event);
        if (!form) return;
        if (sending.has(form)) event.preventDefault();
        else lock(form, event.detail.requestConfig.triggeringEvent?.submitter);
    });
    document.addEventListener("htmx:afterRequest", (event) => {
        const form = formOf(event);
        if (form) release(form);
    });

    // The page was restored from the back/forward cache.
    window.addEventListener("pageshow", (event) => { if (event.persisted) [...sending.keys()].forEach(release); });
})();
