// @ts-check

const levels = /** @type {Record<string, string>} */ ({
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
})
const hidden = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'v'])
const maxValueLength = 80
const maxKeys = 6

/** @param {unknown} value */
function formatValue(value) {
  const error = /** @type {{ message?: unknown, code?: unknown } | null} */ (typeof value === 'object' ? value : null)
  const text =
    typeof error?.message === 'string'
      ? `${error.code ? `${error.code} ` : ''}${error.message}`
      : typeof value === 'string'
        ? value
        : JSON.stringify(value)
  const line = String(text).replace(/\s+/g, ' ')
  return line.length > maxValueLength ? `${line.slice(0, maxValueLength - 1)}…` : line
}

/**
 * A log line of a worker in short: time, level, message, a few keys. What is not JSON stays as it is.
 * @param {string} line
 * @returns {string}
 */
export function formatLogLine(line) {
  /** @type {Record<string, unknown>} */
  let entry
  try {
    entry = JSON.parse(line)
  } catch {
    return line
  }
  if (typeof entry !== 'object' || entry === null || typeof entry.msg !== 'string') return line
  const date = new Date(/** @type {string | number} */ (entry.time))
  const time = Number.isNaN(date.getTime()) ? '' : date.toTimeString().slice(0, 8)
  const level = levels[String(entry.level)] ?? String(entry.level)
  const keys = Object.keys(entry).filter((key) => !hidden.has(key))
  const shown = keys.slice(0, maxKeys).map((key) => `${key}=${formatValue(entry[key])}`)
  return [time, level.padEnd(5), entry.msg, ...shown, ...(keys.length > maxKeys ? ['…'] : [])].join(' ').trim()
}
