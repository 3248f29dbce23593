/**
 * The button that turns the colours dark or light. Choosing what the system has anyway means
 * following the system again, so that nobody is stuck with a choice made once.
 */

import { byId } from "./dom.js";

const KEY = "roomkit.theme";

export function followAppearance() {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const button = byId("theme");
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const show = () => button.setAttribute("aria-pressed", String(isDark()));

  button.addEventListener("click", () => {
    const wanted = isDark() ? "light" : "dark";
    if ((wanted === "dark") === system.matches) delete root.dataset.theme;
    else root.dataset.theme = wanted;
    remember(root.dataset.theme);
    show();
  });
  system.addEventListener("change", show);
  show();
}

function remember(theme) {
  try {
    if (theme) localStorage.setItem(KEY, theme);
    else localStorage.removeItem(KEY);
  } catch {
    return;
  }
}
