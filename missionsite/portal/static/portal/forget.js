// On the log-in page: the pages and searches that this browser remembers belong to the member who was logged in.
(() => {
    "use strict";
    const NAVIGATION = "missionsite.navigation";
    try {
        localStorage.removeItem("commandHistory");
        sessionStorage.removeItem(NAVIGATION);
        const state = JSON.parse(localStorage.getItem(NAVIGATION) ?? "null");
        // Which parts are open is kept; favourites come from the site again.
        if (state) localStorage.setItem(NAVIGATION, JSON.stringify({ ...state, favourites: [], recent: [] }));
    } catch {
        // Without storage nothing is remembered.
    }
})();
