// Dragging a card is a shortcut for its buttons: it sends the same form.
"use strict";
document.querySelectorAll(".card").forEach((card) => {
  card.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", card.dataset.lead));
});
document.querySelectorAll(".stage[data-type='0']").forEach((stage) => {
  stage.addEventListener("dragover", (event) => { event.preventDefault(); stage.classList.add("over"); });
  stage.addEventListener("dragleave", () => stage.classList.remove("over"));
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    const form = document.getElementById("drop");
    form.elements.lead_id.value = event.dataTransfer.getData("text/plain");
    form.elements.status_id.value = stage.dataset.status;
    form.submit();
  });
});
