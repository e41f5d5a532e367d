// Adds what Swagger UI lacks: the browser's dark mode, and accessible names.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// The path of an operation is a link inside the button that opens it, which confuses screen readers; the button alone
// does the same. The select of examples has no label.
new MutationObserver(() => {
    for (const link of document.querySelectorAll("button a.nostyle[href]")) link.removeAttribute("href");
    for (const each of document.querySelectorAll(".examples-select-element")) each.setAttribute("aria-label", "Example");
}).observe(document.documentElement, { childList: true, subtree: true });
