// A button with data-copy-code copies the code of its figure and confirms it, also for screen readers.
// One listener for the page, so that figures that are added later work as well.
(() => {
    const SECONDS = 3;
    const status = document.createElement("div");
    status.className = "sr-only";
    status.setAttribute("aria-live", "polite");
    document.body.append(status);

    const copied = async (code) => {
        try {
            await navigator.clipboard.writeText(code.textContent);
            return true;
        } catch {
            // Without HTTPS or permission there is no clipboard API; a selection can still be copied.
            const selection = getSelection();
            selection.selectAllChildren(code);
            const done = document.execCommand("copy");
            if (done) selection.removeAllRanges();
            return done;
        }
    };

    document.addEventListener("click", async (event) => {
        const button = event.target.closest?.("[data-copy-code]");
        const code = button?.closest("figure")?.querySelector("code");
        if (!code) return;
        button.dataset.name ??= button.textContent;
        // If that fails as well, the code stays selected, so that the user can press Ctrl+C.
        const text = (await copied(code)) ? button.dataset.copied : button.dataset.manual;
        button.textContent = status.textContent = text;
        clearTimeout(button.resetTimer);
        button.resetTimer = setTimeout(() => {
            button.textContent = button.dataset.name;
            status.textContent = "";
        }, SECONDS * 1000);
    });
})();
