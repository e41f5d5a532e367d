// Names for screen readers where the scripts of Django and Select2 leave them out.

// A picker drawn by Select2 says its value; its label belongs to the select element, which is hidden.
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

// The opened list stands at the end of the page; what opened it owns it.
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
    // The icon beside the filter of two lists has a label, and no role that may have one.
    for (const icon of element.querySelectorAll(".selector .search-label-icon")) icon.setAttribute("role", "img");
};

new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
        for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) name(node.parentElement ?? node);
    }
}).observe(document.documentElement, { childList: true, subtree: true });
