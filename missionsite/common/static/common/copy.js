// A button with data-copies="ID" copies the value of that field and shows its data-copied text.
document.querySelectorAll("[data-copies]").forEach((button) => {
    const field = document.getElementById(button.dataset.copies);
    button.addEventListener("click", async () => {
        field.select();
        try {
            await navigator.clipboard.writeText(field.value);
        } catch {
            // Without HTTPS there is no clipboard API; the selection can still be copied.
            document.execCommand("copy");
        }
        button.textContent = button.dataset.copied;
    });
});
