// Ticks a field of a bulk edit when its value is entered.
(() => {
    "use strict";
    const tick = (event) => {
        const box = event.target.closest(".bulk-field")?.querySelector("label input[type=checkbox]");
        if (box && box !== event.target) box.checked = true;
    };
    document.addEventListener("input", tick);
    document.addEventListener("change", tick);
    // Autocomplete fields report their changes through jQuery alone.
    window.django?.jQuery?.(document).on("select2:select select2:clear", tick);
    document.getElementById("preview")?.scrollIntoView({ block: "nearest" });
})();
