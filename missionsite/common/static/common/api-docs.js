// What Swagger UI leaves open: the browser's dark mode, and a link inside a button.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// The path of an operation is a link in the button that opens it. The button does all the link does, its address in the
// location bar included; two things to press in one another confuse screen readers. And a choice of examples has no name.
new MutationObserver(() => {
    for (const link of document.querySelectorAll("button a.nostyle[href]")) link.removeAttribute("href");
    for (const each of document.querySelectorAll(".examples-select-element")) each.setAttribute("aria-label", "Example");
}).observe(document.documentElement, { childList: true, subtree: true });
