// Sends the browser's time zone with the registration, so that messages are not sent at night, and asks on the profile
// page when it is another one than that of the profile. "Keep" is remembered for this zone in this browser.
const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

// The local time in January and in July: names differ between browsers, such as Asia/Katmandu and Asia/Kathmandu.
const clocks = (zone) => {
    const year = new Date().getUTCFullYear();
    try {
        return [0, 6]
            .map((month) => new Date(Date.UTC(year, month, 1)).toLocaleString("en", { timeZone: zone }))
            .join();
    } catch {
        // The browser does not know this zone.
        return zone;
    }
};

document.querySelectorAll("[data-browser-zone]").forEach((field) => {
    field.value = browserZone;
});

document.querySelectorAll("[data-profile-zone]").forEach((form) => {
    const answer = `${browserZone} ${form.dataset.profileZone}`;
    let kept = "";
    try {
        kept = localStorage.getItem("kept-zone");
    } catch {
        // Storage is blocked: the question is asked on each visit.
    }
    if (!browserZone || clocks(browserZone) === clocks(form.dataset.profileZone) || kept === answer) {
        return;
    }
    form.querySelector("[data-zone]").textContent = browserZone;
    form.elements.timezone.value = browserZone;
    form.querySelector("[data-keep]").addEventListener("click", () => {
        form.hidden = true;
        try {
            localStorage.setItem("kept-zone", answer);
        } catch {
            // As above.
        }
    });
    form.hidden = false;
});
