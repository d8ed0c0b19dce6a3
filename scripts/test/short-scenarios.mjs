// @ts-check
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { runShown } from '../prepare.mjs'
import { rootDirectory } from '../services/paths.mjs'

const directory = join(rootDirectory, 'test-results/chaos-short')

/** @typedef {{ name: string, faults: string[], rows: { faults: string[] }[] }} Result */

/**
 * Runs the scenarios of `npm run chaos` that have a short form; each counts as one test.
 * @param {import('../services/services.mjs').Services} services
 * @returns {Promise<import('./sum-reports.mjs').Sum>}
 */
export async function runShortScenarios({ sources }) {
  // A broker that was given, or is in a container, says nothing of whether one can be started here, stopped and killed.
  if (sources.rabbitmq !== 'native' || sources.postgres !== 'native') {
    return {
      passed: 0,
      failed: [],
      skipped: ["chaos in short form: needs RabbitMQ and PostgreSQL of Debian's packages"],
    }
  }
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const code = await runShown(process.execPath, ['chaos/run.mjs', '--short'])
  const results = readdirSync(directory).map(
    (file) => /** @type {Result} */ (JSON.parse(readFileSync(join(directory, file), 'utf8'))),
  )
  const failed = results
    .filter(({ faults, rows }) => faults.length > 0 || rows.some((row) => row.faults.length > 0))
    .map(({ name }) => `chaos: ${name}`)
  const passed = results.length - failed.length
  if (code !== 0 && failed.length === 0) failed.push(`chaos in short form: ended with code ${code}`)
  return { passed, failed, skipped: [] }
}
