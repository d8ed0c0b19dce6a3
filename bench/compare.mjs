// @ts-check
import { percentileOf } from './percentile-of.mjs'
import { runInTurn } from './run-in-turn.mjs'

/**
 * @typedef {{ count: number, seconds: number, cpuMs?: number | undefined }} Run `cpuMs`: processor time of the process that did it
 *
 * @typedef {object} Comparison
 * @property {string} title what is done, and how much of it
 * @property {number | undefined} bar the least that our rate may be, as a part of the reference's; none if it is only to be known
 * @property {(signal: AbortSignal) => Promise<Run>} ours
 * @property {(signal: AbortSignal) => Promise<Run>} reference
 *
 * @typedef {object} Round
 * @property {number} ours messages per second
 * @property {number} reference
 * @property {number} ratio
 * @property {{ ours: number, reference: number } | undefined} cpuUs processor time of a message, in microseconds
 */

/** Below it, start and end weigh too much. */
const leastSeconds = 2

/**
 * Compares rates.
 * @param {Comparison} comparison
 * @param {{ print: (line: string) => void, signal: AbortSignal }} options
 * @returns {Promise<boolean>} the median ratio has reached the bar
 */
export async function compare({ title, bar, ...sides }, { print, signal }) {
  print(`\n${title}`)
  const results = await runInTurn(sides, {
    signal,
    toResult({ ours, reference }, { round, load }) {
      const result = toRound(ours, reference)
      print(`  round ${round}  ${render([result.ratio], [result.ours], [result.reference])}  load ${load}`)
      if (Math.min(ours.seconds, reference.seconds) < leastSeconds) {
        print(`           one side took less than ${leastSeconds} s: send more messages on a machine as fast as this`)
      }
      return result
    },
  })
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
  const cpuUs = results.flatMap((result) => result.cpuUs ?? [])
  if (cpuUs.length > 0) {
    const [ourUs, theirUs] = [cpuUs.map(({ ours }) => ours), cpuUs.map(({ reference }) => reference)].map(medianOf)
    print(
      `           processor time of each  ours ${Math.round(ourUs ?? 0)} µs  reference ${Math.round(theirUs ?? 0)} µs`,
    )
  }
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
  return { ours: ourRate, reference: theirRate, ratio: ourRate / theirRate, cpuUs: toCpuUs(ours, reference) }
}

/**
 * @param {Run} ours
 * @param {Run} reference
 */
function toCpuUs(ours, reference) {
  if (ours.cpuMs === undefined || reference.cpuMs === undefined) return undefined
  return { ours: (ours.cpuMs * 1000) / ours.count, reference: (reference.cpuMs * 1000) / reference.count }
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

const medianOf = (/** @type {number[]} */ values) => percentileOf(values, 50)
