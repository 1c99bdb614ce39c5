// @ts-check
/** A small virtual DOM: elements are described, and what stands there is changed in place, so that focus and selection stay. */

/** @typedef {{ tag: string, key: string | undefined, props: Props, children: readonly Child[] }} VNode */
/** @typedef {VNode | string | number | null | undefined | false | readonly (VNode | string | number | null | undefined | false | readonly any[])[]} Child */
/** @typedef {Record<string, any>} Props */

const SVG = 'http://www.w3.org/2000/svg';
/** @type {WeakMap<Node, { key: string | undefined, props: Props }>} */
const known = new WeakMap();

/**
 * @param {string} tag `p`, `p.class.other`
 * @param {Props | null} props attributes; `on…` are handlers, `key` tells equal siblings apart, `then` is called with the element once it stands in its parent
 * @param {...Child} children
 * @returns {VNode}
 */
export function h(tag, props, ...children) {
  const [name = '', ...classes] = tag.split('.');
  const { key, ...rest } = props ?? {};
  if (classes.length > 0) rest['class'] = [...classes, rest['class']].filter(Boolean).join(' ');
  return { tag: name, key, props: rest, children };
}

/** @param {Element} parent @param {...Child} children */
export function render(parent, ...children) {
  /** @type {Map<string, Node>} */
  const keyed = new Map();
  for (const node of parent.childNodes) {
    const key = known.get(node)?.key;
    if (key !== undefined) keyed.set(key, node);
  }
  let cursor = parent.firstChild;
  for (const child of flat(children)) {
    const node = typeof child === 'string' ? textNode(cursor, child) : element(parent, cursor, child, keyed);
    if (node === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(node, cursor);
    if (typeof child !== 'string') child.props['then']?.(node);
  }
  while (cursor !== null) {
    const next = cursor.nextSibling;
    cursor.remove();
    cursor = next;
  }
}

/** @param {readonly Child[]} children @returns {(VNode | string)[]} */
function flat(children) {
  /** @type {(VNode | string)[]} */
  const all = [];
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) all.push(...flat(child));
    else all.push(typeof child === 'object' ? /** @type {VNode} */ (child) : String(child));
  }
  return all;
}

/** @param {ChildNode | null} cursor @param {string} text @returns {ChildNode} */
function textNode(cursor, text) {
  if (!(cursor instanceof Text)) return document.createTextNode(text);
  if (cursor.data !== text) cursor.data = text;
  return cursor;
}

/** @param {Element} parent @param {ChildNode | null} cursor @param {VNode} vnode @param {Map<string, Node>} keyed @returns {ChildNode} */
function element(parent, cursor, vnode, keyed) {
  const candidate = vnode.key === undefined ? (cursor !== null && known.get(cursor)?.key === undefined ? cursor : null) : keyed.get(vnode.key);
  const inSvg = vnode.tag === 'svg' || (parent.namespaceURI === SVG && parent.nodeName !== 'foreignObject');
  const node = candidate instanceof Element && candidate.localName === vnode.tag ? candidate : inSvg ? document.createElementNS(SVG, vnode.tag) : document.createElement(vnode.tag);
  const former = known.get(node)?.props ?? {};
  known.set(node, { key: vnode.key, props: vnode.props });
  for (const name of Object.keys(former)) if (!(name in vnode.props)) set(node, name, null, former[name]);
  for (const [name, value] of Object.entries(vnode.props)) if (value !== former[name] || name === 'value') set(node, name, value, former[name]);
  render(node, ...vnode.children);
  return node;
}

/** @param {Element} node @param {string} name @param {any} value @param {any} former */
function set(node, name, value, former) {
  if (name === 'then') return;
  if (name.startsWith('on')) /** @type {any} */ (node)[name] = value;
  else if (name === 'value') { if (value !== former && value !== undefined) /** @type {any} */ (node).value = value; }
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? '' : String(value));
}
