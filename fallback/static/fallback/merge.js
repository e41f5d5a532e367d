// Updates a part of the page in place. Unchanged nodes are kept, so that focus, open forms, typed
// text and a drag survive. Nodes are matched by id; state set by a script lives in `is-…` classes and in the
// attributes below, and nodes made by a script have data-own: both are left alone.
window.fallback = window.fallback || {};
(() => {
    const OWN = new Set(["tabindex", "role", "hidden", "open", "aria-expanded", "aria-busy", "aria-selected", "aria-pressed"]);
    const always = () => true;

    const patchAttributes = (now, next) => {
        for (const { name, value } of [...next.attributes]) {
            if (name === "class") {
                const state = [...now.classList].filter((klass) => klass.startsWith("is-"));
                const wanted = [value, ...state].join(" ").trim();
                if (now.className !== wanted) now.className = wanted;
            } else if (!OWN.has(name) && now.getAttribute(name) !== value) now.setAttribute(name, value);
        }
        for (const { name } of [...now.attributes]) {
            if (name !== "class" && !OWN.has(name) && !next.hasAttribute(name)) now.removeAttribute(name);
        }
    };

    const same = (now, next) => now.nodeType === next.nodeType && now.nodeName === next.nodeName
        && (now.id || "") === (next.id || "");

    const patch = (now, next, rules) => {
        if (now.nodeType === Node.TEXT_NODE) {
            if (now.data !== next.data) now.data = next.data;
            return;
        }
        if (now.nodeType !== Node.ELEMENT_NODE || !rules.mayChange(now, next)) return;
        patchAttributes(now, next);
        patchChildren(now, next, rules);
    };

    const patchChildren = (now, next, rules) => {
        const known = new Map([...now.children].filter((child) => child.id && !child.hasAttribute("data-own")).map((child) => [child.id, child]));
        const wanted = new Set([...next.children].map((child) => child.id).filter(Boolean));
        const staying = new Set();
        for (const [id, child] of known) {
            if (wanted.has(id)) continue;
            if (rules.mayLeave(child)) child.remove();
            else staying.add(child);
        }
        const isOwn = (node) => staying.has(node) || (node.nodeType === Node.ELEMENT_NODE && node.hasAttribute("data-own"));
        let cursor = now.firstChild;
        const skip = () => { while (cursor && isOwn(cursor)) cursor = cursor.nextSibling; };
        for (const child of [...next.childNodes]) {
            skip();
            // White space between elements is added and removed with them and must not affect the matching.
            while (child.nodeType === Node.ELEMENT_NODE && cursor?.nodeType === Node.TEXT_NODE && !cursor.data.trim()) {
                const blank = cursor;
                cursor = cursor.nextSibling;
                blank.remove();
                skip();
            }
            const match = child.id ? known.get(child.id) : cursor && same(cursor, child) ? cursor : null;
            if (match && same(match, child)) {
                if (match === cursor) cursor = cursor.nextSibling;
                else now.insertBefore(match, cursor);
                patch(match, child, rules);
            } else {
                const made = document.importNode(child, true);
                now.insertBefore(made, cursor);
                if (made.nodeType === Node.ELEMENT_NODE) rules.added(made);
            }
        }
        while (cursor) {
            const after = cursor.nextSibling;
            if (!isOwn(cursor)) cursor.remove();
            cursor = after;
        }
    };

    /**
     * Make the element `now` look like `next`.
     * mayChange(now, next): false leaves a node and all in it as they are. mayLeave(node): false keeps a node with an
     * id that is missing in `next`. added(node): called for each node that is new.
     */
    window.fallback.merge = (now, next, { mayChange = always, mayLeave = always, added = always } = {}) => {
        const focused = document.activeElement;
        const selection = focused && "selectionStart" in focused && focused.selectionStart !== null
            ? [focused.selectionStart, focused.selectionEnd] : null;
        patch(now, next, { mayChange, mayLeave, added });
        // Moving a node removes its focus.
        if (focused && focused !== document.activeElement && focused.isConnected && now.contains(focused)) {
            focused.focus({ preventScroll: true });
            if (selection) focused.setSelectionRange(...selection);
        }
    };
})();
