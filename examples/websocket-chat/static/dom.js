/**
 * The few things every part of the page does to the document. Whatever somebody typed goes in as
 * text: there is no innerHTML in this program, and the page's policy forbids it.
 */

export function byId(id) {
  return document.getElementById(id);
}

/** A copy of the only element in a template. */
export function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** Touch the document only when the words change, so that nothing is announced twice. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Parts of a sentence, strings and `{name}`: names are isolated, whatever their direction. */
export function setParts(node, parts) {
  const plain = parts.map((part) => part.name ?? part).join("");
  if (node.textContent === plain) return;
  node.replaceChildren(
    ...parts.map((part) => {
      if (typeof part === "string") return part;
      const isolated = document.createElement("bdi");
      isolated.textContent = part.name;
      return isolated;
    }),
  );
}

/**
 * Make the children of `parent` follow `items`: one node per `item.key`, kept while the key lasts.
 * `make(item)` gives a new node, `update(node, item)` brings one up to date whose item is another
 * than before. `shown` is the Map this keeps between calls. Gives the nodes that were made.
 */
export function reconcile(parent, shown, items, make, update) {
  const wanted = new Set(items.map((item) => item.key));
  for (const [key, { node }] of shown) {
    if (wanted.has(key)) continue;
    node.remove();
    shown.delete(key);
  }
  const made = [];
  let next = parent.firstElementChild;
  for (const item of items) {
    const before = shown.get(item.key);
    const node = before?.node ?? make(item);
    if (!before) made.push(node);
    if (!before || !alike(before.item, item)) update(node, item);
    shown.set(item.key, { node, item });
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
  return made;
}

function alike(one, other) {
  return Object.keys(other).every((name) => Object.is(one[name], other[name]));
}

/** Initials on a colour that is always the same for the same name. */
export function paintAvatar(node, name) {
  if (node.dataset.name === name) return;
  node.dataset.name = name;
  node.textContent = initialsOf(name);
  node.style.setProperty("--hue", hueOf(name));
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function initialsOf(name) {
  const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
  const chosen = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0] ?? name];
  return chosen.map((word) => firstLetter(word).toUpperCase()).join("");
}

function firstLetter(word) {
  return [...graphemes.segment(word)][0]?.segment ?? "";
}

/** FNV-1a over the name, spread over twenty-four hues that can be told apart. */
function hueOf(name) {
  let hash = 0x811c9dc5;
  for (const letter of name.toLowerCase()) {
    hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193) >>> 0;
  }
  return ((hash ^ (hash >>> 15)) % 24) * 15;
}
