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

// A timer's turn comes after that of the other listeners, one of which makes the terminal.
window.addEventListener("load", () => {
  setTimeout(() => terminal.querySelector("textarea").focus());
});
