// @ts-check
import process from 'node:process'
import { parseArgs } from 'node:util'
import { buildPackages, installDependencies } from '../prepare.mjs'
import { say } from '../services/progress.mjs'
import { findObstacle } from './fleet.mjs'

/**
 * @typedef {object} Report
 * @property {(line: string) => void} print
 * @property {(holds: boolean, fault: string) => void} check
 * @property {(...faults: string[]) => void} blame
 */

/**
 * A command that tests the fleet: reads its arguments, tells whether it can run here, and ends with 1 if the test fails
 * or finds a fault.
 * @param {object} command
 * @param {string} command.usage
 * @param {string} command.option a positive integer
 * @param {number} command.byDefault
 * @param {string[]} [command.overlays]
 * @param {(options: { count: number, keep: boolean }, report: Report) => Promise<void>} test
 */
export async function runFleetTest({ usage, option, byDefault, overlays }, test) {
  const print = (/** @type {string} */ line) => void process.stdout.write(`${line}\n`)
  try {
    const { values } = parseArgs({
      options: {
        [option]: { type: 'string', default: String(byDefault) },
        keep: { type: 'boolean', default: false },
        'if-possible': { type: 'boolean', default: false },
      },
    })
    const count = Number(values[option])
    if (!Number.isInteger(count) || count < 1) {
      throw new Error(`--${option}: expected a positive integer, found ${values[option]}`)
    }
    const obstacle = await findObstacle(overlays)
    if (obstacle !== undefined) {
      if (!values['if-possible']) throw new Error(`Expected Docker to be of use: ${obstacle}.`)
      print(`skipped: ${obstacle}`)
      return
    }
    const since = performance.now()
    await installDependencies()
    await buildPackages()
    /** @type {string[]} */
    const faults = []
    await test(
      { count, keep: values.keep === true },
      {
        print,
        check: (holds, fault) => void (holds || faults.push(fault)),
        blame: (...found) => void faults.push(...found),
      },
    )
    for (const fault of faults) print(`FAULT ${fault}`)
    const verdict = faults.length === 0 ? 'all as it must be' : `${faults.length} faults`
    print(`${verdict}, in ${Math.round((performance.now() - since) / 1000)} s`)
    process.exitCode = faults.length === 0 ? 0 : 1
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    say(usage)
    process.exitCode = 1
  }
  // What a failed test has left open must not hold this process.
  process.exit()
}
