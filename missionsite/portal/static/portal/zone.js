// Sends the browser's time zone with the registration, so that messages are not sent at night.
document.querySelectorAll("[data-browser-zone]").forEach((field) => {
    field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
});
