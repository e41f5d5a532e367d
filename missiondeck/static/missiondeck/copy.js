// A button with data-copy-code copies the code of its figure and says so, also to who does not see it.
// One listener for the page: figures that come in later work as well.
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
            // Without https, or where it is not allowed, there is no clipboard to write to; what is selected can be copied.
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
        // Selected it stays, where not even that is allowed: one key is left to press.
        const text = (await copied(code)) ? button.dataset.copied : "Press Ctrl+C";
        button.textContent = status.textContent = text;
        clearTimeout(button.backAgain);
        button.backAgain = setTimeout(() => {
            button.textContent = button.dataset.name;
            status.textContent = "";
        }, SECONDS * 1000);
    });
})();
