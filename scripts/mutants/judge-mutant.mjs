// @ts-check
import { copyDirectory, rebuild, restoreBuild } from './copy.mjs'
import { applyMutant, isIntegration, packageOf } from './mutant.mjs'
import { runTests } from './run-tests.mjs'

/**
 * - `red`: a test failed, as it should
 * - `survived`: no test noticed that the guard is gone
 * - `broken`: nothing can be said: the mutant does not compile, or a test file cannot be loaded
 * @typedef {object} Verdict
 * @property {'red' | 'survived' | 'broken'} kind
 * @property {string} detail
 */

/**
 * Takes the guard out of the copy, runs the mutant's tests, and puts it back.
 * @param {import('./mutant.mjs').Mutant} mutant
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Verdict>}
 */
export async function judgeMutant(mutant, env) {
  const { file, tests } = mutant
  const owner = packageOf(file)
  // A test imports the sources of its own package, and what is built of the others; worker processes are built, too.
  const isBuilt = isIntegration(tests) || owner !== packageOf(tests.file)
  const restore = applyMutant(mutant, copyDirectory)
  try {
    const fault = isBuilt ? await rebuild(owner) : undefined
    if (fault !== undefined) return { kind: 'broken', detail: fault.trim() }
    return toVerdict(await runTests([tests], env))
  } finally {
    restore()
    if (isBuilt) restoreBuild(owner)
  }
}

/**
 * @param {import('./run-tests.mjs').TestRun} result
 * @returns {Verdict}
 */
function toVerdict({ passed, failed, trouble }) {
  if (failed.length > 0) return { kind: 'red', detail: `${failed.length} of ${failed.length + passed.length} tests` }
  if (trouble) return { kind: 'broken', detail: trouble }
  return { kind: 'survived', detail: `${passed.length} tests passed` }
}
