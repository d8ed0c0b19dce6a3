// @ts-check
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { brokerUrl } from '../scripts/services/native-rabbitmq.mjs'
import { instanceName, rootDirectory } from '../scripts/services/paths.mjs'
import { choosePorts } from '../scripts/services/ports.mjs'
import { probeAmqp } from '../scripts/services/probe-amqp.mjs'
import { run } from '../scripts/services/processes.mjs'
import { waitUntilReady } from '../scripts/services/wait-until-ready.mjs'
import { ctlLimitSeconds } from './broker-node.mjs'

const startLimitMs = 90_000

/**
 * Starts a broker of this image, in a container that bears this clone's name. It takes the place of one left behind.
 * @param {string} image
 * @returns {Promise<import('./broker-node.mjs').BrokerNode>}
 */
export async function startContainerNode(image) {
  const name = `${instanceName}-rabbitmq`
  const ports = await choosePorts({ amqp: undefined }, instanceName)
  const url = brokerUrl(ports)
  const docker = async (/** @type {string[]} */ ...args) => {
    const { code, stderr } = await run('docker', args)
    if (code !== 0) throw new Error(`docker ${args[0]} failed with code ${code}: ${stderr.trim()}`)
  }
  const dockerNow = (/** @type {string[]} */ ...args) => {
    execFileSync('docker', args, { stdio: 'ignore' })
  }
  const untilReady = async () => {
    const fault = await waitUntilReady(() => probeAmqp(url, 2000), { timeoutMs: startLimitMs })
    if (fault !== undefined) throw new Error(`RabbitMQ did not start in the container ${name}: ${fault}`)
  }
  /** @type {import('./broker-node.mjs').BrokerNode} */
  const node = {
    url,
    ctl: (command) =>
      run('docker', ['exec', name, 'rabbitmqctl', '-q', '--timeout', String(ctlLimitSeconds), ...command]),
    async isRunning() {
      const { stdout } = await run('docker', ['inspect', '-f', '{{.State.Running}}', name])
      return stdout.trim() === 'true'
    },
    async start() {
      await docker('start', name)
      await untilReady()
    },
    stop: () => docker('stop', '--time', '60', name),
    kill: () => docker('kill', name),
    freeze: () => dockerNow('pause', name),
    thaw() {
      try {
        dockerNow('unpause', name)
      } catch {} // it is not frozen
    },
    end() {
      try {
        dockerNow('rm', '--force', '--volumes', name)
      } catch {} // there is none
    },
  }
  node.end()
  process.once('exit', node.end)
  const { username, password, pathname } = new URL(url)
  const mount = (/** @type {string} */ file) => [
    '--volume',
    `${join(rootDirectory, 'docker/rabbitmq', file)}:/etc/rabbitmq/${file}:ro`,
  ]
  const variables = {
    RABBITMQ_DEFAULT_USER: username,
    RABBITMQ_DEFAULT_PASS: password,
    RABBITMQ_DEFAULT_VHOST: pathname.slice(1),
  }
  await docker(
    ...['run', '--detach', '--name', name, '--publish', `127.0.0.1:${ports.amqp}:5672`],
    // Its data are named after it.
    ...['--hostname', 'broker'],
    ...Object.entries(variables).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...mount('rabbitmq.conf'),
    ...mount('advanced.config'),
    image,
  )
  await untilReady()
  return node
}
