// Adds accessible names that the scripts of Django and Select2 lack.

// Select2 announces only the value; the label belongs to the hidden select element.
let labels = 0;
const labelOf = (box) => {
    const label = box?.previousElementSibling?.labels?.[0];
    if (label) label.id ||= `picker-label-${(labels += 1)}`;
    return label;
};

const nameField = (box) => {
    const label = labelOf(box);
    if (!label) return;
    const selection = box.querySelector(".select2-selection");
    const shown = box.querySelector(".select2-selection__rendered");
    selection.setAttribute("aria-labelledby", [label.id, shown.id].filter(Boolean).join(" "));
    if (shown.getAttribute("role")) shown.setAttribute("aria-labelledby", label.id);
    box.querySelector(".select2-search__field")?.setAttribute("aria-labelledby", label.id);
};

// The opened list is at the end of the page; aria-owns links it to its select.
const nameList = (box) => {
    const list = box.querySelector(".select2-results__options");
    const opener = list && document.querySelector(`.select2-selection[aria-owns="${CSS.escape(list.id)}"]`);
    const label = labelOf(opener?.closest(".select2-container"));
    if (!label) return;
    for (const each of [list, box.querySelector(".select2-search__field")]) {
        each?.setAttribute("aria-labelledby", label.id);
    }
};

const name = (element) => {
    for (const box of element.querySelectorAll(".select2-container")) {
        if (box.querySelector(".select2-selection")) nameField(box);
        else nameList(box);
    }
    // The icon in the filter of a two-list select has a label but no role.
    for (const icon of element.querySelectorAll(".selector .search-label-icon")) icon.setAttribute("role", "img");
};

new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
        for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) name(node.parentElement ?? node);
    }
}).observe(document.documentElement, { childList: true, subtree: true });
