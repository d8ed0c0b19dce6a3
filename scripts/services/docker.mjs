// @ts-check
import { environment } from '../environment.mjs'
import { rootDirectory } from './paths.mjs'
import { findCommand, run } from './processes.mjs'

const engineLimitMs = 5000

/**
 * Runs a command of Docker's in the root directory.
 * @param {string[]} args
 * @param {import('node:child_process').ExecFileOptions} [options]
 */
export const docker = (args, options = {}) => run('docker', args, { cwd: rootDirectory, ...options })

/**
 * What a command said last, which is mostly the reason.
 * @param {{ code: number, stderr: string }} result
 */
export const lastLine = ({ stderr }) => (stderr.trim().split('\n').at(-1) ?? '').trim().replace(/\.$/, '')

/**
 * Where Docker's command line looks for its engine, in words.
 */
const describeEngine = () =>
  environment.DOCKER_HOST ? `The Docker engine at DOCKER_HOST=${environment.DOCKER_HOST}` : 'The Docker engine'

/**
 * Looks for an engine with compose.
 * @returns {Promise<{ usable: boolean, fault?: string }>} `fault`: what keeps a Docker that is installed from serving
 */
export async function findEngine() {
  if (!findCommand('docker')) return { usable: false }
  const info = await docker(['info', '--format', '{{.ServerVersion}}'], {
    timeout: engineLimitMs,
    killSignal: 'SIGKILL',
  })
  // Without an engine some versions end with 0, and no version.
  if (info.code === -1)
    return { usable: false, fault: `${describeEngine()} does not answer within ${engineLimitMs / 1000} s` }
  if (info.code !== 0 || !/\d/.test(info.stdout)) {
    return {
      usable: false,
      fault: `${describeEngine()} cannot be reached (${lastLine(info).replace(/\.? Is the docker daemon running\?$/, '')})`,
    }
  }
  if ((await docker(['compose', 'version'], { timeout: engineLimitMs, killSignal: 'SIGKILL' })).code !== 0) {
    return { usable: false, fault: 'Docker has no compose plugin' }
  }
  return { usable: true }
}
