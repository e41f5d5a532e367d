// Turns a text input with data-choose into a search for missions: an ARIA combobox with a list.
(() => {
    const WAIT_MS = 180;
    let number = 0;

    /** Turn `input` into a combobox over `url` (?project=…&q=… -> {results: [{id, text}]}); only once per input. */
    const choose = (input, { url, project }) => {
        if (input.dataset.choose === "ready") return;
        input.dataset.choose = "ready";
        const id = `fb-choices-${++number}`;
        const value = document.createElement("input");
        value.type = "hidden";
        value.name = input.name;
        input.removeAttribute("name");
        const list = document.createElement("ul");
        list.id = id;
        list.className = "fb-choices";
        list.setAttribute("role", "listbox");
        list.setAttribute("aria-label", gettext("Missions"));
        list.hidden = true;
        input.after(value, list);
        input.setAttribute("role", "combobox");
        input.setAttribute("aria-autocomplete", "list");
        input.setAttribute("aria-controls", id);
        input.setAttribute("aria-expanded", "false");
        let timer = null;
        let asked = 0;
        let at = -1;

        const options = () => [...list.querySelectorAll("[role=option]")];
        const close = () => {
            list.hidden = true;
            at = -1;
            input.setAttribute("aria-expanded", "false");
            input.removeAttribute("aria-activedescendant");
        };
        const point = (index) => {
            const all = options();
            if (!all.length) return;
            at = (index + all.length) % all.length;
            all.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
            all[at].scrollIntoView({ block: "nearest" });
            input.setAttribute("aria-activedescendant", all[at].id);
        };
        const take = (option) => {
            value.value = option.dataset.value;
            input.value = option.textContent;
            input.setCustomValidity("");
            close();
        };
        const note = (text) => {
            const item = document.createElement("li");
            item.className = "fb-choices-note";
            item.textContent = text;
            list.replaceChildren(item);
        };
        const look = async () => {
            const mine = ++asked;
            try {
                const query = new URLSearchParams({ project, q: input.value });
                const response = await fetch(`${url}?${query}`, { headers: { Accept: "application/json" }, credentials: "same-origin" });
                if (!response.ok) throw new Error(String(response.status));
                const { results } = await response.json();
                if (mine !== asked || document.activeElement !== input) return;
                if (results.length) {
                    list.replaceChildren(...results.map((result, i) => {
                        const option = document.createElement("li");
                        option.id = `${id}-${i}`;
                        option.setAttribute("role", "option");
                        option.setAttribute("aria-selected", "false");
                        option.dir = "auto";
                        option.dataset.value = result.id;
                        option.textContent = result.text;
                        return option;
                    }));
                    const found = ngettext("%(count)s mission found.", "%(count)s missions found.", results.length);
                    window.fallback.announce(window.fallback.format(found, { count: results.length }));
                } else {
                    note(gettext("No matching mission in this project."));
                    window.fallback.announce(gettext("No matching mission in this project."));
                }
            } catch {
                if (mine !== asked) return;
                note(gettext("The missions could not be fetched. Type again to try once more."));
            }
            at = -1;
            list.hidden = false;
            input.setAttribute("aria-expanded", "true");
        };
        input.addEventListener("focus", () => { if (!value.value) look(); });
        input.addEventListener("input", () => {
            value.value = "";
            input.setCustomValidity(gettext("Choose a mission from the list."));
            clearTimeout(timer);
            timer = setTimeout(look, WAIT_MS);
        });
        input.addEventListener("blur", close);
        // The list must not take the focus, or the blur above closes it before the click arrives.
        list.addEventListener("pointerdown", (event) => event.preventDefault());
        list.addEventListener("click", (event) => {
            const option = event.target.closest("[role=option]");
            if (option) take(option);
        });
        input.addEventListener("keydown", (event) => {
            if (event.key === "ArrowDown") { event.preventDefault(); if (list.hidden) look(); else point(at + 1); }
            else if (event.key === "ArrowUp" && !list.hidden) { event.preventDefault(); point(at < 0 ? -1 : at - 1); }
            else if (event.key === "Enter" && !list.hidden && options().length) {
                event.preventDefault();
                take(options()[Math.max(at, 0)]);
            } else if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); close(); }
        });
    };
    window.fallback = window.fallback || {};
    window.fallback.choose = choose;
})();
