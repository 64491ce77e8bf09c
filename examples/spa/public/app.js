const main = document.querySelector("main");

/** Shows the page of the current path: `/people/NAME` greets NAME, and every other one greets the world. */
async function show() {
  const [, name] = /^\/people\/([^/]+)$/.exec(location.pathname) ?? [];
  const query = name === undefined ? "" : `?name=${name}`;
  const response = await fetch(`/api/greeting${query}`);
  const { greeting, error } = await response.json();
  main.textContent = greeting ?? error;
}

document.querySelector("nav").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link === null) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  void show();
});
addEventListener("popstate", () => void show());
void show();
