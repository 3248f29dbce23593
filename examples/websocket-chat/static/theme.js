/**
 * The colour scheme chosen in this browser, put on the page before it is first painted.
 * A classic script on purpose: a module would run after the first paint.
 */
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("roomkit.theme");
  } catch {
    chosen = null;
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
