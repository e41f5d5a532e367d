// Shows a preview with sample values while a text is edited. Each [data-preview-of] names its inputs.
(() => {
    const PAUSE_MS = 250;
    const token = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value || "";

    document.querySelectorAll("[data-preview-of]").forEach((panel) => {
        const form = panel.dataset.form ? document.getElementById(panel.dataset.form) : panel.closest("form");
        const input = (name) => form?.elements[name];
        const parts = Object.fromEntries(
            [...panel.querySelectorAll("[data-preview]")].map((part) => [part.dataset.preview, part]),
        );
        const { subject, body } = panel.dataset;
        let timer = null;
        let newest = 0;

        const value = (name, otherwise) => input(name)?.value ?? otherwise ?? "";
        const show = async () => {
            newest += 1;
            const mine = newest;
            const fields = {
                key: value("key", panel.dataset.key) || panel.dataset.key || "",
                locale: value("locale", panel.dataset.locale) || panel.dataset.locale || "",
                subject: value(subject),
                body: value(body),
            };
            try {
                const answer = await fetch(panel.dataset.previewOf, {
                    method: "POST",
                    headers: { Accept: "application/json", "X-CSRFToken": token() },
                    body: new URLSearchParams(fields),
                    credentials: "same-origin",
                });
                if (!answer.ok || answer.redirected) throw new Error("no preview");
                const rendered = await answer.json();
                // Ignore a response that is older than the last request.
                if (mine !== newest) return;
                Object.entries(parts).forEach(([name, part]) => { part.textContent = rendered[name] || ""; });
            } catch {
                if (mine === newest && parts.problem) parts.problem.textContent = parts.problem.dataset.error;
            }
        };
        const soon = () => { clearTimeout(timer); timer = setTimeout(show, PAUSE_MS); };
        [subject, body, "key", "locale"].forEach((name) => {
            input(name)?.addEventListener?.("input", soon);
            input(name)?.addEventListener?.("change", soon);
        });
    });
    document.querySelectorAll("[data-without-script]").forEach((each) => { each.hidden = true; });
})();
