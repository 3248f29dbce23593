/**
 * Web addresses in a message as links; everything else stays text. Only http and https become
 * links, and what is shown is the address itself.
 */

const ADDRESS = /https?:\/\/[^\s<>"']+/giu;
const TRAILING = /[.,;:!?)\]}]+$/u;

/** Fill `node` with `text`. */
export function setMessage(node, text) {
  if (node.textContent === text) return;
  node.replaceChildren();
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(TRAILING, "");
    if (!URL.canParse(address)) continue;
    node.append(text.slice(end, match.index), linkTo(address));
    end = match.index + address.length;
  }
  node.append(text.slice(end));
}

function linkTo(address) {
  const link = document.createElement("a");
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.textContent = address;
  return link;
}
