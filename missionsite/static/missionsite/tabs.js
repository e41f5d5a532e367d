// Unfold may measure the tabs before the page is complete, and then hides tabs that fit behind a button. On each resize
// it moves one of them back.
addEventListener("load", () => {
    const hidden = document.getElementById("tabs-dropdown")?.childElementCount ?? 0;
    for (let moved = 0; moved < hidden; moved += 1) dispatchEvent(new Event("resize"));
});
