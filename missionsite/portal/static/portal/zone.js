// Fills in the time zone of the visitor's browser, so that messages do not come at night.
document.querySelectorAll("[data-browser-zone]").forEach((field) => {
    field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
});
