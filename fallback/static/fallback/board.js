// The board: moves cards by mouse, touch, keyboard or the Move menu. A move is shown immediately and reverted on an error.
(() => {
    const root = document.getElementById("fb-board-page");
    if (!root) return;
    const { post, refetch, renewToken, announce, follow, format, merge, drag } = window.fallback;
    const HIGHLIGHT_MS = 4000;
    const mayMove = root.hasAttribute("data-may-move");
    const pageRejection = document.getElementById("fb-page-rejection");
    root.classList.add("is-js");
    let picked = null;
    let dragging = false;
    let stale = false;
    let moving = 0;
    let sending = Promise.resolve();

    // --- Cards and their positions -------------------------------------------------------------
    const lists = () => [...root.querySelectorAll(".fb-cards")];
    const cardsOf = (list) => [...list.querySelectorAll(":scope > .fb-card")];
    const columnOf = (node) => node.closest(".fb-column");
    const cardOf = (node) => node?.closest?.(".fb-card") || null;
    const positionOf = (card) => ({ list: card.parentNode, next: card.nextElementSibling?.closest(".fb-card") || null });
    const nearestCard = (card, step) => {
        let other = card;
        do other = step > 0 ? other.nextElementSibling : other.previousElementSibling; while (other && !other.matches(".fb-card"));
        return other;
    };
    const positionText = (card) => {
        const all = cardsOf(card.parentNode);
        const values = { list: columnOf(card).dataset.title, position: all.indexOf(card) + 1, count: all.length };
        return format(gettext("%(list)s, position %(position)s of %(count)s"), values);
    };
    const recount = (from, to) => {
        if (from === to) return;
        [[from, -1], [to, 1]].forEach(([list, by]) => {
            const count = columnOf(list).querySelector("[data-total]");
            const total = Number(count.textContent) + by;
            if (Number.isFinite(total)) count.textContent = String(total);
        });
    };
    const put = (card, { list, next }) => {
        const from = card.parentNode;
        const focused = card.contains(document.activeElement) ? document.activeElement : null;
        list.insertBefore(card, next && next.parentNode === list ? next : null);
        recount(from, list);
        if (focused) focused.focus({ preventScroll: true });
    };
    const setCurrent = (card, { focus = true } = {}) => {
        root.querySelectorAll('.fb-card[tabindex="0"]').forEach((other) => { if (other !== card) other.tabIndex = -1; });
        if (!card) return;
        card.tabIndex = 0;
        if (!focus) return;
        card.focus({ preventScroll: true });
        card.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    /** Make one card the tab stop; Enter opens its link. Without this script each link is a tab stop. */
    const enhance = () => {
        root.querySelectorAll(".fb-card h4 a:not([tabindex])").forEach((link) => { link.tabIndex = -1; });
        root.querySelectorAll(".fb-handle:not([role])").forEach((handle) => {
            handle.setAttribute("role", "button");
            handle.setAttribute("aria-expanded", "false");
        });
        root.querySelectorAll("[data-more]").forEach((link) => growing.observe(link));
        if (!root.querySelector('.fb-card[tabindex="0"]')) setCurrent(root.querySelector(".fb-card"), { focus: false });
    };
    const reject = (holder, message) => {
        holder.querySelector(":scope > .fb-rejection")?.remove();
        if (!message) return;
        const note = document.createElement("p");
        note.className = "fb-rejection";
        note.setAttribute("data-own", "");
        note.textContent = message;
        holder.append(note);
        announce(`${holder.dataset.title}: ${message}`, true);
    };

    /** Offer to move a blocked card anyway, below the message of its rejection. */
    const confirmMove = (card, wanted, fields) => {
        const note = card.querySelector(":scope > .fb-rejection");
        const buttons = document.createElement("span");
        buttons.className = "fb-confirm";
        const button = (text, style, click) => {
            const made = document.createElement("button");
            made.type = "button";
            made.className = `fb-button fb-small ${style}`;
            made.textContent = text;
            made.addEventListener("click", click);
            buttons.append(made);
            return made;
        };
        const again = button(gettext("Move anyway"), "fb-primary", () => {
            const origin = positionOf(card);
            const values = new URLSearchParams(fields);
            values.set("confirmed", "1");
            put(card, wanted);
            setCurrent(card);
            send(card, origin, values);
        });
        button(gettext("Cancel"), "fb-plain", () => { reject(card, ""); setCurrent(card); });
        note.append(buttons);
        again.focus({ preventScroll: true });
    };

    // --- Moving --------------------------------------------------------------------------------
    /** Send the new position of a card. On an error it returns to `origin`. */
    const send = (card, origin, fields) => {
        moving += 1;
        card.classList.add("is-busy");
        reject(card, "");
        // Sequential, because a position is relative to cards that are already saved.
        sending = sending.then(async () => {
            const answer = await post(card.dataset.moveUrl, fields);
            moving -= 1;
            card.classList.remove("is-busy");
            if (answer.ok) {
                announce(answer.message || format(gettext("%(card)s: moved to %(place)s."), { card: card.dataset.title, place: positionText(card) }));
            } else {
                const wanted = positionOf(card);
                put(card, origin);
                reject(card, answer.message);
                if (answer.field === "confirmed") confirmMove(card, wanted, fields);
                card.scrollIntoView({ block: "nearest", inline: "nearest" });
            }
            live.soon();
        });
    };
    const commit = (card, origin) => {
        const { list, next } = positionOf(card);
        if (list === origin.list && next === origin.next) return false;
        send(card, origin, { list: columnOf(card).dataset.list, before: next?.dataset.id || "", after: nearestCard(card, -1)?.dataset.id || "" });
        return true;
    };
    const mayMoveNow = (card) => mayMove && card.hasAttribute("data-move-url") && !card.classList.contains("is-busy") && !picked;
    const rest = () => { if (stale && !picked && !dragging && !moving) { stale = false; live.soon(); } };

    drag({
        root,
        may: mayMoveNow,
        started: (card) => { dragging = true; setCurrent(card, { focus: false }); },
        dropped: (card, list, next) => {
            const origin = positionOf(card);
            put(card, { list, next });
            commit(card, origin);
        },
        ended: () => { dragging = false; rest(); },
    });

    // --- Keyboard ------------------------------------------------------------------------------
    const pickUp = (card) => {
        if (!mayMoveNow(card)) {
            announce(mayMove ? gettext("This card cannot be moved now.") : gettext("You cannot move cards on this board."));
            return;
        }
        picked = { card, origin: positionOf(card) };
        card.classList.add("is-picked");
        announce(format(gettext("Picked up %(card)s. %(place)s. Arrow keys move it, Space drops it, Escape cancels."), { card: card.dataset.title, place: positionText(card) }), true);
    };
    const endMove = (keep) => {
        if (!picked) return;
        const { card, origin } = picked;
        picked = null;
        card.classList.remove("is-picked");
        if (!keep) {
            put(card, origin);
            announce(format(gettext("Cancelled. %(card)s is back in %(place)s."), { card: card.dataset.title, place: positionText(card) }), true);
        } else if (commit(card, origin)) {
            announce(format(gettext("Dropped %(card)s in %(place)s."), { card: card.dataset.title, place: positionText(card) }), true);
        } else {
            announce(format(gettext("%(card)s was not moved."), { card: card.dataset.title }), true);
        }
        rest();
    };
    const movePicked = (key) => {
        const { card } = picked;
        const all = lists();
        const at = all.indexOf(card.parentNode);
        let place = null;
        if (key === "ArrowUp") { const before = nearestCard(card, -1); if (before) place = { list: card.parentNode, next: before }; }
        if (key === "ArrowDown") { const after = nearestCard(card, 1); if (after) place = { list: card.parentNode, next: nearestCard(after, 1) }; }
        if (key === "Home") place = { list: card.parentNode, next: cardsOf(card.parentNode).find((other) => other !== card) || card };
        if (key === "End") place = { list: card.parentNode, next: null };
        if (key === "ArrowLeft" || key === "ArrowRight") {
            const list = all[at + (key === "ArrowLeft" ? -1 : 1)];
            if (list) place = { list, next: cardsOf(list)[cardsOf(card.parentNode).indexOf(card)] || null };
        }
        if (!place) { announce(format(gettext("%(place)s; end of the list."), { place: positionText(card) }), true); return; }
        if (place.next !== card) {
            picked.carrying = true;
            put(card, place);
            picked.carrying = false;
        }
        card.scrollIntoView({ block: "nearest", inline: "nearest" });
        announce(`${positionText(card)}.`, true);
    };
    const nextCard = (card, key) => {
        const cards = cardsOf(card.parentNode);
        const index = cards.indexOf(card);
        if (key === "ArrowUp") return cards[index - 1];
        if (key === "ArrowDown") return cards[index + 1];
        if (key === "Home") return cards[0];
        if (key === "End") return cards.at(-1);
        const all = lists();
        const step = key === "ArrowLeft" ? -1 : 1;
        for (let i = all.indexOf(card.parentNode) + step; i >= 0 && i < all.length; i += step) {
            const there = cardsOf(all[i]);
            if (there.length) return there[Math.min(index, there.length - 1)];
        }
        return null;
    };
    root.addEventListener("keydown", (event) => {
        if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
        const card = cardOf(event.target);
        if (event.key === "Escape") {
            if (picked) { event.preventDefault(); endMove(false); return; }
            const inMenu = event.target.closest(".fb-move");
            if (inMenu) { event.preventDefault(); closeMenu(); card.querySelector(".fb-handle").focus(); }
            return;
        }
        if (event.key === " " && event.target.matches(".fb-handle")) { event.preventDefault(); event.target.click(); return; }
        if (!card || event.target !== card) return;
        if (["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
            event.preventDefault();
            if (picked) movePicked(event.key);
            else { const other = nextCard(card, event.key); if (other) setCurrent(other); }
        } else if (event.key === " ") {
            event.preventDefault();
            if (picked) endMove(true);
            else pickUp(card);
        } else if (event.key === "Enter") {
            event.preventDefault();
            if (picked) endMove(true);
            else card.querySelector("h4 a").click();
        }
    });
    root.addEventListener("focusout", (event) => {
        if (!picked || picked.carrying || event.target !== picked.card) return;
        const { card } = picked;
        // Moving the node removes its focus temporarily; Tab or a click elsewhere removes it permanently.
        setTimeout(() => { if (picked?.card === card && document.activeElement !== card) endMove(false); });
    });
    root.addEventListener("focusin", (event) => {
        const card = cardOf(event.target);
        if (card) setCurrent(card, { focus: false });
    });
    document.addEventListener("pointerdown", (event) => {
        if (!event.target.closest(".fb-move, .fb-handle")) closeMenu();
    });

    // --- The Move menu -------------------------------------------------------------------------
    /** Close the only open menu; returns the card that had it. */
    const closeMenu = () => {
        const menu = root.querySelector(".fb-move");
        const card = cardOf(menu);
        menu?.remove();
        card?.querySelector(".fb-handle").setAttribute("aria-expanded", "false");
        return card;
    };
    const openMenu = (card) => {
        const handle = card.querySelector(".fb-handle");
        const menu = document.getElementById("fb-move-menu").content.firstElementChild.cloneNode(true);
        menu.action = card.dataset.moveUrl;
        menu.setAttribute("aria-label", handle.getAttribute("aria-label"));
        menu.elements.list.value = columnOf(card).dataset.list;
        card.append(menu);
        handle.setAttribute("aria-expanded", "true");
        menu.elements.list.focus();
    };
    root.addEventListener("click", (event) => {
        const card = event.target.closest(".fb-handle") && cardOf(event.target);
        if (!card || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        if (closeMenu() !== card && mayMoveNow(card)) openMenu(card);
    });

    // --- Forms ---------------------------------------------------------------------------------
    const safeLink = (address) => {
        try { return new URL(address, location.href).origin === location.origin; } catch { return false; }
    };
    const launched = (template, answer) => {
        template.querySelector(".fb-launched")?.remove();
        const line = document.createElement("p");
        line.className = "fb-launched";
        line.setAttribute("data-own", "");
        line.append(answer.message || gettext("Launched."));
        if (answer.mission_url && safeLink(answer.mission_url)) {
            const link = document.createElement("a");
            link.className = "row-link";
            link.href = answer.mission_url;
            link.textContent = gettext("Open");
            line.append(link);
        }
        if (answer.undo_url) {
            const undo = document.createElement("button");
            undo.type = "button";
            undo.className = "row-link";
            undo.textContent = gettext("Undo");
            undo.addEventListener("click", async () => {
                const back = await post(answer.undo_url, {});
                if (back.ok) { line.remove(); reject(template, ""); announce(back.message || gettext("Undone.")); template.querySelector("button")?.focus(); live.soon(); } else reject(template, back.message);
            });
            line.append(undo);
        }
        template.append(line);
    };
    const simple = async (form, holder, submitter) => {
        if (holder.classList.contains("is-busy")) return;
        holder.classList.add("is-busy");
        reject(holder, "");
        const url = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
        const answer = await post(url, new URLSearchParams(new FormData(form, submitter)));
        holder.classList.remove("is-busy");
        if (!answer.ok) { reject(holder, answer.message); live.soon(); return; }
        if (form.matches("[data-launch]")) launched(holder, answer);
        announce(`${holder.dataset.title}: ${answer.message || gettext("done.")}`);
        live.soon();
    };
    root.addEventListener("submit", (event) => {
        const form = event.target;
        // One form marks every card ready or not: its buttons are in the cards.
        const holder = (event.submitter || form).closest(".fb-card, .fb-template");
        if (!holder) return;
        event.preventDefault();
        if (!form.matches("[data-move]")) { simple(form, holder, event.submitter); return; }
        if (!mayMoveNow(holder)) return;
        const fields = new URLSearchParams(new FormData(form));
        const list = document.getElementById(`fb-list-${fields.get("list")}`);
        const origin = positionOf(holder);
        closeMenu();
        const first = cardsOf(list).find((card) => card !== holder) || null;
        put(holder, { list, next: fields.get("position") === "top" ? first : null });
        setCurrent(holder);
        send(holder, origin, fields);
    });

    // --- More cards ----------------------------------------------------------------------------
    const STEP = 25;
    const shown = {};
    /** Show more cards of a list when the link below it comes into view. */
    const growing = new IntersectionObserver((entries) => {
        entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
            growing.unobserve(target);
            if (!target.isConnected || !target.dataset.more) return;
            const list = document.getElementById(`fb-list-${target.dataset.more}`);
            shown[target.dataset.more] = cardsOf(list).length + STEP;
            grown.add(list.id);
            live.soon();
        });
    }, { rootMargin: "400px" });
    const grown = new Set();

    // --- Updates from the server ---------------------------------------------------------------
    const refresh = async () => {
        if (picked || dragging || moving) { stale = true; return; }
        const page = await refetch("board", { "X-Cards": Object.entries(shown).map((each) => each.join("=")).join(",") });
        if (picked || dragging || moving) { stale = true; return; }
        const next = page.getElementById("fb-board-part");
        if (!next) return;
        const now = document.getElementById("fb-board-part");
        const focused = document.activeElement;
        const lost = cardOf(focused);
        const after = lost && (nearestCard(lost, 1) || nearestCard(lost, -1));
        // Move the existing node of a card to its new column, so that focus and an open menu are kept.
        next.querySelectorAll(".fb-card").forEach((card) => {
            const known = document.getElementById(card.id);
            const list = document.getElementById(card.parentNode.id);
            if (known && list && known.parentNode !== list) list.append(known);
        });
        const fresh = [];
        merge(now, next, {
            mayChange: (node) => node.id !== "fb-live",
            // Cards of a list that grows were there before.
            added: (node) => fresh.push(...(node.matches(".fb-card") && !grown.has(node.parentNode.id) ? [node] : [])),
        });
        grown.clear();
        renewToken(now);
        if (focused !== document.activeElement) {
            if (focused.isConnected && now.contains(focused)) focused.focus({ preventScroll: true });
            else if (lost) {
                announce(gettext("The focused card is no longer shown."));
                setCurrent(after?.isConnected ? after : root.querySelector(".fb-card"));
            }
        }
        enhance();
        if (fresh.length) {
            fresh.forEach((card) => card.classList.add("is-new"));
            setTimeout(() => fresh.forEach((card) => card.classList.remove("is-new")), HIGHLIGHT_MS);
            const one = { card: fresh[0].dataset.title, place: positionText(fresh[0]) };
            const many = ngettext("%(count)s new card.", "%(count)s new cards.", fresh.length);
            announce(fresh.length === 1 ? format(gettext("New card: %(card)s, %(place)s."), one) : format(many, { count: fresh.length }));
        }
        pageRejection.hidden = true;
    };
    const live = follow({ url: root.dataset.eventsUrl, events: ["fallback", "board"], changed: refresh, indicator: document.getElementById("fb-live") });
    enhance();
})();
