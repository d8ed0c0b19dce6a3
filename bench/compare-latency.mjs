// @ts-check
import { percentileOf } from './percentile-of.mjs'
import { runInTurn } from './run-in-turn.mjs'

/**
 * @typedef {object} LatencyComparison
 * @property {string} title what is done, and how often
 * @property {(signal: AbortSignal) => Promise<number[]>} ours milliseconds of each message
 * @property {(signal: AbortSignal) => Promise<number[]>} reference
 *
 * @typedef {{ p50: number, p99: number }} Latency milliseconds
 * @typedef {{ ours: Latency, reference: Latency, ratio: number }} Round
 */

/**
 * Compares how long messages take. A ratio is that of the medians, the reference's over ours: as with rates, more is
 * better. There is no bar.
 * @param {LatencyComparison} comparison
 * @param {{ print: (line: string) => void, signal: AbortSignal }} options
 */
export async function compareLatency({ title, ...sides }, { print, signal }) {
  print(`\n${title}`)
  const results = await runInTurn(sides, {
    signal,
    toResult(runs, { round, load }) {
      const [ours, reference] = [toLatency(runs.ours), toLatency(runs.reference)]
      const result = { ours, reference, ratio: reference.p50 / ours.p50 }
      print(`  round ${round}  ${render([result])}  load ${load}`)
      return result
    },
  })
  const ratios = results.map(({ ratio }) => ratio)
  print(
    `  median   ${render(results)}  spread ${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}  no bar`,
  )
}

/**
 * @param {number[]} latencies
 * @returns {Latency}
 */
const toLatency = (latencies) => ({ p50: percentileOf(latencies, 50), p99: percentileOf(latencies, 99) })

/** The medians of the rounds. @param {Round[]} rounds */
function render(rounds) {
  const toText = (/** @type {(round: Round) => number} */ pick) => percentileOf(rounds.map(pick), 50)
  const side = (/** @type {'ours' | 'reference'} */ name) => {
    const [p50, p99] = [toText((round) => round[name].p50), toText((round) => round[name].p99)]
    return `${name} p50 ${p50.toFixed(1).padStart(5)} ms p99 ${p99.toFixed(1).padStart(5)} ms`
  }
  return `ratio ${toText(({ ratio }) => ratio).toFixed(2)}  ${side('ours')}  ${side('reference')}`
}
