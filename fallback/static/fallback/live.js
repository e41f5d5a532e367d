// Shared by the live pages: requests, screen reader announcements, and server events.
window.fallback = window.fallback || {};
(() => {
    const UNKNOWN = gettext("No response from the server. Check the list and try again. Your input is kept.");
    const SIGNED_OUT = gettext("You are signed out. Sign in again in another tab, then try again here. Your input is kept.");
    const BY_STATUS = {
        403: gettext("You do not have permission, or you have signed in again since this page was opened. Try again. Your input is kept."),
        404: gettext("This no longer exists: another user decided or removed it."),
        405: gettext("This action is not allowed here."),
        429: gettext("Too many requests. Wait a minute and try again."),
    };
    const DEBOUNCE_MS = 250;
    const POLL_MS = 30000;

    /** Insert values into a translated text with %(name)s. */
    const format = (text, values) => interpolate(text, values, true);

    const token = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value || "";

    /** Use the CSRF token of a page fetched later: a new login invalidates the old one. */
    const renewToken = (root) => {
        const fresh = root.querySelector("input[name=csrfmiddlewaretoken]")?.value;
        if (!fresh) return;
        document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => { input.value = fresh; });
    };

    const errorText = (response) => {
        if (response.redirected && /login/.test(response.url)) return SIGNED_OUT;
        if (response.status >= 500) return gettext("Server error: nothing was saved. Try again, and contact an administrator if it happens again. Your input is kept.");
        return BY_STATUS[response.status] || format(gettext("Unexpected response of the server (%(status)s). Your input is kept."), { status: response.status });
    };

    /** POST fields and return the JSON answer; a failure of any kind comes back as {ok: false, message}. */
    const post = async (url, fields) => {
        let response;
        try {
            response = await fetch(url, {
                method: "POST",
                headers: { Accept: "application/json", "X-CSRFToken": token() },
                body: new URLSearchParams(fields),
                credentials: "same-origin",
            });
        } catch {
            return { ok: false, message: UNKNOWN, unsure: true };
        }
        if ((response.headers.get("Content-Type") || "").includes("json")) {
            try {
                const answer = await response.json();
                // Problem documents of the API have `detail` instead of `message`.
                const message = answer.message || answer.detail || (response.ok ? "" : errorText(response));
                return { ...answer, ok: response.ok && answer.ok !== false, message };
            } catch { /* A truncated response is handled below. */ }
        }
        return { ok: false, message: errorText(response), status: response.status };
    };

    /** Fetch the current fragment of this page from the server; null on failure. */
    const refetch = async (fragment, headers = {}) => {
        const response = await fetch(location.href, { headers: { "X-Fragment": fragment, ...headers }, credentials: "same-origin" });
        if (response.redirected && /login/.test(response.url)) throw new Error(SIGNED_OUT);
        if (!response.ok) throw new Error(errorText(response));
        return new DOMParser().parseFromString(await response.text(), "text/html");
    };

    /** Announce a text to screen readers; urgent ones interrupt. */
    const announce = (text, urgent = false) => {
        const region = document.getElementById(urgent ? "fb-alert" : "fb-announce");
        if (!region) return;
        region.textContent = "";
        // Screen readers may ignore a region that is cleared and filled at once.
        requestAnimationFrame(() => { region.textContent = text; });
    };

    /** Follow the events of `url`: `changed` is called, debounced, and again whenever the connection comes back. */
    const follow = ({ url, events, changed, indicator }) => {
        let timer = null;
        let poll = null;
        let running = false;
        let again = false;
        let broken = false;

        const show = (state, text) => {
            if (!indicator) return;
            indicator.hidden = false;
            indicator.dataset.state = state;
            indicator.querySelector("[data-text]").textContent = text;
        };
        const refresh = async () => {
            if (running) { again = true; return; }
            running = true;
            try {
                await changed();
                if (poll) show("polling", gettext("Checked every 30 s"));
            } catch (error) {
                show("lost", error instanceof TypeError ? gettext("Not reachable, trying again…") : error.message);
            } finally {
                running = false;
                if (again) { again = false; soon(); }
            }
        };
        const soon = () => { clearTimeout(timer); timer = setTimeout(refresh, DEBOUNCE_MS); };
        const startPolling = () => {
            if (poll) return;
            show("polling", gettext("Checked every 30 s"));
            poll = setInterval(() => { if (!document.hidden) refresh(); if (source === null) connect(); }, POLL_MS);
        };
        let source = null;
        const connect = () => {
            source = new EventSource(url);
            source.addEventListener("open", () => {
                clearInterval(poll);
                poll = null;
                show("live", gettext("Live"));
                if (broken) soon();
                broken = false;
            });
            source.addEventListener("error", () => {
                broken = true;
                if (source.readyState === EventSource.CLOSED) {
                    // Rejected for good (503, signed out): poll, and try to connect again with each poll.
                    source = null;
                    startPolling();
                } else {
                    show("lost", gettext("Reconnecting…"));
                }
            });
            [...events, "ready", "change", "resync"].forEach((name) => source.addEventListener(name, soon));
        };
        if (!url || !window.EventSource) startPolling();
        else { show("lost", gettext("Connecting…")); connect(); }
        window.addEventListener("pagehide", () => source?.close());
        window.addEventListener("pageshow", (event) => { if (event.persisted) { broken = true; connect(); } });
        return { soon };
    };

    window.fallback.format = format;
    window.fallback.post = post;
    window.fallback.refetch = refetch;
    window.fallback.renewToken = renewToken;
    window.fallback.announce = announce;
    window.fallback.follow = follow;
})();
