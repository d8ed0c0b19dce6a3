import { isLeftOut } from '../../headers.js'

/** Longer ones are past 2^53 anyway. */
const wholeNumber = /^[ \t]*0*(\d{1,16})(?:\.0+)?[ \t]*$/

/**
 * The number in a header of ours, whatever its type on the wire: command line tools and the management page send text,
 * and amqplib has objects for what JavaScript has not. Undefined if the header is left out; what is no number comes back
 * as it is, to be refused for what it is.
 */
export function toHeaderNumber(value: unknown): unknown {
  if (isLeftOut(value)) return undefined
  if (typeof value === 'string') return readText(value) ?? value
  if (typeof value === 'object') return readDecimal(value as Decimal) ?? value
  return value
}

/** AMQP's decimal as amqplib has it: an integer, and how many of its digits are behind the point. */
interface Decimal {
  '!'?: unknown
  value?: { digits: number; places: number }
}

function readText(text: string): number | undefined {
  const digits = wholeNumber.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

function readDecimal({ '!': type, value }: Decimal): number | undefined {
  return type === 'decimal' && value ? value.digits / 10 ** value.places : undefined
}
