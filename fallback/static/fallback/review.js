// Review of proposals by keyboard, mouse or touch. Sends the decision forms of the page without leaving it.
(() => {
    const root = document.getElementById("fb-review");
    if (!root) return;
    const { post, refetch, renewToken, announce, follow, format, merge, choose } = window.fallback;
    const COLLAPSED_KEPT = 20;
    const HIGHLIGHT_MS = 4000;
    const bulk = document.getElementById("fb-bulk");
    const help = document.getElementById("fb-help");
    const search = document.getElementById("fb-q");
    const keysOn = document.getElementById("fb-keys-on");
    const pageRejection = document.getElementById("fb-page-rejection");
    const decisions = [];
    // Incremented when a decision is sent and again when it is answered.
    let sent = 0;
    root.classList.add("is-js");
    document.getElementById("fb-bulk-discard").hidden = true;

    // --- Rows ----------------------------------------------------------------------------------
    const rows = () => [...root.querySelectorAll(".fb-row:not(.is-decided):not(.is-gone)")];
    const rowOf = (node) => node?.closest?.(".fb-row") || null;
    const currentRow = () => root.querySelector(".fb-row.is-current");
    const focusedRow = () => rowOf(document.activeElement);

    const setCurrent = (row, { focus = true } = {}) => {
        const before = currentRow();
        if (before && before !== row) { before.classList.remove("is-current"); before.tabIndex = -1; }
        if (!row) return;
        row.classList.add("is-current");
        row.tabIndex = 0;
        if (focus) {
            row.focus({ preventScroll: true });
            row.scrollIntoView({ block: "nearest" });
        }
    };
    const neighbour = (row, step) => {
        const all = [...root.querySelectorAll(".fb-row")];
        for (let i = all.indexOf(row) + step; i >= 0 && i < all.length; i += step) {
            if (!all[i].matches(".is-decided, .is-gone")) return all[i];
        }
        return null;
    };
    const move = (step) => {
        const row = focusedRow();
        const target = row ? neighbour(row, step) : currentRow() || rows()[0];
        if (target) setCurrent(target);
    };
    /** Focus the next proposal after a decision, else the previous one, else the undo button. */
    const leave = (row) => {
        const next = neighbour(row, 1) || neighbour(row, -1);
        if (next) { setCurrent(next); return; }
        row.classList.remove("is-current");
        const target = row.querySelector("[data-result-undo]") || document.getElementById("fb-empty") || search;
        target.focus();
    };

    // --- Panels --------------------------------------------------------------------------------
    /** The form of a proposal; all are copied from the template of the page when the first is opened. */
    const panelOf = (row, name) => {
        const find = () => row.querySelector(`.fb-panel[data-panel="${name}"]`);
        if (!find()) copyPanels(row);
        return find();
    };
    const copyPanels = (row) => {
        const panels = document.getElementById("fb-panels").content.cloneNode(true);
        const values = { PROPOSAL: row.dataset.id, TITLE: row.dataset.title };
        panels.querySelectorAll("*").forEach((node) => {
            for (const { name, value } of [...node.attributes]) {
                if (/PROPOSAL|TITLE/.test(value)) node.setAttribute(name, value.replace(/PROPOSAL|TITLE/g, (found) => values[found]));
            }
        });
        panels.querySelectorAll(".fb-panel").forEach((panel) => panel.setAttribute("data-own", ""));
        const { elements } = panels.querySelector("[data-panel=edit]");
        elements.description.value = row.dataset.description;
        elements.priority.value = row.dataset.priority;
        elements.estimated_effort_minutes.value = row.dataset.minutes;
        row.querySelector("[data-rejection]").before(panels);
        renewToken(document.getElementById("proposals"));
    };
    const openPanels = (row) => [...row.querySelectorAll(".fb-panel.is-open")];
    const closePanels = (row, { focus = true } = {}) => {
        openPanels(row).forEach((panel) => {
            panel.classList.remove("is-open");
            row.querySelector(`[data-action="${panel.dataset.panel}"]`)?.setAttribute("aria-expanded", "false");
        });
        if (focus) setCurrent(row);
    };
    const openPanel = (row, name) => {
        const panel = panelOf(row, name);
        if (!panel) return;
        const already = panel.classList.contains("is-open");
        closePanels(row, { focus: false });
        if (already) { setCurrent(row); return; }
        setCurrent(row, { focus: false });
        panel.classList.add("is-open");
        row.querySelector(`[data-action="${name}"]`)?.setAttribute("aria-expanded", "true");
        const chooser = panel.querySelector("[data-choose]");
        if (chooser) choose(chooser, { url: root.dataset.choicesUrl, project: row.dataset.project });
        const first = panel.querySelector("input[type=radio]:checked, input:not([type=hidden]), textarea, button");
        first.focus({ preventScroll: true });
        if (name === "edit") first.select();
        panel.scrollIntoView({ block: "nearest" });
    };
    const reject = (row, message, field) => {
        const note = row.querySelector("[data-rejection]");
        note.textContent = message;
        note.hidden = !message;
        row.classList.toggle("is-rejected", Boolean(message));
        if (!message) return;
        announce(`${row.dataset.title}: ${message}`, true);
        const input = field && openPanels(row)[0]?.querySelector(`[name="${CSS.escape(field)}"]:not([type=hidden])`);
        if (input) input.focus();
        note.scrollIntoView({ block: "nearest" });
    };

    // --- Deciding ------------------------------------------------------------------------------
    const submit = async (url, fields) => {
        sent += 1;
        const answer = await post(url, fields);
        sent += 1;
        return answer;
    };
    const safeLink = (address) => {
        try { return new URL(address, location.href).origin === location.origin; } catch { return false; }
    };
    const collapse = (row, answer, kind) => {
        const result = document.createElement("div");
        result.className = "fb-result";
        result.setAttribute("data-own", "");
        const icon = document.createElement("span");
        icon.className = "material-symbols-outlined";
        icon.setAttribute("aria-hidden", "true");
        icon.textContent = { accept: "check_circle", discard: "cancel", snooze: "snooze", duplicate: "content_copy", unsnooze: "alarm" }[kind] || "check_circle";
        const text = document.createElement("p");
        const title = document.createElement("strong");
        title.dir = "auto";
        title.textContent = row.dataset.title;
        const message = document.createElement("span");
        message.textContent = answer.message;
        text.append(title, " ", message);
        result.append(icon, text);
        if (answer.mission_url && safeLink(answer.mission_url)) {
            const link = document.createElement("a");
            link.className = "row-link";
            link.href = answer.mission_url;
            link.textContent = gettext("Open mission");
            result.append(link);
        }
        if (answer.undo_url) {
            const undo = document.createElement("button");
            undo.type = "button";
            undo.className = "fb-button fb-small";
            undo.setAttribute("data-result-undo", "");
            undo.setAttribute("aria-label", format(gettext("Undo: %(title)s"), { title: row.dataset.title }));
            undo.textContent = gettext("Undo");
            result.append(undo);
            decisions.push({ id: row.dataset.id, url: answer.undo_url, title: row.dataset.title });
        }
        reject(row, "");
        closePanels(row, { focus: false });
        row.classList.add("is-decided");
        row.classList.toggle("is-accepted", kind === "accept");
        row.dataset.decidedAt = String(performance.now());
        row.append(result);
        const box = row.querySelector("input[name=items]");
        if (box) { box.checked = false; box.disabled = true; }
        const old = [...root.querySelectorAll(".fb-row.is-decided")].slice(0, -COLLAPSED_KEPT);
        old.forEach((done) => { if (!done.contains(document.activeElement)) done.remove(); });
        showSelection();
    };
    const restore = (row) => {
        row.classList.remove("is-decided", "is-accepted", "is-gone");
        row.querySelector(".fb-result")?.remove();
        delete row.dataset.decidedAt;
        const box = row.querySelector("input[name=items]");
        if (box) box.disabled = false;
        reject(row, "");
    };
    const busy = (row, on) => {
        row.classList.toggle("is-busy", on);
        if (on) row.setAttribute("aria-busy", "true");
        else row.removeAttribute("aria-busy");
    };
    const decide = async (row, kind, url, fields) => {
        if (row.matches(".is-busy, .is-decided")) return;
        if (kind === "discard" && !fields.get("reason") && !fields.get("feedback")?.trim()) {
            reject(row, gettext("Choose a reason or enter feedback."), "feedback");
            return;
        }
        busy(row, true);
        reject(row, "");
        const answer = await submit(url, fields);
        busy(row, false);
        if (!answer.ok) {
            reject(row, answer.message, answer.field);
            // The proposal or the CSRF token may have changed.
            live.soon();
            return;
        }
        const wasHere = row.contains(document.activeElement) || document.activeElement === document.body;
        collapse(row, answer, kind);
        const completed = answer.run_completed ? ` ${gettext("All proposals of its run are decided.")}` : "";
        announce(`${answer.message} ${row.dataset.title}.${completed}`);
        if (wasHere) leave(row);
        live.soon();
    };
    const undo = async (entry) => {
        const row = document.getElementById(`fb-p-${entry.id}`);
        if (row) busy(row, true);
        const answer = await submit(entry.url, {});
        if (row) busy(row, false);
        if (!answer.ok) {
            if (row) { row.querySelector("[data-rejection]").hidden = false; reject(row, answer.message); } else showPageError(answer.message);
            return;
        }
        const at = decisions.findIndex((other) => other.id === entry.id);
        if (at >= 0) decisions.splice(at, 1);
        showPageError("");
        if (row) { restore(row); setCurrent(row); }
        announce(`${answer.message || gettext("Undone.")} ${entry.title}.`);
        await refresh().catch(() => live.soon());
        const back = document.getElementById(`fb-p-${entry.id}`);
        if (back && !row) setCurrent(back);
    };
    const showPageError = (message) => {
        pageRejection.textContent = message;
        pageRejection.hidden = !message;
        if (message) pageRejection.scrollIntoView({ block: "nearest" });
    };
    const undoLast = () => {
        const last = decisions.at(-1);
        if (last) { undo(last); return; }
        const form = root.querySelector("form[data-undo]");
        if (form) undo({ id: form.closest("[data-decided]").dataset.decided, url: form.action, title: form.closest("[data-decided]").querySelector(".fb-decided-title").textContent });
        else announce(gettext("There is nothing to undo."));
    };

    // --- Selecting -----------------------------------------------------------------------------
    const boxes = () => [...root.querySelectorAll("input[name=items]:checked:not(:disabled)")];
    const showSelection = () => {
        const count = boxes().length;
        bulk.classList.toggle("is-shown", count > 0);
        const selected = ngettext("%(count)s selected", "%(count)s selected", count);
        document.getElementById("fb-bulk-text").textContent = format(selected, { count });
        root.querySelectorAll(".fb-row").forEach((row) => row.classList.toggle("is-selected", Boolean(row.querySelector("input[name=items]:checked:not(:disabled)"))));
        if (!count) bulk.querySelector("#fb-bulk-discard").hidden = true;
    };
    const clearSelection = () => { boxes().forEach((box) => { box.checked = false; }); showSelection(); };
    const bulkText = (kind, done, rejected) => {
        const values = { done, rejected: rejected.length, reason: rejected[0]?.[1] };
        if (kind === "accept") {
            return format(rejected.length ? gettext("%(done)s accepted, %(rejected)s rejected: %(reason)s.") : gettext("%(done)s accepted."), values);
        }
        return format(rejected.length ? gettext("%(done)s discarded, %(rejected)s rejected: %(reason)s.") : gettext("%(done)s discarded."), values);
    };
    const decideSelected = async (kind, url) => {
        const chosen = boxes();
        if (!chosen.length) { announce(gettext("No proposal selected. Press x to select one.")); return; }
        if (bulk.classList.contains("is-busy")) return;
        const part = bulk.querySelector("#fb-bulk-discard");
        const reason = bulk.elements.reason.value;
        const feedback = bulk.elements.feedback.value.trim();
        if (kind === "discard" && !reason && !feedback) {
            const asked = !part.hidden;
            part.hidden = false;
            bulk.elements.reason.focus();
            if (asked) announce(gettext("Choose a reason or enter feedback for all selected proposals."), true);
            return;
        }
        const fields = new URLSearchParams(chosen.map((box) => ["items", box.value]));
        if (kind === "discard") { fields.set("reason", reason); fields.set("feedback", feedback); fields.set("rest_until", bulk.elements.rest_until.value); }
        bulk.classList.add("is-busy");
        chosen.forEach((box) => busy(rowOf(box), true));
        const answer = await submit(url, fields);
        chosen.forEach((box) => busy(rowOf(box), false));
        bulk.classList.remove("is-busy");
        if (!answer.results) { showPageError(answer.message); announce(answer.message, true); return; }
        showPageError("");
        const from = focusedRow() || rowOf(chosen[0]);
        let done = 0;
        const rejected = [];
        for (const result of answer.results) {
            const row = document.getElementById(`fb-p-${result.id}`);
            if (!row) continue;
            if (result.ok) { done += 1; collapse(row, result, kind); } else rejected.push([row, result.message]);
        }
        rejected.forEach(([row, message]) => reject(row, message));
        if (kind === "discard" && !rejected.length) { bulk.elements.reason.value = ""; bulk.elements.feedback.value = ""; bulk.elements.rest_until.value = ""; }
        showSelection();
        announce(bulkText(kind, done, rejected), rejected.length > 0);
        if (rejected.length) setCurrent(rejected[0][0]);
        else if (from.classList.contains("is-decided")) leave(from);
        live.soon();
    };

    // --- Updates from the server ---------------------------------------------------------------
    const enhance = () => {
        root.querySelectorAll("a[data-action]").forEach((link) => {
            link.setAttribute("role", "button");
            if (!link.hasAttribute("aria-expanded")) link.setAttribute("aria-expanded", "false");
        });
        const long = [...root.querySelectorAll(".fb-text:not(.is-measured)")].map((text) => [text, text.scrollHeight > text.clientHeight + 4]);
        long.forEach(([text, cut]) => {
            text.classList.add("is-measured");
            if (!cut) return;
            const more = document.createElement("button");
            more.type = "button";
            more.className = "fb-more";
            more.setAttribute("data-own", "");
            more.setAttribute("aria-expanded", "false");
            more.textContent = gettext("Show full text");
            text.after(more);
        });
        if (!currentRow()) setCurrent(rows()[0], { focus: false });
    };
    const toggleText = (row) => {
        const more = row.querySelector(".fb-more");
        if (!more) return;
        const open = row.querySelector(".fb-text").classList.toggle("is-whole");
        more.setAttribute("aria-expanded", String(open));
        more.textContent = open ? gettext("Show less") : gettext("Show full text");
    };
    let refreshing = Promise.resolve();
    const refresh = () => {
        refreshing = refreshing.catch(() => {}).then(update);
        return refreshing;
    };
    const update = async () => {
        const started = performance.now();
        const before = sent;
        const page = await refetch("proposals");
        // Ignore a response from before a decision that was made meanwhile.
        if (before !== sent) { live.soon(); return; }
        const next = page.getElementById("proposals");
        if (!next) return;
        const now = document.getElementById("proposals");
        const fresh = [];
        let focusLost = null;
        merge(now, next, {
            mayChange: (node) => {
                // Proposals do not change, so their forms are not updated.
                if (node.classList.contains("fb-panel")) return false;
                if (node.hasAttribute("data-rejection")) return false;
                if (!node.classList.contains("fb-row")) return true;
                if (node.classList.contains("is-decided") && Number(node.dataset.decidedAt) < started) restore(node);
                if (node.classList.contains("is-gone")) restore(node);
                return !node.matches(".is-decided, .is-busy");
            },
            mayLeave: (node) => {
                if (node.classList.contains("fb-group")) return !node.querySelector(".is-decided, .is-busy, .fb-panel.is-open");
                if (!node.classList.contains("fb-row")) return true;
                if (node.matches(".is-decided, .is-busy")) return false;
                if (node.querySelector(".fb-panel.is-open")) {
                    node.classList.add("is-gone");
                    node.querySelector("[data-rejection]").hidden = false;
                    node.querySelector("[data-rejection]").textContent = gettext("This proposal is no longer in this list: it was decided or moved meanwhile. What you typed is still here.");
                    return false;
                }
                if (node.contains(document.activeElement)) focusLost = neighbour(node, 1) || neighbour(node, -1) || false;
                return true;
            },
            added: (node) => {
                const list = node.matches(".fb-row") ? [node] : [...node.querySelectorAll(".fb-row")];
                fresh.push(...list);
            },
        });
        renewToken(now);
        root.querySelectorAll("[data-count]").forEach((count) => { count.textContent = next.dataset[count.dataset.count]; });
        enhance();
        if (focusLost !== null) {
            announce(gettext("The focused proposal is no longer in this list."));
            if (focusLost && focusLost.isConnected) setCurrent(focusLost);
            else if (rows()[0]) setCurrent(rows()[0]);
            else document.getElementById("fb-empty")?.focus();
        }
        if (fresh.length) {
            fresh.forEach((row) => row.classList.add("is-new"));
            setTimeout(() => fresh.forEach((row) => row.classList.remove("is-new")), HIGHLIGHT_MS);
            const many = ngettext("%(count)s new proposal.", "%(count)s new proposals.", fresh.length);
            announce(fresh.length === 1 ? format(gettext("New proposal: %(title)s"), { title: fresh[0].dataset.title }) : format(many, { count: fresh.length }));
        }
        showSelection();
    };
    const live = follow({
        url: root.dataset.eventsUrl,
        events: ["fallback"],
        changed: refresh,
        indicator: document.getElementById("fb-live"),
    });

    // --- Mouse, touch and forms ----------------------------------------------------------------
    root.addEventListener("submit", (event) => {
        const form = event.target;
        const submitter = event.submitter;
        const row = rowOf(form) || rowOf(submitter);
        if (form.matches("[data-decide]") && row) {
            event.preventDefault();
            const url = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
            decide(row, form.dataset.decide || submitter.dataset.action, url, new URLSearchParams(new FormData(form, submitter)));
        } else if (form.matches("[data-undo]")) {
            event.preventDefault();
            const item = form.closest("[data-decided]");
            undo({ id: item.dataset.decided, url: form.action, title: item.querySelector(".fb-decided-title").textContent });
        } else if (form === bulk) {
            event.preventDefault();
            const kind = event.submitter?.dataset.bulk || "discard";
            decideSelected(kind, event.submitter?.formAction || form.action);
        }
    });
    root.addEventListener("click", (event) => {
        const row = rowOf(event.target);
        const button = event.target.closest("a[data-action]");
        if (button) { event.preventDefault(); openPanel(row, button.dataset.action); return; }
        if (event.target.closest("[data-close]")) { event.preventDefault(); closePanels(row); return; }
        if (event.target.closest(".fb-more")) { toggleText(row); return; }
        if (event.target.closest("[data-result-undo]")) {
            const entry = decisions.find((decision) => decision.id === row.dataset.id);
            if (entry) undo(entry);
            return;
        }
        if (event.target.closest("[data-bulk=clear]")) { clearSelection(); setCurrent(currentRow() || rows()[0]); return; }
        if (event.target.closest("#fb-help-button")) { help.showModal(); return; }
        if (row && !row.classList.contains("is-decided") && !event.target.closest("a, button, input, textarea, select, label")) {
            if (!String(getSelection())) setCurrent(row);
        }
    });
    root.addEventListener("focusin", (event) => {
        const row = rowOf(event.target);
        if (row && !row.classList.contains("is-decided")) setCurrent(row, { focus: false });
    });
    root.addEventListener("change", (event) => { if (event.target.name === "items") showSelection(); });

    // --- Keys ----------------------------------------------------------------------------------
    try { keysOn.checked = localStorage.getItem("fb-keys") !== "off"; } catch { /* Without storage, shortcuts stay enabled. */ }
    keysOn.addEventListener("change", () => {
        try { localStorage.setItem("fb-keys", keysOn.checked ? "on" : "off"); } catch { /* Without storage, valid for this page only. */ }
    });
    const isTyping = (node) => node.matches("textarea, select, [contenteditable], input:not([type=checkbox]):not([type=radio])");

    /** Keys inside an open panel: Escape closes, Enter in a text area sends, digits choose. */
    const panelKey = (event, panel) => {
        const row = rowOf(panel);
        const target = event.target;
        if (event.key === "Escape") { event.preventDefault(); closePanels(row); return; }
        if (event.key === "Enter" && target.matches("textarea[name=feedback], textarea[name=description]")) {
            const sends = target.name === "feedback" ? !event.shiftKey : event.ctrlKey || event.metaKey;
            if (sends) { event.preventDefault(); target.form.requestSubmit(); }
            return;
        }
        if (event.ctrlKey || event.metaKey || event.altKey || (isTyping(target) && panel.dataset.panel !== "snooze")) return;
        if (isTyping(target)) return;
        if (/^[1-9]$/.test(event.key)) {
            const choice = panel.querySelectorAll("input[type=radio], button[name=until]")[Number(event.key) - 1];
            if (choice) { event.preventDefault(); choice.focus(); choice.click(); }
        } else if (event.key === " " && target.matches("a[data-close]")) { event.preventDefault(); target.click(); }
        else if (event.key.length === 1 && /\p{L}/u.test(event.key) && panel.dataset.panel === "discard") {
            // Typing a letter starts the feedback.
            panel.querySelector("textarea").focus();
        }
    };
    const actions = {
        j: () => move(1),
        k: () => move(-1),
        u: undoLast,
        "/": () => { search.focus(); search.select(); },
        "?": () => help.showModal(),
        A: () => bulk.querySelector("[data-bulk=accept]").click(),
        D: () => bulk.querySelector("[data-bulk=discard]").click(),
    };
    const onRow = {
        a: (row) => row.querySelector("[data-action=accept]")?.click(),
        e: (row) => openPanel(row, "edit"),
        d: (row) => openPanel(row, "discard"),
        s: (row) => { const end = row.querySelector("[data-action=unsnooze]"); if (end) end.click(); else openPanel(row, "snooze"); },
        m: (row) => openPanel(row, "duplicate"),
        x: (row) => { row.querySelector("input[name=items]")?.click(); },
    };
    document.addEventListener("keydown", (event) => {
        if (event.defaultPrevented || event.isComposing || help.open) return;
        const target = event.target instanceof Element ? event.target : document.body;
        const inside = root.contains(target);
        if (!inside && target !== document.body && target !== document.documentElement) return;
        const panel = target.closest(".fb-panel");
        if (panel) { panelKey(event, panel); return; }
        if (event.key === "Escape") {
            if (bulk.contains(target) || target === search) { setCurrent(currentRow() || rows()[0]); return; }
            const open = currentRow() && openPanels(currentRow())[0];
            if (open) closePanels(currentRow());
            else if (boxes().length) clearSelection();
            return;
        }
        if (isTyping(target) || event.ctrlKey || event.metaKey || event.altKey) return;
        const row = rowOf(target);
        if (event.key === " " && target.matches("a[data-action]")) { event.preventDefault(); target.click(); return; }
        if ((event.key === "ArrowDown" || event.key === "ArrowUp") && row) { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); return; }
        if (event.key === "Enter" && target === row) { event.preventDefault(); toggleText(row); return; }
        if (!keysOn.checked) return;
        if (actions[event.key]) { event.preventDefault(); actions[event.key](); return; }
        if (!onRow[event.key]) return;
        event.preventDefault();
        // A key pressed outside a proposal only focuses the current one: nothing is decided unseen.
        if (!row) { setCurrent(currentRow() || rows()[0]); return; }
        if (row.matches(".is-decided, .is-gone")) return;
        if (!row.hasAttribute("data-may")) { announce(gettext("You can view this proposal, but not decide on it.")); return; }
        onRow[event.key](row);
    });

    enhance();
    showSelection();
    const [, panel, id] = location.hash.match(/^#fb-(edit|discard|snooze|duplicate|p)-(\w+)$/) || [];
    const asked = id && document.getElementById(`fb-p-${id}`);
    if (asked && panel !== "p" && asked.hasAttribute("data-may")) openPanel(asked, panel);
    else if (asked) setCurrent(asked);
})();
