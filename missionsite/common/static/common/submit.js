// A form is sent once: while it is on its way its buttons are disabled, and it cannot be sent again by Enter.
// Forms that a script sends itself (and so stop the event) are left to that script; htmx is asked through its events.
(() => {
    // A form whose answer never replaced the page (stopped, a download) may be sent again after this time.
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

    const hold = (form, clicked) => {
        const state = { clicked, buttons: [], hadFocus: Boolean(clicked) && clicked === document.activeElement };
        sending.set(form, state);
        form.setAttribute("aria-busy", "true");
        clicked?.setAttribute("data-sending", "");
        // Only after the browser has read the form: a disabled button would not send its name and value.
        state.timer = setTimeout(() => {
            state.buttons = buttonsOf(form).filter((button) => !button.disabled);
            state.buttons.forEach((button) => { button.disabled = true; });
            state.timer = setTimeout(release, LONGEST_MS, form);
        });
    };

    const staysHere = (form, button) => {
        const method = button?.getAttribute("formmethod") || form.getAttribute("method") || "get";
        const target = button?.getAttribute("formtarget") || form.getAttribute("target");
        return method.toLowerCase() === "post" && (!target || target === "_self") && !form.hasAttribute("data-download");
    };

    // On the window, so that every other listener had its say first.
    window.addEventListener("submit", (event) => {
        const form = event.target;
        if (event.defaultPrevented || !(form instanceof HTMLFormElement) || !staysHere(form, event.submitter)) return;
        if (sending.has(form)) event.preventDefault();
        else hold(form, event.submitter);
    });

    const formOf = (event) => {
        const element = event.detail?.elt;
        return event.detail?.requestConfig?.verb === "get" ? null : element?.closest?.("form");
    };
    document.addEventListener("htmx:beforeRequest", (event) => {
        const form = formOf(event);
        if (!form) return;
        if (sending.has(form)) event.preventDefault();
        else hold(form, event.detail.requestConfig.triggeringEvent?.submitter);
    });
    document.addEventListener("htmx:afterRequest", (event) => {
        const form = formOf(event);
        if (form) release(form);
    });

    // Back from another page, as it was left.
    window.addEventListener("pageshow", (event) => { if (event.persisted) [...sending.keys()].forEach(release); });
})();
