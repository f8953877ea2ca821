// Small comforts on top of pages that work without this file.
"use strict";

for (const form of document.querySelectorAll("form.filters")) {
  // A choice by pointer shows at once. Who walks through the choices by keyboard, or has no scripts, has the button.
  const setPointer = (isPointer) => form.classList.toggle("by-pointer", isPointer);
  setPointer(true);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") setPointer(false);
  });
  form.addEventListener("pointerdown", () => setPointer(true));
  form.addEventListener("change", () => {
    if (form.classList.contains("by-pointer")) form.requestSubmit();
  });

  // The two ends of a period are put in order.
  form.addEventListener("submit", () => {
    const { from, to } = form.elements;
    if (from && to && from.value > to.value) [from.value, to.value] = [to.value, from.value];
  });

  // An address says only what was chosen.
  form.addEventListener("formdata", (event) => {
    const unused = [...event.formData].filter(([, value]) => value === "").map(([name]) => name);
    const isUntouched = ({ options, selectedIndex }) => options[selectedIndex].defaultSelected;
    const ends = [form.elements.from, form.elements.to].filter(Boolean);
    if (ends.every((select) => isUntouched(select) && !select.closest(".chip.on"))) unused.push("from", "to");
    for (const name of unused) event.formData.delete(name);
  });
}
