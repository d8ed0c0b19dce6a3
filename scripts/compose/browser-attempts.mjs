// @ts-check
import { join } from 'node:path'
import { environment } from '../environment.mjs'
import { rootDirectory } from '../services/paths.mjs'
import { run } from '../services/processes.mjs'

const limitMs = 180_000

/**
 * The tests of what a browser may do at a broker and what not, with the fleet's, which is of another version than that of
 * Debian's packages.
 * @param {import('./test-fleet.mjs').TestFleet} testFleet
 * @param {import('./run-fleet-test.mjs').Report} report
 */
export async function tryBrowsers({ fleet, ports, directory }, { print, check }) {
  const keyFile = join(directory, 'realtime-key.pem')
  await fleet.compose('cp', 'rabbitmq:/var/lib/realtime/key.pem', keyFile)
  const { code, stdout, stderr } = await run(
    'npx',
    ['vitest', 'run', '--dir', 'test', '--testTimeout=60000', 'attempts', 'broker'],
    {
      cwd: join(rootDirectory, 'packages/realtime'),
      env: {
        ...environment,
        RABBITMQ_URL: `amqp://admin:admin123@127.0.0.1:${ports.AMQP_PORT}/mono`,
        RABBITMQ_MANAGEMENT_URL: `http://127.0.0.1:${ports.MANAGEMENT_PORT}`,
        REALTIME_URL: `ws://127.0.0.1:${ports.REALTIME_PORT}/ws`,
        REALTIME_KEY_FILE: keyFile,
        NO_COLOR: '1',
      },
      timeout: limitMs,
    },
  )
  for (const line of stdout.split('\n')) if (/^\[|^ *Tests /.test(line)) print(`  ${line.trim()}`)
  const isTried = /^ *Tests +\d+ passed \(\d+\)$/m.test(stdout)
  check(code === 0 && isTried, `what browsers may do at the fleet's broker: ${`${stdout}${stderr}`.slice(-4000)}`)
}
