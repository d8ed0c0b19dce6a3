// @ts-check
import { loadavg } from 'node:os'

/**
 * @typedef {{ count: number, seconds: number }} Run
 *
 * @typedef {object} Comparison
 * @property {string} title what is done, and how much of it
 * @property {number | undefined} bar the least that our rate may be, as a part of the reference's; none if it is only to be known
 * @property {(signal: AbortSignal) => Promise<Run>} ours
 * @property {(signal: AbortSignal) => Promise<Run>} reference
 *
 * @typedef {{ ours: number, reference: number, ratio: number }} Round rates are messages per second
 */

const rounds = 5
/** Below it, start and end weigh too much. */
const leastSeconds = 2

/**
 * Runs both sides in turn, so that whatever else keeps the machine busy hits both; which of them goes first alternates.
 * One round before, which does not count, warms up broker and database.
 * @param {Comparison} comparison
 * @param {{ print: (line: string) => void, signal: AbortSignal }} options
 * @returns {Promise<boolean>} the median ratio has reached the bar
 */
export async function compare({ title, bar, ours, reference }, { print, signal }) {
  print(`\n${title}`)
  await ours(signal)
  await reference(signal)
  /** @type {Round[]} */
  const results = []
  for (let round = 1; round <= rounds; round += 1) {
    const ourFirst = round % 2 === 1 ? await ours(signal) : undefined
    const theirRun = await reference(signal)
    const ourRun = ourFirst ?? (await ours(signal))
    const result = toRound(ourRun, theirRun)
    results.push(result)
    print(`  round ${round}  ${render([result.ratio], [result.ours], [result.reference])}  load ${describeLoad()}`)
    if (Math.min(ourRun.seconds, theirRun.seconds) < leastSeconds) {
      print(`           one side took less than ${leastSeconds} s: send more messages on a machine as fast as this`)
    }
  }
  const ratios = results.map(({ ratio }) => ratio)
  const held = bar === undefined || medianOf(ratios) >= bar
  const verdict = bar === undefined ? 'no bar' : `bar ${bar.toFixed(2)} ${held ? 'held' : 'MISSED'}`
  const rates = render(
    ratios,
    results.map(({ ours }) => ours),
    results.map(({ reference }) => reference),
  )
  const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`
  print(`  median   ${rates}  spread ${spread}  ${verdict}`)
  return held
}

/**
 * @param {Run} ours
 * @param {Run} reference
 * @returns {Round}
 */
function toRound(ours, reference) {
  const ourRate = ours.count / ours.seconds
  const theirRate = reference.count / reference.seconds
  return { ours: ourRate, reference: theirRate, ratio: ourRate / theirRate }
}

/**
 * @param {number[]} ratios
 * @param {number[]} ourRates
 * @param {number[]} theirRates
 */
function render(ratios, ourRates, theirRates) {
  const toText = (/** @type {number[]} */ rates) => `${Math.round(medianOf(rates)).toLocaleString('en')}/s`.padStart(8)
  return `ratio ${medianOf(ratios).toFixed(2)}  ours ${toText(ourRates)}  reference ${toText(theirRates)}`
}

const describeLoad = () => (loadavg()[0] ?? 0).toFixed(1)

/** @param {number[]} values an odd number of them */
function medianOf(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
