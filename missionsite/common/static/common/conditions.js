// The inputs of a new condition of a list: only the modifiers of the chosen field, and only the inputs they need.
(() => {
    "use strict";
    const TYPES = { day: "date", number: "number" };
    const adapt = (box) => {
        const [field, modifier, value, until] = box.querySelectorAll("select, label:not(.condition) > input");
        const kind = field.selectedOptions[0]?.dataset.kind ?? "";
        for (const option of modifier.options) {
            option.hidden = option.disabled = !option.dataset.kinds.split(" ").includes(kind);
        }
        if (modifier.selectedOptions[0]?.disabled) {
            modifier.value = [...modifier.options].find((option) => !option.disabled)?.value ?? "";
        }
        modifier.parentElement.hidden = !kind;
        value.type = until.type = TYPES[kind] ?? "text";
        value.step = until.step = "any";
        value.parentElement.hidden = !kind || ["empty", "filled"].includes(modifier.value);
        until.parentElement.hidden = !kind || modifier.value !== "between";
        // Hidden inputs are not sent.
        for (const input of [field, modifier, value, until]) input.disabled = input !== field && input.parentElement.hidden;
    };
    for (const box of document.querySelectorAll(".conditions")) {
        box.addEventListener("change", () => adapt(box));
        adapt(box);
        box.closest("form").addEventListener("submit", () => {
            const field = box.querySelector("select");
            field.disabled = !field.value;
        });
    }
})();
