// @ts-check

/**
 * The element of the page that has this id.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{ new (): T }} type
 * @returns {T}
 * @throws Error if the page has none of this type
 */
export function byId(id, type) {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new Error(`The page has no ${type.name} #${id}`)
}

/**
 * A new element. Text among the children is text, whatever it looks like: nothing from outside becomes markup.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Partial<Record<string, string | boolean | undefined>>} [attributes] what is false or undefined is left out
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value)
  }
  made.append(...children)
  return made
}

/**
 * @param {string} label
 * @param {() => void} onClick
 */
export function button(label, onClick) {
  const made = element('button', { type: 'button', class: 'quiet' }, label)
  made.addEventListener('click', onClick)
  return made
}

/**
 * Shows a text, and hides the element while there is none.
 *
 * @param {HTMLElement} shown
 * @param {string} text
 */
export function showText(shown, text) {
  shown.hidden = text === ''
  if (shown.textContent !== text) shown.textContent = text
}

const today = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const otherDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/**
 * Shows a point in time, without the date if it is of today.
 *
 * @param {string | Date} moment
 */
export function time(moment) {
  const date = new Date(moment)
  const format = date.toDateString() === new Date().toDateString() ? today : otherDay
  return element('time', { datetime: date.toISOString() }, format.format(date))
}
