// @ts-check
import { rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { environment } from '../environment.mjs'
import { run } from '../services/processes.mjs'
import { readReport } from '../test/sum-reports.mjs'
import { copyDirectory } from './copy.mjs'
import { isIntegration, packageOf } from './mutant.mjs'

/** Long enough for many files on a busy machine. */
const patienceMs = 900_000

/**
 * @typedef {object} TestRun
 * @property {string[]} passed tests as `file: full name`
 * @property {string[]} failed
 * @property {string} trouble what else went wrong: a file that cannot be loaded, a hook; empty if nothing
 */

/**
 * Runs tests in the copy. All must be of one package and kind, and all have names or none.
 * @param {[import('./mutant.mjs').Tests, ...import('./mutant.mjs').Tests[]]} wanted
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<TestRun>}
 */
export async function runTests(wanted, env) {
  const owner = packageOf(wanted[0].file)
  const cwd = join(copyDirectory, owner)
  const report = join(cwd, 'test-results/mutants.json')
  rmSync(report, { force: true })
  const files = [...new Set(wanted.map(({ file }) => relative(owner, file)))]
  const pattern = [...new Set(wanted.flatMap(({ name = [] }) => name))].map(escapeRegExp).join('|')
  const { stdout, stderr } = await run(
    join(copyDirectory, 'node_modules/.bin/vitest'),
    [
      'run',
      ...files,
      ...(isIntegration(wanted[0]) ? ['--testTimeout=60000', '--hookTimeout=60000'] : []),
      ...(pattern === '' ? [] : ['--testNamePattern', pattern]),
      '--reporter=json',
      `--outputFile=${report}`,
    ],
    { cwd, env: { ...environment, ...env }, timeout: patienceMs },
  )
  const results = readReport(report)?.testResults
  if (!results) return { passed: [], failed: [], trouble: stderr.trim() || stdout.trim() || 'there is no report' }
  const withStatus = (/** @type {string} */ looked) =>
    results.flatMap(({ name, assertionResults }) =>
      assertionResults.flatMap(({ status, fullName }) =>
        status === looked ? `${relative(copyDirectory, name)}: ${fullName}` : [],
      ),
    )
  const broken = results.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  )
  return {
    passed: withStatus('passed'),
    failed: withStatus('failed'),
    trouble: broken.map(({ name, message }) => `${relative(copyDirectory, name)}: ${message}`).join('; '),
  }
}

/** @param {string} text */
function escapeRegExp(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
