// @ts-check
/**
 * What a page must hold for those who do not see it, or see it badly: run inside the page, it returns what is wrong.
 * Names, roles and places by the rules of WCAG 2.2 AA that can be computed; contrast from the colours as they are drawn.
 * @returns {string[]}
 */
(() => {
  /** @type {string[]} */
  const wrong = [];
  const all = [...document.querySelectorAll('body *')];
  const shown = (/** @type {Element} */ element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.closest('[aria-hidden="true"]') === null;
  const where = (/** @type {Element} */ element) => `<${element.localName}${element.id === '' ? '' : ` id=${element.id}`} class="${element.getAttribute('class') ?? ''}"> ${(element.textContent ?? '').trim().slice(0, 40)}`;
  const complain = (/** @type {string} */ rule, /** @type {Element} */ element) => { wrong.push(`${rule}: ${where(element)}`); };

  /** @param {Element} element */
  function nameOf(element) {
    const labelledby = element.getAttribute('aria-labelledby');
    if (labelledby !== null) return labelledby.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
    const label = element.getAttribute('aria-label')?.trim();
    if (label) return label;
    if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return [...element.labels ?? []].map((one) => one.textContent ?? '').join(' ').trim();
    if (element instanceof HTMLImageElement) return element.alt.trim();
    return (element.textContent ?? '').trim();
  }

  // Landmarks, language, headings
  for (const one of ['header', 'main', 'footer']) if (document.querySelectorAll(`body > ${one}`).length !== 1) wrong.push(`one ${one} expected`);
  if (document.documentElement.lang === '' || document.title === '') wrong.push('language or title is missing');
  if (document.querySelectorAll('[aria-live]').length !== 1) wrong.push('one live region expected');
  const headings = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].filter((one) => one.closest('dialog') === null));
  if (headings.filter(({ localName }) => localName === 'h1').length !== 1) wrong.push('one h1 expected');
  headings.forEach((one, i) => { if (i > 0 && Number(one.localName[1]) > Number(headings[i - 1]?.localName[1]) + 1) complain('heading skips a level', one); });
  const ids = all.map(({ id }) => id).filter((id) => id !== '');
  for (const id of new Set(ids.filter((one, i) => ids.indexOf(one) !== i))) wrong.push(`id ${id} is there twice`);
  for (const element of all)
    for (const attribute of ['aria-labelledby', 'aria-describedby', 'for', 'list'])
      for (const id of element.getAttribute(attribute)?.split(' ') ?? []) if (document.getElementById(id) === null) complain(`${attribute} points to nothing (${id})`, element);

  // Names of what is used or looked at
  for (const element of document.querySelectorAll('button, a[href], input, textarea, select, [role="img"], [role="region"], dialog, section, [tabindex="0"], img'))
    if (shown(element) && nameOf(element) === '' && !(element instanceof HTMLImageElement && element.getAttribute('alt') === '')) complain('no name', element);
  for (const element of document.querySelectorAll('svg, canvas')) if (element.closest('[aria-hidden="true"]') === null && element.getAttribute('role') !== 'img') complain('a picture that is neither named nor hidden', element);
  for (const element of document.querySelectorAll('[aria-hidden="true"]')) if (element.querySelector('a[href], button, input, [tabindex]') !== null) complain('focus goes to what is hidden', element);
  for (const element of document.querySelectorAll('[tabindex]')) if (Number(element.getAttribute('tabindex')) > 0) complain('a tabindex above 0', element);
  for (const element of document.querySelectorAll('th')) if (!element.hasAttribute('scope')) complain('a header cell without scope', element);
  for (const element of document.querySelectorAll('ul, ol')) if ([...element.children].some((child) => child.localName !== 'li')) complain('a list of other things than items', element);
  for (const element of document.querySelectorAll('button, a[href], input, textarea')) {
    const { width, height } = element.getBoundingClientRect();
    const inText = element.localName === 'a' || element.classList.contains('link');
    if (shown(element) && !inText && (width < 24 || height < 24)) complain(`a target of ${Math.round(width)} × ${Math.round(height)}`, element);
  }
  if (document.documentElement.scrollWidth > window.innerWidth + 1) wrong.push(`it is ${document.documentElement.scrollWidth} wide in a window of ${window.innerWidth}`);

  // Contrast
  const pen = /** @type {CanvasRenderingContext2D} */ (Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true }));
  /** @param {string} colour @returns {number[]} red, green, blue 0 to 255, alpha 0 to 1 */
  function parse(colour) {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0, a = 0] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  }
  const over = (/** @type {number[]} */ top, /** @type {number[]} */ ground) => [0, 1, 2].map((i) => (top[i] ?? 0) * (top[3] ?? 1) + (ground[i] ?? 0) * (1 - (top[3] ?? 1)));
  /** @param {Element | null} element @returns {number[]} */
  function groundOf(element) {
    if (element === null) return [255, 255, 255];
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, groundOf(element.parentElement));
  }
  const light = (/** @type {number[]} */ rgb) => rgb.slice(0, 3).map((value) => { const c = value / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }).reduce((sum, value, i) => sum + value * ([0.2126, 0.7152, 0.0722][i] ?? 0), 0);
  for (const element of all) {
    const text = [...element.childNodes].some((node) => node instanceof Text && node.data.trim() !== '');
    const style = getComputedStyle(element);
    if (!text || !element.checkVisibility({ visibilityProperty: true }) || element.closest('.out-of-sight, .skip, option, noscript, :disabled') !== null) continue;
    const ground = groundOf(element);
    const [a, b] = [light(over(parse(style.color), ground)), light(ground)].sort((x, y) => y - x);
    const ratio = ((a ?? 0) + 0.05) / ((b ?? 0) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) complain(`contrast ${ratio.toFixed(2)}`, element);
  }
  return wrong;
})();
