/** The page of the chat. The room is the fragment of the URL. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Chat</title>
<style>
  body { max-width: 40rem; margin: 0 auto; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; }
  ul { padding: 0; list-style: none; overflow-wrap: anywhere; }
  form { display: flex; gap: .5rem; }
  input { flex: 1; font: inherit; padding: .3rem .5rem; }
  button { font: inherit; }
</style>
<h1>Room <span id="room"></span></h1>
<ul id="messages" aria-live="polite"></ul>
<form><label hidden for="text">Message</label><input id="text" autocomplete="off" maxlength="1000" required><button>Send</button></form>
<script>
  const room = location.hash.slice(1) || "lobby";
  document.getElementById("room").textContent = room;
  const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/rooms/" + encodeURIComponent(room));
  socket.addEventListener("message", ({ data }) => {
    const item = document.createElement("li");
    item.textContent = data;
    document.getElementById("messages").append(item);
  });
  addEventListener("hashchange", () => location.reload());
  document.forms[0].addEventListener("submit", (event) => {
    event.preventDefault();
    const input = document.getElementById("text");
    socket.send(input.value);
    input.value = "";
  });
</script>
</html>
`;
