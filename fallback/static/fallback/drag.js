// Drags cards with a mouse, a pen or a finger, and reports the drop position to board.js.
window.fallback = window.fallback || {};
(() => {
    const START_PX = 6;
    const EDGE_PX = 70;
    const SPEED_PX = 16;

    /**
     * Make the cards in `root` draggable. A mouse takes a card anywhere, a finger by its handle, so that it can scroll.
     * may(card): whether it may be dragged now. dropped(card, list, next): it was dropped before the card `next`
     * (null: at the end). ended(): called after every drag, also a cancelled one.
     */
    window.fallback.drag = ({ root, may, started, dropped, ended }) => {
        let drag = null;
        const mark = document.createElement("li");
        mark.className = "fb-drop";
        mark.setAttribute("data-own", "");
        mark.setAttribute("aria-hidden", "true");

        const place = () => {
            const under = document.elementFromPoint(drag.x, drag.y);
            const column = under?.closest?.(".fb-column");
            root.querySelectorAll(".fb-column.is-over").forEach((other) => { if (other !== column) other.classList.remove("is-over"); });
            if (!column || !root.contains(column)) { mark.remove(); drag.list = null; return; }
            column.classList.add("is-over");
            drag.list = column.querySelector(".fb-cards");
            const cards = [...drag.list.children].filter((card) => card.matches(".fb-card") && card !== drag.card);
            drag.next = cards.find((card) => {
                const box = card.getBoundingClientRect();
                return drag.y < box.top + box.height / 2;
            }) || null;
            const where = drag.next || null;
            if (mark.parentNode !== drag.list || mark.nextElementSibling !== where) drag.list.insertBefore(mark, where);
        };
        const towards = (at, low, high) => {
            if (at < low + EDGE_PX) return -SPEED_PX * Math.min(1, (low + EDGE_PX - at) / EDGE_PX);
            if (at > high - EDGE_PX) return SPEED_PX * Math.min(1, (at - high + EDGE_PX) / EDGE_PX);
            return 0;
        };
        const frame = () => {
            if (!drag?.on) return;
            const board = root.querySelector(".fb-board");
            const box = board.getBoundingClientRect();
            board.scrollLeft += towards(drag.x, Math.max(0, box.left), Math.min(innerWidth, box.right));
            scrollBy(0, towards(drag.y, 0, innerHeight));
            drag.flying.style.transform = `translate(${drag.x - drag.dx}px, ${drag.y - drag.dy}px)`;
            place();
            requestAnimationFrame(frame);
        };
        const begin = () => {
            const box = drag.card.getBoundingClientRect();
            drag.on = true;
            drag.dx = drag.x - box.left;
            drag.dy = drag.y - box.top;
            drag.flying = document.createElement("div");
            // A copy has the ids of its card; they must not be found twice.
            const copy = drag.card.cloneNode(true);
            [copy, ...copy.querySelectorAll("[id]")].forEach((node) => node.removeAttribute("id"));
            drag.flying.className = "fb-flying";
            drag.flying.setAttribute("aria-hidden", "true");
            drag.flying.inert = true;
            drag.flying.style.width = `${box.width}px`;
            drag.flying.append(copy);
            root.append(drag.flying);
            drag.card.classList.add("is-source");
            root.classList.add("is-dragging");
            started(drag.card);
            requestAnimationFrame(frame);
        };
        const end = (drop) => {
            if (!drag) return;
            const { card, list, next, on, flying, pointerId } = drag;
            if (card.hasPointerCapture?.(pointerId)) card.releasePointerCapture(pointerId);
            drag = null;
            if (!on) return;
            flying.remove();
            mark.remove();
            card.classList.remove("is-source");
            root.classList.remove("is-dragging");
            root.querySelectorAll(".fb-column.is-over").forEach((column) => column.classList.remove("is-over"));
            if (drop && list) dropped(card, list, next);
            ended();
        };
        root.addEventListener("pointerdown", (event) => {
            const card = event.target.closest?.(".fb-card");
            if (!card || drag || event.button !== 0 || !event.isPrimary || !may(card)) return;
            const handle = event.target.closest(".fb-handle");
            if (event.pointerType !== "mouse" && !handle) return;
            if (event.target.closest("button, select, input, summary, form, label, .fb-rejection")) return;
            drag = { card, x: event.clientX, y: event.clientY, fromX: event.clientX, fromY: event.clientY, pointerId: event.pointerId, list: null, next: null, on: false };
        });
        document.addEventListener("pointermove", (event) => {
            if (!drag || event.pointerId !== drag.pointerId) return;
            drag.x = event.clientX;
            drag.y = event.clientY;
            if (drag.on || Math.hypot(drag.x - drag.fromX, drag.y - drag.fromY) < START_PX) return;
            drag.card.setPointerCapture(drag.pointerId);
            begin();
        });
        document.addEventListener("pointerup", (event) => {
            if (!drag || event.pointerId !== drag.pointerId) return;
            const moved = drag.on;
            end(true);
            // The click that follows a drag must not open the card.
            if (moved) {
                const swallow = (click) => { click.preventDefault(); click.stopPropagation(); };
                addEventListener("click", swallow, { capture: true, once: true });
                setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
            }
        });
        document.addEventListener("pointercancel", (event) => { if (event.pointerId === drag?.pointerId) end(false); });
        document.addEventListener("keydown", (event) => {
            if (event.key === "Escape" && drag?.on) { event.preventDefault(); end(false); }
        }, true);
        addEventListener("blur", () => end(false));
    };
})();
