// What Alpine's build without eval needs for the templates of Unfold: it reads one expression per attribute, without
// functions and global names. See docs/decisions/0044-no-eval.md.
(() => {
    const SIDEBAR = "sidebarDesktopOpen";
    const STORED_SIDEBAR = /\(localStorage\.getItem\('sidebarDesktopOpen'\) !== null\) \?[^}]*?: true/;
    const FIRST_TAB = /activeTab = (getCurrentTab\(\) \|\| '[^']*'|'')/;

    // Names that expressions use, in the scope of the whole page.
    const names = {
        getCurrentTab: () => getCurrentTab(),
        sortRecords: (event) => sortRecords(event),
        moveRecords: (event) => moveRecords(event),
        addressOfTab: (tab) => location.pathname + location.search + (tab && tab !== "general" ? `#${tab}` : ""),
        focusMain: () => document.getElementById("main").focus(),
        isSidebarOpen: () => (localStorage.getItem(SIDEBAR) ?? "1") === "1",
        // Called in the scope of the body.
        begin(tab) {
            this.activeTab = tab;
            this.$watch(SIDEBAR, (value) => localStorage.setItem(SIDEBAR, value ? "1" : "0"));
        },
    };

    const rewrite = (name, text) => {
        if (name === "x-data") return text.replace(STORED_SIDEBAR, "isSidebarOpen()");
        if (name === "x-init") return FIRST_TAB.test(text) ? `begin(${text.match(FIRST_TAB)[1]})` : text;
        if (name === "x-bind:action") return text.includes("window.location") ? "addressOfTab(activeTab)" : text;
        if (!name.startsWith("x-on:")) return text;
        // `a; b` is [a, b], and `if (a) b` is a && b.
        const statements = text.split(";").map((each) => each.trim()).filter(Boolean);
        const each = statements.map((one) => one.replace(/^if \((.*)\) ([^{]*)$/, "($1) && ($2)"));
        return each.length > 1 ? `[${each.map((one) => `(${one})`).join(", ")}]` : (each[0] ?? text);
    };

    // Enter without a selected result does nothing; Unfold's own function fails.
    const withSelection = (make) => () => {
        const made = make();
        const select = made.selectItem;
        if (select) {
            made.selectItem = function (...given) {
                if (this.items?.[this.currentIndex - 1]) select.apply(this, given);
            };
        }
        return made;
    };

    document.addEventListener("alpine:init", () => {
        Alpine.data("theme", (mode) => ({ ...theme(mode), ...names }));
        for (const make of [searchForm, searchDropdown, searchCommand]) Alpine.data(make.name, withSelection(make));
        Alpine.interceptInit((element) => {
            for (const { name, value } of [...element.attributes]) {
                if (!name.startsWith("x-")) continue;
                const better = rewrite(name, value);
                if (better !== value) element.setAttribute(name, better);
            }
        });
    });
})();
