// A button with data-copies="ID" copies the value of that field and says so.
document.querySelectorAll("[data-copies]").forEach((button) => {
    const field = document.getElementById(button.dataset.copies);
    button.addEventListener("click", async () => {
        field.select();
        try {
            await navigator.clipboard.writeText(field.value);
        } catch {
            // Without https there is no clipboard to write to; the selection can still be copied.
            document.execCommand("copy");
        }
        button.textContent = button.dataset.copied;
    });
});
