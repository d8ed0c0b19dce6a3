// @ts-check
import { run } from '../services/processes.mjs'

/**
 * @param {string[]} args
 * @returns {Promise<string>} standard output
 * @throws {Error} with what it said, if it does not succeed
 */
export async function docker(...args) {
  const { code, stdout, stderr } = await run('docker', args)
  if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with code ${code}: ${stderr.trim()}`)
  return stdout.trim()
}
