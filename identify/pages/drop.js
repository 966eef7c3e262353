// Adds to the form what plain HTML cannot: dropping or pasting an image, and the answer in place.
"use strict";
for (const form of document.querySelectorAll("form.drop")) {
  const field = form.querySelector("input[type=file]");
  const place = document.getElementById("answer");
  const hint = form.querySelector("[data-hint]");
  hint.hidden = false;

  const take = (files) => {
    const images = [...files].filter((file) => file.type.startsWith("image/"));
    if (!images.length) return;
    const chosen = new DataTransfer();
    for (const image of images.slice(0, 10)) chosen.items.add(image);
    field.files = chosen.files;
    form.requestSubmit();
  };
  for (const kind of ["dragover", "dragenter"]) {
    window.addEventListener(kind, (event) => { event.preventDefault(); form.classList.add("over"); });
  }
  window.addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("over"); });
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    take(event.dataTransfer.files);
  });
  window.addEventListener("paste", (event) => take(event.clipboardData.files));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter || form.querySelector("button");
    button.disabled = true;
    place.textContent = "Looking …";
    try {
      const address = event.submitter && event.submitter.hasAttribute("formaction") ? event.submitter.formAction : form.action;
      const response = await fetch(address, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const answer = page.getElementById("answer");
      if (!answer) throw new Error(`status ${response.status}`);
      place.replaceChildren(...answer.childNodes);
      place.scrollIntoView({ block: "nearest" });
    } catch (error) {
      place.textContent = `No answer (${error.message}). The server may be away; try again.`;
    } finally {
      button.disabled = false;
    }
  });
}
