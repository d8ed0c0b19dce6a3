/**
 * What the serializers of well-known languages write, one by one in the test: `T`, `t` or a blank before the time; seconds
 * and their fraction or none; `Z`, ` UTC`, `+02:00`, `+0200` or `+02`; the name of a zone in brackets or none (RFC 9557).
 * Up to the seconds every digit has its place.
 */
const dateAndTime =
  /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[Zz]| UTC| ?[+-]\d\d(?::?\d\d)?)(?:\[[\w/+-]{1,64}\])?$/
const hourOffset = /([+-])(\d\d):?(\d\d)?(?:\[.*)?$/
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
/** The calendar repeats itself after 400 years. */
const cycleMs = 146_097 * 24 * 60 * 60 * 1_000
const firstInstant = Date.parse('0001-01-01T00:00:00Z')
const lastInstant = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * The point in time that a text names, written as ISO 8601, RFC 3339 or next to it; undefined if it names none or leaves
 * open which, as without an offset. What is finer than a millisecond is cut off.
 *
 * This is the one place where a date and time from the wire is read. JavaScript's own parser takes too much, such as
 * `garbage 12` and the 30th of February, and too little, such as `+0200`.
 */
export function toDate(text: unknown): Date | undefined {
  if (typeof text !== 'string' || !dateAndTime.test(text)) return undefined
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = text[16] === ':' ? twoDigits(text, 17) : 0
  const offset = readOffset(text)
  if (offset === undefined || !isDay(year, month, day) || !isTime(hour, minute, second)) return undefined
  // Date.UTC takes a year below 100 for one of the 20th century.
  const time = Date.UTC(year + 400, month - 1, day, hour, minute - offset, second, readMilliseconds(text)) - cycleMs
  return isInRange(time) ? new Date(time) : undefined
}

/** In the years 0001 to 9999, which ISO 8601 and PostgreSQL both can write. */
export function isInRange(time: number): boolean {
  return time >= firstInstant && time <= lastInstant
}

function twoDigits(text: string, index: number): number {
  return digit(text, index) * 10 + digit(text, index + 1)
}

function digit(text: string, index: number): number {
  return text.charCodeAt(index) - 48
}

function readMilliseconds(text: string): number {
  let milliseconds = 0
  if (text[16] !== ':' || (text[19] !== '.' && text[19] !== ',')) return milliseconds
  for (let index = 20, worth = 100; worth >= 1; index += 1, worth /= 10) {
    const next = digit(text, index)
    if (!(next >= 0 && next <= 9)) break
    milliseconds += next * worth
  }
  return milliseconds
}

/** Minutes east of Greenwich; undefined if no clock has them. */
function readOffset(text: string): number | undefined {
  const found = text.endsWith('Z') ? null : hourOffset.exec(text)
  if (found === null) return 0
  const [, sign, hours, minutes = 0] = found
  if (!isTime(Number(hours), Number(minutes), 0)) return undefined
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
}

function isDay(year: number, month: number, day: number): boolean {
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = month === 2 && isLeapYear ? 29 : daysOfMonth[month - 1]
  return days !== undefined && day >= 1 && day <= days
}

function isTime(hour: number, minute: number, second: number): boolean {
  return hour <= 23 && minute <= 59 && second <= 59
}
