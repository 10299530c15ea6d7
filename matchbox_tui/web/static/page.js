"use strict";

// Runs before the terminal is made, which is when the page is loaded.
const terminal = document.querySelector(".textual-terminal");

const socket = new URL("ws", window.location.href);
socket.protocol = window.location.protocol === "https:" ? "wss:" : "ws:";
socket.search = "";
socket.hash = "";
terminal.dataset.sessionWebsocketUrl = socket.href;

const wanted = new URLSearchParams(window.location.search).get("fontsize");
if (/^[0-9]{1,2}$/.test(wanted) && wanted >= 6) {
  terminal.dataset.fontSize = wanted;
}

document.querySelector("#again").addEventListener("click", () => window.location.reload());

// Keys go to the terminal at once, without a click; before the socket is open it could not take
// the news of that.
const opening = new MutationObserver(() => {
  if (document.body.classList.contains("-loaded")) {
    opening.disconnect();
    terminal.querySelector("textarea").focus();
  }
});
opening.observe(document.body, { attributeFilter: ["class"] });
