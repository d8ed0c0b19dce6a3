// @ts-check

// Browsers may refuse to keep anything, or more than a few megabytes. What is kept is a convenience, so the page goes on.

/**
 * @param {'localStorage' | 'sessionStorage'} place
 * @param {string} key
 * @returns {any} what was kept; undefined: nothing
 */
export function readKept(place, key) {
  try {
    return JSON.parse(window[place].getItem(key) ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}

/**
 * @param {'localStorage' | 'sessionStorage'} place
 * @param {string} key
 * @param {unknown} value undefined: nothing is kept any more
 */
export function keep(place, key, value) {
  try {
    if (value === undefined) window[place].removeItem(key)
    else window[place].setItem(key, JSON.stringify(value))
  } catch {}
}
